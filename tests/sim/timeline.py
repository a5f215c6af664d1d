"""One heap of what happens when, and the trace of what happened: virtual time, the same each time."""

from collections.abc import Callable
from hashlib import sha256
from heapq import heappop, heappush

from sim.broken import Broken

STEPS_MAX, STANDSTILL_S = 10_000, 0.01
"""So much in so little time is a machine that wants another turn again and again."""


class Timeline:
    """Time that passes only when something is due."""

    def __init__(self, *, story: Callable[[str], None] | None = None) -> None:
        self.now = 0.0
        self.trace: list[str] = []
        self._story = story
        self._heap: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._order = 0

    def at(self, when: float, what: Callable[..., None], *arguments: object) -> None:
        """Let something happen at a time; what is due together happens in the order it was asked for."""
        self._order += 1
        heappush(self._heap, (when, self._order, what, arguments))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end, heap = self.now + seconds, self._heap
        steps, begun_at = 0, self.now
        while heap and heap[0][0] <= end:
            self.now, _, what, arguments = heappop(heap)
            what(*arguments)
            steps += 1
            if steps > STEPS_MAX:
                if self.now - begun_at < STANDSTILL_S:
                    raise Broken(f"{self.now:.4f} time stands still: {what} {arguments}")
                steps, begun_at = 0, self.now
        self.now = end

    def say(self, text: str) -> None:
        """One line of the trace."""
        line = f"{self.now:9.4f} {text}"
        self.trace.append(line)
        if self._story:
            self._story(line)

    @property
    def fingerprint(self) -> str:
        """Of the whole trace: two runs of one seed have the same."""
        return sha256("\n".join(self.trace).encode()).hexdigest()
