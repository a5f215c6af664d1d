"""Which pool an address belongs to, found by halving: ranges of pools never overlap."""

from bisect import bisect_right
from collections.abc import Sequence

from bareway.model.configuration import Pool, Protocol
from bareway.model.names import IPAddress


class Layer2Pools:
    """The ranges of all pools in order."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self._on_link = [pool.protocol is Protocol.LAYER2 for pool in pools]
        self._ranges = sorted(
            (found.version, int(found.first), int(found.last), place)
            for place, pool in enumerate(pools)
            for found in pool.ranges
        )
        self._firsts = [(version, first) for version, first, _, _ in self._ranges]

    def find(self, address: IPAddress) -> int | None:
        """The place in the document of the pool that ``address`` is in, whatever its protocol."""
        number = int(address)
        at = bisect_right(self._firsts, (address.version, number)) - 1
        if at < 0:
            return None
        version, _, last, place = self._ranges[at]
        return place if version == address.version and number <= last else None

    def on_link(self, place: int) -> bool:
        """Whether the addresses of that pool are announced on layer 2."""
        return self._on_link[place]
