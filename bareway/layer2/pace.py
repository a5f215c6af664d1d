"""How many frames may leave now: a token bucket whose bound holds for every second, bursts included."""

from typing import Final

ROUNDING: Final = 1e-3
"""Of a token: who comes back at the time he was told finds what he was promised, in floating point too."""


class Pace:
    """At most ``per_second`` in any second, of which at most ``depth`` at once."""

    __slots__ = ("_at", "_depth", "_per_second", "_tokens")

    def __init__(self, *, per_second: int, depth: int, now: float) -> None:
        self._depth = depth
        self._per_second = per_second - depth  # what flows in during a second that began with a full bucket
        self._tokens = float(depth)
        self._at = now

    def available(self, *, now: float) -> int:
        """How many may go at this moment."""
        self._tokens = min(self._depth, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        return int(self._tokens + ROUNDING)

    def take(self, count: int) -> None:
        """Note that ``count`` of those that were available have gone."""
        self._tokens -= count

    def ready_at(self, count: int) -> float:
        """When ``count``, at most the depth, will be available."""
        return self._at + max(0.0, count - self._tokens) / self._per_second
