"""How much each node announces by the lists, and the bound on it: bounded load with c = 1.25, in integers.

A node has room while it announces less than five quarters of the even share, rounded up; of those with room
MetalLB's rank takes one. So what a node's death moves stays little, and no node gets much more than others.
Who follows a node is spread by the same bound: its death does not double one neighbour's load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bareway.decide.announcement.members import Field
from bareway.model.announcer_lists import LISTED_MAX
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import ranks


def bound(groups: int, nodes: int) -> int:
    """The most that one of ``nodes`` shall announce of ``groups``: at least the even share, rounded up."""
    return -(-5 * groups // (4 * nodes))


class Ranking:
    """MetalLB's order, for one address after the other: ranks are computed once for each."""

    def __init__(self) -> None:
        self._key: IPAddress | None = None
        self._ranks: dict[NodeName, bytes] = {}

    def first(self, key: IPAddress, nodes: Sequence[NodeName]) -> NodeName:
        """MetalLB's winner among ``nodes``, which are in the order of their names."""
        if key != self._key:
            self._key, self._ranks = key, {}
        known = self._ranks
        if not all(map(known.__contains__, nodes)):
            known.update(ranks(nodes, key))
        return min(nodes, key=known.__getitem__)


@dataclass(slots=True, kw_only=True)
class Loads:
    """Groups by who announces them, and by who follows whom."""

    firsts: dict[NodeName, int] = field(default_factory=dict)
    follows: dict[tuple[NodeName, NodeName], int] = field(default_factory=dict)
    """(who announces, who follows) to how many groups."""
    ranking: Ranking = field(default_factory=Ranking, compare=False, repr=False)

    @classmethod
    def of(cls, firsts: Mapping[NodeName, int], follows: Mapping[tuple[NodeName, NodeName], int]) -> "Loads":
        """A copy that may be counted on."""
        return cls(firsts=dict(firsts), follows=dict(follows))

    def count(self, node: NodeName, by: int = 1) -> None:
        """``node`` announces one more."""
        self.firsts[node] = self.firsts.get(node, 0) + by

    def bound_of(self, nodes: Sequence[NodeName], more: int = 0) -> int:
        """The bound for each of ``nodes`` on all that they announce and ``more``."""
        return bound(sum(self.firsts.get(node, 0) for node in nodes) + more, len(nodes))

    def with_room(self, nodes: Sequence[NodeName], most: int) -> list[NodeName]:
        """Those of ``nodes`` that announce less than ``most``."""
        return [node for node in nodes if self.firsts.get(node, 0) < most]

    def place(self, key: IPAddress, nodes: Sequence[NodeName]) -> NodeName:
        """Who of ``nodes``, alike otherwise, shall announce one more group."""
        return self.ranking.first(key, self.with_room(nodes, self.bound_of(nodes, 1)))

    def line_up(
        self, key: IPAddress, first: NodeName, candidates: Field, before: Sequence[NodeName]
    ) -> tuple[NodeName, ...]:
        """The whole entry behind ``first``: better classes first, in each those that followed ``before``."""
        chosen = [first]
        for standing, nodes in candidates.classes:
            stayed = [n for n in before if n not in chosen and candidates.standing.get(n) == standing]
            chosen += stayed[: LISTED_MAX - len(chosen)]
            others = [node for node in nodes if node not in chosen] if len(chosen) < LISTED_MAX else []
            while others and len(chosen) < LISTED_MAX:
                following = self._follower(key, first, others) if len(chosen) == 1 else None
                chosen.append(following or self.ranking.first(key, others))
                others.remove(chosen[-1])
            if len(chosen) == LISTED_MAX:
                break
        if len(chosen) > 1:
            pair = (first, chosen[1])
            self.follows[pair] = self.follows.get(pair, 0) + 1
        return tuple(chosen)

    def _follower(self, key: IPAddress, first: NodeName, others: Sequence[NodeName]) -> NodeName | None:
        most = bound(max(1, self.firsts.get(first, 0)), len(others))
        room = [node for node in others if self.follows.get((first, node), 0) < most]
        return self.ranking.first(key, room) if room else None
