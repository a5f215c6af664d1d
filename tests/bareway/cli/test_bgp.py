import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from bareway.cli.bgp import show
from bareway.cli.pages.bgp import bgp_text
from bareway.cli.verb import ExitCode
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.runtime.rpc import serve_controller, serve_speaker
from support.statuses import NODE2, controller_status, peer, speaker_status

GOLDEN = Path(__file__).parent / "golden"
DOWN = peer(
    "peer2",
    "2001:db8::1",
    state="Active",
    trouble="No route to host",
    last_received="6/2 cease shutdown: bye",
)
REFUSED = peer("peer3", "10.9.0.3", state="", reason="keyMissing")
TROUBLED = speaker_status(peers=(peer(held_back=2), DOWN, replace(REFUSED, port=1179)), leaving="")


@asynccontextmanager
async def serving(path: Path, status: SpeakerStatus | ControllerStatus) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        served = (
            serve_speaker(path, lambda: status)
            if isinstance(status, SpeakerStatus)
            else serve_controller(path, lambda: status)
        )
        task = group.create_task(served)
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 5)
        yield
        task.cancel()


class Asked:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = folder / "speaker.sock"
        self._capsys = capsys

    async def show(self, *routers: str, output: str = "text") -> tuple[ExitCode, str, str]:
        code = await asyncio.to_thread(show, routers, [self.path], output=output, timeout_s=5.0)
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err


@pytest.fixture
def asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(tmp_path, capsys)


@pytest.mark.parametrize(("output", "golden"), [("text", "bgp.txt"), ("json", "bgp.json")])
async def test_the_answer_is_the_one_that_was_promised(asked: Asked, output: str, golden: str) -> None:
    async with serving(asked.path, TROUBLED):
        code, out, err = await asked.show(output=output)
    assert (code, err) == (ExitCode.SOMETHING_WRONG, "")
    assert out == (GOLDEN / golden).read_text()


async def test_one_router_is_shown_by_its_name_or_its_address(asked: Asked) -> None:
    async with serving(asked.path, TROUBLED):
        for name in ("peer3", "10.9.0.3"):
            code, out, _ = await asked.show(name, output="json")
            assert code == ExitCode.SOMETHING_WRONG
            assert [one["name"] for one in json.loads(out)["peers"]] == ["peer3"]


async def test_a_router_that_is_well_is_well_beside_others_that_are_not(asked: Asked) -> None:
    async with serving(asked.path, speaker_status(peers=(peer(), REFUSED))):
        assert (await asked.show("peer1"))[0] == ExitCode.WELL


async def test_a_router_that_nobody_knows_is_not_well(asked: Asked) -> None:
    async with serving(asked.path, TROUBLED):
        code, out, err = await asked.show("peer1", "peer9")
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert err == "bareway: the speaker on node1 knows no router peer9\n"


async def test_a_controller_has_no_routers(asked: Asked) -> None:
    async with serving(asked.path, controller_status()):
        code, out, err = await asked.show()
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert err == f"bareway: behind {asked.path} is a controller: it has no routers\n"


async def test_where_no_speaker_runs_one_sentence_says_so(asked: Asked) -> None:
    assert await asked.show() == (
        ExitCode.COULD_NOT_TELL,
        "",
        f"bareway: no socket {asked.path}: nothing runs here with it\n",
    )


async def test_who_names_several_sockets_is_told_what_all_of_them_say(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, third = tmp_path / "other.sock", tmp_path / "third.sock"
    beside = replace(speaker_status(peers=(REFUSED,)), node=NODE2)
    async with serving(asked.path, speaker_status(peers=(peer(),))), serving(other, beside):
        named = [asked.path, other, third]
        code = await asyncio.to_thread(show, (), named, output="json", timeout_s=5.0)
    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.SOMETHING_WRONG
    assert {one["node"] for one in told["nodes"]} == {"node1", "node2"}
    assert [one["subject"] for one in told["unknown"]] == [str(third)]


def test_a_node_without_routers_says_so() -> None:
    assert bgp_text(speaker_status(), ()) == "node1 has no routers: none is configured\n"


def test_a_node_that_leaves_says_so() -> None:
    assert "\nnode1 leaves its routers: Drained\n" in bgp_text(
        speaker_status(leaving="Drained", peers=(peer(),)), ()
    )


def test_what_a_router_says_moves_no_cursor() -> None:
    nasty = peer(state="Active", last_received="6/2 cease shutdown: \x1b[2J", trouble="\x07")
    text = bgp_text(speaker_status(peers=(nasty,)), ("session: \x1b[2J",))
    assert "\x1b" not in text
    assert "\x07" not in text
