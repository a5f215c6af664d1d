"""What a speaker costs its node: CPU and memory of its supervisor and its main program together."""

import os
import time
from pathlib import Path

import msgspec

from lab.process import Process

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROPORTIONAL = "Pss:"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Since the look before."""

    cpu_percent: float
    """Of one core."""
    pss_mb: float
    """Now, in MB of 1,000,000 bytes; what several speakers share is counted once."""


class Upkeep:
    """Looks at one speaker again and again."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._at, self._cpu_s = time.monotonic(), self._used_s()
        self._pids = self._group()
        self.restarts = 0
        """How often another process stood there than at the look before."""

    def look(self) -> Cost:
        """What it cost since the last look, or since the start."""
        at, cpu_s, pids = time.monotonic(), self._used_s(), self._group()
        self.restarts += pids != self._pids
        cost = Cost(
            cpu_percent=round(100 * max(0.0, cpu_s - self._cpu_s) / max(at - self._at, 1e-6), 2),
            pss_mb=round(sum(map(_pss_kb, pids)) * 1024 / 1e6, 1),
        )
        self._at, self._cpu_s, self._pids = at, cpu_s, pids
        return cost

    def _group(self) -> list[int]:
        return [self._process.pid, *sorted(self._process.children())]

    def _used_s(self) -> float:
        return sum(map(_cpu_s, self._group()))


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S  # utime and stime of proc(5), all threads


def _pss_kb(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(PROPORTIONAL))
