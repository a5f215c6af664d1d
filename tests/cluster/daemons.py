"""One daemon of the control plane: a process with a log file, which does not outlive the tests."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.process import halt

STOP_WITHIN_S: Final = 10.0
TAIL_CHARACTERS: Final = 2_000


class Daemon:
    """A program that can be started, killed and started again with the same flags and log."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, netns: str | None = None) -> None:
        self.name = name
        self.log = log
        # Even a killed test run leaves nothing: the kernel kills the daemon with the thread that started it.
        tied = ["setpriv", "--pdeathsig", "KILL", *command]
        self._command = ["nsenter", f"--net=/run/netns/{netns}", *tied] if netns else tied
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process is not None and self.runs else None

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def ends_within(self, seconds: float) -> bool:
        """Wait that long for its end; whether it came, or was there already."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def start(self) -> None:
        """Run it; in a process group of its own, so that Ctrl-C leaves the order of stopping to us."""
        if self.runs:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and kill it if it does not."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        if (pid := self.pid) is not None:
            halt(pid)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def tail(self) -> str:
        """The end of its log, for messages."""
        return self.log.read_text(errors="replace")[-TAIL_CHARACTERS:] if self.log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.runs:
            os.kill(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
