"""A program that runs in a lab: started with a log file, signalled by its process group, always reaped."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from lab.commands import ENVIRONMENT, LabError
from lab.waiting import TimedOut, wait_for

STOP_WITHIN_S = 10.0
"""A program that has not ended so long after SIGTERM hangs."""

TAIL_LINES = 15
"""Of a log in an error message: enough for a trace, few enough to read."""

T = TypeVar("T")


def parent(pid: int) -> int | None:
    """Its parent's id (proc(5)); None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def state(pid: int) -> str | None:
    """What a process does, as a letter of proc(5): ``Z`` ended but not reaped; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


STOPPED = {"T", "t", "Z", "X", None}
"""States in which a process, or one thread of it, does nothing any more (proc(5))."""


def stands_still(pid: int) -> bool:
    """Whether all its threads are stopped: kill(2) returns before those that run on another processor are."""
    try:
        threads = [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return True
    return all(state(thread) in STOPPED for thread in threads)


def halt(pid: int) -> None:
    """Stop a process of ours, and return once none of its threads runs."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: stands_still(pid), what=f"every thread of process {pid} to stop", within_s=STOP_WITHIN_S)


CPUCLOCK_SCHED = 2
"""In a clock's number beside a process: all the time that its threads ran (clock_getcpuclockid(3))."""


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, its threads included."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def waited_s(pid: int) -> float:
    """How long its main thread was ready to run and had no processor (proc(5), ``schedstat``)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory_kb(pid: int) -> dict[str, int]:
    """``Rss`` and ``Pss`` of a process now."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rows = (line.split() for line in rollup.splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[0] in {"Rss:", "Pss:"}}


class Process:
    """One started program; standard output goes to ``<log>.out``, standard error to ``<log>.err``."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.output = log.with_suffix(".out")
        self.errors = log.with_suffix(".err")
        with self.output.open("wb") as output, self.errors.open("ab") as errors:
            # A session of its own: a terminal's Ctrl-C reaches the lab only, which then ends its programs.
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env={**ENVIRONMENT, **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    @property
    def is_running(self) -> bool:
        return self.exit_code is None

    def cpu_s(self) -> float:
        """What it and its children have used so far, in user and in kernel mode."""
        return sum(map(cpu_s, [self.pid, *self.children()]))

    def children(self) -> list[int]:
        """The processes that it started and that have not been reaped."""
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [number for number in numbers if parent(number) == self.pid]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group; nothing if it has ended."""
        if self.is_running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def freeze(self) -> None:
        """Stop the whole process group; on return no thread of the program runs."""
        self.signal(signal.SIGSTOP)
        group = [self.pid, *self.children()]
        wait_for(lambda: all(map(stands_still, group)), what=f"{self.name} to stop", within_s=STOP_WITHIN_S)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does, without a word, and reap it."""
        self.signal(signal.SIGKILL)
        self._popen.wait(timeout=STOP_WITHIN_S)

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> int:
        """Ask it to end (SIGTERM) and return its exit code; one that does not obey is killed and reported."""
        self.signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimedOut(f"{self.name} did not end within {within_s:g} s after SIGTERM") from None

    def wait(self, *, within_s: float) -> int:
        """Its exit code once it has ended by itself."""
        wait_for(lambda: not self.is_running, what=f"the end of {self.name}", within_s=within_s)
        return self._popen.returncode

    def wait_for_output(self, text: str, *, within_s: float = 10.0) -> None:
        """Return once ``text`` stands in what it wrote; ``LabError`` if it ends or is late."""

        def seen() -> bool:
            if text in self.output.read_text(errors="replace") + self.errors.read_text(errors="replace"):
                return True
            self.must_run()
            return False

        wait_for(seen, what=f"{text!r} in the output of {self.name}", within_s=within_s)

    def must_run(self) -> None:
        """``LabError`` with its last lines if it has ended."""
        if not self.is_running:
            raise LabError(f"{self.name} ended with exit code {self.exit_code}:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines it wrote."""
        lines = self.output.read_text(errors="replace").splitlines()
        lines += self.errors.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def memory_kb(self) -> dict[str, int]:
        """``Rss`` and ``Pss`` of the process now (PSS shares common pages among those who map them)."""
        return memory_kb(self.pid)

    def pod_memory_kb(self) -> dict[str, int]:
        """The same of the process and its children together: what a Pod holds."""
        parts = list(map(memory_kb, [self.pid, *self.children()]))
        return {key: sum(part[key] for part in parts) for key in parts[0]}


class Records(Generic[T]):
    """The JSON lines that a program has written so far, decoded once each."""

    def __init__(self, path: Path, kind: type[T], *, offset: int = 0) -> None:
        """``offset``: of the first line."""
        self._path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._offset = offset
        self._records: list[T] = []

    def all(self) -> list[T]:
        """Every complete line, in the order written."""
        with self._path.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):  # still being written
                    break
                self._records.append(self._decoder.decode(line))
                self._offset += len(line)
        return self._records
