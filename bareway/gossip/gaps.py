"""How regularly a peer is heard on an edge: a slowly forgetting 99.9th percentile of the gaps between frames.

Of the last one to two thousand gaps the largest is left out: a lone one is a pause of somebody, and says
nothing of the edge. So two numbers for each thousand are all that is kept.
"""

from dataclasses import dataclass
from typing import Final

SPAN: Final = 1_000
"""Gaps after which the memory of those before them begins to fade; of so many one is left out."""


@dataclass(slots=True)
class Gaps:
    """The gaps of one edge."""

    _count: int = 0
    _largest: float = 0.0
    _second: float = 0.0
    _former_largest: float = 0.0
    _former_second: float = 0.0

    def add(self, gap_s: float) -> None:
        """Another one."""
        if self._count == SPAN:
            self._former_largest, self._former_second = self._largest, self._second
            self._count, self._largest, self._second = 0, 0.0, 0.0
        self._count += 1
        if gap_s > self._largest:
            self._largest, self._second = gap_s, self._largest
        elif gap_s > self._second:
            self._second = gap_s

    @property
    def usual_s(self) -> float:
        """The largest but one."""
        if self._largest >= self._former_largest:
            return max(self._second, self._former_largest)
        return max(self._largest, self._former_second)
