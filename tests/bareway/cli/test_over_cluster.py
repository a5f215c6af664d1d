"""What the verbs show of a whole cluster: one that is well, one without Bareway, one with much wrong.

To write a golden file anew, delete it, run its test, and read what came.
"""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from apiserver import EmbeddedApi
from bareway.cli.asking.gathering import gather
from bareway.cli.members import members_answer
from bareway.cli.pages.drawing import draw
from bareway.cli.pages.output import as_json, plain_text
from bareway.cli.pages.sessions import everywhere
from bareway.cli.pages.shapes import Cell, Form, Lines, Mood, Page
from bareway.cli.pages.standing import ROWS_MAX, standing
from bareway.cli.pools import pools_answer
from bareway.cli.settings import Terminal
from bareway.cli.verb import ExitCode
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.installed import NODE1, NODE2, NODE3, put_broken, put_good, put_programs, speaker
from support.pods import NAMESPACE, pod_body, saying

GOLDEN: Final = Path(__file__).parent / "golden"
Put = Callable[[EmbeddedApi, KubeClient], Awaitable[None]]


async def put_nothing(api: EmbeddedApi, client: KubeClient) -> None:
    """A cluster without Bareway."""


CLUSTERS: Final[dict[str, Put]] = {"good": put_good, "empty": put_nothing, "broken": put_broken}
CODES: Final = {
    "status": {"good": 0, "empty": 1, "broken": 1},
    "pools": {"good": 0, "empty": 1, "broken": 1},
    "members": {"good": 0, "empty": 1, "broken": 1},
    "bgp": {"good": 0, "empty": 1, "broken": 1},
}


def answered(verb: str, cluster: Cluster, form: Form = Form.TABLE) -> tuple[Page, ExitCode]:
    match verb:
        case "status":
            return standing(cluster, NAMESPACE, form)
        case "pools":
            return pools_answer(cluster, NAMESPACE)
        case "members":
            return members_answer(cluster, NAMESPACE)
        case _:
            found = everywhere(cluster, NAMESPACE)
            assert not isinstance(found, str)
            return found


@asynccontextmanager
async def cluster_of(put: Put) -> AsyncIterator[tuple[EmbeddedApi, KubeClient]]:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        await put(api, client)
        yield api, client


async def known(name: str) -> Cluster:
    async with cluster_of(CLUSTERS[name]) as (_, client):
        return await gather(client)


def held_to(path: Path, page: str) -> None:
    if not path.exists():
        path.write_text(page)
        pytest.fail(f"{path.name} is new: read it")
    assert page == path.read_text()


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.parametrize("verb", CODES)
async def test_the_answer_is_the_one_that_was_promised(verb: str, name: str) -> None:
    page, code = answered(verb, await known(name))
    assert code == CODES[verb][name]
    held_to(GOLDEN / f"{verb}-{name}.txt", f"{plain_text(page.for_form(Form.TABLE))}[{code:d}]\n")


@pytest.mark.parametrize("verb", CODES)
async def test_scripts_get_the_same_names_as_ever(verb: str) -> None:
    page, _ = answered(verb, await known("broken"), Form.JSON)
    held_to(GOLDEN / f"{verb}-broken.json", as_json(page.values()))


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.parametrize("verb", CODES)
async def test_on_forty_columns_everything_can_still_be_read(verb: str, name: str) -> None:
    page, _ = answered(verb, await known(name))
    file = io.StringIO()
    draw(page.for_form(Form.TABLE), Terminal(is_rich=True, columns=40), file)
    assert max(map(len, file.getvalue().splitlines())) <= 40
    wide = io.StringIO()
    draw(page.for_form(Form.TABLE), Terminal(is_rich=True, columns=250), wide)
    for word in wide.getvalue().split():
        if len(word) < 36 and word.isalnum() and not word.isupper():
            assert word in file.getvalue()


async def test_wide_tells_of_pods_and_ranges() -> None:
    page, _ = answered("status", await known("good"), Form.WIDE)
    text = plain_text(page.for_form(Form.WIDE))
    assert "bareway-speaker-node1" in text
    assert "192.0.2.10-192.0.2.13" in text
    assert "1 of 256" in text


async def test_a_router_or_a_node_that_nobody_knows_is_told_by_a_sentence() -> None:
    found = await known("good")
    assert everywhere(found, NAMESPACE, ["peer9", "peer1"]) == "no speaker knows a router peer9"
    assert everywhere(found, NAMESPACE, (), [NodeName("n9")]) == "no speaker runs on n9"


async def test_one_router_on_one_node_is_shown_alone() -> None:
    found = everywhere(await known("good"), NAMESPACE, ["10.9.0.2"], [NODE2])
    assert not isinstance(found, str)
    assert [line.split()[:2] for line in plain_text(found[0].for_form(Form.TABLE)).splitlines()] == [
        ["NODE", "ROUTER"],
        [NODE2, "peer2"],
    ]


async def test_nodes_that_tell_a_router_different_routes_are_named() -> None:
    other = tuple(replace(one, digest="ffff") for one in speaker(NODE3).peers)
    async with cluster_of(put_nothing) as (api, client):
        put_programs(api, (), (speaker(NODE1), speaker(NODE2), speaker(NODE3, peers=other)))
        page, code = answered("bgp", await gather(client))
    told = "peer1 is told different routes: 0123456789abcdef by node1, node2; ffff by node3"
    assert told in plain_text(page.blocks)
    assert code == ExitCode.WELL


async def test_of_many_speakers_one_screen_shows_those_that_want_a_look_and_counts_the_rest() -> None:
    names = [NodeName(f"n{number:03}") for number in range(100)]
    async with cluster_of(put_nothing) as (api, client):
        put_programs(api, (), [speaker(name) for name in names])
        api.pods.put(NAMESPACE, pod_body("odd", node="n999", ready=False), saying(speaker(NodeName("n999"))))
        page, _ = answered("status", await gather(client))
    text = plain_text(page.for_form(Form.TABLE))
    rows = [line for line in text.splitlines() if line.startswith("n")]
    assert len(rows) == ROWS_MAX
    assert rows[0].split()[:3] == ["n999", "not", "ready"]
    assert "and 85 more speakers, 85 of them ready: -o wide" in text
    assert "16 of 101 speakers were asked; --all asks every one" in text


async def test_of_speakers_that_were_not_asked_it_does_not_say_that_all_is_well() -> None:
    found = await known("good")
    names = [NodeName(f"x{number:03}") for number in range(100)]
    first = next(pod for pod in found.pods if pod.component == "speaker")
    more = tuple(replace(first, name=f"speaker-{name}", node=name) for name in names)
    page, code = answered("status", replace(found, pods=(*found.pods, *more), unasked=tuple(names)))
    head = page.blocks[0]
    assert isinstance(head, Lines)
    verdict = head.lines[0]
    assert isinstance(verdict, Cell)
    assert verdict.text.endswith("; nothing is wrong with those that were asked (3 of 103 speakers)")
    assert verdict.mood is not Mood.GOOD
    assert code == ExitCode.WELL
