import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import pytest

from bareway.gossip.events import Closed, Dial, Opened, Received, Send
from bareway.gossip.member import NO_SIDE
from bareway.gossip.message import DropReason, Heartbeat, Pull, encode
from bareway.gossip.sealing import NONCE_BYTES, PAYLOAD_BYTES_MAX, Handshake, Refusal, Session
from bareway.model.names import NodeName
from bareway.runtime.gossip import edge as module
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.edge import BEAT_BACKLOG_MAX, FRAMES_A_TURN, OUTBOX_MAX, Edge
from bareway.runtime.gossip.report import HEARD_MAX, Drop, GossipCounters
from bareway.runtime.gossip.wire import Ended, Wire
from support.gossip import KEYRING, LOOPBACK, impostor, introduce, station, until

ALICE = NodeName("alice")
BOB = NodeName("bob")
CAROL = NodeName("carol")
BEAT = Heartbeat(sequence=1, interval_ms=100, generation=0, view_digest=0, claims_digest=0, side=NO_SIDE)


def sessions() -> tuple[Session, Session]:
    """Two ends of one session: alice's and bob's."""
    caller, callee = (
        Handshake(
            me=me, keyring=KEYRING, nonce=me.encode().ljust(NONCE_BYTES), dialled=dialled, admitted=None
        )
        for me, dialled in ((ALICE, True), (BOB, False))
    )
    proof = caller.receive(callee.hello).send
    callee.receive(caller.hello)
    answered = callee.receive(proof or b"")
    opened = caller.receive(answered.send or b"")
    assert opened.session is not None
    assert answered.session is not None
    return opened.session, answered.session


class PipeWire(Wire):
    """A wire whose other end is the test: it takes frames only while the test lets it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.takes = asyncio.Event()
        self.arriving: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.held = 0
        self.goodbyes: list[str] = []

    async def read(self) -> bytes:
        frame = await self.arriving.get()
        if frame is None:
            raise Ended
        return frame

    async def write(self, frame: bytes) -> None:
        self.held += len(frame)
        await self.takes.wait()
        self.held -= len(frame)
        self.sent.append(frame)

    def backlog(self) -> int:
        return self.held

    def close(self) -> None:
        self._end("close")

    def abort(self) -> None:
        self._end("abort")

    def _end(self, how: str) -> None:
        self.goodbyes.append(how)
        self.arriving.put_nowait(None)


class Rig:
    """Alice's edge to bob over a pipe, running."""

    def __init__(self) -> None:
        self.wire = PipeWire()
        self.counters = GossipCounters()
        mine, self.bobs = sessions()
        self.edge = Edge(wire=self.wire, session=mine, dialled=True, counters=self.counters)
        self.delivered: list[bytes] = []

    def arrived(self) -> list[bytes]:
        """What bob can read of what was sent."""
        opened = [self.bobs.open(frame) for frame in self.wire.sent]
        self.wire.sent.clear()
        return opened

    def deliver(self, edge: Edge, payload: bytes) -> None:
        self.delivered.append(payload)


@asynccontextmanager
async def rig(*, stuck: bool = False) -> AsyncIterator[tuple[Rig, asyncio.Task[StrEnum | None]]]:
    made = Rig()
    if not stuck:
        made.wire.takes.set()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.edge.run(made.deliver))
        yield made, task
        made.wire.arriving.put_nowait(None)


async def test_messages_leave_sealed_and_in_order() -> None:
    async with rig() as (alice, _):
        for number in range(5):
            alice.edge.send(b"%d" % number, is_beat=False)
        await alice.edge.flush()
        assert alice.arrived() == [b"0", b"1", b"2", b"3", b"4"]
        assert alice.counters.frames_sent == 5


async def test_a_flush_waits_until_the_other_end_has_taken_all() -> None:
    async with rig(stuck=True) as (alice, _), asyncio.TaskGroup() as group:
        alice.edge.send(b"goodbye", is_beat=False)
        flushed = group.create_task(alice.edge.flush())
        await until(lambda: alice.wire.held > 0)
        assert not flushed.done()
        alice.wire.takes.set()


async def test_heartbeats_are_left_out_while_much_is_waiting_and_news_are_not() -> None:
    async with rig(stuck=True) as (alice, _):
        alice.edge.send(b"beat", is_beat=True)
        alice.edge.send(bytes(BEAT_BACKLOG_MAX), is_beat=False)
        alice.edge.send(b"beat", is_beat=True)
        alice.edge.send(b"news", is_beat=False)
        assert alice.counters.beats_skipped == 1
        alice.wire.takes.set()
        await alice.edge.flush()
        assert alice.arrived() == [b"beat", bytes(BEAT_BACKLOG_MAX), b"news"]
        alice.edge.send(b"beat", is_beat=True)
        await alice.edge.flush()
        assert alice.arrived() == [b"beat"]


async def test_an_edge_whose_outbox_overflows_is_given_up_as_stuck() -> None:
    async with rig(stuck=True) as (alice, task):
        for _ in range(OUTBOX_MAX // PAYLOAD_BYTES_MAX):
            alice.edge.send(bytes(PAYLOAD_BYTES_MAX), is_beat=False)
        assert alice.wire.goodbyes == []
        alice.edge.send(b"one more", is_beat=False)
        assert alice.wire.goodbyes == ["abort"]
        assert await task is Drop.STUCK


async def test_a_closed_edge_sends_what_waits_and_nothing_later() -> None:
    async with rig() as (alice, task):
        alice.edge.send(b"last words", is_beat=False)
        alice.edge.close()
        alice.edge.send(b"too late", is_beat=False)
        assert await task is None
        assert alice.wire.goodbyes[0] == "close"
        assert alice.arrived() == [b"last words"]


async def test_closing_an_edge_whose_other_end_takes_nothing_does_not_wait() -> None:
    async with rig(stuck=True) as (alice, task):
        alice.edge.send(b"stuck", is_beat=False)
        await until(lambda: alice.wire.held > 0)
        alice.edge.close()
        assert await task is None


async def test_a_message_too_large_for_a_frame_ends_the_edge() -> None:
    async with rig() as (alice, task):
        alice.edge.send(bytes(PAYLOAD_BYTES_MAX + 1), is_beat=False)
        assert await task is Refusal.TOO_LARGE


async def test_a_peer_that_sends_too_much_is_made_to_wait_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FRAMES_AT_ONCE", 3)
    monkeypatch.setattr(module, "FRAMES_PER_S", 1_000)
    async with rig() as (alice, _):
        for number in range(8):
            alice.wire.arriving.put_nowait(alice.bobs.seal(b"%d" % number))
        await until(lambda: len(alice.delivered) == 8)
        assert alice.delivered == [b"%d" % number for number in range(8)]
        assert 1 <= alice.counters.throttled <= 5
        assert alice.counters.frames_received == alice.counters.silences.measured().count == 8
        assert alice.counters.heard_at.keys() == {alice.edge.peer}


async def test_what_is_sent_beyond_the_allowance_waits_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRAMES_AT_ONCE", 3)
    monkeypatch.setattr(module, "FRAMES_PER_S", 0.001)
    async with rig() as (alice, task):
        for _ in range(8):
            alice.wire.arriving.put_nowait(alice.bobs.seal(b"x"))
        await until(lambda: alice.counters.throttled == 1)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(alice.delivered) == 4
        task.cancel()


async def test_a_peer_that_sends_without_a_pause_lets_others_have_their_turn() -> None:
    async with rig() as (alice, _):
        for _ in range(500):
            alice.wire.arriving.put_nowait(alice.bobs.seal(b"x"))
        turns = 0
        while len(alice.delivered) < 500:
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 500 / FRAMES_A_TURN


async def test_a_replayed_frame_closes_the_edge_and_is_counted() -> None:
    async with station("bob") as bob:
        bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
        async with impostor(bob.where) as caller:
            session = await caller.prove("alice")
            frame = session.seal(encode(Pull(number=1)))
            await caller.websocket.send_bytes(frame)
            await caller.websocket.send_bytes(frame)
            await caller.end()
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
        assert bob.machine.messages_from(ALICE) == [Pull(number=1)]
        assert bob.dropped(Refusal.REPLAYED) == 1
        assert bob.refusals == [Refusal.REPLAYED]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"\xc1", DropReason.MALFORMED, id="no MessagePack"),
        pytest.param(b"\x90", DropReason.INVALID, id="no message"),
        pytest.param(b"\xc1" * PAYLOAD_BYTES_MAX, DropReason.MALFORMED, id="as large as a frame may be"),
    ],
)
async def test_a_sealed_frame_that_is_no_message_closes_the_edge(payload: bytes, reason: str) -> None:
    async with station("bob") as bob:
        bob.driver.locate({ALICE: Where(LOOPBACK, 1)})
        async with impostor(bob.where) as caller:
            session = await caller.prove("alice")
            await caller.websocket.send_bytes(session.seal(payload))
            await caller.end()
        await until(lambda: Closed(peer=ALICE) in bob.machine.events)
        assert bob.dropped(reason) == 1


async def test_a_peer_that_stops_reading_delays_nobody_and_is_given_up_at_last() -> None:
    async with station("bob") as bob, station("carol") as carol:
        introduce(bob, carol)
        bob.driver.locate({ALICE: Where(LOOPBACK, 1), CAROL: carol.where})
        bob.act(Dial(peer=CAROL))
        await until(lambda: bob.has_opened(CAROL))
        async with impostor(bob.where) as alice:
            await alice.prove("alice")
            await until(lambda: Opened(peer=ALICE) in bob.machine.events)
            alice.stop_reading()
            edge = bob.driver._edges.current(ALICE)
            assert edge is not None
            while edge.backlog <= BEAT_BACKLOG_MAX:  # until the kernel takes no more
                edge.send(bytes(PAYLOAD_BYTES_MAX), is_beat=False)
                await asyncio.sleep(0)
            bob.act(Send(peer=ALICE, message=BEAT), Send(peer=CAROL, message=BEAT))
            await until(lambda: carol.machine.messages_from(BOB) == [BEAT])
            assert bob.driver.counters.beats_skipped == 1
            while edge in bob.driver._edges:
                edge.send(bytes(PAYLOAD_BYTES_MAX), is_beat=False)
                await asyncio.sleep(0)
            assert bob.machine.events[-1] == Closed(peer=ALICE)
            assert bob.dropped(Drop.STUCK) == 1
            bob.act(Send(peer=CAROL, message=Pull(number=1)))
            await until(lambda: Received(peer=BOB, message=Pull(number=1)) in carol.machine.events)


def test_whose_last_frame_is_remembered_is_bounded_and_the_latest_stay() -> None:
    counters = GossipCounters()
    for number in range(HEARD_MAX + 1):
        counters.heard(NodeName(f"node-{number}"), after_s=0.1, now=float(number))
        counters.heard(NodeName("node-0"), after_s=0.1, now=float(number))
    assert len(counters.heard_at) == HEARD_MAX
    assert NodeName("node-0") in counters.heard_at
    assert NodeName("node-1") not in counters.heard_at
