"""A whole machine of the ring: a host of the lab with processes, files and mounts of its own.

Mount, PID, UTS, IPC and network namespace around an init (``supervisor.py``). Power off = that one process
is killed: the kernel then ends containers, mounts and cables with it. What a machine shares with its
neighbours is the kernel, the clock and the disk below its own directory.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cluster import cgroups
from cluster.supervisor import DAEMONS, READY
from lab.commands import COMMAND_TIMEOUT_S, LabError, run
from lab.machine import Machine
from lab.process import STOPPED, Process
from lab.waiting import wait_for

TESTS: Final = Path(__file__).resolve().parents[1]
BOOTED_WITHIN_S: Final = 20.0  # a quarter of a second on an idle host
FROZEN_WITHIN_S: Final = 10.0  # a hundredth of a second where no process waits for the disk
NAMESPACES: Final = ("--mount", "--pid", "--uts", "--ipc")


class WholeMachine:
    """Switch it on and off, pull its cable, freeze it, say which daemons run on it."""

    def __init__(self, host: Machine, directory: Path, *, cgroup: str) -> None:
        self.host = host
        self.directory = directory
        self.cgroup = cgroup
        self._init: Process | None = None
        self._daemons: dict[str, list[str]] = {}
        directory.mkdir()

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def is_on(self) -> bool:
        return self._init is not None and self._init.is_running

    @property
    def pid(self) -> int:
        """Of its init, as the host counts."""
        if self._init is None or not self._init.is_running:
            raise LabError(f"{self.name} is switched off")
        parent = self._init.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    # -- programs

    def boot(self) -> None:
        """Start its init, and what was set to run. To be called from the thread that outlives the machine."""
        cgroups.make(self.cgroup)
        self._write_daemons()
        self._init = self.host.start(
            "init",
            # Even a killed test run leaves no process: the kernel passes the death of the driver on.
            *("setpriv", "--pdeathsig", "KILL"),
            # `ip netns exec` came with a mount namespace that lacks the control groups: back to the host's.
            *("nsenter", f"--mount=/proc/{os.getpid()}/ns/mnt"),
            *("unshare", *NAMESPACES, "--fork", "--kill-child"),
            *(sys.executable, "-m", "cluster.supervisor", self.name, self.directory),
            environment={"PYTHONPATH": str(TESTS)},
        )
        self._init.wait_for_output(READY, within_s=BOOTED_WITHIN_S)

    def set_daemons(self, daemons: Mapping[str, Sequence[str]]) -> None:
        """Run these, again whenever they end, and no others."""
        self._daemons = {name: list(command) for name, command in daemons.items()}
        self._write_daemons()
        if self.is_on:
            os.kill(self.pid, signal.SIGHUP)

    def stop_daemon(self, name: str) -> None:
        """Kill it and keep it from running."""
        if name not in self._daemons:
            runs = ", ".join(self._daemons) or "nothing"
            raise LabError(f"{self.name} runs {runs}, but not {name!r}")
        self.set_daemons({other: self._daemons[other] for other in self._daemons if other != name})

    def start_daemon(self, name: str, command: Sequence[str]) -> None:
        self.set_daemons({**self._daemons, name: command})

    def restart_daemon(self, name: str) -> None:
        """Kill it; the supervisor starts it again."""
        self.run("kill", "-KILL", (self.directory / f"{name}.pid").read_text())

    def log_of(self, daemon: str) -> Path:
        return self.directory / f"{daemon}.log"

    def command(self, *words: str) -> tuple[str, ...]:
        """How to run a command in all of its namespaces."""
        return ("nsenter", f"--target={self.pid}", *NAMESPACES, "--net", "--", *words)

    def run(self, *words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        return run(*self.command(*words), timeout_s=timeout_s)

    # -- faults

    def cut(self) -> None:
        self.host.cut()

    def join(self) -> None:
        self.host.join()

    def freeze(self) -> None:
        """Stop every process but init, those in containers too: -1 is everybody in the PID namespace."""

        def all_stopped() -> bool:  # more than one round: a program may start another meanwhile
            self.run("sh", "-c", "kill -STOP -1")
            rows = [line.split(None, 2) for line in self.run("ps", "-eo", "pid=,stat=,comm=").splitlines()]
            return all(stat[0] in STOPPED for pid, stat, name in rows if pid != "1" and name != "ps")

        wait_for(all_stopped, what=f"every process on {self.name} to stop", within_s=FROZEN_WITHIN_S)

    def thaw(self) -> None:
        self.run("sh", "-c", "kill -CONT -1")

    def power_off(self) -> None:
        """At once: first the cable is dead, then everything else."""
        self.host.power_off()
        cgroups.remove(self.cgroup)

    def power_on(self) -> None:
        """With its disk and its cable as they were, and nothing running but its init."""
        if self.is_on:
            raise LabError(f"{self.name} is switched on")
        self._daemons = {}
        self.host.power_on()
        self.boot()

    def _write_daemons(self) -> None:
        path = self.directory / DAEMONS
        half_done = path.with_suffix(".part")
        half_done.write_text(json.dumps(self._daemons, indent=1))
        half_done.rename(path)
