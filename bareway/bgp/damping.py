"""How long a session waits after it failed (DampPeerOscillations, RFC 4271 section 8.1.1).

The first failure after a quiet time costs nothing; each further one doubles the wait.
"""

from random import Random
from typing import Final

HOLD_MIN_S: Final = 1.0
HOLD_MAX_S: Final = 60.0  # a router that was mended waits no longer for us
STABLE_S: Final = 30.0  # so long Established, and what was before is forgotten
DOUBLINGS_MAX: Final = 6  # 1 s · 2⁶ is beyond the longest
JITTER: Final = (0.75, 1.0)
"""RFC 4271 section 10: so that peers do not fall in step."""


class Damping:
    """Of one peer."""

    def __init__(self, *, rng: Random) -> None:
        self._rng = rng
        self._failures = 0

    def ended(self, *, lasted_s: float | None) -> None:
        """A session came to its end, Established for so long; None = it never was."""
        if lasted_s is not None and lasted_s >= STABLE_S:
            self._failures = 0

    def failed(self, *, was_up: bool) -> float:
        """Count a failure; how long to wait now."""
        before = self._failures
        self._failures += 1
        if not before and was_up:
            return 0.0
        wait_s = min(HOLD_MIN_S * 2 ** min(before, DOUBLINGS_MAX), HOLD_MAX_S)
        return self.jittered(wait_s)

    def jittered(self, wait_s: float) -> float:
        """A little less, by chance."""
        return wait_s * self._rng.uniform(*JITTER)

    def forgive(self) -> None:
        """Forget all failures: something is different now."""
        self._failures = 0
