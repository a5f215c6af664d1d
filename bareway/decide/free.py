"""Which addresses of the pools are taken, and the lowest that is free: no scan, on any size of pool.

Taken addresses are kept as intervals per range, so a full /16 is one interval and an empty /48 none.
Addresses that ``avoid_buggy_ips`` shuns are marked as taken when a search meets them, which joins intervals.
Left out: who holds an address (`bareway.decide.allocate`).
"""

from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address

from bareway.model.addresses import AddressRange
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress

_BUGGY_OCTETS = (0, 255)  # networks that believe in classes take these for a network's or a broadcast address
_OCTET = 256


def is_buggy(address: IPAddress) -> bool:
    """Whether equipment may drop it: IPv4, and its last octet is 0 or 255."""
    return address.version == 4 and int(address) % _OCTET in _BUGGY_OCTETS  # noqa: PLR2004 - the family


def usable_count(pool: Pool) -> int:
    """How many addresses of the pool may be given to Services."""
    total = sum(one.count for one in pool.ranges)
    return total - sum(_buggy_count(one) for one in pool.ranges) if pool.avoid_buggy_ips else total


class Intervals:
    """A set of whole numbers as disjoint intervals that never touch, in ascending order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __len__(self) -> int:
        """How many intervals; not how many numbers."""
        return len(self._firsts)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def next_free(self, number: int) -> int:
        """The lowest number from ``number`` upwards that is not in the set."""
        index = bisect_right(self._firsts, number) - 1
        return self._lasts[index] + 1 if index >= 0 and number <= self._lasts[index] else number

    def add(self, number: int) -> None:
        """Put it in; joins the intervals on both sides."""
        index = bisect_right(self._firsts, number)
        if index and number <= self._lasts[index - 1]:
            return
        joins_left = index > 0 and self._lasts[index - 1] == number - 1
        joins_right = index < len(self._firsts) and self._firsts[index] == number + 1
        if joins_left and joins_right:
            self._lasts[index - 1] = self._lasts[index]
            del self._firsts[index], self._lasts[index]
        elif joins_left:
            self._lasts[index - 1] = number
        elif joins_right:
            self._firsts[index] = number
        else:
            self._firsts.insert(index, number)
            self._lasts.insert(index, number)


class FreeAddresses:
    """All pools of a configuration, and what is taken in them."""

    def __init__(self, configuration: Configuration) -> None:
        self._spans = {
            pool.name: tuple(_Span(pool, one) for one in pool.ranges) for pool in configuration.pools
        }
        everything = (span for spans in self._spans.values() for span in spans)
        self._sorted = sorted(everything, key=lambda span: (span.range.version, int(span.range.first)))
        self._starts = [(span.range.version, int(span.range.first)) for span in self._sorted]

    def pool_of(self, address: IPAddress) -> Pool | None:
        """The pool that allows the address."""
        span = self._span_of(address)
        if span is None or (span.pool.avoid_buggy_ips and is_buggy(address)):
            return None
        return span.pool

    def take(self, address: IPAddress) -> None:
        """Somebody holds it; an address of no pool is nobody's business here."""
        span = self._span_of(address)
        if span is not None:
            span.taken.add(int(address))

    def lowest(self, pool: Pool, version: int) -> IPAddress | None:
        """The lowest free address of a family in the first range of the pool that has one."""
        spans = (span for span in self._spans[pool.name] if span.range.version == version)
        return next((found for span in spans if (found := span.lowest()) is not None), None)

    def _span_of(self, address: IPAddress) -> "_Span | None":
        index = bisect_right(self._starts, (address.version, int(address))) - 1
        if index < 0 or address not in self._sorted[index].range:
            return None
        return self._sorted[index]


class _Span:
    """One range of a pool, and what is taken of it."""

    def __init__(self, pool: Pool, of: AddressRange) -> None:
        self.pool = pool
        self.range = of
        self.taken = Intervals()

    def lowest(self) -> IPAddress | None:
        make = IPv4Address if self.range.version == 4 else IPv6Address  # noqa: PLR2004 - the family
        number = int(self.range.first)
        while (number := self.taken.next_free(number)) <= int(self.range.last):
            address = make(number)
            if not (self.pool.avoid_buggy_ips and is_buggy(address)):
                return address
            self.taken.add(number)
        return None


def _buggy_count(one: AddressRange) -> int:
    """By division, not by walking: a /8 has 131,072 of them."""
    if one.version != 4:  # noqa: PLR2004 - the family
        return 0
    return sum(_multiples(int(one.first) - octet, int(one.last) - octet) for octet in _BUGGY_OCTETS)


def _multiples(first: int, last: int) -> int:
    """How many multiples of 256 are in first … last."""
    return last // _OCTET - (first - 1) // _OCTET
