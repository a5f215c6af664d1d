"""How well we are ourselves: who is late, or hears nobody, gives others more time before it accuses them.

Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788, section 3.1) with evidence of our own: a turn of our
loop that came late, silence on most of our edges at once, members that should have answered for a third and
did not. The score lengthens only our accusation of others, never what we demand of ourselves (fence, isolated
holder). One whose last link is gone accuses nobody: all of them are silent, and it is no fault of theirs.

A group on machines that are all too busy buries and finds again its members for ever, since what they had
moves each time, and that is the work that keeps them busy. Several that come back from the dead within
seconds were never dead: then all give each other more time, until none has come back for a while.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.model.names import NodeName

SCORE_MAX: Final = 7
"""Eight times the patience at most, as in memberlist."""
EDGES_MIN: Final = 3
"""Fewer silent edges at once are no evidence about ourselves."""
MEMBERS_MIN: Final = 5
"""In a smaller group the silence of most may well be the death of one or two."""

RETURNS_MIN: Final = 3
"""So many members back from the dead within RETURNS_WITHIN_S are more than one that was cut off."""
RETURNS_WITHIN_S: Final = 5.0
UNREST_MAX: Final = 3
"""Four times the patience: a death that comes meanwhile is known after 2.25 s at most (profile default)."""
UNREST_STEP_S: Final = 1.0
"""Unrest grows by one in this time at most: two halves that meet again see many return, but once."""
UNREST_LASTS_S: Final = 10.0
"""After so long without a return it is less by one."""


def scored(score: int, change: int) -> int:
    """The next score."""
    return min(max(score + change, 0), SCORE_MAX)


@dataclass(slots=True, kw_only=True)
class Health:
    """Our own health."""

    recovery_s: float
    """After so long without further evidence the score is better by one."""
    link_lost: bool = False
    """We had a usable link and have none now."""
    _score: int = 0
    _recovers_at: float = inf
    _returned: dict[NodeName, float] = field(default_factory=dict)
    """When each member came back from the dead lately."""
    _unrest: int = 0
    """How far the group is from knowing who lives."""
    _unrest_at: float = -inf
    """When it grew last."""
    _calms_at: float = inf
    _is_deaf: bool = False
    """Most of our edges are silent now, and we have drawn the conclusion."""

    @property
    def score(self) -> int:
        """0 is healthy."""
        return self._score

    @property
    def patience(self) -> int:
        """By what the silence is multiplied that others may keep."""
        return max(self._score, self._unrest) + 1

    @property
    def deadline(self) -> float:
        """When something gets better."""
        return min(self._recovers_at, self._calms_at)

    def worsen(self, by: int = 1, *, now: float) -> None:
        """There is evidence that the fault is ours."""
        self._score = scored(self._score, by)
        self._recovers_at = now + self.recovery_s

    def recover(self, *, now: float) -> None:
        """Time passed."""
        if now >= self._recovers_at:
            self._score = scored(self._score, -1)
            self._recovers_at = now + self.recovery_s if self._score else inf
        if now >= self._calms_at:
            self._unrest -= 1
            self._calms_at = now + UNREST_LASTS_S if self._unrest else inf

    def returned(self, name: NodeName, *, members: int, now: float) -> None:
        """A member that was held dead lives, as the same process."""
        self._returned = {each: at for each, at in self._returned.items() if now - at < RETURNS_WITHIN_S}
        self._returned[name] = now
        if members < MEMBERS_MIN or len(self._returned) < RETURNS_MIN:
            return
        self._calms_at = now + UNREST_LASTS_S
        if now - self._unrest_at >= UNREST_STEP_S:
            self._unrest, self._unrest_at = min(self._unrest + 1, UNREST_MAX), now

    def hear(self, *, silent: int, edges: int, members: int, is_alarm: bool, now: float) -> None:
        """So many of our edges are silent, and one for so long that it raises the alarm now.

        Each time that most fall silent counts once: if more patience does not help, they are gone indeed.
        """
        is_deaf = members >= MEMBERS_MIN and silent >= EDGES_MIN and 2 * silent > edges
        if is_deaf and is_alarm and not self._is_deaf:
            self._is_deaf = True
            self.worsen(now=now)
        self._is_deaf = self._is_deaf and is_deaf
