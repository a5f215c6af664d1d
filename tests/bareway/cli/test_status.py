import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bareway.cli.__main__ import main
from bareway.cli.status import show
from bareway.cli.verb import ExitCode
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.runtime.rpc import serve_controller, serve_speaker
from support import statuses

ERRORS = (statuses.waiting(),)


async def _serve(path: Path, status: SpeakerStatus | ControllerStatus) -> None:
    match status:
        case SpeakerStatus():
            await serve_speaker(path, lambda: status)
        case ControllerStatus():
            await serve_controller(path, lambda: status)


@asynccontextmanager
async def _serving(path: Path, status: SpeakerStatus | ControllerStatus) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_serve(path, status))
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 5)
        yield
        task.cancel()


class Node:
    """A place for the two sockets, and the command run on it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.controller = folder / "controller.sock"
        self.speaker = folder / "speaker.sock"
        self._capsys = capsys

    async def show(
        self, *named: Path, output: str = "text", timeout_s: float = 5.0
    ) -> tuple[ExitCode, str, str]:
        """Exit code, standard output, standard error."""
        usual = (self.controller, self.speaker)
        code = await asyncio.to_thread(show, named, output=output, timeout_s=timeout_s, usual=usual)
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err


@pytest.fixture
def node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Node:
    return Node(tmp_path, capsys)


async def test_a_node_with_both_programs_shows_both(node: Node) -> None:
    async with (
        _serving(node.speaker, statuses.speaker_status()),
        _serving(node.controller, statuses.controller_status()),
    ):
        code, out, err = await node.show()
    assert (code, err) == (ExitCode.WELL, "")
    assert out.startswith("controller: ready")
    assert "\n\nspeaker on node1: ready" in out
    assert "wrong" not in out


@pytest.mark.parametrize("status", [statuses.speaker_status(), statuses.controller_status()])
async def test_a_node_with_one_program_is_as_well(
    node: Node, status: SpeakerStatus | ControllerStatus
) -> None:
    path = node.speaker if isinstance(status, SpeakerStatus) else node.controller
    async with _serving(path, status):
        code, _, err = await node.show()
    assert (code, err) == (ExitCode.WELL, "")


async def test_whatever_is_wrong_is_listed_and_told_by_the_exit_code(node: Node) -> None:
    async with _serving(node.controller, statuses.controller_status(waiting=ERRORS)):
        code, out, _ = await node.show()
    assert code == ExitCode.SOMETHING_WRONG
    assert out.endswith(
        'What is wrong:\n  Service shop/web waits: PoolExhausted: no available IPs in pool "public"\n'
    )


async def test_json_has_a_version_and_the_same_names_as_the_status(node: Node) -> None:
    async with (
        _serving(node.speaker, statuses.speaker_status()),
        _serving(node.controller, statuses.controller_status(waiting=ERRORS)),
    ):
        code, out, _ = await node.show(output="json")
    page = json.loads(out)
    assert code == ExitCode.SOMETHING_WRONG
    assert list(page) == ["version", "controllers", "speakers", "wrong"]
    assert page["version"] == 1
    assert page["controllers"][0]["waiting"][0]["service"] == "shop/web"
    assert page["speakers"][0]["addresses"] == [
        {
            "address": "192.0.2.10",
            "services": ["shop/web"],
            "announced_by": "node1",
            "reason": "",
            "listed": [],
            "protocol": "layer2",
            "on_link": None,
        }
    ]
    assert len(page["wrong"]) == 1


async def test_where_nothing_runs_one_sentence_says_so(node: Node) -> None:
    code, out, err = await node.show()
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert err == (
        f"bareway: no socket {node.controller}: nothing runs here with it;"
        f" no socket {node.speaker}: nothing runs here with it\n"
    )


async def test_json_is_json_even_where_nothing_runs(node: Node) -> None:
    _, out, _ = await node.show(output="json")
    assert json.loads(out) == {"version": 1, "controllers": [], "speakers": [], "wrong": []}


async def test_who_is_asked_for_by_name_must_answer(node: Node, tmp_path: Path) -> None:
    other = tmp_path / "other.sock"
    async with _serving(node.speaker, statuses.speaker_status()):
        code, out, err = await node.show(node.speaker, other)
    assert code == ExitCode.COULD_NOT_TELL
    assert "speaker on node1" in out
    assert f"no socket {other}" in err


async def test_a_socket_of_a_program_that_ended_is_told_apart(node: Node) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(node.speaker))
    code, _, err = await node.show()
    assert code == ExitCode.COULD_NOT_TELL
    assert f"nothing answers on {node.speaker}: the program ended, or you may not open it" in err


async def test_one_program_that_answers_does_not_hide_one_that_ended(node: Node) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(node.controller))
    async with _serving(node.speaker, statuses.speaker_status()):
        code, out, err = await node.show()
    assert code == ExitCode.COULD_NOT_TELL
    assert "speaker on node1" in out
    assert f"nothing answers on {node.controller}" in err


async def test_a_program_that_hangs_is_not_waited_for(node: Node) -> None:
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(node.speaker))
        frozen.listen()
        code, _, err = await node.show(timeout_s=0.1)
    assert code == ExitCode.COULD_NOT_TELL
    assert "no answer" in err
    assert "within 0.1 s" in err


async def test_a_file_that_is_no_socket_is_refused(node: Node, tmp_path: Path) -> None:
    code, _, err = await node.show(tmp_path)
    assert code == ExitCode.COULD_NOT_TELL
    assert f"no socket {tmp_path}" in err


def _command(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bareway.cli", *argv], check=False, capture_output=True, text=True, timeout=30
    )


async def test_the_command_itself_answers_over_a_socket(node: Node) -> None:
    async with _serving(node.speaker, statuses.speaker_status()):
        done = await asyncio.to_thread(_command, "status", "--socket", str(node.speaker), "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["speakers"][0]["node"] == "node1"


async def test_ten_thousand_addresses_come_through(node: Node) -> None:
    many = tuple(statuses.address(f"10.0.{n >> 8}.{n & 255}") for n in range(10_000))
    async with _serving(node.speaker, statuses.speaker_status(addresses=many)):
        code, out, _ = await node.show()
    assert code == ExitCode.WELL
    assert out.count(" shop/web ") == len(many)


async def test_a_reader_that_has_seen_enough_gets_no_traceback(node: Node) -> None:
    many = tuple(statuses.address(f"10.0.{n >> 8}.{n & 255}") for n in range(5_000))
    async with _serving(node.speaker, statuses.speaker_status(addresses=many)):
        command = [sys.executable, "-m", "bareway.cli", "status", "--socket", str(node.speaker)]
        command = ["bash", "-c", '"$@" | head -n 1; exit "${PIPESTATUS[0]}"', "bash", *command]
        done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, timeout=30)
    assert (done.stderr, done.returncode) == (b"", 141)
    assert done.stdout.startswith(b"speaker on node1")


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["status", "--timeout", "0"], id="no time"),
        pytest.param(["status", "--timeout", "nan"], id="no number"),
        pytest.param(["status", "--timeout", "inf"], id="for ever"),
        pytest.param(["status", "--timeout", "soon"], id="no number at all"),
        pytest.param(["status", "-o", "xml"], id="unknown form"),
        pytest.param(["status", "extra"], id="extra word"),
        pytest.param(["statsu"], id="unknown verb"),
    ],
)
def test_a_bad_argument_ends_with_2(argv: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == ExitCode.COULD_NOT_TELL
    assert "usage: bareway" in capsys.readouterr().err
