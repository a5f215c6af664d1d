"""When a member may act: it has learnt what the others hold, and it was not just paused.

Start: caches synced and the node able, then a push-pull with a member and a view that was stable for a while;
or three seconds; or nobody else is known. Whoever finds claims of its own in the push-pull of its first
start, since it crashed and is back in time, goes on at once. Whom more members turn away than take in does
not start: with another key or an unknown name it would announce beside them what they announce already.

Fence: after a pause longer than the silence of its profile a member keeps quiet until a push-pull begun after
the pause has ended, or nobody could be reached for a second.
"""

from dataclasses import dataclass
from math import inf

from bareway.gossip.profile import FENCE_MAX_S, START_MAX_S


@dataclass(slots=True, kw_only=True)
class Readiness:
    """Both conditions, without what they lead to."""

    calm_s: float
    """How long a view must be unchanged to be stable."""
    ready_at: float = inf
    """Since when caches are synced and the node is able."""
    met: bool = False
    """A pull begun since then has ended."""
    fenced_at: float | None = None
    was_started: bool = False
    """Not the first start: the caches or the last link were gone in between."""

    @property
    def fenced(self) -> bool:
        """Whether we were paused and nobody confirmed yet what is ours."""
        return self.fenced_at is not None

    def ready(self, *, now: float) -> None:
        """The way to the start begins anew."""
        self.ready_at, self.met = now, False

    def unready(self) -> None:
        """Not before the caches are synced and the node is able."""
        self.ready_at, self.met = inf, False

    def start_at(self, *, alone: bool, unwelcome: bool, has_claims: bool, changed_at: float) -> float:
        """When we may start, as far as is known now."""
        if self.fenced or self.ready_at == inf or unwelcome:
            return inf
        if alone or (self.met and has_claims and not self.was_started):
            return self.ready_at
        latest = self.ready_at + START_MAX_S
        return min(latest, max(self.ready_at, changed_at + self.calm_s)) if self.met else latest

    def fence(self, *, now: float) -> None:
        """A pause has just ended."""
        self.fenced_at = now

    def pull_ended(self, *, begun_at: float, lives: bool) -> None:
        """A pull has brought everything; whether anybody lives besides us now."""
        if lives and begun_at >= self.ready_at:
            self.met = True
        if self.fenced_at is not None and begun_at >= self.fenced_at:
            self.fenced_at = None

    def nobody_answers(self, *, now: float) -> None:
        """No edge is open; after a while that counts as an answer."""
        if self.fenced_at is not None and now >= self.fenced_at + FENCE_MAX_S:
            self.fenced_at = None

    @property
    def deadline(self) -> float:
        """When a fence may end for want of answers."""
        return inf if self.fenced_at is None else self.fenced_at + FENCE_MAX_S
