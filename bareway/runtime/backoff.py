"""How long to wait before the next attempt: doubling, capped, and never in step with others."""

from random import Random

FIRST_S = 0.25  # quick enough that one lost connection is not noticed
LEAST_SHARE = 0.5  # of the step; the rest is drawn, so that many clients spread out over time


class Backoff:
    """Delays that grow with each failure in a row, up to how late the end of the trouble may be noticed."""

    def __init__(self, *, rng: Random, cap_s: float, first_s: float = FIRST_S) -> None:
        self._rng = rng
        self._first_s = first_s
        self._cap_s = cap_s
        self._step_s = first_s

    def next_s(self) -> float:
        """The delay after one more failure: 50 to 100 per cent of a step that doubles up to the cap."""
        delay = self._step_s * self._rng.uniform(LEAST_SHARE, 1.0)
        self._step_s = min(self._cap_s, self._step_s * 2)
        return delay

    def reset(self) -> None:
        """Begin again with the first step: something went well."""
        self._step_s = self._first_s
