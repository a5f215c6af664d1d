import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import pytest

from bareway.model.names import NodeName
from bareway.runtime.families import speaker_families
from bareway.runtime.figures import SpeakerFigures
from bareway.runtime.http import CONNECTIONS_MAX, Busy, HttpChange, HttpServer, Serving
from bareway.runtime.metrics import Family


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A server in a task, and what it reported."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.missing: list[str] = []
        self.figures = SpeakerFigures(node=NodeName("node1"))
        self.changes: asyncio.Queue[HttpChange] = asyncio.Queue()

    def server(self) -> HttpServer:
        return HttpServer(
            address="127.0.0.1",
            port=self.port,
            families=self.families,
            not_ready=lambda: self.missing,
            on_change=self.changes.put_nowait,
            rng=Random("http"),
        )

    def families(self) -> tuple[Family, ...]:
        return speaker_families(self.figures)

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status, await response.text()


@asynccontextmanager
async def _running(port: int | None = None) -> AsyncIterator[Running]:
    running = Running(_free_port() if port is None else port)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(running.server().run())
        yield running
        task.cancel()


@asynccontextmanager
async def _serving() -> AsyncIterator[Running]:
    async with _running() as running:
        assert await running.changes.get() == Serving(port=running.port)
        yield running


async def test_a_program_whose_loop_turns_is_healthy() -> None:
    async with _serving() as running:
        running.missing.append("the list of Services has not come yet")
        assert await running.get("/healthz") == (200, "ok\n")


async def test_a_program_is_ready_once_nothing_is_missing() -> None:
    async with _serving() as running:
        running.missing[:] = ["no list of Services yet", "no configuration yet"]
        assert await running.get("/readyz") == (503, "no list of Services yet\nno configuration yet\n")
        running.missing.clear()
        assert await running.get("/readyz") == (200, "ok\n")


async def test_metrics_are_those_of_the_moment() -> None:
    async with _serving() as running:
        running.figures = SpeakerFigures(node=NodeName("node1"), claims=7)
        status, page = await running.get("/metrics")
        assert status == 200
        assert "\nbareway_gossip_claims 7.0\n" in page


async def test_metrics_say_in_which_format_they_are() -> None:
    async with (
        _serving() as running,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{running.port}/metrics") as response,
    ):
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/debug/pprof", "/metrics/x"])
async def test_there_is_nothing_else(path: str) -> None:
    async with _serving() as running:
        status, _ = await running.get(path)
        assert status == 404


async def test_garbage_on_the_port_harms_nobody() -> None:
    async with _serving() as running:
        for garbage in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 10_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(garbage)
            writer.write_eof()
            await reader.read()
            writer.close()
        assert await running.get("/healthz") == (200, "ok\n")


async def test_a_busy_port_is_reported_and_taken_when_it_is_free() -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        async with _running(port) as running:
            busy = await running.changes.get()
            assert isinstance(busy, Busy)
            assert (busy.port, "address already in use" in busy.reason) == (port, True)
            assert busy.retry_s > 0
            occupant.close()
            assert await running.changes.get() == Serving(port=port)
            assert await running.get("/healthz") == (200, "ok\n")


@pytest.mark.looptime
async def test_a_port_that_stays_busy_is_not_reported_again() -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        async with _running(occupant.getsockname()[1]) as running:
            await asyncio.sleep(3_600)
            assert running.changes.qsize() == 1


async def test_port_0_serves_nothing() -> None:
    running = Running(0)
    async with asyncio.timeout(5):
        await running.server().run()
    assert running.changes.empty()


async def test_a_server_that_is_cancelled_gives_the_port_back() -> None:
    async with _serving() as running:
        assert (await running.get("/healthz"))[0] == 200
    with socket.socket() as successor:
        successor.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        successor.bind(("127.0.0.1", running.port))


async def test_who_only_holds_connections_keeps_nobody_out() -> None:
    async with _serving() as running:
        held = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(3 * CONNECTIONS_MAX)]
        assert await running.get("/healthz") == (200, "ok\n")
        first, _ = held[0]
        assert await first.read() == b""
        last, writer = held[-1]
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await last.read()).endswith(b"ok\n")
        for _, writer in held:
            writer.close()


async def test_nobody_is_shown_out_while_there_is_room() -> None:
    async with _serving() as running:
        held = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(CONNECTIONS_MAX - 1)]
        assert await running.get("/healthz") == (200, "ok\n")
        for reader, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"ok\n")
            writer.close()
