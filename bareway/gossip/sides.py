"""Which side of a partition was the greater one: each member's smallest view of the last seconds."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bareway.gossip.member import NO_SIDE, Report, Side
from bareway.gossip.profile import SIDE_WINDOW_S
from bareway.model.names import NodeName


@dataclass(slots=True)
class Sides:
    """Our own, from the views of the last SIDE_WINDOW_S, and what others publish of theirs."""

    _views: deque[tuple[float, Side]] = field(default_factory=deque)
    """Since when a view was in force; empty until we started, and while a fence has tripped."""
    _published: dict[NodeName, Side] = field(default_factory=dict)

    def record(self, view: Side, *, now: float) -> None:
        """From ``now`` on the view is this one."""
        if not self._views or self._views[-1][1] != view:
            self._views.append((now, view))

    def clear(self) -> None:
        """Forget: our memory is worth nothing against that of the others."""
        self._views.clear()

    def own(self, *, now: float) -> Side:
        """What we publish; a view counts as long as it was in force within the window."""
        while len(self._views) > 1 and self._views[1][0] <= now - SIDE_WINDOW_S:
            self._views.popleft()
        smallest: Side | None = None
        for _, view in self._views:
            if smallest is None or smallest.is_greater_than(view):
                smallest = view
        return smallest or NO_SIDE

    def hear(self, member: NodeName, side: Side | None) -> None:
        """A member publishes its own; None: whoever speaks of it does not know."""
        if side is not None:
            self._published[member] = side

    @property
    def known(self) -> frozenset[NodeName]:
        """Members that published theirs since they are held alive."""
        return frozenset(self._published)

    def forget(self, member: NodeName) -> None:
        """It is held dead: what it saw before says nothing about the side on which it comes back."""
        self._published.pop(member, None)

    def mark(self, reports: Iterable[Report], *, me: NodeName, now: float) -> list[Report]:
        """The reports with each one's side, as they are sent."""
        return [
            replace(report, side=self.own(now=now) if report.name == me else self._published.get(report.name))
            for report in reports
        ]

    def outweigh(self, member: NodeName, *, now: float) -> bool:
        """Whether ours is greater than that of ``member``; not if we never heard of it."""
        side = self._published.get(member)
        return side is not None and self.own(now=now).is_greater_than(side)
