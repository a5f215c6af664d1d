"""bareway why: the page of a chain, and where its parts come from."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any

import pytest

from apiserver.faults import Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome, Run
from apiserver.server import EmbeddedApi
from bareway.cli.__main__ import main
from bareway.cli.asking.why_here import read_chain
from bareway.cli.asking.why_outside import concerned
from bareway.cli.pages.output import plain_text
from bareway.cli.pages.shapes import Table
from bareway.cli.pages.why import why_page
from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.answers.why.answer import page_of, why, why_text
from bareway.decide.answers.why.chain import Leadership, WhyReason
from bareway.decide.answers.why.chain import Outcome as Answered
from bareway.decide.answers.why.view import WhyView
from bareway.model.names import NodeName
from bareway.model.plain import plain
from bareway.model.status import ConfigurationStatus
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.rpc import narrowed, serve_controller, serve_speaker
from support import why_pages
from support.asked import NODE1, NODES, WEB, healthy, on_link, speaker
from support.asked_anything import draw_asked
from support.builders import node
from support.pods import NAMESPACE, ending, pod_body
from support.statuses import controller_status
from support.tenancies import NAMES
from support.until import until

GOLDEN = why_pages.GOLDEN


@pytest.mark.parametrize("name", ["why-good.txt", "why-empty.txt", "why-broken.txt", "why-narrow.txt"])
def test_the_pages_are_as_they_were_read(name: str) -> None:
    assert why_pages.text()[name] == (GOLDEN / name).read_text()


def test_forty_columns_cut_nothing_off() -> None:
    assert max(map(len, (GOLDEN / "why-narrow.txt").read_text().splitlines())) <= 40


def test_the_last_lines_are_the_sentence_and_what_to_do() -> None:
    for found in (*why_pages.good(), *why_pages.empty(), *why_pages.broken()):
        lines = plain_text(why_page(found).blocks).splitlines()
        told = [line for line in lines if found.sentence in line]
        assert told
        assert lines[-1].startswith("To do: ") if found.findings else lines[-1] == told[-1]


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_known_or_not_can_be_shown(seed: int) -> None:
    rng = Random(f"why {seed}")
    page = why_page(why(draw_asked(rng), rng.choice(NAMES)))
    for block in page.blocks:
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows)
    assert plain_text(page.blocks)
    assert json.loads(json.dumps(page.data))["version"] == 1


# ------------------------------------------------------------ on a node


@asynccontextmanager
async def _programs(folder: Path, view: WhyView) -> AsyncIterator[tuple[str, str]]:
    """A controller that knows the objects, and the speaker of node1."""
    controller, speaker = folder / "controller.sock", folder / "speaker.sock"
    status = view.speakers[NODE1]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                serve_controller(controller, controller_status, why=partial(_chain, _without_words(view)))
            ),
            group.create_task(serve_speaker(speaker, lambda: status, some=partial(narrowed, status))),
        ]
        await until(lambda: controller.is_socket() and speaker.is_socket())
        yield str(controller), str(speaker)
        for task in tasks:
            task.cancel()


def _without_words(view: WhyView) -> WhyView:
    return replace(view, speakers={}, pods=None)


def _chain(view: WhyView, about: str) -> str:
    return json.dumps(page_of(why_text(view, about)))


async def _said(
    words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, Mapping[str, Any], str]:
    """Exit code, the object that was printed, and what was complained of."""
    code = await asyncio.to_thread(main, ["--local", "why", *words])
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if printed.out else {}, printed.err


@pytest.mark.slow
async def test_on_a_node_the_controller_makes_the_chain_and_the_speaker_completes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _programs(tmp_path, healthy()) as (controller, speaker):
        code, page, _ = await _said(
            ["web", "--socket", controller, "--socket", speaker, "-o", "json"], capsys
        )
    assert (code, page["outcome"]) == (0, "Served")
    (address,) = page["addresses"]
    (row,) = [row for row in address["layer2"]["nodes"] if row["node"] == NODE1]
    assert (row["links"], row["last_unsolicited_s"], row["last_answer_s"]) == (["eth0"], 12.0, 0.4)
    assert page["services"][0]["from_pools"] == ["public"]


@pytest.mark.slow
async def test_a_speaker_alone_tells_what_it_knows_and_that_the_rest_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _programs(tmp_path, healthy()) as (_, speaker):
        code, page, _ = await _said(["192.0.2.10", "--socket", speaker, "-o", "json"], capsys)
        assert (code, page["addresses"][0]["layer2"]["holder"]) == (0, "node1")
        assert "Services" in {one["subject"] for one in page["unknown"]}
        code, page, _ = await _said(["nobody/there", "--socket", speaker, "-o", "json"], capsys)
        assert (code, page["outcome"]) == (2, "Unknown")
        arguments = ["why", "192.0.2.10", "--socket", speaker]
        assert await asyncio.to_thread(main, arguments) == 0
        assert "pool: not known" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "config"),
    [
        pytest.param("ConfigMap metallb-system/config", "metallb-system/config", id="taken over"),
        pytest.param("ConfigMap lb/bareway-config", "", id="ours cannot be read"),
        pytest.param("a file of somebody/config", "", id="no ConfigMap"),
        pytest.param("", "", id="nothing read yet"),
    ],
)
async def test_a_speaker_alone_says_where_the_users_configuration_is_or_that_it_does_not_know(
    tmp_path: Path, source: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = replace(healthy().speakers[NODE1], configuration=ConfigurationStatus(source=source))
    async with _programs(tmp_path, replace(healthy(), speakers={NODE1: status})) as (_, speaker):
        _, page, _ = await _said(["192.0.2.10", "-n", "lb", "--socket", speaker, "-o", "json"], capsys)
    assert page["place"] == {"namespace": "lb", "config": config}
    assert ("ConfigMap that you write" in {one["subject"] for one in page["unknown"]}) is (not config)


@pytest.mark.slow
async def test_what_it_asks_of_itself_in_a_pod_comes_in_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _programs(tmp_path, healthy()) as (controller, speaker):
        code, page, _ = await _said(["shop/nobody", "--as-told", "--socket", controller], capsys)
        assert (code, page["chain"]["word"], page["speakers"]) == (0, "NoSuchService", [])
        code, page, _ = await _said(["192.0.2.10,192.0.2.11", "--as-told", "--socket", speaker], capsys)
        assert (code, page["chain"]) == (0, None)
        assert [one["address"] for one in page["speakers"][0]["addresses"]] == ["192.0.2.10"]


async def test_where_nothing_runs_one_sentence_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["web"], ["web", "--as-told"], ["  "]):
        code, page, complaint = await _said([*words, "--socket", str(tmp_path / "no.sock")], capsys)
        assert (code, page) == (2, {})
        assert complaint.startswith("bareway: ")
        assert complaint.count("\n") == 1


# ------------------------------------------------------------ from outside


def _program(view: WhyView, component: str, node: str) -> Run:
    """What ``bareway --local why … --as-told`` prints in a Pod."""

    async def run(command: Sequence[str]) -> Outcome:
        about = command[3]
        page: dict[str, Any] = {"version": 1, "chain": None, "speakers": []}
        if component == "controller":
            page["chain"] = json.loads(_chain(_without_words(view), about))
        else:
            wanted = frozenset(map(ip_address, about.split(",")))
            status = next(one for name, one in view.speakers.items() if name == node)
            page["speakers"] = [plain(narrowed(status, wanted))]
        return Outcome(output=json.dumps(page).encode())

    return run


@asynccontextmanager
async def _cluster(folder: Path, view: WhyView, *, silent: Sequence[str] = ()) -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as api:
        (folder / "kubeconfig").write_text(kubeconfig(api.url))
        pods = [
            ("bareway-controller-1", "controller", "node1"),
            ("bareway-controller-2", "controller", "node2"),
        ]
        pods += [(f"speaker-{name}", "speaker", name) for name in NODES]
        for name, component, node in pods:
            hangs = ending(Outcome(complaint=b"bareway: it hangs\n", code=2))
            run = hangs if name in silent else _program(view, component, node)
            api.pods.put(NAMESPACE, pod_body(name, component, node), run)
        yield api


async def _from_outside(
    folder: Path, words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, Mapping[str, Any], str]:
    arguments = ["why", *words, "--kubeconfig", str(folder / "kubeconfig"), "-o", "json"]
    code = await asyncio.to_thread(main, arguments)
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if printed.out else {}, printed.err


@pytest.mark.slow
async def test_from_outside_no_service_is_listed_where_a_controller_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _cluster(tmp_path, healthy()) as api:
        code, page, _ = await _from_outside(tmp_path, ["web"], capsys)
        assert not [path for _, path in api.requests if "/services" in path]
        asked = [(pod, command[:5]) for pod, command in api.pods.commands]
    assert (code, page["outcome"], page["unknown"]) == (0, "Served", [])
    assert sorted(asked) == [
        *((f"bareway-controller-{n}", ("bareway", "--local", "why", "web", "--as-told")) for n in (1, 2)),
        *((f"speaker-{name}", ("bareway", "--local", "why", "192.0.2.10", "--as-told")) for name in NODES),
    ]
    chain = read_chain(page)
    assert chain is not None
    assert page_of(chain) == page_of(why(healthy(), WEB))


@pytest.mark.slow
async def test_of_many_speakers_some_are_asked_and_then_who_has_the_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [NodeName(f"node{number}") for number in range(10, 40)]
    holder = many[17]
    view = replace(
        healthy(),
        nodes=tuple(map(node, many)),
        lists=WhyView().lists,
        speakers={
            name: replace(speaker(name), addresses=(on_link(holder, "" if name == holder else "notOwner"),))
            for name in many
        },
    )
    async with _cluster(tmp_path, view) as api:
        for name in NODES:
            api.pods.take(NAMESPACE, f"speaker-{name}")
        for name in many:
            body = pod_body(f"speaker-{name}", "speaker", name)
            api.pods.put(NAMESPACE, body, _program(view, "speaker", name))
        code, page, _ = await _from_outside(tmp_path, ["web"], capsys)
        asked = [pod for pod, _ in api.pods.commands if pod.startswith("speaker")]
        assert (len(asked), asked[-1]) == (9, f"speaker-{holder}")
        assert (code, page["addresses"][0]["layer2"]["told_by"]) == (0, "itself")
        words = ["why", "web", "--kubeconfig", str(tmp_path / "kubeconfig")]
        assert await asyncio.to_thread(main, words) == 0
        assert "21 more speakers were not asked" in capsys.readouterr().out


@pytest.mark.slow
async def test_of_two_controllers_the_one_that_leads_is_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leading = replace(healthy(), leadership=Leadership(is_known=True, leader="bareway-controller-2_0a1b"))
    stale = replace(leading, services={})
    async with _cluster(tmp_path, leading) as api:
        body = pod_body("bareway-controller-1", "controller", "node1")
        api.pods.put(NAMESPACE, body, _program(stale, "controller", "node1"))
        code, page, _ = await _from_outside(tmp_path, ["shop/web"], capsys)
        assert (code, page["outcome"]) == (0, "Served")
        api.pods.put(NAMESPACE, body, _program(leading, "controller", "node1"))
        body = pod_body("bareway-controller-2", "controller", "node2")
        api.pods.put(NAMESPACE, body, _program(stale, "controller", "node2"))
        code, page, _ = await _from_outside(tmp_path, ["shop/web"], capsys)
        assert (code, page["word"]) == (2, "NoSuchService")


@pytest.mark.slow
async def test_where_things_are_that_an_older_controller_does_not_say_is_as_its_flags_and_ours_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unplaced = json.loads(_chain(replace(_without_words(healthy()), configuration=None), "web"))
    told = {"version": 1, "chain": unplaced, "speakers": []}
    placed = {**told, "chain": {**unplaced, "place": {"namespace": "lb", "config": "own/word"}}}
    del unplaced["place"]
    body = pod_body("c", "controller", arguments=["--config-namespace=metallb-system"])
    async with _cluster(tmp_path, healthy()) as api:
        api.pods.put("lb", body, ending(Outcome(output=json.dumps(told).encode())))
        _, page, _ = await _from_outside(tmp_path, ["web", "-n", "lb"], capsys)
        assert page["place"] == {"namespace": "lb", "config": "metallb-system/config"}
        assert "Write ConfigMap metallb-system/config;" in page["findings"][0]["remedy"]
        api.pods.put("lb", body, ending(Outcome(output=json.dumps(placed).encode())))
        _, page, _ = await _from_outside(tmp_path, ["web", "-n", "lb"], capsys)
        assert page["place"]["config"] == "own/word"


@pytest.mark.slow
async def test_who_does_not_answer_is_named_and_the_others_are_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _cluster(tmp_path, healthy(), silent=["bareway-controller-1", "speaker-node1"]):
        code, page, _ = await _from_outside(tmp_path, ["192.0.2.10"], capsys)
    layer2 = page["addresses"][0]["layer2"]
    assert (code, layer2["holder"], layer2["told_by"]) == (0, "node1", "2 other speakers")
    assert {one["subject"] for one in page["unknown"]} == {
        "controller bareway-controller-1",
        "speaker on node1",
    }


@pytest.mark.slow
async def test_without_a_controller_the_objects_are_read_from_the_api(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = ["bareway-controller-1", "bareway-controller-2"]
    async with _cluster(tmp_path, healthy(), silent=silent) as api, KubeClient(_server(api)) as client:
        await client.create("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        for name, kind in (("web", "LoadBalancer"), ("inside", "ClusterIP")):
            body = {"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80}]}}
            await client.create("/api/v1/namespaces/shop/services", body)
        code, page, _ = await _from_outside(tmp_path, ["inside"], capsys)
        assert (code, page["word"]) == (1, WhyReason.NOT_LOAD_BALANCER)
        code, page, _ = await _from_outside(tmp_path, ["shop/web"], capsys)
        assert (code, page["word"]) == (1, WhyReason.NO_CONFIGURATION)
        code, page, _ = await _from_outside(tmp_path, ["shop/wed"], capsys)
        assert (code, page["word"], page["candidates"]) == (2, WhyReason.NO_SUCH_SERVICE, ["shop/web"])


@pytest.mark.slow
async def test_a_kubeconfig_without_rights_is_told_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _cluster(tmp_path, healthy()) as api:
        for resource in ("pods", "services", "nodes", "configmaps", "namespaces", "endpointslices"):
            api.faults.add(Fault.FORBIDDEN, verb="list", resource=resource, times=None)
            api.faults.add(Fault.FORBIDDEN, verb="get", resource=resource, times=None)
        code, page, _ = await _from_outside(tmp_path, ["192.0.2.10"], capsys)
    assert (code, page["outcome"]) == (2, Answered.UNKNOWN)
    assert {"our Pods", "Services"} <= {one["subject"] for one in page["unknown"]}


async def test_without_a_cluster_one_sentence_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kubeconfig").write_text(kubeconfig("http://127.0.0.1:9"))
    code, page, complaint = await _from_outside(tmp_path, ["web"], capsys)
    assert (code, page) == (2, {})
    assert complaint.startswith("bareway: the cluster cannot be asked")


def test_those_are_asked_first_who_hold_an_address_or_are_listed_for_it() -> None:
    assert concerned(why(healthy(), WEB)) == set(NODES)


def test_an_answer_of_another_version_is_not_taken_for_one_of_ours() -> None:
    assert read_chain({"about": 1}) is None
    assert read_chain(None) is None


def _server(api: EmbeddedApi) -> Fixed:
    return Fixed(Credentials(server=api.url))


def test_a_refusal_of_allocation_is_quoted_by_its_word() -> None:
    waits = why_pages.broken()[0]
    assert waits.word == Refusal.POOL_EXHAUSTED
    assert "PoolExhausted" in plain_text(why_page(waits).blocks)
