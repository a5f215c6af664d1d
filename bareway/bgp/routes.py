"""What a node wants its routers to know: prefixes, each with attributes that are the same for every peer.

`Attributes` are canonical (sorted, without duplicates), so that equal ones have equal bytes on all nodes: a
router spreads over nodes only what is equal. What differs per peer (next hop, AS_PATH, whether LOCAL_PREF is
sent, GRACEFUL_SHUTDOWN) is the session's, in `outbound`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from bareway.bgp.prefixes import IPV4, IPV6, Family, Nlri, family_of, network, nlri
from bareway.model.names import IPNetwork

DEFAULT_LOCAL_PREFERENCE: Final = 100  # what routers take where an iBGP peer sends none
COMMUNITY_SHIFT: Final = 16
SETS_KEPT_MIN: Final = 256  # below that many attribute sets it is not asked which ones no route has any more


class Origin(IntEnum):
    """How a route came into BGP (RFC 4271 section 5.1.1); all nodes must say the same."""

    IGP = 0
    EGP = 1
    INCOMPLETE = 2


class LargeCommunity(NamedTuple):
    """Twelve bytes (RFC 8092)."""

    administrator: int
    first: int
    second: int

    def __str__(self) -> str:
        return f"{self.administrator}:{self.first}:{self.second}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a route carries to every peer alike."""

    origin: Origin = Origin.IGP
    local_preference: int | None = None
    """Sent within our own AS alone; None = 100 there."""
    med: int | None = None
    prepend: int = 0
    """How often more than once our AS number stands in the path to another AS."""
    communities: tuple[int, ...] = ()
    """Of 32 bits each (RFC 1997); `community` reads ``64512:100``."""
    large_communities: tuple[LargeCommunity, ...] = ()
    extended_communities: tuple[bytes, ...] = ()
    """Of eight bytes each (RFC 4360)."""
    link_bandwidth: float | None = None
    """Bytes a second: the share of traffic that routers are asked to send here."""

    def __post_init__(self) -> None:
        """Sort, and drop what is there twice."""
        object.__setattr__(self, "communities", tuple(sorted(set(self.communities))))
        object.__setattr__(self, "large_communities", tuple(sorted(set(self.large_communities))))
        object.__setattr__(self, "extended_communities", tuple(sorted(set(self.extended_communities))))


def community(text: str) -> int:
    """Read ``64512:100``, as the configuration has checked it."""
    high, low = text.split(":")
    return int(high) << COMMUNITY_SHIFT | int(low)


def community_text(value: int) -> str:
    """``64512:100``."""
    return f"{value >> COMMUNITY_SHIFT}:{value & 0xFFFF}"


def large_community(text: str) -> LargeCommunity:
    """Read ``64512:1:2``, as the configuration has checked it."""
    administrator, first, second = text.split(":")
    return LargeCommunity(int(administrator), int(first), int(second))


class RouteSet(Mapping[IPNetwork, Attributes]):
    """Routes that never change, small: each prefix is its few bytes, with the number of its attributes.

    One set is shared by all peers that want it, and by what each has been told, once it has been.
    """

    __slots__ = ("_ceiling", "_sets", "_tables")

    def __init__(
        self,
        tables: Mapping[Family, dict[Nlri, int]] = MappingProxyType({}),
        sets: tuple[Attributes, ...] = (),
        *,
        ceiling: int = 0,
    ) -> None:
        """From its parts, which are kept; `of` makes one from routes."""
        self._tables = {family: tables.get(family, {}) for family in (IPV4, IPV6)}
        self._sets = sets
        self._ceiling = ceiling or max(SETS_KEPT_MIN, 2 * len(sets))

    @classmethod
    def of(
        cls, routes: Mapping[IPNetwork, Attributes] | Iterable[tuple[IPNetwork, Attributes]]
    ) -> "RouteSet":
        """From routes; ``routes`` themselves if they are such a set already."""
        if isinstance(routes, RouteSet):
            return routes
        sets: dict[Attributes, int] = {}
        tables: dict[Family, dict[Nlri, int]] = {IPV4: {}, IPV6: {}}
        last: Attributes | None = None
        number = 0
        for prefix, attributes in routes.items() if isinstance(routes, Mapping) else routes:
            if attributes is not last:
                number = sets.setdefault(attributes, len(sets))
                last = attributes
            tables[family_of(prefix)][nlri(prefix)] = number
        return cls(tables, tuple(sets))

    def changed(self, changes: Mapping[IPNetwork, Attributes | None]) -> "RouteSet":
        """This set with other attributes for some prefixes, or without them (None); the rest costs little."""
        tables = {family: dict(table) for family, table in self._tables.items()}
        sets = {attributes: number for number, attributes in enumerate(self._sets)}
        for prefix, attributes in changes.items():
            table, key = tables[family_of(prefix)], nlri(prefix)
            if attributes is None:
                table.pop(key, None)
            else:
                table[key] = sets.setdefault(attributes, len(sets))
        if len(sets) > self._ceiling:
            return _without_unused(tables, tuple(sets))
        return RouteSet(tables, tuple(sets), ceiling=self._ceiling)

    def table(self, family: Family) -> Mapping[Nlri, int]:
        """Prefixes of ``family``, each with the place of its attributes in `sets`; not to be changed."""
        return self._tables[family]

    @property
    def sets(self) -> tuple[Attributes, ...]:
        """Attributes, each once."""
        return self._sets

    def __getitem__(self, prefix: IPNetwork) -> Attributes:
        return self._sets[self._tables[family_of(prefix)][nlri(prefix)]]

    def __iter__(self) -> Iterator[IPNetwork]:
        for family, table in self._tables.items():
            for prefix in table:
                yield network(prefix, family)

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))


def _without_unused(tables: Mapping[Family, dict[Nlri, int]], sets: tuple[Attributes, ...]) -> RouteSet:
    """Number anew the attributes that a route still has."""
    used = sorted({number for table in tables.values() for number in table.values()})
    anew = {number: place for place, number in enumerate(used)}
    numbered = {
        family: {key: anew[number] for key, number in table.items()} for family, table in tables.items()
    }
    return RouteSet(numbered, tuple(sets[number] for number in used))
