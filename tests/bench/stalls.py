"""The control timer beside a measure that has no lab: when did the host itself stand still?"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.trials import STALL_MAX_S, say
from lab.observations import Lateness, longest_stall
from lab.process import Records
from lab.stations import IMPORTABLE

REPEATS_MAX = 2
"""Something that the host spoiled is measured so often at most; all are kept, the last one counts."""

T = TypeVar("T")


class Stalls:
    """What the timer has seen since the block began."""

    def __init__(self, path: Path) -> None:
        self._records = Records(path, Lateness)

    def longest_s(self, *, since: float) -> float:
        """The longest that ended after that moment."""
        return longest_stall(self._records.all(), since=since)

    def measured(self, what: str, measure: Callable[[], T]) -> tuple[list[T], float]:
        """All that was measured, again if the host stood still meanwhile; and the stall of the last one."""
        done: list[T] = []
        while True:
            began = time.monotonic()
            done.append(measure())
            stall_s = self.longest_s(since=began)
            if stall_s <= STALL_MAX_S or len(done) == REPEATS_MAX:
                return done, round(stall_s, 4)
            say(f"  {what}: the host itself stood still for {stall_s * 1000:.0f} ms: repeated")


@contextmanager
def watched() -> Iterator[Stalls]:
    """Run the timer meanwhile."""
    with tempfile.NamedTemporaryFile() as lines:
        command = [sys.executable, "-m", "lab.tools.stall_watch"]
        environment = {**os.environ, **IMPORTABLE}
        with subprocess.Popen(command, stdout=lines.fileno(), env=environment) as timer:
            try:
                yield Stalls(Path(lines.name))
            finally:
                timer.kill()
