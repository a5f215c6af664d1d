"""How many endpoints a node says that it has: what changes briefly, or a little, is not told.

Each change of a weight makes routers spread connections anew, and some then arrive where nobody knows them.
So a new count is told once it has stood for SETTLE_S, and only if it is off by more than an eighth. The first
count of a Service is told at once.
"""

from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple

from bareway.model.names import ServiceKey

SETTLE_S: Final = 5.0
"""A Pod that is replaced is away for less than that."""
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
        if not _differ(told.counts, counts):
            self._unsettled.discard(service)
        elif now - told.since >= SETTLE_S:
            told.counts = counts
            self._unsettled.discard(service)
        else:
            self._unsettled.add(service)
        return told.counts

    def forget(self, service: ServiceKey) -> None:
        """It is not announced any more: when it is again, its count is the first."""
        if self._told.pop(service, None) is not None:
            self._unsettled.discard(service)

    @property
    def deadline(self) -> float:
        """When a count will have settled; infinite if none is about to."""
        return min((self._told[one].since + SETTLE_S for one in self._unsettled), default=inf)

    def due(self, *, now: float) -> frozenset[ServiceKey]:
        """Services whose count has settled."""
        return frozenset(one for one in self._unsettled if now - self._told[one].since >= SETTLE_S)


def _differ(told: Counts, counts: Counts) -> bool:
    return any(abs(new - old) * TOLERANCE > old for old, new in zip(told, counts, strict=True))
