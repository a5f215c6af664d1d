"""When each announced address was last mentioned, and last asked for: what ``bareway why`` tells of a link.

One number for each address and kind, written beside the counters; forgotten with the address.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bareway.model.names import IPAddress


@dataclass(slots=True)
class Lately:
    """Monotonic seconds, over all links."""

    told: dict[IPAddress, float] = field(default_factory=dict)
    """When a frame went out unasked."""
    answered: dict[IPAddress, float] = field(default_factory=dict)
    """When a reply went out."""

    def forget(self, addresses: Iterable[IPAddress]) -> None:
        """These are ours no more."""
        for address in addresses:
            self.told.pop(address, None)
            self.answered.pop(address, None)
