"""What strangers at the gossip port cost: ``python -m bench.flood``: CPU, and whether a member stays one.

A member with one honest edge is flooded from another process on loopback: connections without a word,
garbage, callers with another key, recorded hellos said again. Figures, no verdict: the machine may be busy.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from random import Random

from msgspec import Struct, json

from bareway.gossip.events import MemberChanged, PeersKnown
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.sealing import NONCE_BYTES, Handshake, Keyring
from bareway.model.names import NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.driver import GossipDriver, ToProgram
from bareway.runtime.gossip.report import Listening, Notice
from bareway.runtime.gossip.wire import GOSSIP_PATH

LOOPBACK = "127.0.0.1"
SECONDS = 5.0
SETTLE_S = 1.0
ALICE, BOB = NodeName("alice"), NodeName("bob")
KEYRING = Keyring([b"the key of the bench"])
UPGRADE = (
    f"GET {GOSSIP_PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()


class Flood(Struct, frozen=True, kw_only=True):
    """One kind of stranger."""

    kind: str
    seconds: float
    attempts_per_s: float
    """Connections that the flooder opened."""
    cpu_percent: float
    """Of one core, of the member and of its honest peer together; without a flood: ``quiet``."""
    worst_lag_ms: float
    """The latest turn of the member's loop."""
    dropped: dict[str, int]
    """What the member counted."""
    suspicions: int
    """Between the two honest members."""


# ---------------------------------------------------------------- the flooder, in a process of its own


def _masked(payload: bytes) -> bytes:
    """A binary WebSocket frame of a client (RFC 6455 section 5.2) under the mask 0."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x82" + length + bytes(4) + payload


def _words(kind: str) -> bytes:
    hello = Handshake(
        me=ALICE,
        keyring=Keyring([b"another key"]) if kind == "another key" else KEYRING,
        nonce=bytes(NONCE_BYTES),
        dialled=True,
        admitted=None,
    ).hello
    match kind:
        case "garbage":
            return Random("garbage").randbytes(2_000)
        case "another key":
            return UPGRADE + _masked(hello)
        case "a hello replayed":
            return UPGRADE + _masked(hello) + _masked(bytes(24))
        case _:
            return b""


def flood(port: int, kind: str, seconds: float) -> int:
    """Open connections as fast as one core can; returns how many."""
    words, attempts, kept = _words(kind), 0, list[socket.socket]()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            caller = socket.create_connection((LOOPBACK, port), timeout=0.2)
        except OSError:  # the queue of the port is full: as it should be
            continue
        attempts += 1
        try:
            caller.sendall(words)
        except OSError:
            caller.close()
            continue
        kept.append(caller)
        if len(kept) > 200:
            kept.pop(0).close()
    return attempts


# ---------------------------------------------------------------- the member


class Member:
    """A real one on loopback."""

    def __init__(self, name: NodeName) -> None:
        self.port = 0
        self.suspicions = 0
        self.name = name
        machine = GossipMachine(
            me=name, epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random(name), now=monotonic()
        )
        self.driver = GossipDriver(
            machine,
            me=name,
            keyring=KEYRING,
            host=LOOPBACK,
            port=0,
            rng=Random(name),
            on_output=self._hear,
            on_notice=self._notice,
        )

    def _hear(self, output: ToProgram) -> None:
        self.suspicions += isinstance(output, MemberChanged) and output.state == "Suspect"

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, Listening):
            self.port = notice.port


async def measure(kind: str, seconds: float = SECONDS) -> Flood:
    """Flood a member; ``quiet`` floods it with nothing."""
    members = [Member(ALICE), Member(BOB)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(member.driver.run(), name=member.name) for member in members]
        while not all(member.port for member in members):  # noqa: ASYNC110 - they have no event for it
            await asyncio.sleep(0.01)
        where = {member.name: Where(LOOPBACK, member.port) for member in members}
        for member in members:
            member.driver.locate(where)
            member.driver.tell(PeersKnown(peers=frozenset(where)))
        await asyncio.sleep(SETTLE_S)
        lags: list[float] = []
        watcher = group.create_task(_watch(lags), name="lag")
        began, cpu = time.monotonic(), time.process_time()
        attempts = await _flood(members[1].port, kind, seconds)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
        for task in (*tasks, watcher):
            task.cancel()
    return Flood(
        kind=kind,
        seconds=round(took_s, 2),
        attempts_per_s=round(attempts / took_s, 1),
        cpu_percent=round(100 * cpu_s / took_s, 2),
        worst_lag_ms=round(1000 * max(lags), 2),
        dropped=dict(members[1].driver.counters.dropped),
        suspicions=sum(member.suspicions for member in members),
    )


async def _flood(port: int, kind: str, seconds: float) -> int:
    if kind == "quiet":
        await asyncio.sleep(seconds)
        return 0
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.flood", kind, str(port), str(seconds), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return int(told)


async def _watch(lags: list[float]) -> None:
    """How late a turn comes that is due each 5 ms."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - before - 0.005)


async def _measure_all(run: Callable[[str], Awaitable[Flood]]) -> list[Flood]:
    kinds = ("quiet", "without a word", "garbage", "another key", "a hello replayed")
    return [await run(kind) for kind in kinds]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(flood(int(sys.argv[2]), sys.argv[1], float(sys.argv[3])))
    else:
        print(json.format(json.encode(asyncio.run(_measure_all(measure)))).decode())
