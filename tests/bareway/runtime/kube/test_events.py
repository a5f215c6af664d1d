"""News reaches the API once, in order, and nothing that fails gets in the way."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import pytest

from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.runtime.kube.errors import KubeError, Unreachable, api_error
from bareway.runtime.kube.events import ATTEMPTS_MAX, BURST, PACE_S, PATIENCE_S, QUEUE_MAX, Recorder
from support.builders import key

pytestmark = pytest.mark.looptime

WEB = ObjectReference(kind="Service", key=key("shop/web"), uid="u1")


class EventApi:
    """Keeps Events by path, counts resource versions, fails on request."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.failures: deque[KubeError | None] = deque()
        self.broken: KubeError | None = None
        self.requests = 0
        self.takes_s: deque[float] = deque()
        """How long the next answers take."""

    def _answer(self) -> None:
        self.requests += 1
        failure = self.failures.popleft() if self.failures else self.broken
        if failure is not None:
            raise failure

    async def create(self, path: str, body: Mapping[str, Any]) -> bytes:
        self._answer()
        await asyncio.sleep(self.takes_s.popleft() if self.takes_s else 0.0)
        place = f"{path}/{body['metadata']['name']}"
        if place in self.events:
            raise api_error(f"POST {path}", 409, "AlreadyExists", "exists")
        self.events[place] = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}
        return msgspec.json.encode(self.events[place])

    async def get(self, path: str) -> bytes:
        self._answer()
        return msgspec.json.encode(self.events[path])

    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> bytes:
        self._answer()
        event = self.events[path]
        assert body["metadata"]["resourceVersion"] == event["metadata"]["resourceVersion"]
        event |= {name: value for name, value in body.items() if name != "metadata"}
        return msgspec.json.encode(event)

    @property
    def messages(self) -> list[str]:
        return [event["message"] for event in self.events.values()]


@asynccontextmanager
async def recording(api: EventApi, instance: str = "") -> AsyncIterator[Recorder]:
    recorder = Recorder(api, "metallb-controller", instance=instance, rng=Random("events"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(recorder.run())
        try:
            yield recorder
        finally:
            task.cancel()


def tell(recorder: Recorder, message: str, reason: str = "IPAllocated", about: ObjectReference = WEB) -> None:
    recorder.emit(about, EventType.NORMAL, reason, message)


async def test_an_event_says_what_kubectl_describe_shows() -> None:
    api = EventApi()
    async with recording(api, instance="node-a") as recorder:
        recorder.emit(WEB, EventType.WARNING, "AllocationFailed", "no available IPs")
        await asyncio.sleep(1.0)
    [(path, event)] = api.events.items()
    assert path.startswith("/api/v1/namespaces/shop/events/web.")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "namespace": "shop",
        "name": "web",
        "uid": "u1",
    }
    assert (event["type"], event["reason"], event["message"]) == (
        "Warning",
        "AllocationFailed",
        "no available IPs",
    )
    assert event["source"] == {"component": "metallb-controller", "host": "node-a"}
    assert event["count"] == 1
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_no_news_is_not_sent() -> None:
    api = EventApi()
    async with recording(api) as recorder:
        for _ in range(3):
            tell(recorder, "Assigned")
            await asyncio.sleep(60.0)
    assert api.requests == 1
    assert recorder.sent == 1


async def test_the_same_news_after_a_restart_is_the_same_event_counted_again() -> None:
    api = EventApi()
    for _ in range(3):
        async with recording(api) as recorder:
            tell(recorder, "Assigned")
            await asyncio.sleep(1.0)
    [event] = api.events.values()
    assert event["count"] == 3


async def test_news_is_sent_in_order() -> None:
    api = EventApi()
    async with recording(api) as recorder:
        for number in range(5):
            tell(recorder, f"message {number}")
        await asyncio.sleep(1.0)
        tell(recorder, "message 5")
        await asyncio.sleep(1.0)
    assert api.messages == [f"message {number}" for number in range(6)]


async def test_news_of_one_object_stays_in_order_though_the_first_answer_is_late() -> None:
    api = EventApi()
    api.takes_s += [0.5]
    other = ObjectReference(kind="Service", key=key("shop/other"))
    async with recording(api) as recorder:
        tell(recorder, "first")
        tell(recorder, "second")
        tell(recorder, "nobody waits for another", about=other)
        await asyncio.sleep(1.0)
    assert api.messages == ["nobody waits for another", "first", "second"]


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "though it never ran"])
async def test_what_is_queued_at_the_end_is_sent_without_pauses(*, runs: bool) -> None:
    api = EventApi()
    async with recording(api) as recorder:
        if runs:
            await asyncio.sleep(0)
        tell_of_many(recorder, 300)
        await recorder.flush(0.1)
        assert len(api.events) == 300


async def test_what_takes_too_long_at_the_end_is_left() -> None:
    api = EventApi()
    recorder = Recorder(api, "metallb-controller", rng=Random("events"))
    api.takes_s += [60.0] * 10
    tell_of_many(recorder, 30)
    begun_s = asyncio.get_running_loop().time()
    await recorder.flush(1.0)
    assert asyncio.get_running_loop().time() == pytest.approx(begun_s + 1.0)
    assert api.messages == []


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unreachable("refused"), id="server away"),
        pytest.param(api_error("POST", 503, "ServiceUnavailable", ""), id="503"),
        pytest.param(api_error("POST", 429, "TooManyRequests", ""), id="429"),
        pytest.param(api_error("PATCH", 409, "Conflict", ""), id="somebody else counted it"),
    ],
)
async def test_what_may_pass_is_tried_again(failure: KubeError) -> None:
    api = EventApi()
    api.failures += [failure] * (ATTEMPTS_MAX - 1)
    async with recording(api) as recorder:
        tell(recorder, "Assigned")
        await asyncio.sleep(60.0)
        assert (recorder.sent, recorder.dropped) == (1, 0)


async def test_a_server_that_stays_away_costs_a_few_attempts_and_the_event() -> None:
    api = EventApi()
    api.broken = Unreachable("refused")
    async with recording(api) as recorder:
        tell(recorder, "Assigned")
        await asyncio.sleep(60.0)
        assert (recorder.sent, recorder.dropped) == (0, 1)
        assert api.requests == ATTEMPTS_MAX
        api.broken = None
        tell(recorder, "Assigned again")
        await asyncio.sleep(1.0)
        assert api.messages == ["Assigned again"]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(api_error("POST", 403, "Forbidden", ""), id="not allowed"),
        pytest.param(api_error("POST", 404, "NotFound", ""), id="namespace gone"),
        pytest.param(api_error("POST", 422, "Invalid", ""), id="refused as invalid"),
    ],
)
async def test_what_will_not_pass_is_dropped_at_once(failure: KubeError) -> None:
    api = EventApi()
    api.failures.append(failure)
    async with recording(api) as recorder:
        tell(recorder, "Assigned")
        await asyncio.sleep(0.01)
        assert (recorder.dropped, api.requests) == (1, 1)


async def test_a_full_queue_drops_the_newest_and_counts_it() -> None:
    api = EventApi()
    recorder = Recorder(api, "metallb-controller", rng=Random("events"))
    for number in range(QUEUE_MAX + 3):
        tell(recorder, str(number))
    assert recorder.dropped == 3


async def test_an_event_about_a_node_goes_where_the_api_keeps_such_events() -> None:
    api = EventApi()
    node = ObjectReference(kind="Node", key=key("a")._replace(namespace=""))
    async with recording(api) as recorder:
        tell(recorder, "drained", about=node)
        await asyncio.sleep(1.0)
    [(path, event)] = api.events.items()
    assert path.startswith("/api/v1/namespaces/default/events/a.")
    assert "namespace" not in event["involvedObject"]


def tell_of_many(recorder: Recorder, count: int) -> None:
    for number in range(count):
        tell(recorder, "told", about=ObjectReference(kind="Service", key=key(f"shop/s{number}")))


async def test_no_more_than_fifty_are_sent_a_second() -> None:
    api = EventApi()
    async with recording(api) as recorder:
        tell_of_many(recorder, 200)
        for second in range(1, 4):
            await asyncio.sleep(1)
            ahead = len(api.events) - second / PACE_S
            assert 0 <= ahead <= BURST, "they go in tens, and the pause comes after each ten"
        await asyncio.sleep(2)
    assert len(api.events) == 200


async def test_they_wait_for_more_important_writes_but_not_for_ever() -> None:
    api = EventApi()
    busy = True
    recorder = Recorder(api, "metallb-controller", rng=Random("events"), is_busy=lambda: busy)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(recorder.run())
        tell_of_many(recorder, 100)
        await asyncio.sleep(PATIENCE_S - 0.1)
        assert len(api.events) == 0
        await asyncio.sleep(0.2)
        assert len(api.events) == 1
        busy = False
        await asyncio.sleep(1)
        assert len(api.events) > 40
        task.cancel()
