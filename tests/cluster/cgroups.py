"""Control groups of the ring's nodes: a kubelet wants its own root to exist before it starts.

In every hierarchy of version 1, or in the one of version 2 (not tried on a version 2 host). The first part
of a path is the name of the lab that made it, with its pid, so that leftovers are known by name.
"""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from lab.leftovers import LOGS as LAB
from lab.process import state
from lab.waiting import wait_for

ROOT: Final = Path("/sys/fs/cgroup")
CONTROLLERS: Final = ("cpu", "cpuset", "memory", "pids")
"""What the kubelet insists on."""
CPUSET_FILES: Final = ("cpuset.cpus", "cpuset.mems")
WEIGHTS: Final = {"cpu.shares": "20480", "cpu.weight": "2000"}
"""Twenty times the usual: a node's containers compete as one with each single process of the host."""
EMPTY_WITHIN_S: Final = 10.0  # the kernel takes killed processes out of their group in the background


def is_unified() -> bool:
    """Whether there is one hierarchy (version 2)."""
    return (ROOT / "cgroup.controllers").exists()


def missing_controllers() -> list[str]:
    """Which controllers this machine does not offer."""
    if is_unified():
        offered = (ROOT / "cgroup.controllers").read_text().split()
    else:
        offered = [path.name for path in ROOT.glob("*") if path.is_dir()]
    return [name for name in CONTROLLERS if name not in offered]


def make(path: str) -> None:
    """Make the group, and those above it, in every hierarchy."""
    for hierarchy in _hierarchies():
        above = hierarchy
        for part in PurePosixPath(path).parts:
            below = above / part
            if is_unified():
                (above / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in CONTROLLERS))
            below.mkdir(exist_ok=True)
            if not is_unified():
                _fill_cpuset(above, below)
            for name, weight in WEIGHTS.items():
                if (below / name).exists():
                    (below / name).write_text(weight)
            above = below


def remove(path: str) -> None:
    """Remove the group and all below it; the processes in it must be dead or dying."""

    def gone() -> bool:
        left = [hierarchy / path for hierarchy in _hierarchies() if (hierarchy / path).exists()]
        for group in left:
            for below, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):  # busy until its last process is gone
                    Path(below).rmdir()
        return not left

    wait_for(gone, what=f"the end of the control group {path}", within_s=EMPTY_WITHIN_S)


def clean() -> list[str]:
    """Remove those of labs that are dead; returns what was removed."""
    found = {path.name for hierarchy in _hierarchies() for path in hierarchy.glob("bareway-lab-*")}
    dead = [
        name
        for name in sorted(found)
        if (match := LAB.fullmatch(name)) and state(int(match["pid"])) in {None, "Z"}
    ]
    for name in dead:
        remove(name)
    return dead


def _hierarchies() -> list[Path]:
    if is_unified():
        return [ROOT]
    return sorted(path for path in ROOT.glob("*") if path.is_dir() and not path.is_symlink())


def _fill_cpuset(above: Path, below: Path) -> None:
    """In version 1 a new cpuset allows nothing until it is told."""
    for name in CPUSET_FILES:
        if (below / name).exists() and not (below / name).read_text().strip():
            (below / name).write_text((above / name).read_text())
