"""What the user configured, checked: pools today; peers and profiles join with BGP."""

from dataclasses import dataclass
from enum import StrEnum

from bareway.model.addresses import AddressRange
from bareway.model.names import PoolName


class Protocol(StrEnum):
    """How a pool's addresses are announced."""

    LAYER2 = "layer2"
    BGP = "bgp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One entry of address-pools."""

    name: PoolName
    protocol: Protocol = Protocol.LAYER2
    ranges: tuple[AddressRange, ...]
    """In the order of the document; each entry of ``addresses`` is one range."""
    auto_assign: bool = True
    avoid_buggy_ips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A whole document without errors; pools in its order, names unique, no two ranges overlap."""

    pools: tuple[Pool, ...] = ()
