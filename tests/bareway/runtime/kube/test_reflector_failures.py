"""bareway.runtime.kube.reflector: no failure is repeated without a pause, and none but one is the end."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest

from bareway.runtime.kube.errors import ApiError, BadAnswer, Forbidden, KubeError, Unreachable, api_error
from bareway.runtime.kube.reflector import AWAY_CAP_S, HEALTHY_S, RETRY_CAP_S
from support.kube import FakeKube
from support.mirror import Mirror, kube_with, running, synced

pytestmark = pytest.mark.looptime


def error(status: int, retry_after_s: float = 0.0) -> ApiError:
    return api_error("GET /services", status, "Reason", "words", retry_after_s=retry_after_s)


def gaps(times: Iterable[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize(
    ("failure", "cap_s"),
    [
        pytest.param(error(500), RETRY_CAP_S, id="500"),
        pytest.param(error(429), RETRY_CAP_S, id="429 without a time"),
        pytest.param(error(410), RETRY_CAP_S, id="410 for ever"),
        pytest.param(error(404), RETRY_CAP_S, id="404: the server does not know the kind"),
        pytest.param(Unreachable("refused", is_away=True), AWAY_CAP_S, id="connection refused"),
        pytest.param(Unreachable("no answer"), RETRY_CAP_S, id="no answer in time"),
        pytest.param(BadAnswer("a page of HTML"), RETRY_CAP_S, id="another program on the port"),
    ],
)
async def test_no_failure_is_a_hot_loop(failure: KubeError, cap_s: float) -> None:
    kube = FakeKube()
    kube.broken = failure
    async with running(kube) as mirror:
        await asyncio.sleep(300.0)
        waits = gaps(time for time, _, _ in kube.requests)
        assert waits[0] >= 0.1
        growing = [pair for pair in zip(waits, waits[2:], strict=False) if pair[1] < cap_s / 2]
        assert all(later >= earlier * 0.99 for earlier, later in growing)
        assert all(cap_s / 2 <= wait <= cap_s for wait in waits[-10:])
        assert mirror.reflector.errors == len(kube.requests)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(None, id="in good order"),
        pytest.param(Unreachable("lost"), id="by closing the connection"),
    ],
)
async def test_a_server_that_ends_each_watch_at_once_is_no_hot_loop(how: KubeError | None) -> None:
    kube = kube_with("a")
    async with synced(kube):
        async with asyncio.timeout(300.0):
            while len(kube.requests) < 12:
                await kube.end_watches(how)
                await asyncio.sleep(0.1)
        waits = gaps(time for time, what, _ in kube.requests if what == "watch")
        assert all(wait >= RETRY_CAP_S / 2 for wait in waits[-3:])


async def test_a_server_that_forgets_each_place_at_once_is_no_hot_loop() -> None:
    kube = kube_with("a")
    async with synced(kube):
        kube.compacted = kube.revision + 1_000
        await kube.end_watches()
        await asyncio.sleep(300.0)
        lists = [time for time, what, _ in kube.requests if what == "list"]
        assert all(wait >= RETRY_CAP_S / 2 for wait in gaps(lists)[-3:])
        assert len(kube.requests) <= 2 * len(lists) + 1


async def test_after_an_outage_a_server_that_has_forgotten_and_refuses_at_first_is_found_soon() -> None:
    """As kube-apiserver does after a restart: 403 until it knows the roles, 410 for what it never saw."""
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.broken = Unreachable("refused", is_away=True)
        await kube.end_watches(Unreachable("lost"))
        await asyncio.sleep(30.0)
        kube.put("b")
        kube.compact()
        kube.broken = None
        kube.failures += [error(403), error(500)]
        await asyncio.sleep(AWAY_CAP_S + 0.75)
        assert mirror.reflector.connected
        assert mirror.names == ["a", "b"]


async def test_slow_failures_count_as_failures_too() -> None:
    """A server that takes its connections and says nothing makes every request as long as its deadline."""
    kube = FakeKube()
    lengths = 30.0

    async def stall(path: str, query: object, *, timeout_s: float) -> bytes:
        kube.requests.append((asyncio.get_running_loop().time(), "list", {}))
        await asyncio.sleep(lengths)
        raise Unreachable("no answer")

    kube.get = stall  # type: ignore[method-assign]  # this server stalls
    async with running(kube):
        await asyncio.sleep(600.0)
        waits = gaps(time for time, _, _ in kube.requests)
        assert waits[-1] >= lengths + RETRY_CAP_S / 2


async def test_a_watch_that_lived_well_makes_the_next_failure_a_first_one() -> None:
    kube = kube_with("a")
    async with running(kube) as mirror:
        kube.failures += [error(500)] * 8
        await mirror.reflector.wait_synced()
        await asyncio.sleep(HEALTHY_S + 1.0)
        asked = len(kube.requests)
        await kube.end_watches(Unreachable("lost"))
        await asyncio.sleep(0.3)
        assert len(kube.requests) == asked + 1


async def test_a_server_that_asks_for_time_gets_it() -> None:
    kube = FakeKube()
    kube.failures.append(error(429, retry_after_s=20.0))
    async with running(kube) as mirror:
        await mirror.reflector.wait_synced()
        times = [time for time, _, _ in kube.requests]
        assert 20.0 <= times[1] - times[0] <= 21.0


async def test_a_server_that_asks_for_an_hour_does_not_get_it() -> None:
    kube = FakeKube()
    kube.failures.append(error(429, retry_after_s=3600.0))
    async with running(kube) as mirror:
        async with asyncio.timeout(61.0):
            await mirror.reflector.wait_synced()


async def test_a_right_missing_from_the_start_ends_it() -> None:
    kube = FakeKube()
    kube.broken = error(403)
    with pytest.raises(Forbidden):
        await Mirror(kube).reflector.run()


async def test_a_right_taken_away_later_is_only_trouble() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.broken = error(403)
        await kube.end_watches(error(403))
        await asyncio.sleep(60.0)
        assert mirror.names == ["a"]
        assert not mirror.reflector.connected
        refused = [mirror.reflector.refused]
        kube.broken = Unreachable("refused")
        await asyncio.sleep(RETRY_CAP_S)
        refused.append(mirror.reflector.refused)
        kube.broken = error(403)
        await asyncio.sleep(RETRY_CAP_S)
        kube.broken = None
        await asyncio.sleep(RETRY_CAP_S)
        assert [*refused, mirror.reflector.refused] == [True, False, False]
        assert mirror.reflector.connected


async def test_trouble_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        before = mirror.changes
        kube.broken = Unreachable("refused")
        await kube.end_watches(Unreachable("refused"))
        await asyncio.sleep(300.0)
        assert mirror.changes == before + 1
        kube.broken = None
        await asyncio.sleep(RETRY_CAP_S)
        assert mirror.changes == before + 2
