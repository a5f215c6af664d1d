"""An open edge: seals and sends what waits in its outbox, opens and hands on what arrives.

Whoever sends never waits. Heartbeats are left out while the edge has enough to carry anyway (any frame is a
sign of life); when even the outbox overflows, the other end is held to be stuck and the edge is closed. A
peer that sends too much is made to wait, which hurts nobody else.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

from bareway.gossip.sealing import Refused, Session
from bareway.model.names import NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.report import Drop, GossipCounters
from bareway.runtime.gossip.token_bucket import TokenBucket
from bareway.runtime.gossip.wire import Ended, Wire

BEAT_BACKLOG_MAX: Final = 4 * 1024
"""Bytes not yet taken by the kernel above which heartbeats are left out: they would only arrive late."""
OUTBOX_MAX: Final = 4 * 1024 * 1024
"""Bytes that may wait: twice everything there is to tell, 20,000 claims and 1,000 members."""
FRAMES_PER_S: Final = 200
"""What a peer may send for long: 40 heartbeats of the fast profile and the news of a busy group."""
FRAMES_AT_ONCE: Final = 1_000
"""And in a burst: everything there is to tell is about 200 frames."""
FRAMES_A_TURN: Final = 32
"""After so many frames in a row the other edges get their turn: about 3 ms."""


class Edge:
    """One sealed WebSocket to one peer."""

    def __init__(self, *, wire: Wire, session: Session, dialled: bool, counters: GossipCounters) -> None:
        self.dialled = dialled
        self.opened_at = monotonic()
        self._wire = wire
        self._session = session
        self._counters = counters
        self._outbox: deque[bytes] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._end: StrEnum | None = None

    @property
    def peer(self) -> NodeName:
        """Who has proven the key at the other end."""
        return self._session.peer

    @property
    def version(self) -> int:
        """Which version of gossip both ends speak."""
        return self._session.version

    def is_sealed_by(self, key_ids: Collection[bytes]) -> bool:
        """Whether only these keys of the cluster seal it."""
        return self._session.key_ids <= set(key_ids)

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the kernel."""
        return self._waiting + self._wire.backlog()

    def send(self, payload: bytes, *, is_beat: bool) -> None:
        """Put one message into the outbox."""
        if self._closing:
            return
        backlog = self.backlog
        if is_beat and backlog > BEAT_BACKLOG_MAX:
            self._counters.beats_skipped += 1
            return
        if backlog + len(payload) > OUTBOX_MAX:
            self._end = Drop.STUCK
            self.abort()
            return
        self._outbox.append(payload)
        self._waiting += len(payload)
        self._idle.clear()
        self._wake.set()

    async def flush(self) -> None:
        """Wait until the outbox is empty."""
        await self._idle.wait()

    def close(self) -> None:
        """End the edge after what is in the outbox; at once if the other end takes nothing."""
        self._closing = True
        self._wake.set()
        if self._wire.backlog():
            self._wire.abort()

    def abort(self) -> None:
        """End the edge now."""
        self._closing = True
        self._wire.abort()

    async def run(self, deliver: Callable[["Edge", bytes], None]) -> StrEnum | None:
        """Carry frames until the edge ends; the reason if something was wrong, None if it was just closed."""
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(), name=f"gossip to {self.peer}")
                await self._read(deliver)
                writer.cancel()
        finally:
            self._idle.set()
            self._wire.abort()
        return self._end

    async def _read(self, deliver: Callable[["Edge", bytes], None]) -> None:
        heard_at = monotonic()
        bucket = TokenBucket(rate=FRAMES_PER_S, burst=FRAMES_AT_ONCE, now=heard_at)
        try:
            while True:
                for _ in range(FRAMES_A_TURN):
                    payload = self._session.open(await self._wire.read())
                    self._counters.frames_received += 1
                    before, heard_at = heard_at, monotonic()
                    deliver(self, payload)
                    self._counters.heard(self.peer, after_s=heard_at - before, now=heard_at)
                    await self._pace(bucket)
                await asyncio.sleep(0)
        except (Refused, Ended) as end:
            self._end = self._end or end.reason

    async def _pace(self, bucket: TokenBucket) -> None:
        wait_s = bucket.take(monotonic())
        if wait_s > 0:
            self._counters.throttled += 1
            await asyncio.sleep(wait_s)

    async def _write(self) -> None:
        try:
            while not (self._closing and not self._outbox):
                await self._wake.wait()
                self._wake.clear()
                while self._outbox:
                    payload = self._outbox.popleft()
                    await self._wire.write(self._session.seal(payload))
                    self._waiting -= len(payload)
                    self._counters.frames_sent += 1
                self._idle.set()
        except (Refused, Ended) as end:
            self._end = self._end or end.reason
            self._wire.abort()
        else:
            self._wire.close()
