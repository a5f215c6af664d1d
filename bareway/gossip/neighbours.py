"""To whom a member keeps an edge: its neighbours among those that live, and some of those that are away.

Who is away was known to live and is dead, or is known to discovery and was never met. Those who would be its
neighbours if it came back dial it, and so the first edges after a return are the right ones. A few others are
drawn by lot, as many as make some eight callers for each that is away: so a group finds its first member, and
the last survivor of a large group finds those who come back, without a storm of calls on anybody.
"""

from math import floor
from random import Random
from typing import Final

from bareway.gossip.rings import FULL_MESH_MAX, RINGS, Rings
from bareway.model.names import NodeName

CALLERS: Final = 2 * RINGS
"""So many members on the average try by lot to reach one that is away."""
DRAWN_MAX: Final = 2 * RINGS
"""So many does one member draw at most, however many are away."""


class Neighbours:
    """The choice of one member."""

    def __init__(self, *, me: NodeName, rng: Random) -> None:
        self._me = me
        self._rng = rng
        self._everybody = Rings([me])
        self._away: frozenset[NodeName] = frozenset()
        self._drawn: frozenset[NodeName] = frozenset()
        self._living = 1
        self.needed: frozenset[NodeName] = frozenset()
        """The neighbours among the living."""

    @property
    def wanted(self) -> frozenset[NodeName]:
        """Everybody to have an edge to."""
        return self.needed | self.called

    @property
    def called(self) -> frozenset[NodeName]:
        """Those of them that are away."""
        if len(self._everybody) <= FULL_MESH_MAX:
            return self._away
        return (self._everybody.neighbours(self._me) & self._away) | self._drawn

    def see(self, *, living: Rings, away: frozenset[NodeName]) -> None:
        """This is the view now; ``living`` includes ourselves."""
        self.needed = living.neighbours(self._me)
        self._living = len(living)
        if away == self._away and len(self._everybody) == len(living) + len(away):
            return
        everybody = {*living, *away}
        for name in set(self._everybody) - everybody:
            self._everybody.remove(name)
        for name in everybody:
            self._everybody.add(name)
        self._away = away
        self._drawn &= away
        self._draw(floor(self._share()))

    def draw_anew(self) -> None:
        """Time for others to have their turn."""
        share = self._share()
        self._drawn = frozenset()
        self._draw(floor(share) + (self._rng.random() < share % 1))

    def _share(self) -> float:
        return min(CALLERS * len(self._away) / self._living, DRAWN_MAX)

    def _draw(self, count: int) -> None:
        """Up to so many."""
        missing = min(count, len(self._away)) - len(self._drawn)
        if missing > 0:
            self._drawn |= frozenset(self._rng.sample(sorted(self._away - self._drawn), missing))
