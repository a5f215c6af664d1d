"""How long things took, counted by how long: what Prometheus calls a histogram.

Whoever measures calls ``observe``; that costs about a microsecond. Left out: labels, since each series would
be told as many times as there are bounds.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

SHORT_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0)
"""Between two frames of a neighbour, and how late a loop is; the silences of all profiles are among them."""
SPANS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""What people wait for: an address, an announcer, another announcer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A histogram at one moment."""

    up_to: Mapping[float, int] = field(default_factory=lambda: {inf: 0})
    """How many took at most so many seconds; those that took any time last, under infinity."""
    sum_s: float = 0.0

    @property
    def count(self) -> int:
        """Of all."""
        return self.up_to[inf]


class Histogram:
    """Counts what took at most so long, for each bound."""

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        """``bounds_s`` ascend."""
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Something took so long, or ``times`` things did."""
        self._counts[bisect_left(self._bounds_s, seconds)] += times
        self._sum_s += seconds * times

    def measured(self) -> Measured:
        """Everything since the start."""
        up_to, total = {}, 0
        for bound_s, count in zip((*self._bounds_s, inf), self._counts, strict=True):
            total += count
            up_to[bound_s] = total
        return Measured(up_to=up_to, sum_s=self._sum_s)
