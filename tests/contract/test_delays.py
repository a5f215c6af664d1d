"""A server that stands still for a moment: what was asked meanwhile is done once, and all of it is told."""

import asyncio
from typing import Final

import pytest

from cluster.servers import Server

MOMENT_S: Final = 0.3  # many times what either server needs for an answer

pytestmark = pytest.mark.slow


def _config_map(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}}


async def _while_it_stands_still(tasks: list[asyncio.Task[int]]) -> None:
    done, _ = await asyncio.wait(tasks, timeout=MOMENT_S)
    assert not done


async def _code(server: Server, name: str) -> int:
    return (await server.client.create(server.path("configmaps"), _config_map(name))).code


async def test_a_request_is_answered_when_the_server_goes_on(server: Server) -> None:
    async with asyncio.TaskGroup() as group, server.halted():
        asked = group.create_task(_code(server, "a"))
        await _while_it_stands_still([asked])
    assert asked.result() == 201


async def test_what_is_asked_several_times_meanwhile_is_done_once(server: Server) -> None:
    async with asyncio.TaskGroup() as group, server.halted():
        asked = [group.create_task(_code(server, "a")) for _ in range(4)]
        await _while_it_stands_still(asked)
    assert sorted(task.result() for task in asked) == [201, 409, 409, 409]


async def test_a_watch_tells_later_what_happened_in_its_order(server: Server) -> None:
    start = (await server.client.get(server.path("configmaps"))).version
    async with server.client.watch(server.path("configmaps"), resourceVersion=start) as events:
        assert await _code(server, "before") == 201
        first = await anext(events)
        async with asyncio.TaskGroup() as group, server.halted():
            asked = group.create_task(_code(server, "meanwhile"))
            await _while_it_stands_still([asked])
        assert await _code(server, "after") == 201
        told = [first, await anext(events), await anext(events)]
    assert [event["object"]["metadata"]["name"] for event in told] == ["before", "meanwhile", "after"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in told]
    assert versions == sorted(set(versions))


async def test_a_write_with_the_version_from_before_is_a_conflict_after_another_meanwhile(
    server: Server,
) -> None:
    path = server.path("configmaps", "a")
    made = await server.client.create(server.path("configmaps"), _config_map("a"))
    stale = {"metadata": {"resourceVersion": made.version}}

    async def write(who: str) -> int:
        return (await server.client.patch(path, {**stale, "data": {"by": who}})).code

    async with asyncio.TaskGroup() as group, server.halted():
        asked = [group.create_task(write(who)) for who in ("one", "two")]
        await _while_it_stands_still(asked)
    assert sorted(task.result() for task in asked) == [200, 409]
