"""Misbehaviour on request, seen from outside."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from apiserver import EmbeddedApi, Fault
from apiserver.client import Client
from apiserver.kinds import CONFIG_MAPS as KIND
from apiserver.store import Key
from support.until import until

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
A_CONFIG_MAP = {"metadata": {"name": "a"}}


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as api:
        yield api


@pytest.fixture
async def client(api: EmbeddedApi) -> AsyncIterator[Client]:
    async with Client(api.url) as client:
        yield client


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        pytest.param(Fault.CONFLICT, 409, "Conflict", id="conflict"),
        pytest.param(Fault.EXPIRE, 410, "Expired", id="gone"),
        pytest.param(Fault.FORBIDDEN, 403, "Forbidden", id="forbidden"),
        pytest.param(Fault.UNAUTHORIZED, 401, "Unauthorized", id="unauthorized"),
        pytest.param(Fault.BUSY, 429, "TooManyRequests", id="busy"),
        pytest.param(Fault.ERROR, 500, "InternalError", id="error"),
    ],
)
async def test_the_next_writes_are_refused_as_often_as_asked(
    api: EmbeddedApi, client: Client, fault: Fault, code: int, reason: str
) -> None:
    api.faults.add(fault, verb="write", resource="configmaps", times=2)
    for _ in range(2):
        answer = await client.create(CONFIG_MAPS, A_CONFIG_MAP)
        assert (answer.code, answer.reason) == (code, reason)
    assert (await client.create(CONFIG_MAPS, A_CONFIG_MAP)).code == 201
    assert api.faults.rules == ()


async def test_a_busy_server_says_when_to_come_again(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.BUSY)
    assert (await client.get(CONFIG_MAPS)).headers["Retry-After"] == "1"


async def test_a_missing_right_is_named(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.FORBIDDEN, resource="services", times=None)
    answer = await client.get("/api/v1/services")
    assert answer.message == (
        'services is forbidden: User "system:anonymous" cannot list resource "services" '
        'in API group "" at the cluster scope'
    )
    assert (await client.get(CONFIG_MAPS)).code == 200


async def test_a_right_by_name_is_needed_for_a_list_of_that_name(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.FORBIDDEN, verb="list", resource="configmaps", name="a", times=None)
    for selector, code in (
        ("metadata.name=a", 403),
        ("metadata.namespace=default,metadata.name==a", 403),
        ("metadata.name!=a", 200),
        ("metadata.name=b", 200),
        ("", 200),
    ):
        assert (await client.get(CONFIG_MAPS, fieldSelector=selector)).code == code


@pytest.mark.parametrize("reviewed", [True, False], ids=["known beforehand", "a surprise"])
async def test_a_right_that_a_fault_takes_away_is_told_beforehand_or_not(
    api: EmbeddedApi, client: Client, *, reviewed: bool
) -> None:
    rule = api.faults.add(
        Fault.FORBIDDEN, verb="patch", resource="services/status", times=None, reviewed=reviewed
    )
    for subresource, allowed in (("status", not reviewed), ("", True)):
        asked = {"verb": "patch", "resource": "services", "subresource": subresource}
        review = {"spec": {"resourceAttributes": asked}}
        answer = await client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        assert answer.body["status"] == {"allowed": allowed}
    refused = await client.patch("/api/v1/namespaces/default/services/kubernetes/status", {})
    assert refused.code == 403
    assert api.faults.rules == (rule,)


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        pytest.param({"verb": "create"}, True, id="its verb"),
        pytest.param({"verb": "patch"}, False, id="another verb"),
        pytest.param({"resource": "configmaps"}, True, id="its kind"),
        pytest.param({"resource": "secrets"}, False, id="another kind"),
        pytest.param({"resource": "configmaps/status"}, False, id="a subresource"),
        pytest.param({"namespace": "default"}, True, id="its namespace"),
        pytest.param({"namespace": "other"}, False, id="another namespace"),
        pytest.param({}, True, id="no condition"),
    ],
)
async def test_a_rule_meets_what_fits_it(
    api: EmbeddedApi, client: Client, rule: dict[str, str], hits: bool
) -> None:
    api.faults.add(Fault.ERROR, **rule)
    assert ((await client.create(CONFIG_MAPS, A_CONFIG_MAP)).code == 500) is hits


async def test_a_conflict_meets_writes_only(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.CONFLICT)
    assert (await client.get(CONFIG_MAPS)).code == 200
    assert (await client.create(CONFIG_MAPS, A_CONFIG_MAP)).code == 409


async def test_a_dropped_connection_has_no_answer(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.DROP, times=None)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.get(CONFIG_MAPS)
    api.faults.clear()
    assert (await client.get(CONFIG_MAPS)).code == 200


async def test_garbage_is_no_json(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.GARBAGE)
    with pytest.raises(ValueError, match=r"Expecting|Invalid control"):
        await client.get(CONFIG_MAPS)


async def test_a_stalled_request_is_answered_when_the_fault_ends(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.STALL, resource="configmaps")
    async with asyncio.TaskGroup() as group:
        stalled = group.create_task(client.get(CONFIG_MAPS))
        await until(lambda: not api.faults.rules)
        assert (await client.get("/api/v1/services")).code == 200
        assert not stalled.done()
        api.faults.clear()
    assert stalled.result().code == 200


async def test_a_delayed_request_is_answered_late(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.DELAY, delay_s=0.05)
    clock = asyncio.get_running_loop().time
    began = clock()
    assert (await client.get(CONFIG_MAPS)).code == 200
    assert clock() - began >= 0.05


async def test_a_late_answer_is_about_what_was_done_at_once(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.LATE, verb="create", delay_s=0.2)
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.TaskGroup() as group:
        late = group.create_task(client.create(CONFIG_MAPS, A_CONFIG_MAP))
        await until(lambda: api.store.get(KIND, Key("default", "a")))
        assert not late.done()
    assert late.result().code == 201
    assert clock() - began >= 0.2


async def test_what_lost_its_answer_was_done(api: EmbeddedApi, client: Client) -> None:
    api.faults.add(Fault.LOST, verb="create", times=None)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.create(CONFIG_MAPS, A_CONFIG_MAP)
    assert (await client.get(CONFIG_MAPS)).names == ["a"]


async def test_an_open_watch_can_tell_late(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.DELAY, verb="watch", times=None, delay_s=0.1)
        clock = asyncio.get_running_loop().time
        for name in ("a", "b"):
            began = clock()
            await client.create(CONFIG_MAPS, {"metadata": {"name": name}})
            assert (await anext(events))["object"]["metadata"]["name"] == name
            assert clock() - began >= 0.1


async def test_an_open_watch_can_expire(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.EXPIRE, verb="watch")
        seen = [event async for event in events]
    assert [(event["type"], event["object"]["code"]) for event in seen] == [("ERROR", 410)]


async def test_an_open_watch_can_be_closed(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.CLOSE, verb="watch")
        assert [event async for event in events] == []


async def test_an_open_watch_can_be_cut(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.DROP, verb="watch")
        with pytest.raises(aiohttp.ClientError):
            await anext(events)


async def test_an_open_watch_can_send_garbage_and_go_on(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.GARBAGE, verb="watch")
        with pytest.raises(ValueError, match=r"Expecting|Invalid control"):
            await anext(events)


async def test_a_stalled_watch_tells_later_what_it_held_back(api: EmbeddedApi, client: Client) -> None:
    async with client.watch(CONFIG_MAPS, resourceVersion=api.store.revision) as events:
        api.faults.add(Fault.STALL, verb="watch")
        async with asyncio.TaskGroup() as group:
            first = group.create_task(_next(events))
            assert (await client.create(CONFIG_MAPS, A_CONFIG_MAP)).code == 201
            assert (await client.get(CONFIG_MAPS)).names == ["a"]
            assert not first.done()
            api.faults.clear()
    assert first.result()["object"]["metadata"]["name"] == "a"


async def _next(
    events: AsyncIterator[dict[str, dict[str, dict[str, str]]]],
) -> dict[str, dict[str, dict[str, str]]]:
    return await anext(events)


async def test_faults_are_asked_for_from_another_process_too(client: Client) -> None:
    made = await client.create("/faults", {"fault": "error", "resource": "configmaps", "times": 1})
    assert made.body["rules"][0]["fault"] == "error"
    assert (await client.get(CONFIG_MAPS)).code == 500
    await client.create("/faults", {"fault": "stall", "times": None})
    assert (await client.delete("/faults")).body == {"rules": []}
    assert (await client.get(CONFIG_MAPS)).code == 200


async def test_the_history_is_forgotten_from_another_process_too(api: EmbeddedApi, client: Client) -> None:
    start = api.store.revision
    await client.create(CONFIG_MAPS, A_CONFIG_MAP)
    await client.create("/faults", {"fault": "compact"})
    events = await client.events(CONFIG_MAPS, resourceVersion=start)
    assert [event["type"] for event in events] == ["ERROR"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"fault": "unheard-of"}, id="unknown fault"),
        pytest.param({"fault": "error", "verbs": "get"}, id="unknown field"),
        pytest.param(b"{", id="no JSON"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(client: Client, body: object) -> None:
    answer = await client.create("/faults", body)
    assert answer.code == 400
    assert "this is no rule for faults" in answer.message
