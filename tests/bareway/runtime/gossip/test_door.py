import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest
from aiohttp import ClientSession, WSMsgType

from bareway.gossip.events import Dial
from bareway.gossip.sealing import HELLO_BYTES_MAX, Refusal
from bareway.model.names import NodeName
from bareway.runtime.gossip import door
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.door import (
    SOURCE_BURST,
    STRANGERS_A_SOURCE_MAX,
    STRANGERS_MAX,
    Door,
)
from bareway.runtime.gossip.report import Drop, GossipCounters
from bareway.runtime.gossip.wire import FRAME_LIMIT, GOSSIP_PATH
from support.gossip import LOOPBACK, PATIENCE_S, Station, impostor, introduce, station, until

ALICE = NodeName("alice")
BOB = NodeName("bob")

UPGRADE = (
    f"GET {GOSSIP_PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
).encode()


@asynccontextmanager
async def stranger(where: Where, source: str = LOOPBACK) -> AsyncIterator[asyncio.StreamReader]:
    """A bare TCP connection from an address of the loopback network that says nothing."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(*where, local_addr=(source, 0))
    try:
        yield reader
    finally:
        writer.transport.abort()


async def talk(where: Where, said: bytes) -> bytes:
    """Say something on a bare TCP connection and return all that is answered until it ends."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(*where)
        writer.write(said)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()


async def is_alive(one: Station) -> bool:
    """Whether a member still gets its edge."""
    async with station("alice") as alice:
        introduce(alice, one)
        alice.act(Dial(peer=one.name))
        await until(lambda: alice.has_opened(one.name))
        return one.has_opened(ALICE)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), Drop.BAD_HTTP, id="TLS"),
        pytest.param(b"\x00\xff" * 500 + b"\r\n\r\n", Drop.BAD_HTTP, id="random bytes"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Drop.BAD_HTTP, id="SSH"),
        pytest.param(b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n", Drop.BAD_HTTP, id="endless path"),
        pytest.param(UPGRADE[:-2] + b"X: " + b"y" * 9_000 + b"\r\n\r\n", Drop.BAD_HTTP, id="endless header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Drop.NOT_GOSSIP, id="another path"),
        pytest.param(UPGRADE.replace(b"/v1/gossip", b"/v1/other"), Drop.NOT_GOSSIP, id="another WebSocket"),
        pytest.param(b"GET /v1/gossip HTTP/1.1\r\nHost: x\r\n\r\n", Drop.NOT_GOSSIP, id="no upgrade"),
        pytest.param(UPGRADE.replace(b"GET", b"POST"), Drop.NOT_GOSSIP, id="POST"),
        pytest.param(UPGRADE.replace(b": 13", b": 12"), Drop.NOT_GOSSIP, id="WebSocket of another version"),
        pytest.param(
            UPGRADE[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n", Drop.NOT_GOSSIP, id="a subprotocol"
        ),
        pytest.param(
            b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + bytes(99_999),
            Drop.NOT_GOSSIP,
            id="an endless body",
        ),
        pytest.param(UPGRADE + b"\x81\x80\0\0\0\0", Drop.BAD_FRAME, id="a text frame"),
        pytest.param(UPGRADE + b"\x89\x80\0\0\0\0", Drop.BAD_FRAME, id="a ping"),
        pytest.param(UPGRADE + b"\xf2\x80\0\0\0\0", Drop.BAD_FRAME, id="reserved bits"),
        pytest.param(UPGRADE + b"\x82\x83\0\0\0\0abc", Refusal.BAD_HELLO, id="a hello that is none"),
        pytest.param(
            UPGRADE + b"\x82\xff" + b"\x7f" * 8 + bytes(4), Refusal.TOO_LARGE, id="an endless frame"
        ),
        pytest.param(
            UPGRADE + b"\x82\xff" + (FRAME_LIMIT + 1).to_bytes(8) + bytes(4),
            Refusal.TOO_LARGE,
            id="a large frame, only announced",
        ),
    ],
)
async def test_what_is_not_gossip_is_closed_and_counted_and_the_log_stays_empty(
    said: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with station("bob") as bob:
        await talk(bob.where, said)
        await until(lambda: bob.dropped(reason) == 1)
        assert bob.driver.counters.dropped.total() == 1
        assert await is_alive(bob)
    assert caplog.records == []


async def test_a_hundred_mangled_handshakes_leave_the_port_well_and_the_log_empty(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_S", 0.02)
    monkeypatch.setattr(door, "SOURCE_BURST", 1_000)
    caplog.set_level(logging.INFO)
    rng = Random("mangled")
    async with station("bob") as bob:
        for _ in range(100):
            said = bytearray(UPGRADE + b"\x82\x90\0\0\0\0" + rng.randbytes(16))
            for _ in range(rng.randint(1, 4)):
                said[rng.randrange(len(said))] = rng.randrange(256)
            await talk(bob.where, bytes(said[: rng.randint(1, len(said))]))
        assert bob.driver.counters.dropped.total() >= 90  # the rest was cut off before it said anything
        monkeypatch.undo()
        assert await is_alive(bob)
    assert caplog.records == []


async def test_who_proves_nothing_in_time_is_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_S", 0.02)
    async with station("bob") as bob:
        assert await talk(bob.where, b"") == b""
        async with impostor(bob.where) as caller:
            await caller.end()
        await until(lambda: bob.dropped(Drop.TOO_SLOW) == 2)


async def test_who_has_proven_the_key_may_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_S", 0.02)
    async with station("bob") as bob:
        bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
        async with impostor(bob.where) as caller:
            await caller.prove("alice")
            await talk(bob.where, b"")  # comes after and is shown out for its silence
            assert not caller.websocket.closed
            assert bob.driver.counters.sessions == 1


async def test_one_address_has_only_so_many_places_for_strangers_and_gets_them_back() -> None:
    async with station("bob") as bob:
        async with AsyncExitStack() as crowd:
            for _ in range(STRANGERS_A_SOURCE_MAX):
                await crowd.enter_async_context(stranger(bob.where))
            async with stranger(bob.where) as one_more:
                assert await one_more.read() == b""
            assert bob.dropped(Drop.TOO_MANY) == 1
        await until(lambda: all(end.is_closing() for end in bob.door._strangers))
        assert await is_alive(bob)


async def test_one_address_is_let_in_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SOURCE_PER_S", 0.001)
    async with station("bob") as bob:
        for _ in range(SOURCE_BURST + 3):
            await talk(bob.where, b"GET / HTTP/1.0\r\n\r\n")
        await until(lambda: bob.dropped(Drop.TOO_OFTEN) == 3)
        assert bob.dropped(Drop.NOT_GOSSIP) == SOURCE_BURST


async def test_a_member_gets_in_while_strangers_crowd_the_door() -> None:
    async with station("alice") as alice, station("bob") as bob, AsyncExitStack() as crowd:
        introduce(alice, bob)
        for number in range(STRANGERS_MAX):
            source = f"127.0.1.{1 + number % 4}"
            await crowd.enter_async_context(stranger(bob.where, source))
        await until(lambda: len(bob.door._strangers) == STRANGERS_MAX)
        async with stranger(bob.where, "127.0.1.9") as one_more:
            assert await one_more.read() == b""
        alice.act(Dial(peer=BOB))
        await until(lambda: bob.has_opened(ALICE))
        assert bob.dropped(Drop.TOO_MANY) == 2  # the one more, and the one whose place alice has


async def test_addresses_long_not_seen_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SOURCES_MAX", 2)
    async with station("bob") as bob:
        for source in ("127.0.1.1", "127.0.1.2", "127.0.1.1", "127.0.1.3"):
            async with stranger(bob.where, source):
                await until(lambda: source in map(str, bob.door._rates))  # noqa: B023 - used at once
        assert [str(source) for source in bob.door._rates] == ["127.0.1.1", "127.0.1.3"]


@pytest.mark.parametrize(
    ("before_proof", "size", "reason"),
    [
        pytest.param(True, HELLO_BYTES_MAX + 1, Refusal.TOO_LARGE, id="hello"),
        pytest.param(True, FRAME_LIMIT + 1, Refusal.TOO_LARGE, id="first frame"),
        pytest.param(False, FRAME_LIMIT + 1, Refusal.TOO_LARGE, id="frame of a member"),
    ],
)
async def test_an_oversized_frame_ends_the_edge(*, before_proof: bool, size: int, reason: str) -> None:
    async with station("bob") as bob:
        bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
        async with impostor(bob.where) as caller:
            if not before_proof:
                await caller.prove("alice")
            await caller.websocket.send_bytes(bytes(size))
            await caller.end()
        await until(lambda: bob.dropped(reason) == 1)


async def test_a_port_without_a_host_serves_both_families() -> None:
    hosts = ["127.0.0.1", "::1"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    listener = door._listen("", 0)
    try:
        for host in hosts:
            with socket.create_connection((host, listener.getsockname()[1])):
                await door._readable(asyncio.get_running_loop(), listener)
                connection, _ = listener.accept()
                assert str(door._source_of(connection)) == host
                connection.close()
    finally:
        listener.close()


async def test_a_caller_with_a_websocket_library_gets_a_plain_answer_elsewhere() -> None:
    async with station("bob") as bob, ClientSession() as client:
        async with client.get(f"http://{LOOPBACK}:{bob.port}/metrics") as answer:
            assert answer.status == 404
        async with impostor(bob.where) as caller:
            hello = await caller.websocket.receive()
            assert hello.type is WSMsgType.BINARY


class Exhausted(socket.socket):
    """A listener of a process that has no file descriptor left for a while."""

    failures: list[OSError]

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.failures:
            raise self.failures.pop()
        return super().accept()


def a_door(port: int = 0) -> Door:
    async def receive(*_: object) -> None:
        raise AssertionError

    return Door(
        host=LOOPBACK,
        port=port,
        receive=receive,
        counters=GossipCounters(),
        on_notice=lambda _: None,
        rng=Random("door"),
    )


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([OSError(errno.EMFILE, "")], id="no file descriptor left"),
        pytest.param([ConnectionAbortedError()], id="the caller went away"),
        pytest.param([BlockingIOError()], id="somebody else was quicker"),
    ],
)
async def test_the_door_goes_on_accepting(failures: list[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "OUT_OF_MEANS_S", 0.01)
    with Exhausted() as listener:
        listener.failures = failures
        listener.bind((LOOPBACK, 0))
        listener.listen()
        listener.settimeout(0)
        with socket.create_connection(listener.getsockname()):
            accepted = await a_door()._accept(asyncio.get_running_loop(), listener)
            accepted.close()


async def test_a_door_that_is_closed_in_the_moment_of_a_call_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with station("bob") as bob:
        where = bob.where
        with socket.create_connection(where):
            pass  # the driver is stopped before the loop has seen this
    assert caplog.records == []


async def test_a_flood_is_accepted_at_a_limited_rate_and_waits_in_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "ACCEPTS_AT_ONCE", 3)
    monkeypatch.setattr(door, "ACCEPTS_PER_S", 0.001)
    async with AsyncExitStack() as stack:
        bob = await stack.enter_async_context(station("bob"))
        for _ in range(5):
            await stack.enter_async_context(stranger(bob.where))
        await until(lambda: len(bob.door._strangers) == 3)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(bob.door._strangers) == 3
