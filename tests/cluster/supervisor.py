"""The init of a machine of the ring: PID 1 of its PID namespace, small as one may be.

``python -m cluster.supervisor NAME DIRECTORY`` gives the machine what it does not share with its host (its
own /proc, /sys, /run, /var/lib and /var/log), then keeps running what stands in ``DIRECTORY/daemons.json``:
what is listed and does not run is started, what runs and is not listed is killed. SIGHUP: the list has
changed. When this process is killed, the kernel ends everything in the machine, as a power cut does.

Standard library only, all of it imported before the mounts hide parts of the disk.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

DAEMONS: Final = "daemons.json"
READY: Final = "machine is ready"
"""Written to standard output when the mounts are done."""
HIDDEN: Final = ("/run", "/var/lib", "/var/log")
"""Parts of the host's disk that a machine does not see; nothing that it runs may live there."""
RESTART_AFTER_S: Final = 1.0  # a daemon that cannot start yet must not eat the machine
SIGNALS: Final = (signal.SIGCHLD, signal.SIGHUP)


def mount_own(directory: Path) -> None:
    """Mount what is this machine's own; run in a mount namespace of its own."""
    _mount("--make-rslave", "/")
    _mount("-t", "proc", "proc", "/proc")
    # A fresh sysfs shows this machine's own network devices; the host's cgroups are moved below it.
    _mount("-t", "tmpfs", "tmpfs", "/mnt")
    Path("/mnt/cgroup").mkdir()
    _mount("--rbind", "/sys/fs/cgroup", "/mnt/cgroup")
    _mount("-t", "sysfs", "sysfs", "/sys")
    _mount("--rbind", "/mnt/cgroup", "/sys/fs/cgroup")
    subprocess.run(["umount", "--lazy", "/mnt"], check=True)
    for own in ("lib", "log"):
        (directory / own).mkdir(exist_ok=True)
        _mount("--bind", str(directory / own), f"/var/{own}")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    _mount("--make-rshared", "/")  # the kubelet's mounts are to reach containers


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


class Supervisor:
    """Makes what runs equal to what is listed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started_at: dict[str, float] = {}

    def turn(self, now: float) -> None:
        """Reap, then start and kill what differs from the list."""
        self._reap()
        wanted: dict[str, list[str]] = json.loads((self._directory / DAEMONS).read_text())
        for name in self._running.keys() - wanted.keys():
            os.kill(self._running[name].pid, signal.SIGKILL)
        for name, command in wanted.items():
            is_due = now >= self._started_at.get(name, -RESTART_AFTER_S) + RESTART_AFTER_S
            if name not in self._running and is_due:
                self._start(name, command)
                self._started_at[name] = now

    def _start(self, name: str, command: list[str]) -> None:
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        (self._directory / f"{name}.pid").write_text(str(self._running[name].pid))

    def _reap(self) -> None:
        """Whoever has ended: a daemon, or an orphan such as a container's shim."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                for name, process in list(self._running.items()):
                    if process.pid == pid:
                        process.returncode = os.waitstatus_to_exitcode(status)
                        del self._running[name]


def main(name: str, directory: Path) -> None:
    """Never returns."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    socket.sethostname(name)
    mount_own(directory)
    supervisor = Supervisor(directory)
    print(READY, flush=True)
    while True:
        supervisor.turn(time.monotonic())
        signal.sigtimedwait(SIGNALS, RESTART_AFTER_S)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
