"""bareway history: several speakers remember the same, and one answer comes of it.

Golden output: delete a file in ``golden/`` and run this to have it written anew.
"""

import asyncio
import json
import time
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from apiserver.faults import Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from apiserver.server import EmbeddedApi
from bareway.cli.__main__ import main
from bareway.cli.history import read_since
from bareway.cli.pages.history import Asked, history_page, read_history
from bareway.cli.pages.output import as_json
from bareway.cli.pages.shapes import Lines
from bareway.decide.answers.history.handovers import HandoverReason
from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import IPAddress, NodeName
from bareway.resources.said import Unintelligible
from bareway.runtime.rpc import serve_speaker
from support import statuses
from support.until import until

GOLDEN = Path(__file__).parent / "golden"
N1, N2, N3 = (NodeName(f"node{number}") for number in (1, 2, 3))
A, B = ip_address("192.0.2.10"), ip_address("192.0.2.11")
NIGHT = datetime(2026, 11, 21, 2, 12, 7, 123_456, tzinfo=UTC)
NAMESPACE = "bareway-system"


@pytest.fixture(autouse=True)
def _central_european_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def moved(
    address: IPAddress,
    seconds: float,
    former: NodeName | None,
    holder: NodeName | None,
    reason: HandoverReason,
    *,
    count: int = 1,
    gap_s: float | None = None,
    detail: str = "",
) -> Handover:
    return Handover(
        address=address,
        generation=5,
        count=count,
        former=former,
        holder=holder,
        at=NIGHT + timedelta(seconds=seconds),
        reason=reason,
        gap_s=gap_s,
        detail=detail,
    )


def of(node: NodeName, *handovers: Handover, hours: float = 24) -> SpeakerHistory:
    return SpeakerHistory(node=node, since=NIGHT - timedelta(hours=hours), key=None, handovers=handovers)


FIRST = moved(A, -3600, None, N1, HandoverReason.FIRST_CLAIM)
MEMORIES = (
    of(
        N2,
        FIRST,
        moved(A, 0, N1, N2, HandoverReason.HOLDER_DIED, count=2, gap_s=0.81),
        moved(A, 600, N2, N3, HandoverReason.HOLDER_DRAINED, count=3, gap_s=0.0),
    ),
    of(
        N3,
        FIRST,
        moved(A, 0.002, N1, N2, HandoverReason.UNEXPLAINED, count=2),
        moved(B, 0.1, N1, N3, HandoverReason.HOLDER_DIED, count=4, gap_s=0.853),
        moved(A, 600.05, N2, N3, HandoverReason.HOLDER_DRAINED, count=3, gap_s=0.0, detail="Drained: disk"),
        moved(B, 9000, N3, None, HandoverReason.GIVEN_UP, count=5),
    ),
    of(N1, hours=-1),
)


def pod(node: str, *, runs: bool = True) -> dict[str, object]:
    state = {"running": {}} if runs else {"waiting": {"reason": "CrashLoopBackOff"}}
    return {
        "metadata": {
            "name": f"bareway-speaker-{node}",
            "namespace": NAMESPACE,
            "labels": {"app": "bareway", "component": "speaker"},
        },
        "spec": {"nodeName": node, "containers": [{"name": "speaker", "image": "bareway:0.1.0"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": str(runs)}],
            "containerStatuses": [{"name": "speaker", "state": state}],
        },
    }


@asynccontextmanager
async def cluster(
    memories: Sequence[SpeakerHistory], *, silent: Sequence[str] = (), directory: Path
) -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as api:
        for memory in memories:
            answer = as_json(history_page(Asked(address=None, histories=(memory,))).data).encode()

            async def run(_: Sequence[str], answer: bytes = answer) -> Outcome:
                return Outcome(output=answer)

            api.pods.put(NAMESPACE, pod(memory.node, runs=memory.node not in silent), run)
        (directory / "kubeconfig").write_text(kubeconfig(api.url))
        yield api


async def said(words: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    typed = ["history", *words.split(), "--kubeconfig", str(directory / "kubeconfig")]
    code = await asyncio.to_thread(main, typed)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def is_golden(name: str, page: str) -> bool:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(page)
        pytest.fail(f"{name} is new: read it")
    return page == path.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "group", "code"),
    [
        pytest.param("good", (MEMORIES, ()), 0, id="good"),
        pytest.param("empty", ((of(N1), of(N2)), ()), 0, id="empty"),
        pytest.param("broken", (MEMORIES, ("node2",)), 0, id="one does not answer"),
        pytest.param("silent", (MEMORIES, ("node1", "node2", "node3")), 2, id="nobody answers"),
    ],
)
async def test_it_answers_as_promised(
    name: str,
    group: tuple[Sequence[SpeakerHistory], Sequence[str]],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    memories, silent = group
    page, codes = "", []
    async with cluster(memories, silent=silent, directory=tmp_path):
        for words in ("", "-o wide", "--since 2026-11-21T03:20"):
            ended, out, err = await said(words, tmp_path, capsys)
            codes.append(ended)
            page += f"$ bareway history {words}\n{out}{err}[{ended:d}]\n"
    assert is_golden(f"history-{name}.txt", page)
    assert codes == [code] * 3


@pytest.mark.slow
async def test_the_object_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster(MEMORIES, silent=["node1"], directory=tmp_path):
        code, out, _ = await said("-o json", tmp_path, capsys)
    assert code == 0
    assert is_golden("history.json", out)
    page = json.loads(out)
    assert page["version"] == 1
    assert datetime.fromisoformat(page["changes"][1]["at"]) == NIGHT
    assert [one["subject"] for one in page["unknown"]] == ["speaker on node1"]


@pytest.mark.slow
async def test_of_many_speakers_some_are_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [of(NodeName(f"node{number}"), FIRST) for number in range(10, 40)]
    async with cluster(many, directory=tmp_path) as api:
        _, out, _ = await said(str(A), tmp_path, capsys)
        assert "25 others were not asked" in out
        assert len(api.pods.commands) == 5
        words = {command for _, command in api.pods.commands}
        assert words == {
            ("bareway", "--local", "history", "192.0.2.10", "-o", "json", "--timeout", "3"),
        }
        await said("--all", tmp_path, capsys)
        assert len(api.pods.commands) == 35


@pytest.mark.slow
async def test_a_cluster_that_refuses_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster(MEMORIES, directory=tmp_path) as api:
        api.faults.add(Fault.FORBIDDEN, verb="list", resource="pods", times=None)
        code, out, err = await said("", tmp_path, capsys)
    assert code == 2
    assert "No speaker answered" in out + err
    assert "a right is missing" in out + err


@pytest.mark.slow
async def test_a_speaker_on_this_node_answers_on_its_socket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[IPAddress | None] = []

    def history(address: IPAddress | None) -> SpeakerHistory:
        asked.append(address)
        return MEMORIES[0]

    path = tmp_path / "speaker.sock"
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_speaker(path, statuses.speaker_status, history=history))
        await until(path.is_socket)
        words = ["history", "192.0.2.10", "--socket", str(path), "-o", "json"]
        assert await asyncio.to_thread(main, words) == 0
        page = capsys.readouterr().out
        assert await asyncio.to_thread(main, ["--local", *words, "--socket", str(tmp_path / "no")]) == 0
        assert "nothing runs here with it" in capsys.readouterr().out
        task.cancel()
    assert asked == [A, A]
    assert read_history(page.encode()) == replace(MEMORIES[0], key=A)
    assert await asyncio.to_thread(main, words) == 2
    assert "no socket" in capsys.readouterr().err


@pytest.mark.slow
async def test_a_speaker_without_a_history_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "speaker.sock"
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_speaker(path, statuses.speaker_status))
        await until(path.is_socket)
        assert await asyncio.to_thread(main, ["history", "--socket", str(path)]) == 2
        task.cancel()
    assert "no history is kept here" in capsys.readouterr().err


def test_what_a_speaker_says_is_read_back_as_it_was() -> None:
    for memory in MEMORIES:
        page = history_page(Asked(address=None, histories=(memory,)))
        assert read_history(as_json(page.data).encode()) == memory


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"version": 1}', id="another object"),
        pytest.param(b'{"speakers": [], "key": null, "changes": []}', id="of nobody"),
        pytest.param(
            b'{"speakers": [{"node": "a", "since": "2026-11-21", "dropped": 0}], "key": null, "changes": []}',
            id="a time without offset",
        ),
        pytest.param(
            b'{"speakers": [{"node": "", "since": "2026-11-21T03Z", "dropped": 0}],'
            b' "key": null, "changes": [1]}',
            id="a change that is none",
        ),
    ],
)
def test_what_is_no_history_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Unintelligible):
        read_history(body)


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        pytest.param(
            5,
            "192.0.2.10 did not change hands since 2026-11-21 02:12:07.123 +01:00; of the time before that"
            " nothing is known.",
            id="before the memory begins",
        ),
        pytest.param(
            0.5, "192.0.2.10 did not change hands since 2026-11-21 02:42:07.123 +01:00.", id="within it"
        ),
    ],
)
def test_nothing_is_claimed_of_a_time_that_nobody_remembers(hours: float, told: str) -> None:
    asked = NIGHT - timedelta(hours=hours)
    page = history_page(Asked(address=A, since=asked, histories=(of(N1, hours=1), of(N2, hours=0.1))))
    (lines,) = page.blocks
    assert isinstance(lines, Lines)
    assert lines.lines[0] == told


def test_an_address_that_goes_with_another_is_told_by_that_ones_name() -> None:
    other = ip_address("2001:db8::10")
    memory = SpeakerHistory(node=N1, since=NIGHT, key=A, handovers=(FIRST,))
    page = history_page(Asked(address=other, histories=(memory,)))
    assert "2001:db8::10 is announced together with 192.0.2.10" in str(page.blocks[0])
    assert isinstance(page.data, dict)
    assert page.data["key"] == "192.0.2.10"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("90s", "2026-11-21T02:10:37.123456+00:00", id="seconds"),
        pytest.param("2h", "2026-11-21T00:12:07.123456+00:00", id="hours"),
        pytest.param("3d", "2026-11-18T02:12:07.123456+00:00", id="days"),
        pytest.param("03:12", "2026-11-21T02:12:00+00:00", id="this night"),
        pytest.param("3:12:07", "2026-11-21T02:12:07+00:00", id="to the second"),
        pytest.param("03:13", "2026-11-20T02:13:00+00:00", id="the day before"),
        pytest.param("2026-07-21T03:12", "2026-07-21T01:12:00+00:00", id="in summer"),
        pytest.param("2026-11-21T03:12-05:00", "2026-11-21T08:12:00+00:00", id="with an offset"),
        pytest.param("2026-11-21T03:12:00Z", "2026-11-21T03:12:00+00:00", id="in UTC"),
        pytest.param("2026-11-21", "2026-11-20T23:00:00+00:00", id="a day"),
    ],
)
def test_a_time_means_that_of_this_computer(text: str, moment: str) -> None:
    assert read_since(text, now=NIGHT).isoformat() == moment


@pytest.mark.parametrize("text", ["", "yesterday", "24:00", "3x", "-2h", "2026-13-01"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no time; write"):
        read_since(text, now=NIGHT)
