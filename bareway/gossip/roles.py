"""Who takes part in gossip by name: speakers go by their Node's name, observers by one that no Node can have.

An observer, such as the controller, hears all that members say to each other and is heard by nobody: it never
is a member, stands for election or relays. Whoever holds the cluster's key may be one.
"""

from typing import Final

from bareway.model.names import NodeName

OBSERVER_PREFIX: Final = "controller/"
"""A slash stands in no DNS name, so in no Node's (RFC 1123 section 2.1)."""
OBSERVER_NAME_MAX: Final = 253
"""As long as a Node's name may be."""


def observer_name(pod: str) -> NodeName:
    """The name of the observer in a Pod."""
    return NodeName((OBSERVER_PREFIX + pod)[:OBSERVER_NAME_MAX])


def is_observer(name: NodeName) -> bool:
    """Whether one of that name only observes."""
    return name.startswith(OBSERVER_PREFIX)
