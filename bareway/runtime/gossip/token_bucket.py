"""A token bucket: so much at once, so much per second, and nothing beyond."""


class TokenBucket:
    """Counts what one source does; time is an argument."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, *, rate: float, burst: int, now: float) -> None:
        """Start full: ``burst`` at once, ``rate`` more each second."""
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def try_take(self, now: float) -> bool:
        """Take one token if there is one; for what can be refused."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def take(self, now: float) -> float:
        """Take one token, if need be in advance; the seconds to wait until it is there."""
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
