"""Suspicion: the time that an accused member has to refute, shorter the more members accuse it.

The formula of Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788, section 3.2) as memberlist computes it.
An accusation that nobody shares gets the longest time, since the fault may lie with its only sayer; where
nobody else could share it, the shortest.
"""

from dataclasses import dataclass, replace
from math import log

from bareway.gossip.profile import CONFIRMATIONS_MAX, SUSPICION_MAX_FACTOR
from bareway.model.names import NodeName


def suspicion_timeout(*, confirmations: int, needed: int, minimum_s: float, maximum_s: float) -> float:
    """How long a suspicion lasts from its start: from the maximum without to the minimum with all needed."""
    if needed < 1:
        return minimum_s
    share = log(confirmations + 1) / log(needed + 1)
    return max(minimum_s, maximum_s - share * (maximum_s - minimum_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """One member's trial."""

    started_at: float
    minimum_s: float
    accusers: frozenset[NodeName]

    def joined_by(self, accuser: NodeName) -> "Suspicion":
        """With one more accuser; each counts once."""
        return replace(self, accusers=self.accusers | {accuser})

    def delayed_by(self, lag_s: float) -> "Suspicion":
        """Later, because we did not listen for ``lag_s``: a refutation may wait unread."""
        return replace(self, started_at=self.started_at + lag_s)

    @property
    def counts_more(self) -> bool:
        """Whether a further accuser is worth telling others about."""
        return len(self.accusers) <= CONFIRMATIONS_MAX

    def is_half_over(self, now: float) -> bool:
        """Whether at least half of the shortest trial has passed."""
        return now - self.started_at >= self.minimum_s / 2

    def ends_at(self, *, observers: int) -> float:
        """When it becomes a death; ``observers`` are all who could accuse now, ourselves included."""
        return self.started_at + suspicion_timeout(
            confirmations=len(self.accusers) - 1,
            needed=min(CONFIRMATIONS_MAX, observers - 1),
            minimum_s=self.minimum_s,
            maximum_s=SUSPICION_MAX_FACTOR * self.minimum_s,
        )
