"""How long Services wait for their address once they can have one: until it is written to the API.

It is told what happened after it has happened, so that measuring delays nothing.
"""

from collections.abc import Callable, Collection
from typing import Final

from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.names import ServiceKey
from bareway.runtime.clock import monotonic
from bareway.runtime.histograms import SPANS_S, Histogram


class Stopwatch:
    """Runs for each Service that changed, until its address is written or it turns out that it gets none."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since: dict[ServiceKey, float] = {}
        self._decided_at = clock()
        self.allocation: Final = Histogram(SPANS_S)

    def changed(self, keys: Collection[ServiceKey]) -> None:
        """These changed in Kubernetes; of several changes before an address is written the first counts."""
        now = self._clock()
        for key in keys:
            self._since.setdefault(key, now)

    def decided(self, allocation: Allocation | None) -> None:
        """A look ended: whoever gets nothing, or has it already, waits for another change."""
        self._decided_at = self._clock()
        verdicts = allocation.verdicts if allocation is not None else {}
        self._since = {
            key: since
            for key, since in self._since.items()
            if isinstance(verdict := verdicts.get(key), Granted) and not verdict.kept
        }

    def written(self, key: ServiceKey) -> None:
        """Its address was written; it was possible by its own change, or by that of something else."""
        self.allocation.observe(self._clock() - self._since.pop(key, self._decided_at))
