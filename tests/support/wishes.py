"""What speakers want, in short: an address and who may announce it."""

from collections.abc import Mapping

from bareway.gossip.events import ANYBODY, Wanted, Wish
from bareway.model.names import IPAddress, NodeName

Permitted = frozenset[NodeName] | None
"""None = any member."""


def wish(permitted: Permitted = None) -> Wish:
    return ANYBODY if permitted is None else Wish(tiers=(permitted,))


def wanted(addresses: Mapping[IPAddress, Permitted]) -> Wanted:
    """Without lists."""
    return Wanted(addresses={address: wish(permitted) for address, permitted in addresses.items()})
