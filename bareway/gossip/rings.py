"""Who watches whom: every member stands on K rings, each in an order of its own, and watches its neighbours.

K rings of one successor and one predecessor give each member at most 2K edges, whatever the group's size, and
each is watched by as many that have nothing else in common (Rapid: Suresh et al., ATC 2018, section 4). All
compute the same rings from the same view, and "is a neighbour of" holds both ways. A small group needs no
rings: everybody watches everybody.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from bareway.gossip.profile import MEMBERS_MAX
from bareway.model.names import NodeName

RINGS: Final = 4
"""Eight watchers: three of them, the number that a quick verdict needs, are there after most mishaps."""
FULL_MESH_MAX: Final = 2 * RINGS + 1
"""So many members have an edge each to every other."""
_PLACE_BYTES: Final = 8

_Place = tuple[bytes, NodeName]


class Rings:
    """A set of names, and who are neighbours in it."""

    def __init__(self, names: Iterable[NodeName] = ()) -> None:
        self._names: set[NodeName] = set()
        self._rings: tuple[list[_Place], ...] = tuple([] for _ in range(RINGS))
        for name in names:
            self.add(name)

    def __contains__(self, name: NodeName) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[NodeName]:
        """The names, in no order."""
        return iter(self._names)

    def add(self, name: NodeName) -> None:
        """A name comes."""
        if name not in self._names:
            self._names.add(name)
            for ring, place in zip(self._rings, _places(name), strict=True):
                insort(ring, (place, name))

    def remove(self, name: NodeName) -> None:
        """A name goes."""
        if name in self._names:
            self._names.remove(name)
            for ring, place in zip(self._rings, _places(name), strict=True):
                del ring[bisect_left(ring, (place, name))]

    def neighbours(self, name: NodeName) -> frozenset[NodeName]:
        """Whom ``name`` watches and is watched by; of a name that is not there: would, if it were."""
        is_there = name in self._names
        if len(self._names) + (not is_there) <= FULL_MESH_MAX:
            return frozenset(self._names - {name})
        found: set[NodeName] = set()
        for ring, place in zip(self._rings, _places(name), strict=True):
            at = bisect_left(ring, (place, name))
            after = at + is_there
            found.add(ring[at - 1][1])
            found.add(ring[after % len(ring)][1])
        return frozenset(found)


@lru_cache(maxsize=2 * MEMBERS_MAX)
def _places(name: NodeName) -> tuple[bytes, ...]:
    """Where a name stands on each ring: the same on every node, and unlike its place on another ring."""
    encoded = name.encode()
    return tuple(
        blake2b(encoded, digest_size=_PLACE_BYTES, salt=bytes([ring])).digest() for ring in range(RINGS)
    )
