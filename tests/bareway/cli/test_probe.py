"""bareway probe: who answers for an address, told with names where nodes are known; the wire is the lab's.

Golden output: delete a file in ``golden/`` and run this to have it written anew.
"""

import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from apiserver.faults import Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from apiserver.server import EmbeddedApi
from bareway.cli.__main__ import main
from bareway.cli.pages.output import as_json, show, versioned
from bareway.cli.pages.shapes import Form, Page
from bareway.cli.probe import probe_page, whose_macs
from bareway.cli.verb import ExitCode
from bareway.decide.answers.probing import Heard, Probed, ProbeRefusal, asks_itself, known_of
from bareway.model.cluster import Cluster, Unknown
from bareway.model.names import InterfaceName, NodeName
from bareway.model.plain import plain
from bareway.model.status import AddressStatus, LinkStatus, SpeakerStatus
from bareway.runtime.rpc import serve_speaker
from support.until import until

GOLDEN = Path(__file__).parent / "golden"
NAMESPACE = "bareway-system"
ADDRESS = ip_address("192.0.2.10")
N1, N2, N3 = (NodeName(f"node{number}") for number in (1, 2, 3))
MACS = {N1: "02:00:00:00:00:01", N2: "02:00:00:00:00:02", N3: "02:00:00:00:00:03"}
STRANGE = "02:00:00:00:00:99"


def speaker(node: NodeName, holder: NodeName | None = N1) -> SpeakerStatus:
    return SpeakerStatus(
        version="1",
        node=node,
        api_connected=True,
        links=(LinkStatus(name=InterfaceName("eth0"), mac=MACS[node]),),
        addresses=(AddressStatus(address=ADDRESS, services=(), announced_by=holder),),
    )


def probed(*macs: str) -> Probed:
    heard = tuple(Heard(mac=mac, after_s=0.001 * (1 + number)) for number, mac in enumerate(macs))
    return Probed(address=ADDRESS, interface="eth0", mac=MACS[N3], asked=3, heard=heard)


CLUSTER = Cluster(speakers={node: speaker(node) for node in MACS})
UNREACHED = Cluster(
    speakers={N2: speaker(N2)},
    unknown=(
        Unknown(subject="speaker on node1", why="no answer within 3 s", remedy="give it more --timeout"),
    ),
)


def _is_golden(name: str, page: str) -> bool:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(page)
        pytest.fail(f"{name} is new: read it")
    return page == path.read_text()


def _text(capsys: pytest.CaptureFixture[str], page: Page, code: ExitCode) -> str:
    show(page, Form.TABLE)
    return f"{capsys.readouterr().out}[{code:d}]\n"


@pytest.mark.parametrize(
    ("name", "pages", "code"),
    [
        pytest.param(
            "good",
            ((probed(MACS[N1], MACS[N1], MACS[N1]), CLUSTER), (probed(STRANGE), Cluster())),
            ExitCode.WELL,
            id="one answers",
        ),
        pytest.param(
            "empty",
            ((probed(), CLUSTER), (probed(), Cluster())),
            ExitCode.SOMETHING_WRONG,
            id="nobody answers",
        ),
        pytest.param(
            "broken",
            (
                (probed(MACS[N1], STRANGE, MACS[N1], STRANGE), CLUSTER),
                (probed(MACS[N1], MACS[N2]), CLUSTER),
                (probed(MACS[N2]), UNREACHED),
            ),
            ExitCode.SOMETHING_WRONG,
            id="several answer, or another one",
        ),
    ],
)
def test_it_answers_as_promised(
    name: str,
    pages: Sequence[tuple[Probed, Cluster]],
    code: ExitCode,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = [probe_page(one, cluster, asked_from="from node node3") for one, cluster in pages]
    assert _is_golden(f"probe-{name}.txt", "\n".join(_text(capsys, *one) for one in found))
    assert {ended for _, ended in found} == {code}


def test_the_object_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    page, _ = probe_page(probed(MACS[N2]), CLUSTER, asked_from="from here")
    show(page, Form.JSON)
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["address"], told["announced_by"]) == (1, "192.0.2.10", "node1")
    (answer,) = told["answers"]
    assert (answer["mac"], answer["node"], answer["answers"]) == (MACS[N2], "node2", 1)
    assert [one["word"] for one in told["findings"]] == ["OtherAnswers"]


# ---------------------------------------------------------------- from a node


def pod(node: NodeName) -> Mapping[str, object]:
    return {
        "metadata": {
            "name": f"speaker-{node}",
            "namespace": NAMESPACE,
            "labels": {"app": "bareway", "component": "speaker"},
        },
        "spec": {"nodeName": node, "containers": [{"name": "speaker"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "speaker", "state": {"running": {}}}],
        },
    }


@asynccontextmanager
async def cluster(directory: Path, answer: Outcome) -> AsyncIterator[EmbeddedApi]:
    """Speakers that tell of themselves, and say ``answer`` when they are to ask the wire."""
    async with EmbeddedApi() as api:
        for node in MACS:
            status = versioned({"controllers": [], "speakers": [plain(speaker(node))]})

            async def run(command: Sequence[str], status: object = status) -> Outcome:
                return answer if "probe" in command else Outcome(output=as_json(status).encode())

            api.pods.put(NAMESPACE, pod(node), run)
        (directory / "kubeconfig").write_text(kubeconfig(api.url))
        yield api


async def said(words: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    typed = ["probe", "192.0.2.10", *words.split(), "--kubeconfig", str(directory / "kubeconfig")]
    code = await asyncio.to_thread(main, typed)
    told = capsys.readouterr()
    return code, told.out, told.err


def outcome(one: Probed) -> Outcome:
    page, code = probe_page(one, Cluster(), asked_from="from here")
    return Outcome(output=as_json(page.data).encode(), code=code)


@pytest.mark.slow
async def test_a_node_asks_and_who_answers_gets_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path, outcome(probed(MACS[N1]))) as api:
        code, out, _ = await said("--node node3 --count 2 --interface eth0", tmp_path, capsys)
        commands = [command for name, command in api.pods.commands if "probe" in command]
    assert code == ExitCode.WELL
    assert f"node node1 ({MACS[N1]}) answers for 192.0.2.10, and nobody else." in out
    words = "bareway --local probe 192.0.2.10 --count 2 --timeout 0.5 -o json --interface eth0"
    assert commands == [tuple(words.split())]


@pytest.mark.slow
async def test_what_is_wrong_on_a_nodes_link_is_found_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path, outcome(probed(MACS[N1], STRANGE))):
        code, out, _ = await said("--node node3", tmp_path, capsys)
    assert code == ExitCode.SOMETHING_WRONG
    assert "SeveralAnswer" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "answer", "told"),
    [
        pytest.param("--node node9", Outcome(), "speakers run on: node1, node2, node3", id="no such node"),
        pytest.param(
            "--node node1", Outcome(), f"{ProbeRefusal.OWN_ADDRESS}: node node1", id="who announces it"
        ),
        pytest.param(
            "--node node2",
            Outcome(code=2, complaint=b"bareway: NotOnLink: it lies in no subnet\n"),
            "speaker on node2 did not ask: NotOnLink",
            id="it could not ask",
        ),
        pytest.param("--node node2", Outcome(output=b"{}"), "of the same version?", id="another answer"),
    ],
)
async def test_why_a_node_did_not_ask_is_told(
    words: str, answer: Outcome, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path, answer):
        code, out, err = await said(words, tmp_path, capsys)
    assert (code, out) == (ExitCode.COULD_NOT_TELL, "")
    assert told in err


@pytest.mark.slow
async def test_without_the_right_to_look_nobody_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with cluster(tmp_path, Outcome()) as api:
        api.faults.add(Fault.FORBIDDEN, verb="list", resource="pods", times=None)
        code, _, err = await said("--node node1", tmp_path, capsys)
    assert code == ExitCode.COULD_NOT_TELL
    assert "a right is missing" in err


@pytest.mark.slow
async def test_on_the_announcing_node_the_program_there_says_so(tmp_path: Path) -> None:
    """With --local, as from another machine by the API; then no answer means nothing."""
    path = tmp_path / "speaker.sock"
    arguments = Namespace(local=True, kubeconfig=tmp_path / "never-read", namespace=NAMESPACE)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_speaker(path, lambda: speaker(N3, holder=N3)))
        await until(path.is_socket)
        known = await asyncio.to_thread(whose_macs, arguments, (path,))
        task.cancel()
    assert asks_itself(probed(), known_of(known.speakers, ADDRESS)) == N3
    assert whose_macs(arguments, (tmp_path / "no",)) == Cluster()


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param("nonsense", "is not an IP address", id="no address"),
        pytest.param("224.0.0.1", "no address that one station has", id="a group"),
        pytest.param("192.0.2.10 --count 0", "is not a number from 1", id="never"),
        pytest.param("192.0.2.10 --timeout nan", "is not a number of seconds", id="no time"),
    ],
)
def test_what_cannot_be_asked_is_a_mistake(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["probe", *words.split()])
    assert ended.value.code == ExitCode.COULD_NOT_TELL
    assert told in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        pytest.param("192.0.2.10 --interface nope0", ProbeRefusal.NO_SUCH_INTERFACE, id="no such interface"),
        pytest.param("127.0.0.1", ProbeRefusal.OWN_ADDRESS, id="our own"),
    ],
)
def test_a_refusal_is_one_sentence(
    words: str, refusal: ProbeRefusal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--local", "probe", *words.split()]) == ExitCode.COULD_NOT_TELL
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"bareway: {refusal}: ")
    assert told.err.count("\n") == 1
