"""Middle and tail of many times."""

from collections.abc import Sequence
from math import ceil

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """By nearest rank, so that each is a value that was measured."""

    p50: float
    p99: float
    max: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value, to the microsecond."""
    ordered = [round(value, 6) for value in sorted(values)]
    return Spread(p50=_rank(ordered, 0.50), p99=_rank(ordered, 0.99), max=ordered[-1], count=len(ordered))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[ceil(len(ordered) * share) - 1]
