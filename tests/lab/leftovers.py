"""Traces of labs, found by name: each namespace and log directory carries the pid of the lab that made it."""

import os
import re
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from lab.commands import ip, run
from lab.process import state
from lab.waiting import wait_for

NAMESPACE = re.compile(r"bareway-(?P<pid>\d+)-(?P<count>\d+)-(?P<machine>[\w-]+)")
LOGS = re.compile(r"bareway-lab-(?P<pid>\d+)-(?P<count>\d+)")
NAMESPACES = Path("/run/netns")


def namespace_name(pid: int, count: int, machine: str) -> str:
    """The namespace of a machine in the ``count``-th lab of process ``pid``."""
    return f"bareway-{pid}-{count}-{machine}"


def logs_directory(pid: int, count: int) -> Path:
    """Where that lab keeps what its programs write."""
    return Path(tempfile.gettempdir()) / f"bareway-lab-{pid}-{count}"


def namespaces_of(pid: int) -> list[str]:
    """Namespaces that labs of the process have made and not removed."""
    names = sorted(path.name for path in NAMESPACES.glob("bareway-*"))
    return [name for name in names if (match := NAMESPACE.fullmatch(name)) and int(match["pid"]) == pid]


def remove_namespace(name: str) -> None:
    """Kill every process in the namespace, then take it away."""

    def empty() -> bool:
        pids = [int(pid) for pid in ip("netns", "pids", name).split()]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # A killed child of a living lab stays until that lab reaps it, but has left the namespace by then.
        return not pids

    wait_for(empty, what=f"the end of all processes in {name}", within_s=5.0)
    ip("netns", "delete", name)


def unmount_below(directory: Path) -> None:
    """Take away what is mounted there; what is in memory only is gone with it."""
    mounted = [Path(line.split()[1]) for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in mounted:
        if place.is_relative_to(directory):
            run("umount", "--lazy", str(place))


def clean() -> list[str]:
    """Remove what labs of dead processes left behind; returns what was removed."""
    removed = []
    for path in sorted(NAMESPACES.glob("bareway-*")):
        match = NAMESPACE.fullmatch(path.name)
        if match and not _is_alive(int(match["pid"])):
            remove_namespace(path.name)
            removed.append(path.name)
    for path in sorted(Path(tempfile.gettempdir()).glob("bareway-lab-*")):
        match = LOGS.fullmatch(path.name)
        if match and not _is_alive(int(match["pid"])):
            unmount_below(path)
            shutil.rmtree(path, ignore_errors=True)
            removed.append(str(path))
    return removed


def _is_alive(pid: int) -> bool:
    return state(pid) not in {None, "Z"}
