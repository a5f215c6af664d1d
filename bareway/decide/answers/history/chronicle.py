"""What one member of gossip remembers: it sees all events before its machine does, and each change of hands.

Claims that are only learnt, from those who knew them before us, are no change. A failover waits for nothing
here: what is seen is put aside, and judged a little at a time when the first second is over. No more is
remembered than ``Recent`` holds, and nothing outlives the process: the others know the same.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from bareway.decide.answers.history.handovers import Background, Remembered, remember
from bareway.decide.answers.history.recent import ALL_MAX, Recent
from bareway.gossip.changes import Change
from bareway.gossip.claims import NOBODY
from bareway.gossip.events import Event, Received
from bareway.gossip.message import State
from bareway.gossip.profile import MEMBERS_MAX
from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import IPAddress, NodeName
from bareway.model.steps import PIECE

HEARD_MAX: Final = 2 * MEMBERS_MAX
"""Peers, members and observers, of whom it is known when they spoke last; then the longest silent go."""
ASIDE_S: Final = 1.0
"""For so long nothing is judged after something moved: others move meanwhile, and clients wait for them."""


class Chronicle:
    """Of one member, from ``since`` on."""

    def __init__(self, me: NodeName, background: Background, *, since: float) -> None:
        self._me = me
        self._background = background
        self._since = since
        self._recent: Recent[Remembered] = Recent()
        self._aside: deque[tuple[Change, float | None]] = deque()
        """Seen and not judged yet, each with the last word of the former holder."""
        self._judge_at = since
        self._heard: dict[NodeName, float] = {}
        self._is_learning = False

    def before(self, event: Event, *, now: float) -> None:
        """The machine is about to take this event."""
        self._is_learning = False
        if isinstance(event, Received):
            self._is_learning = isinstance(event.message, State)
            self._heard[event.peer] = now
            if len(self._heard) > HEARD_MAX:
                self._forget_the_silent()
        if self._aside and now >= self._judge_at:
            self._judge(PIECE)

    def saw(self, change: Change) -> None:
        """An address changed hands."""
        if change.former is None and self._is_learning:
            return
        if not self._aside:
            self._judge_at = change.at + ASIDE_S
        heard_at = None if change.former is None else self._heard.get(change.former.node)
        self._aside.append((change, heard_at))
        if len(self._aside) > ALL_MAX:
            self._judge(1)

    def history(self, key: IPAddress | None, *, now: float, wall: datetime) -> SpeakerHistory:
        """Of one key, or of all; ``wall`` is the time of day at ``now``."""
        self._judge(len(self._aside))
        kept: Iterable[Remembered] = self._recent.all() if key is None else self._recent.of(key)
        return SpeakerHistory(
            node=self._me,
            since=wall - timedelta(seconds=now - self._complete_from(key)),
            dropped=self._recent.dropped,
            key=key,
            handovers=tuple(_handover(one, wall - timedelta(seconds=now - one.at)) for one in kept),
        )

    def _complete_from(self, key: IPAddress | None) -> float:
        """Since when nothing is missing; of one key as far as that was forgotten for its own sake."""
        first = self._recent.first
        known = self._since if first is None or not self._recent.dropped else first.at
        if key is not None and self._recent.has_enough_of(key):
            known = max(known, self._recent.of(key)[0].at)
        return known

    def _judge(self, count: int) -> None:
        """The oldest of what was put aside."""
        for _ in range(min(count, len(self._aside))):
            change, heard_at = self._aside.popleft()
            kept = remember(change, heard_at=heard_at, background=self._background)
            self._recent.add(change.claim.address, kept)

    def _forget_the_silent(self) -> None:
        longest_first = sorted(self._heard, key=lambda peer: self._heard[peer])
        for peer in longest_first[: len(longest_first) // 2]:
            del self._heard[peer]


def _handover(kept: Remembered, at: datetime) -> Handover:
    return Handover(
        address=kept.claim.address,
        generation=kept.claim.generation,
        count=kept.claim.count,
        former=kept.former,
        holder=None if kept.claim.node == NOBODY else kept.claim.node,
        at=at,
        reason=kept.reason,
        gap_s=kept.gap_s,
        detail=kept.detail,
    )
