"""The addresses of pools: prefixes and ranges, none of which may overlap another."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bareway.model.addresses import AddressRange, parse_range
from bareway.model.names import IPAddress
from bareway.model.problems import Problem
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import Place, Section

ADDRESSES_HINT: Final = "write a prefix like 192.0.2.0/28 or a range like 192.0.2.10-192.0.2.20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of ``addresses``, and where it stands."""

    range: AddressRange
    text: str
    pool: str
    place: Place


def read_entries(section: Section, pool: str) -> tuple[Entry, ...]:
    """The entries that can be read."""
    if not section.has("addresses"):
        hint = f"under addresses, {ADDRESSES_HINT}"
        if section.place.document:
            hint += "; there is no pool of this name to extend"
        section.fail("pool has no prefixes defined", hint=hint)
    return tuple(_entries(section, pool))


def _entries(section: Section, pool: str) -> Iterator[Entry]:
    for place, text in section.texts("addresses"):
        try:
            yield Entry(range=parse_range(text), text=text, pool=pool, place=place)
        except ValueError as error:
            message = f"{section.told}invalid CIDR {quoted(text)} in pool {quoted(pool)}: {error}"
            section.walk.fail(place, message, hint=ADDRESSES_HINT)


def overlaps(entries: Sequence[Entry]) -> Iterator[Problem]:
    """A Problem for the later one of two entries with an address in common; one sweep over all, sorted."""
    widest = -1
    order = sorted(range(len(entries)), key=lambda i: (entries[i].range.version, int(entries[i].range.first)))
    for index in order:
        if widest >= 0 and entries[widest].range.overlaps(entries[index].range):
            earlier, later = sorted((widest, index))
            yield _overlap(entries[later], entries[earlier])
            if int(entries[index].range.last) <= int(entries[widest].range.last):
                continue
        widest = index


def _overlap(later: Entry, earlier: Entry) -> Problem:
    what = f"CIDR {quoted(later.text)} in pool {quoted(later.pool)}"
    other = earlier.place
    where = f"{other.document}, line {other.tree.line}" if other.document else f"line {other.tree.line}"
    return Problem(
        path=later.place.path,
        message=f"{what} overlaps with already defined CIDR {quoted(earlier.text)}",
        line=later.place.tree.line,
        hint=f"that one stands in {where}, in pool {quoted(earlier.pool)}",
        document=later.place.document,
    )


class Addresses:
    """All addresses of some ranges, asked one by one."""

    def __init__(self, ranges: Sequence[AddressRange]) -> None:
        """Ranges that overlap are joined."""
        self._firsts: list[tuple[int, int]] = []
        self._lasts: list[int] = []
        for version, first, last in sorted((r.version, int(r.first), int(r.last)) for r in ranges):
            if self._firsts and self._firsts[-1][0] == version and first <= self._lasts[-1]:
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append((version, first))
                self._lasts.append(last)

    def __contains__(self, address: IPAddress) -> bool:
        index = bisect_right(self._firsts, (address.version, int(address))) - 1
        return index >= 0 and self._firsts[index][0] == address.version and int(address) <= self._lasts[index]


def shortest_prefix(addresses: AddressRange) -> int:
    """The length of the largest prefix that lies in the range."""
    first, last = int(addresses.first), int(addresses.last)
    host_bits = addresses.count.bit_length() - 1
    while -(-first >> host_bits << host_bits) + (1 << host_bits) - 1 > last:
        host_bits -= 1
    return addresses.first.max_prefixlen - host_bits
