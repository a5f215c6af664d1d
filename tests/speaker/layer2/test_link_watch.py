"""The watch on links: read at the start and after news of interest, never otherwise."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from speaker.layer2.link_watch import LinkWatch
from speaker.layer2.links import Links
from support.arp import STRANGER_MAC
from support.layer2 import FakeRoute, address, interface, link
from support.until import until


@pytest.fixture
def route() -> Iterator[FakeRoute]:
    route = FakeRoute(interface(), address())
    yield route
    route.close()


@asynccontextmanager
async def watching(route: FakeRoute) -> AsyncIterator[list[Links]]:
    """A watch at work, and all that it told."""
    told: list[Links] = []
    watch = LinkWatch(on_change=told.append, open_route=lambda: route)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: told)
        yield told
        assert watch.links == told[-1]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_first_reading_tells_what_is_there(route: FakeRoute) -> None:
    async with watching(route) as told:
        assert told[0].usable == {2: link(subnets=["192.0.2.1/24"])}
    assert route.is_closed


async def test_news_of_a_link_make_it_read_again(route: FakeRoute) -> None:
    async with watching(route) as told:
        route.change(interface(mac=STRANGER_MAC), address())
        await until(lambda: len(told) == 2)
        assert told[-1].usable[2].mac == STRANGER_MAC
        route.change(news=[interface()])
        await until(lambda: len(told) == 3)
        assert not told[-1].usable


async def test_news_of_containers_cost_no_reading(route: FakeRoute) -> None:
    async with watching(route) as told:
        for index in range(100, 200):
            route.tell(interface(index, f"veth{index}"))
        route.change(interface(3, "eth1"))
        await until(lambda: len(told) == 2)
        assert route.dumps == 2


async def test_news_that_change_nothing_are_not_told(route: FakeRoute) -> None:
    async with watching(route) as told:
        route.tell(interface())
        await until(lambda: route.dumps == 2)
        assert len(told) == 1


async def test_lost_news_make_it_read_again(route: FakeRoute) -> None:
    async with watching(route) as told:
        route.tables = []
        route.lose_news()
        await until(lambda: len(told) == 2)


@pytest.mark.looptime
async def test_a_flapping_link_is_read_at_most_fifty_times_a_second(route: FakeRoute) -> None:
    loop = asyncio.get_running_loop()
    async with watching(route):
        end = loop.time() + 1
        while loop.time() < end:
            route.tell(interface())
            await asyncio.sleep(0.001)
    assert 10 <= route.dumps <= 52
