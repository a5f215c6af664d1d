"""Which addresses of the pools are taken, and the lowest that is free: no scan, on any size of pool.

Taken addresses are kept as intervals per range, so a full /16 is one interval and an empty /48 none.
Addresses that ``avoid_buggy_ips`` shuns are marked as taken when a search meets them, which joins intervals.
Left out: who holds an address (`ledger.py`), and what is kept back (`stock.py`).
"""

from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address

from bareway.model.addresses import AddressRange
from bareway.model.configuration import Configuration, Pool
from bareway.model.names import IPAddress, PoolName

_BUGGY_OCTETS = (0, 255)  # networks that believe in classes take these for a network's or a broadcast address
_OCTET = 256


def is_buggy(address: IPAddress) -> bool:
    """Whether equipment may drop it: IPv4, and its last octet is 0 or 255."""
    return address.version == 4 and int(address) % _OCTET in _BUGGY_OCTETS  # noqa: PLR2004 - the family


def usable_count(pool: Pool, version: int | None = None) -> int:
    """How many addresses of the pool, or of one family of it, may be given to Services."""
    ranges = [one for one in pool.ranges if version in (None, one.version)]
    total = sum(one.count for one in ranges)
    return total - sum(_buggy_count(one) for one in ranges) if pool.avoid_buggy_ips else total


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

    def remove(self, number: int) -> None:
        """Take it out; splits the interval around it."""
        index = bisect_right(self._firsts, number) - 1
        if index < 0 or number > self._lasts[index]:
            return
        first, last = self._firsts[index], self._lasts[index]
        if first == last:
            del self._firsts[index], self._lasts[index]
        elif number == first:
            self._firsts[index] = number + 1
        elif number == last:
            self._lasts[index] = number - 1
        else:
            self._lasts[index] = number - 1
            self._firsts.insert(index + 1, number + 1)
            self._lasts.insert(index + 1, last)


class FreeAddresses:
    """All pools of a configuration, and what is taken in them."""

    def __init__(self, configuration: Configuration) -> None:
        self._spans: dict[tuple[PoolName, int], list[_Span]] = {}
        for pool in configuration.pools:
            for index, one in enumerate(pool.ranges):
                spans = self._spans.setdefault((pool.name, one.version), [])
                spans.append(_Span(pool, one, index, place=len(spans)))
        self._full: dict[tuple[PoolName, int], int] = dict.fromkeys(self._spans, 0)
        """How many spans, from the first on, are known to have nothing free."""
        everything = (span for spans in self._spans.values() for span in spans)
        self._sorted = sorted(everything, key=lambda span: (span.version, span.first))
        self._starts = [(span.version, span.first) for span in self._sorted]

    def pool_of(self, address: IPAddress) -> Pool | None:
        """The pool that allows the address."""
        span = self._span_of(address)
        if span is None or (span.pool.avoid_buggy_ips and is_buggy(address)):
            return None
        return span.pool

    def has_family(self, pool: Pool, version: int) -> bool:
        """Whether any range of the pool is of the family."""
        return (pool.name, version) in self._spans

    def take(self, address: IPAddress) -> None:
        """It is not to be given; an address of no pool is nobody's business here."""
        span = self._span_of(address)
        if span is not None:
            span.taken.add(int(address))

    def release(self, address: IPAddress) -> None:
        """It may be given again."""
        span = self._span_of(address)
        if span is not None:
            span.taken.remove(int(address))
            part = (span.pool.name, span.version)
            self._full[part] = min(self._full[part], span.place)

    def lowest(self, pool: Pool, version: int) -> IPAddress | None:
        """The lowest free address of a family in the first range of the pool that has one."""
        part = (pool.name, version)
        spans = self._spans.get(part, [])
        for place in range(self._full.get(part, 0), len(spans)):
            found = spans[place].lowest()
            if found is not None:
                return found
            self._full[part] = place + 1
        return None

    def position(self, address: IPAddress) -> tuple[int, int]:
        """Where its pool has it: the addresses of a pool are given in this order."""
        span = self._span_of(address)
        return (-1 if span is None else span.index, int(address))

    def _span_of(self, address: IPAddress) -> "_Span | None":
        number = int(address)
        index = bisect_right(self._starts, (address.version, number)) - 1
        if index < 0:
            return None
        span = self._sorted[index]
        return span if number <= span.last and span.version == address.version else None


class _Span:
    """One range of a pool, and what is taken of it."""

    def __init__(self, pool: Pool, of: AddressRange, index: int, *, place: int) -> None:
        self.pool = pool
        self.index = index
        """Among all ranges of the pool."""
        self.place = place
        """Among those of its family."""
        self.version = of.version
        self.first = int(of.first)
        self.last = int(of.last)
        self.taken = Intervals()

    def lowest(self) -> IPAddress | None:
        make = IPv4Address if self.version == 4 else IPv6Address  # noqa: PLR2004 - the family
        number = self.first
        while (number := self.taken.next_free(number)) <= self.last:
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
