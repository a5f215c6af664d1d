"""bareway.runtime.kube.reflector: no failure is repeated without a pause, and none but one is the end."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest

from bareway.runtime.kube.errors import ApiError, BadAnswer, Forbidden, KubeError, Unreachable, api_error
from bareway.runtime.kube.reflector import HEALTHY_S, RETRY_CAP_S
from support.kube import FakeKube
from support.mirror import Mirror, kube_with, running, synced

pytestmark = pytest.mark.looptime


def error(status: int, retry_after_s: float = 0.0) -> ApiError:
    return api_error("GET /services", status, "Reason", "words", retry_after_s=retry_after_s)


def gaps(times: Iterable[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(error(500), id="500"),
        pytest.param(error(429), id="429 without a time"),
        pytest.param(error(410), id="410 for ever"),
        pytest.param(error(404), id="404: the server does not know the kind"),
        pytest.param(Unreachable("refused"), id="connection refused"),
        pytest.param(BadAnswer("a page of HTML"), id="another program on the port"),
    ],
)
async def test_no_failure_is_a_hot_loop(failure: KubeError) -> None:
    kube = FakeKube()
    kube.broken = failure
    async with running(kube) as mirror:
        await asyncio.sleep(300.0)
        waits = gaps(time for time, _, _ in kube.requests)
        assert waits[0] >= 0.1
        assert all(
            later >= earlier * 0.99 for earlier, later in zip(waits, waits[2:], strict=False) if later < 7
        )
        assert all(RETRY_CAP_S / 2 <= wait <= RETRY_CAP_S for wait in waits[-10:])
        assert mirror.reflector.errors == len(kube.requests)


async def test_a_server_that_ends_each_watch_at_once_is_no_hot_loop() -> None:
    kube = kube_with("a")
    async with synced(kube):
        async with asyncio.timeout(300.0):
            while len(kube.requests) < 12:
                await kube.end_watches()
                await asyncio.sleep(0.1)
        waits = gaps(time for time, what, _ in kube.requests if what == "watch")
        assert all(wait >= RETRY_CAP_S / 2 for wait in waits[-3:])


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
        kube.broken = None
        await asyncio.sleep(RETRY_CAP_S)
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
