"""bareway.cli.asking.attempts: each question by itself, and what was not answered by its name."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from apiserver import EmbeddedApi, Fault
from bareway.cli.asking import attempts
from bareway.cli.asking.attempts import MISREAD_NAMED, Attempts
from bareway.model.cluster import Unknown
from bareway.model.names import ObjectKey
from bareway.resources.kinds import NODES, SERVICES
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.kube.errors import NotFound
from support.builders import key
from support.installed import put_namespace

ABSENT = ObjectKey("shop", "config")


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as server:
        yield server


@pytest.fixture
async def asking(api: EmbeddedApi) -> AsyncIterator[Attempts]:
    async with KubeClient(Fixed(Credentials(server=api.url))) as client:
        yield Attempts(client)


async def test_a_refusal_is_an_answer_and_names_the_right(api: EmbeddedApi, asking: Attempts) -> None:
    api.faults.add(Fault.FORBIDDEN, resource="configmaps", times=None)
    assert await asking.config_map(ABSENT) is None
    assert (asking.has_answered, asking.silence) == (True, "")
    (unknown,) = asking.unknown
    assert unknown.subject == "ConfigMap shop/config"
    assert unknown.why.startswith("a right is missing: configmaps")
    assert unknown.remedy == "kubectl auth can-i get configmaps/config -n shop"


@pytest.mark.parametrize(
    ("namespace", "remedy"),
    [
        pytest.param(None, "kubectl auth can-i list services --all-namespaces", id="everywhere"),
        pytest.param("shop", "kubectl auth can-i list services -n shop", id="in one namespace"),
    ],
)
async def test_the_right_to_list_is_asked_about_where_it_is_missing(
    api: EmbeddedApi, asking: Attempts, namespace: str | None, remedy: str
) -> None:
    api.faults.add(Fault.FORBIDDEN, resource="services", times=None)
    assert await asking.listed(SERVICES, namespace=namespace, subject="theirs") == []
    assert [(one.subject, one.remedy) for one in asking.unknown] == [("theirs", remedy)]


async def test_what_is_merely_absent_is_no_riddle_where_it_may_lack(asking: Attempts) -> None:
    await put_namespace(asking.client, "shop")
    assert await asking.config_map(ABSENT) is None
    assert (asking.has_answered, asking.unknown) == (True, [])

    async def absent() -> str:
        raise NotFound("GET it", status=404, reason="NotFound", message="there is no such thing")

    assert await asking.attempt("it", absent()) is None
    assert [one.subject for one in asking.unknown] == ["it"]


async def test_a_failure_is_told_and_is_no_answer(api: EmbeddedApi, asking: Attempts) -> None:
    api.faults.add(Fault.ERROR, verb="list", resource="nodes", times=None)
    assert await asking.listed(NODES) == []
    assert not asking.has_answered
    assert [one.why for one in asking.unknown] == [asking.silence] != [""]
    assert await asking.listed(SERVICES, namespace="default") != []
    assert asking.has_answered


async def test_who_does_not_answer_in_time_is_told(asking: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PART_TIMEOUT_S", 0.05)
    assert await asking.attempt("it", asyncio.Event().wait()) is None
    assert asking.unknown == [Unknown(subject="it", why="no answer within 0.05 s")]
    assert asking.silence == "no answer within 0.05 s"


def _service(name: str, ports: object) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "x"}, "spec": {"ports": ports}}


async def test_objects_that_cannot_be_read_are_named_the_first_few_of_them() -> None:
    odd = [_service(f"odd{number}", "what") for number in range(MISREAD_NAMED + 2)]
    good = [_service(f"good{number}", []) for number in range(3)]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"metadata": {}, "items": [*odd, *good]})

    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    source = Fixed(Credentials(server=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    async with KubeClient(source) as client:
        asking = Attempts(client)
        found = await asking.listed(SERVICES)
        few = await Attempts(client).listed(SERVICES, at_most=2)
    await runner.cleanup()
    assert [one.key for one in found] == [key("x/good0"), key("x/good1"), key("x/good2")]
    assert [one.key for one in few] == [key("x/good0"), key("x/good1")]
    told = {one.subject: one.why for one in asking.unknown}
    assert list(told) == [
        *(f"Service x/odd{number}" for number in range(MISREAD_NAMED)),
        "2 more services",
    ]
    assert told["Service x/odd0"].startswith("it cannot be read: spec.ports: ")
    assert told["2 more services"] == "they cannot be read"
