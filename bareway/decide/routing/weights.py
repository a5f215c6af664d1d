"""How many endpoints a node says that it has: what changes briefly, or a little, is not told.

Each change of a weight makes routers spread connections anew, and some then arrive where nobody knows them.
So a new count is told once it has stood for SETTLE_S, and only if it is off by more than an eighth. One that
swings and never stands is told as it is once what was told has been off for SWING_S. The first count of a
Service is told at once.
"""

from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple

from bareway.model.names import ServiceKey

SETTLE_S: Final = 5.0
"""A Pod that is replaced is away for less than that."""
SWING_S: Final = 30.0
"""Endpoints that come and go for so long do not settle soon: any recent count is better than the old one."""
TOLERANCE: Final = 8
"""A difference up to an eighth of what was told stays untold; up to eight endpoints each one counts."""


class Counts(NamedTuple):
    """Endpoints on this node."""

    v4: int
    v6: int


@dataclass(slots=True)
class _Told:
    counts: Counts
    wished: Counts
    since: float
    """When ``wished`` was another one for the last time."""
    off_since: float | None = None
    """When ``wished`` began to differ from ``counts``, without a break until now."""

    @property
    def due_at(self) -> float:
        """When ``wished`` is told, if it is still off by then."""
        settled_at = self.since + SETTLE_S
        return settled_at if self.off_since is None else min(settled_at, self.off_since + SWING_S)


class Weights:
    """What was told of each Service."""

    def __init__(self) -> None:
        self._told: dict[ServiceKey, _Told] = {}
        self._unsettled: set[ServiceKey] = set()

    def weigh(self, service: ServiceKey, counts: Counts, *, now: float) -> Counts:
        """What to tell of ``service``, which has ``counts`` now."""
        told = self._told.get(service)
        if told is None:
            self._told[service] = _Told(counts, counts, now)
            return counts
        if counts != told.wished:
            told.wished, told.since = counts, now
        is_off = _differ(told.counts, counts)
        if is_off and told.off_since is None:
            told.off_since = now
        if is_off and now < told.due_at:
            self._unsettled.add(service)
            return told.counts
        if is_off:
            told.counts = counts
        told.off_since = None
        self._unsettled.discard(service)
        return told.counts

    def forget(self, service: ServiceKey) -> None:
        """It is not announced any more: when it is again, its count is the first."""
        if self._told.pop(service, None) is not None:
            self._unsettled.discard(service)

    @property
    def deadline(self) -> float:
        """When a count will have settled; infinite if none is about to."""
        return min((self._told[one].due_at for one in self._unsettled), default=inf)

    def due(self, *, now: float) -> frozenset[ServiceKey]:
        """Services whose count has settled."""
        return frozenset(one for one in self._unsettled if now >= self._told[one].due_at)


def _differ(told: Counts, counts: Counts) -> bool:
    return any(abs(new - old) * TOLERANCE > old for old, new in zip(told, counts, strict=True))
