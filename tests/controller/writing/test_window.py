"""controller.writing.window: an API server with little time is asked for less, and answers that in time."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from controller.writing.apply import IN_FLIGHT
from controller.writing.window import LATE_S, Window

pytestmark = pytest.mark.looptime

LIMIT_S = 1.0
RENEWS_S = 0.8


class Server:
    """Shares its time evenly among all that is asked of it; what is not done within the limit is in vain."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.under_way = 0
        self.done = 0
        self.in_vain = 0

    async def write(self) -> bool:
        self.under_way += 1
        left_s = self.takes_s
        ends_s = asyncio.get_running_loop().time() + LIMIT_S
        while left_s > 0 and asyncio.get_running_loop().time() < ends_s:
            await asyncio.sleep(0.01)
            left_s -= 0.01 / self.under_way
        self.under_way -= 1
        is_done = left_s <= 0
        self.done += is_done
        self.in_vain += not is_done
        return is_done


async def write_all(server: Server, window: Window, count: int) -> None:
    """As the controller does: what got no answer is written again."""
    left = [*range(count)]

    async def work() -> None:
        while left:
            one = left.pop()
            begun_s = await window.enter()
            is_done = await server.write()
            window.leave(begun_s, is_answered=is_done)
            if not is_done:
                left.append(one)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())


async def beside(
    work: Coroutine[None, None, None], do: Callable[[], Coroutine[None, None, bool]]
) -> list[bool]:
    """What came of ``do``, begun every now and then while ``work`` is done."""
    found: list[bool] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        while not task.done():
            found.append(await do())
            await asyncio.sleep(RENEWS_S)
    return found


async def test_a_slow_server_is_asked_for_no_more_than_it_answers_in_time() -> None:
    server, window = Server(takes_s=0.1), Window(IN_FLIGHT)
    renewals = await beside(write_all(server, window, 200), server.write)
    assert server.done - sum(renewals) == 200
    assert server.in_vain <= IN_FLIGHT + 1, "only what was under way before anything was known"
    assert all(renewals[2:]), "the Lease is renewed in time all along"
    assert window.width <= LATE_S / server.takes_s + 1


async def test_without_it_the_same_server_does_nearly_nothing() -> None:
    server = Server(takes_s=0.1)
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await write_all(server, _Open(IN_FLIGHT), 200)
    assert asyncio.get_running_loop().time() - begun_s == pytest.approx(60)
    assert server.in_vain > server.done


async def test_a_fast_server_gets_all_at_once() -> None:
    server, window = Server(takes_s=0.001), Window(IN_FLIGHT)
    await write_all(server, window, 200)
    assert (server.done, server.in_vain, window.width) == (200, 0, IN_FLIGHT)


async def test_a_server_that_recovers_gets_more_again() -> None:
    server, window = Server(takes_s=0.1), Window(IN_FLIGHT)
    await write_all(server, window, 50)
    assert window.width < IN_FLIGHT
    server.takes_s = 0.001
    await write_all(server, window, IN_FLIGHT**2)
    assert window.width == IN_FLIGHT


async def test_one_bad_moment_halves_only_once() -> None:
    window = Window(IN_FLIGHT)
    begun_s = [await window.enter() for _ in range(IN_FLIGHT)]
    await asyncio.sleep(LIMIT_S)
    for at_s in begun_s:
        window.leave(at_s, is_answered=False)
    assert window.width == IN_FLIGHT // 2


async def test_who_waits_begins_as_soon_as_there_is_room() -> None:
    window = Window(1)
    begun_s = await window.enter()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(window.enter())
        await asyncio.sleep(1)
        assert not waiting.done()
        window.leave(begun_s, is_answered=False)
    assert window.width == 1, "one is always under way: otherwise nothing would ever be known to be better"


class _Open(Window):
    """Lets everything through."""

    def leave(self, begun_s: float, *, is_answered: bool) -> None:
        super().leave(begun_s, is_answered=True)
        self._width = self._most
