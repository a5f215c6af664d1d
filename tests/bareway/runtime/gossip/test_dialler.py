import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bareway.gossip.events import Dial, DialFailed
from bareway.gossip.sealing import Refusal
from bareway.model.names import NodeName
from bareway.runtime.gossip import caller
from bareway.runtime.gossip import dialler as module
from bareway.runtime.gossip.dialler import Dialler, NoAnswer, Where
from bareway.runtime.gossip.report import Drop
from bareway.runtime.gossip.wire import (
    FRAME_LIMIT,
    GOSSIP_PATH,
    RTO_MIN_US,
    TCP_RTO_MIN_US,
    USER_TIMEOUT_MS,
    Ended,
    tune,
)
from support.gossip import LOOPBACK, station, until

BOB = NodeName("bob")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[Where]:
    """An HTTP server that is no member."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    try:
        yield Where(LOOPBACK, int(str(site.name).rpartition(":")[2]))
    finally:
        await runner.cleanup()


@asynccontextmanager
async def ending_process() -> AsyncIterator[Where]:
    """What is left of a killed process for a moment: a port that takes one connection and ends it."""
    with socket.create_server((LOOPBACK, 0)) as port:
        port.settimeout(0)

        async def end() -> None:
            connection, _ = await asyncio.get_running_loop().sock_accept(port)
            port.close()
            connection.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(end())
            yield Where(*port.getsockname())


@asynccontextmanager
async def listener(answer: bytes | None) -> AsyncIterator[Where]:
    """A TCP server that says one thing and hangs up; None: says nothing and stays."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is not None:
            writer.write(answer)
            writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, 0) as serving:
        yield Where(*serving.sockets[0].getsockname())


def closed_port() -> Where:
    with socket.create_server((LOOPBACK, 0)) as taken:
        return Where(*taken.getsockname())


async def test_a_port_that_nobody_serves_is_told_apart_from_silence() -> None:
    async with Dialler() as dialler:
        with pytest.raises(NoAnswer) as caught:
            await dialler.dial(closed_port())
    assert caught.value.refused


async def test_a_host_that_does_not_answer_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.02)
    with socket.create_server((LOOPBACK, 0), backlog=0) as full:  # nobody accepts, so SYNs go unanswered
        where = Where(*full.getsockname())
        with socket.create_connection(where):
            async with Dialler() as dialler, asyncio.timeout(USER_TIMEOUT_MS / 2_000):
                with pytest.raises(NoAnswer) as caught:
                    await dialler.dial(where)
    assert not caught.value.refused


async def test_a_host_to_which_there_is_no_way_is_not_refused() -> None:
    async with Dialler() as dialler:
        with pytest.raises(NoAnswer) as caught:
            await dialler.dial(Where("255.255.255.255", 7947))  # fails before anything is sent
    assert not caught.value.refused


async def test_a_connection_that_a_dying_process_took_counts_as_refused() -> None:
    async with ending_process() as where, Dialler() as dialler:
        with pytest.raises(NoAnswer) as caught:
            await dialler.dial(where)
    assert caught.value.refused


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 ", id="hangs up in the middle"),
    ],
)
async def test_who_hangs_up_during_the_upgrade_is_not_refused(answer: bytes) -> None:
    async with listener(answer) as where, Dialler() as dialler:
        with pytest.raises(NoAnswer) as caught:
            await dialler.dial(where)
    assert not caught.value.refused


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="SSH"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", id="404"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nhello", id="200"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            b"Sec-WebSocket-Accept: wrong\r\n\r\n",
            id="wrong accept",
        ),
    ],
)
async def test_something_else_at_the_port_is_named(answer: bytes) -> None:
    async with listener(answer) as where, Dialler() as dialler:
        with pytest.raises(Ended) as caught:
            await dialler.dial(where)
    assert caught.value.reason is Drop.NOT_GOSSIP


async def test_a_redirect_is_not_followed() -> None:
    visited: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        visited.append(request.path)
        return web.Response(status=302, headers={"Location": "/admin/delete-everything"})

    async with server(elsewhere) as where, Dialler() as dialler:
        with pytest.raises(Ended):
            await dialler.dial(where)
    assert visited == [GOSSIP_PATH]


async def test_a_peer_that_opens_a_websocket_and_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caller, "HANDSHAKE_S", 0.05)

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        websocket = web.WebSocketResponse(timeout=0.1)
        await websocket.prepare(request)
        await websocket.receive()
        await websocket.receive()
        return websocket

    async with server(silent) as where, station("alice") as alice:
        alice.driver.locate({BOB: where})
        alice.act(Dial(peer=BOB))
        await until(lambda: DialFailed(peer=BOB, refused=False) in alice.machine.events)
        assert alice.refusals == [Drop.TOO_SLOW]


async def test_a_peer_that_answers_with_an_endless_frame_is_given_up() -> None:
    async def chatty(request: web.BaseRequest) -> web.StreamResponse:
        websocket = web.WebSocketResponse(timeout=0.1)
        await websocket.prepare(request)
        transport = request.transport
        assert transport is not None
        transport.write(b"\x82\x7f" + (FRAME_LIMIT + 1).to_bytes(8))  # announced, and never sent
        await websocket.receive()
        return websocket

    async with server(chatty) as where, station("alice") as alice:
        alice.driver.locate({BOB: where})
        alice.act(Dial(peer=BOB))
        await until(lambda: DialFailed(peer=BOB, refused=False) in alice.machine.events)
        assert alice.refusals == [Refusal.TOO_LARGE]


async def test_a_dialler_that_was_not_entered_says_so() -> None:
    with pytest.raises(RuntimeError, match="enter"):
        await Dialler().dial(closed_port())


def test_an_edge_sends_at_once_and_gives_a_black_hole_up() -> None:
    with socket.socket() as connection:
        tune(connection)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS


def test_an_edge_repairs_a_lone_loss_quickly_where_the_kernel_can() -> None:
    with socket.socket() as probe, socket.socket() as connection:
        tune(connection)  # an older kernel leaves the option out, and that is no error
        try:
            probe.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MIN_US, RTO_MIN_US)
        except OSError:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        else:
            assert connection.getsockopt(socket.IPPROTO_TCP, TCP_RTO_MIN_US) == RTO_MIN_US
