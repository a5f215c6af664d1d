"""A daemon of the control plane: it starts, hangs and dies when told, and never outlives the tests."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.daemons import Daemon
from support.until import until

SPEAK = ["sh", "-c", "echo started; exec sleep 60"]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon("sleeper", SPEAK, log=tmp_path / "log")
    yield daemon
    daemon.kill()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


async def test_it_runs_from_start_to_kill_and_again(daemon: Daemon) -> None:
    assert (daemon.runs, daemon.pid) == (False, None)
    daemon.start()
    first = daemon.pid
    daemon.start()
    assert daemon.pid == first
    daemon.kill()
    assert (daemon.runs, daemon.pid) == (False, None)
    daemon.start()
    assert daemon.runs
    assert daemon.pid != first


async def test_its_log_goes_on_over_a_restart(daemon: Daemon) -> None:
    daemon.start()
    await until(lambda: daemon.tail() == "started\n")
    daemon.kill()
    daemon.start()
    await until(lambda: daemon.tail() == "started\nstarted\n")


async def test_it_hangs_until_it_is_thawed(daemon: Daemon) -> None:
    daemon.start()
    pid = daemon.pid
    assert pid is not None
    daemon.freeze()
    await until(lambda: _state(pid) == "T")
    daemon.thaw()
    await until(lambda: _state(pid) == "S")
    daemon.stop()
    assert not daemon.runs


def test_its_end_can_be_waited_for(daemon: Daemon) -> None:
    assert daemon.ends_within(0)
    daemon.start()
    assert not daemon.ends_within(0.01)
    daemon.kill()
    assert daemon.ends_within(0)


def test_what_never_started_can_be_ended(daemon: Daemon) -> None:
    daemon.freeze()
    daemon.stop()
    daemon.kill()
    assert daemon.tail() == ""


async def test_it_dies_with_the_program_that_started_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = (
        "import sys; from pathlib import Path; from cluster.daemons import Daemon\n"
        f"daemon = Daemon('sleeper', {SPEAK!r}, log=Path({str(log)!r}))\n"
        "daemon.start(); print(daemon.pid, flush=True); sys.stdin.read()"
    )
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    pid = int(await program.stdout.readline())
    await until(lambda: log.exists() and log.read_text() == "started\n")
    program.kill()
    await program.wait()
    await until(lambda: not Path(f"/proc/{pid}").exists() or _state(pid) == "Z")
