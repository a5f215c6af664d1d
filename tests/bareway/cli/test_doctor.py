"""``bareway doctor`` as it is called: before and after the installation, on a node, without a cluster."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from bareway.cli.__main__ import main
from bareway.cli.pages.doctor import page_of
from bareway.cli.pages.drawing import draw
from bareway.cli.settings import Terminal
from bareway.cli.verb import ExitCode
from bareway.decide.answers.diagnosis import diagnose
from bareway.model.names import InterfaceName, NodeName
from bareway.model.plain import plain
from bareway.model.surroundings import LinkFacts, NodeFacts
from bareway.resources.said import read_said
from bareway.runtime.rpc import serve_speaker
from support.doctor_pages import VIEWS, broken, page, path
from support.patients import healthy, speaker
from support.scripted_api import ScriptedApi, scripted

NODE1 = NodeName("node1")
NARROW = 40


@pytest.mark.parametrize("name", VIEWS)
def test_what_is_printed_is_golden(name: str) -> None:
    assert page(name) == path(name).read_text(), "PYTHONPATH=tests:. python -m support.doctor_pages"


def test_a_narrow_terminal_loses_nothing() -> None:
    drawn = io.StringIO()
    draw(page_of(diagnose(broken())).blocks, Terminal(is_rich=True, columns=NARROW), drawn)
    lines = drawn.getvalue().splitlines()
    assert max(map(len, lines)) <= NARROW
    assert "".join(page("broken").split()) == "".join(drawn.getvalue().split())


def test_an_answer_in_json_has_the_finding_in_all_its_parts() -> None:
    data: Any = page_of(diagnose(broken())).data
    assert data["version"] == 1
    assert data["installed"] is True
    assert data["findings"][0].keys() == {"word", "gravity", "subject", "evidence", "consequence", "remedy"}
    assert data["unknown"][0]["subject"] == "speaker on node3"
    assert "node" not in data
    json.dumps(data)


def test_on_a_node_the_answer_holds_what_its_kernel_says() -> None:
    facts = NodeFacts(node=NODE1, links=(LinkFacts(name=InterfaceName("eth0")),))
    data: Any = page_of(diagnose(healthy()), here=facts).data
    assert data["node"] == plain(facts)


# -- as it is called


async def _call(api: ScriptedApi, directory: Path, *words: str) -> ExitCode:
    """On a thread of its own, as the command has a loop of its own."""
    file = directory / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(kubeconfig(api.url))
    return ExitCode(await asyncio.to_thread(main, ["doctor", "--kubeconfig", str(file), *words]))


def _node(name: str) -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": "192.0.2.11"}]
    return {"metadata": {"name": name}, "status": {"addresses": addresses}}


def _empty(api: ScriptedApi) -> None:
    """A cluster where nothing of ours is."""
    api.answers["/version"] = {"gitVersion": "v1.30.2"}
    api.items("/api/v1/nodes", _node("node1"))
    for path_ in ("/api/v1/services", "/api/v1/namespaces", "/apis/discovery.k8s.io/v1/endpointslices"):
        api.items(path_)
    for plural in ("pods", "configmaps"):
        api.items(f"/api/v1/namespaces/bareway-system/{plural}")


async def test_before_the_installation_it_says_so_and_ends_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted() as (api, _):
        _empty(api)
        assert await _call(api, tmp_path) is ExitCode.WELL
    told = capsys.readouterr().out
    assert "Bareway is not installed yet in namespace bareway-system" in told
    assert told.endswith("Nothing was found\n")


async def test_before_the_installation_it_finds_what_is_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted() as (api, _):
        _empty(api)
        labels = {"app.kubernetes.io/name": "metallb"}
        metadata = {"name": "speaker", "namespace": "metallb-system", "labels": labels}
        api.items("/apis/apps/v1/daemonsets", {"metadata": metadata})
        assert await _call(api, tmp_path, "-o", "json") is ExitCode.SOMETHING_WRONG
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["word"] == "OtherController"
    assert "metallb-system/speaker" in found["evidence"]


async def test_a_user_without_any_right_is_told_what_could_not_be_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted() as (api, _):
        _empty(api)
        for refused in [*api.answers, "/apis/apps/v1/daemonsets"]:
            api.codes[refused] = 403
        code = await _call(api, tmp_path, "-o", "json")
    data = json.loads(capsys.readouterr().out)
    assert code is ExitCode.COULD_NOT_TELL
    assert data["installed"] is None
    assert data["findings"] == []
    assert {"Nodes", "Services", "our Pods"} <= {one["subject"] for one in data["unknown"]}


def _pod(component: str) -> dict[str, Any]:
    """One that is ready; whether its program answers is another question."""
    return {
        "metadata": {"name": f"{component}-1", "labels": {"app": "bareway", "component": component}},
        "spec": {"nodeName": "node1", "containers": [{"name": component}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": component, "state": {"running": {}}}],
        },
    }


async def test_where_no_program_answers_it_could_not_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_: Sequence[str]) -> Outcome:
        return Outcome(code=2, complaint=b"bareway: nothing runs here")

    async with scripted() as (api, _):
        _empty(api)
        del api.answers["/api/v1/namespaces/bareway-system/pods"]
        api.codes["/api/v1/namespaces/bareway-system/configmaps/bareway-config"] = 403
        for component in ("controller", "speaker"):
            api.pods.put("bareway-system", _pod(component), run)
        code = await _call(api, tmp_path, "-o", "json")
    data = json.loads(capsys.readouterr().out)
    assert (data["installed"], data["findings"]) == (True, [])
    assert {"controller controller-1", "speaker on node1"} <= {one["subject"] for one in data["unknown"]}
    assert code is ExitCode.COULD_NOT_TELL


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ("/api/v1/services", ExitCode.COULD_NOT_TELL),
        ("/api/v1/namespaces/bareway-system/pods", ExitCode.COULD_NOT_TELL),
        ("/api/v1/nodes", ExitCode.WELL),
        ("/apis/apps/v1/daemonsets", ExitCode.WELL),
    ],
)
async def test_a_part_that_is_refused_matters_where_nothing_can_be_said_without_it(
    refused: str, code: ExitCode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted() as (api, _):
        _empty(api)
        api.codes[refused] = 403
        assert await _call(api, tmp_path) is code
    assert "What could not be found out" in capsys.readouterr().out


async def test_after_the_installation_pods_are_asked_for_status_and_kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = speaker(NODE1)
    facts = NodeFacts(
        node=NODE1,
        links=(
            LinkFacts(name=InterfaceName("eth0"), subnets=("192.0.2.0/24",), arp_ignore=0),
            LinkFacts(name=InterfaceName("kube-ipvs0")),
        ),
    )

    async def run(words: Sequence[str]) -> Outcome:
        status = {"version": 1, "controllers": [], "speakers": [plain(told)], "wrong": []}
        answer = {"status": status, "doctor": {"version": 1, "node": plain(facts)}}[words[2]]
        return Outcome(output=msgspec.json.encode(answer))

    async with scripted() as (api, _):
        _empty(api)
        del api.answers["/api/v1/namespaces/bareway-system/pods"]
        api.pods.put("bareway-system", _pod("speaker"), run)
        code = await _call(api, tmp_path, "-o", "json")
    found = {one["word"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert code is ExitCode.SOMETHING_WRONG
    assert found["StrictArpMissing"]["subject"] == "node node1"
    assert found["NoController"]


async def test_on_a_node_it_looks_at_that_node_alone_and_tells_its_kernel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = tmp_path / "speaker.sock"
    async with asyncio.TaskGroup() as group:
        server = group.create_task(serve_speaker(socket, lambda: speaker(NODE1)))
        async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 5)
        words = ["--local", "doctor", "--socket", str(socket), "-o", "json"]
        code = await asyncio.to_thread(main, words)
        server.cancel()
    data = json.loads(capsys.readouterr().out)
    assert code == ExitCode.WELL
    assert data["findings"] == []
    assert read_said(NodeFacts, data["node"]).node == NODE1
    assert data["facts"] == ["1 of 1 speakers answered"]


def test_without_a_cluster_it_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--kubeconfig", str(tmp_path / "nothing")]) == ExitCode.COULD_NOT_TELL
    told = capsys.readouterr()
    assert told.out == ""
    assert "the file does not exist" in told.err


def test_on_a_node_where_nothing_of_ours_runs_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--local", "--socket", str(tmp_path / "none.sock")]) == ExitCode.COULD_NOT_TELL
    assert "nothing runs here" in capsys.readouterr().err
