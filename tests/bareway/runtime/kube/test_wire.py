"""bareway.runtime.kube.wire: which connection a write goes over, and what becomes of it afterwards."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bareway.runtime.kube.responses import BadResponse
from bareway.runtime.kube.wire import IDLE_S, Lost, NotConnected, Place, Wire
from support.until import until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ASK = b"PATCH / HTTP/1.1\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Site:
    """A server that answers as a test says, and a wire to it."""

    def __init__(self, place: Place, wire: Wire) -> None:
        self.place = place
        self.wire = wire

    async def ask(self) -> bytes:
        return (await self.wire.send(self.place, ASK)).body


@asynccontextmanager
async def site(*answers: bytes, ends: bool = False) -> AsyncIterator[tuple[Site, list[int]]]:
    """Each connection gives these answers in turn, and then none; the second value counts connections."""
    accepted: list[int] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(len(accepted))
        writers.append(writer)
        for answer in answers:
            if not await reader.readline() or not await reader.readline():
                return
            writer.write(answer)
        if ends:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(body_max_bytes=1024, socket_options=((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),))
    try:
        yield Site(Place("127.0.0.1", port, None, ""), wire), accepted
    finally:
        wire.close()
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_one_request_after_the_other_goes_over_one_connection() -> None:
    async with site(*[OK] * 3) as (it, accepted):
        assert [await it.ask() for _ in range(3)] == [b"ok"] * 3
        assert len(accepted) == 1


async def test_requests_at_once_have_a_connection_each_which_is_kept() -> None:
    async with site(*[OK] * 3) as (it, accepted):
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(it.ask())
        assert len(accepted) == 4


async def test_a_connection_that_the_server_ended_is_not_used_again() -> None:
    async with site(OK, ends=True) as (it, accepted):
        assert await it.ask() == b"ok"
        (connection,) = it.wire._idle[it.place]
        await until(lambda: not connection.is_open)
        assert await it.ask() == b"ok"
        assert len(accepted) == 2


async def test_an_answer_that_nobody_waits_for_any_more_meets_no_other_question() -> None:
    async with site(b"") as (it, accepted):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await it.ask()
        assert not it.wire._idle
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await it.ask()
        assert len(accepted) == 2


async def test_a_connection_that_ends_before_the_answer_is_lost() -> None:
    async with site(OK[:-1], ends=True) as (it, _):
        with pytest.raises(Lost):
            await it.ask()
        assert not it.wire._idle


async def test_what_is_no_http_is_told_and_the_connection_goes() -> None:
    async with site(b"220 mail.example.com ESMTP\r\n\r\n") as (it, _):
        with pytest.raises(BadResponse):
            await it.ask()
        assert not it.wire._idle


async def test_a_server_that_speaks_unasked_is_left() -> None:
    async with site(OK, b"") as (it, accepted):
        await it.ask()
        (connection,) = it.wire._idle[it.place]
        connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        assert not connection.is_open
        assert await it.ask() == b"ok"
        assert len(accepted) == 2


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = Place("127.0.0.1", free.getsockname()[1], None, "")
        wire = Wire(body_max_bytes=1024)
        with pytest.raises(NotConnected) as refused:
            await wire.send(place, ASK)
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)


@pytest.mark.looptime
async def test_what_nobody_uses_is_closed_after_a_while() -> None:
    wire = Wire(body_max_bytes=1024)
    place = Place("127.0.0.1", 1, None, "")
    old, new = _Idle(), _Idle()
    wire._keep(place, old)  # type: ignore[arg-type]  # it needs no more of a connection
    await asyncio.sleep(IDLE_S - 1)
    wire._keep(place, new)  # type: ignore[arg-type]  # the same
    await asyncio.sleep(2)
    assert (old.is_open, new.is_open) == (False, True)
    kept: object = wire._kept(place)
    assert kept is new
    await asyncio.sleep(2 * IDLE_S)
    assert wire._sweeper is None, "an idle program has no timer"


class _Idle:
    """What a wire knows of a connection that is not used."""

    def __init__(self) -> None:
        self.is_open = True
        self.idle_since = 0.0

    def abort(self) -> None:
        self.is_open = False
