"""Planned moves away from a node that announces too much, few and late: a move costs connections.

A node is over the bound while one of its groups could go to a node of the same class that has room: so
neither preferred nodes nor the operator's word are undone. What was adopted is not moved; it counts as load.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from bareway.decide.announcement.drafts import Draft
from bareway.decide.announcement.loads import Loads
from bareway.model.names import NodeName
from bareway.model.rank import rank

PATIENCE_S: Final = 60.0
"""A node may be over the bound for so long: a restart of its neighbour moves nothing twice."""
MOVES_MAX: Final = 10
WINDOW_S: Final = 60.0
"""At most so many moves in so much time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unevenness:
    """What rebalancing remembers."""

    over_since: Mapping[NodeName, float] = field(default_factory=dict)
    moved_at: tuple[float, ...] = ()
    """When groups were moved in the last WINDOW_S, the oldest first."""

    def moved_now(self, now: float) -> bool:
        """Whether the look at ``now`` moved something."""
        return bool(self.moved_at) and self.moved_at[-1] == now

    def wake_at(self, *, now: float) -> float:
        """When the next move may be due."""
        if not self.over_since:
            return inf
        due = min(self.over_since.values()) + PATIENCE_S
        free = self.moved_at[-MOVES_MAX] + WINDOW_S if len(self.moved_at) >= MOVES_MAX else now
        return max(due, free)


EVEN: Final = Unevenness()


def even_out(drafts: Iterable[Draft], loads: Loads, last: Unevenness, *, now: float) -> Unevenness:
    """Give some drafts another first node, and count the loads anew."""
    movable = _movable(drafts, loads)
    over_since = {node: last.over_since.get(node, now) for node in sorted(movable)}
    moved_at = [at for at in last.moved_at if at + WINDOW_S > now]
    due = [node for node, since in over_since.items() if since + PATIENCE_S <= now]
    for node in sorted(due, key=lambda node: (-loads.firsts[node], node)):
        for draft in movable[node]:
            if len(moved_at) >= MOVES_MAX:
                break
            if _move(draft, node, loads):
                moved_at.append(now)
    after = Unevenness(over_since=over_since, moved_at=tuple(moved_at))
    if not after.moved_now(now):
        return after
    still = _movable(drafts, loads)
    return replace(after, over_since={node: since for node, since in over_since.items() if node in still})


def _movable(drafts: Iterable[Draft], loads: Loads) -> dict[NodeName, list[Draft]]:
    """By node over the bound, what could go elsewhere."""
    most: dict[tuple[NodeName, ...], tuple[int, bool]] = {}
    found: dict[NodeName, list[Draft]] = {}
    for draft in drafts:
        first, peers = draft.first, draft.candidates.best
        if first is None or draft.adopted or draft.before is None or first not in peers:
            continue
        if peers not in most:
            bound = loads.bound_of(peers)
            most[peers] = (bound, bool(loads.with_room(peers, bound)))
        bound, room = most[peers]
        if room and loads.firsts[first] > bound:
            found.setdefault(first, []).append(draft)
    return found


def _move(draft: Draft, node: NodeName, loads: Loads) -> bool:
    peers = draft.candidates.best
    bound = loads.bound_of(peers)
    room = loads.with_room(peers, bound)
    if loads.firsts[node] <= bound or not room:
        return False
    key = draft.group.key
    target = min(room, key=lambda other: (loads.firsts.get(other, 0), rank(other, key)))
    draft.first, draft.balanced = target, True
    loads.count(node, -1)
    loads.count(target)
    return True
