"""A Node as far as it decides who may announce."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.names import IPAddress, NodeName

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node at one moment."""

    name: NodeName
    labels: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[IPAddress, ...] = ()
    """status.addresses of type InternalIP."""
    network_unavailable: bool = False
    """Condition NetworkUnavailable is True."""
