"""Under which conditions a scenario of BGP is measured, and whom it is measured with."""

import os
from pathlib import Path

import msgspec

from lab.process import Process

TICKS = os.sysconf("SC_CLK_TCK")


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a scenario is about."""

    trials: int
    family: str = "4"
    addresses: int = 0
    """Routes or Services; 0 = what the scenario is about by itself."""


def cpu_s(pid: int) -> float:
    """What a process has used so far, with the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return round(sum(map(int, fields[11:15])) / TICKS, 2)


def pss_mb(*pids: int) -> float:
    """Memory of processes together, in MB of 1,000,000 bytes; what is shared counts in parts."""
    kb = 0
    for pid in pids:
        rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        kb += sum(int(row[1]) for row in rows if row[0] == "Pss:")
    return round(kb * 1024 / 1e6, 1)


def whole(process: Process) -> list[int]:
    """A supervisor and what runs below it."""
    return [process.pid, *process.children()]
