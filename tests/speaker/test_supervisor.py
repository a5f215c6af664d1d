"""The supervisor as PID 1 is, without BFD and with it: real processes, which end in every way there is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from speaker.supervisor import HEALTHY_S, PAUSES_S, Patience

pytestmark = pytest.mark.slow

MEMORY_MAX_MB = 14
"""PSS, with BFD in it."""

CLASSES = {
    "speaker.supervisor": "from speaker.supervisor import Supervisor",
    "speaker.bfd": "from speaker.bfd.__main__ import KeepingSupervisor as Supervisor",
}
"""The module to run, and where the class in it comes from."""
MODULE = pytest.StashKey[str]()
tried = pytest.Stash()


@pytest.fixture(params=CLASSES, autouse=True)
def module(request: pytest.FixtureRequest) -> str:
    tried[MODULE] = str(request.param)
    return tried[MODULE]


def as_in_the_manifest() -> list[str]:
    return [sys.executable, "-I", "-m", tried[MODULE]]


LISTENING = """
import os, signal, sys
def end(*_):
    print("bye", flush=True)
    sys.exit({code})
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGUSR1, lambda *_: print("usr1", os.getpid(), flush=True))
print("up", os.getpid(), *sys.argv[1:], flush=True)
while True:
    signal.pause()
"""
DEAF = "import os, signal; print('up', os.getpid(), flush=True); signal.pause()"
ENDING = "import sys; sys.exit({code})"
SUBREAPER = "import ctypes; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)"
"""PR_SET_CHILD_SUBREAPER: orphans become ours, as they become PID 1's in a container."""


def python(script: str, **values: object) -> list[str]:
    return [sys.executable, "-S", "-c", script.replace("{code}", str(values.get("code")))]


def impatient(pauses_s: Sequence[float], before: str = "") -> list[str]:
    """A supervisor with other pauses; the program follows."""
    script = (
        f"import sys\n{before}\n{CLASSES[tried[MODULE]]}\n"
        f"sys.exit(Supervisor(sys.argv[1:], pauses_s={tuple(pauses_s)!r}).run())"
    )
    return [sys.executable, "-c", script]


class Running:
    """A supervisor with its program, and what both print."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def up(self) -> int:
        """The program's pid, once it says that it is up."""
        words = self.line().split()
        assert words[0] == "up", words
        return int(words[1])

    def news(self) -> dict[str, object]:
        """A line of the supervisor's log."""
        told: dict[str, object] = json.loads(self.line())
        assert told.keys() >= {"caller", "level", "ts", "msg"}
        return told

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        return self._process.wait(timeout=30)

    def clean_up(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


@contextmanager
def supervised(*program: str, by: Sequence[str] = ()) -> Iterator[Running]:
    running = Running([*(by or as_in_the_manifest()), *program])
    try:
        yield running
    finally:
        running.clean_up()


@pytest.mark.parametrize("code", [0, 2])
def test_a_program_that_ended_on_purpose_or_cannot_work_here_ends_the_container(code: int) -> None:
    with supervised(*python(ENDING, code=code)) as running:
        assert running.end() == code
        assert running.line() == ""  # the last line of the log is the program's, for kubectl describe


def test_a_program_that_is_not_there_is_named() -> None:
    with supervised("bareway-no-such-program") as running:
        assert running.line() == "bareway-no-such-program: No such file or directory"
        assert running.end() == 127


def test_without_a_program_it_says_what_is_missing() -> None:
    with supervised() as running:
        assert "which program?" in running.line()
        assert running.end() == 2


def test_a_killed_program_is_started_anew_with_the_same_arguments() -> None:
    with supervised(*python(LISTENING, code=0), "--one", "two") as running:
        words = running.line().split()
        os.kill(int(words[1]), signal.SIGKILL)
        assert running.news()["signal"] == signal.SIGKILL
        again = running.line().split()
        assert again[2:] == words[2:] == ["--one", "two"]
        assert again[1] != words[1]


def test_a_mistake_of_ours_is_no_reason_to_end() -> None:
    with supervised(*python(LISTENING, code=1)) as running:
        os.kill(running.up(), signal.SIGTERM)  # not by us: the program was not meant to end
        assert running.line() == "bye"
        assert running.news()["exit_code"] == 1
        assert running.up()


def test_what_dies_again_and_again_is_left_to_the_kubelet_with_its_code() -> None:
    with supervised(*python(ENDING, code=1), by=impatient((0.0, 0.0, 0.0))) as running:
        told = [running.news()["msg"] for _ in range(4)]
        assert told == ["the main program died; starting it anew in 0 s"] * 3 + [
            "the main program dies at once again and again; ending"
        ]
        assert running.end() == 1


def test_a_program_that_a_signal_ended_for_good_is_told_as_shells_do() -> None:
    with supervised(*python(DEAF), by=impatient(())) as running:
        os.kill(running.up(), signal.SIGKILL)
        assert running.end() == 128 + signal.SIGKILL


@pytest.mark.parametrize("code", [0, 3])
def test_sigterm_reaches_the_program_and_its_code_is_ours(code: int) -> None:
    with supervised(*python(LISTENING, code=code)) as running:
        running.up()
        running.signal(signal.SIGTERM)
        assert running.line() == "bye"
        assert running.end() == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda n: n.name)
def test_a_program_that_does_not_listen_yet_ends_on_purpose_too(number: signal.Signals) -> None:
    with supervised(*python(DEAF)) as running:
        running.up()
        running.signal(number)
        assert running.end() == 0


def test_who_is_told_to_end_does_not_wait_for_the_next_start() -> None:
    with supervised(*python(ENDING, code=1), by=impatient((3600.0,))) as running:
        assert running.news()["msg"] == "the main program died; starting it anew in 3600 s"
        running.signal(signal.SIGUSR1)
        running.signal(signal.SIGTERM)
        assert running.end() == 0


def test_other_signals_are_passed_on_and_end_nothing() -> None:
    with supervised(*python(LISTENING, code=0)) as running:
        pid = running.up()
        for _ in range(2):
            running.signal(signal.SIGUSR1)
            assert running.line() == f"usr1 {pid}"


def test_the_program_starts_with_no_signal_blocked() -> None:
    script = "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    with supervised(*python(script)) as running:
        assert running.line() == "[]"


def test_a_frozen_program_is_left_alone() -> None:
    with supervised(*python(LISTENING, code=0)) as running:
        pid = running.up()
        os.kill(pid, signal.SIGSTOP)
        running.signal(signal.SIGUSR1)
        os.kill(pid, signal.SIGCONT)
        assert running.line() == f"usr1 {pid}"


def test_orphans_are_reaped() -> None:
    orphan = """
import os, time
reader, writer = os.pipe()
middle = os.fork()
if middle == 0:
    child = os.fork()
    if child == 0:
        os.close(reader)
        os._exit(0)
    os.write(writer, str(child).encode())
    os._exit(0)
os.waitpid(middle, 0)
child = int(os.read(reader, 20))
while os.path.exists(f"/proc/{child}"):
    os.sched_yield()
print("reaped", flush=True)
"""
    with supervised(*python(orphan), by=impatient((), before=SUBREAPER)) as running:
        assert running.line() == "reaped"
        assert running.end() == 0


def test_it_is_small_and_loads_nothing_but_the_standard_library(module: str) -> None:
    with supervised(*python(DEAF)) as running:
        running.up()
        rollup = Path(f"/proc/{running.pid}/smaps_rollup").read_text().splitlines()
        (pss_kb,) = (int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        assert pss_kb * 1024 < MEMORY_MAX_MB * 1_000_000
        mapped = Path(f"/proc/{running.pid}/maps").read_text()
        assert "site-packages" not in mapped
    script = f"import sys\n{CLASSES[module]}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    here = {"__main__", "_distutils_hack"}  # the script, and this environment's own: the image has none
    assert loaded - here - sys.stdlib_module_names <= {"speaker", "bareway"}
    assert not loaded & {"asyncio", "threading", "subprocess", "logging", "dataclasses", "pathlib"}


def test_the_first_death_costs_nothing_and_each_next_one_longer() -> None:
    patience = Patience()
    assert [patience.pause_s(lived_s=0.1) for _ in PAUSES_S] == list(PAUSES_S)
    assert PAUSES_S[0] == 0.0
    assert sorted(set(PAUSES_S)) == list(PAUSES_S)
    assert patience.pause_s(lived_s=0.1) is None


def test_a_program_that_had_started_well_is_forgiven() -> None:
    patience = Patience()
    for _ in PAUSES_S:
        patience.pause_s(lived_s=0.1)
    assert patience.pause_s(lived_s=HEALTHY_S) == 0.0
    assert [patience.pause_s(lived_s=0.1) for _ in range(2)] == list(PAUSES_S[:2])
