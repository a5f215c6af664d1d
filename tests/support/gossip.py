"""Gossip drivers on loopback: a machine that does what a test tells it, and a driver around it."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout

from bareway.gossip.events import Event, Opened, Output, Received, Tick
from bareway.gossip.message import Message
from bareway.gossip.sealing import NONCE_BYTES, Handshake, Keyring, Session
from bareway.model.names import NodeName
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.door import Door
from bareway.runtime.gossip.driver import GossipDriver, Machine, ToProgram
from bareway.runtime.gossip.report import Listening, Notice, TurnedAway
from bareway.runtime.gossip.wire import GOSSIP_PATH

LOOPBACK = "127.0.0.1"
KEYRING = Keyring([b"the key of the test's cluster"])
PATIENCE_S = 10.0  # a test that waits longer has failed


class ScriptedMachine:
    """A machine that remembers every event, and answers each as the test says."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.deadline = math.inf
        self.answer: Callable[[Event], list[Output]] = lambda _: []
        self._todo: list[Output] = []

    def handle(self, event: Event, *, now: float) -> list[Output]:
        self.events.append(event)
        outputs, self._todo = self._todo, []
        return outputs + self.answer(event)

    def next(self, *outputs: Output) -> None:
        """Let the next event be answered with these as well."""
        self._todo.extend(outputs)

    def messages_from(self, peer: NodeName) -> list[Message]:
        return [event.message for event in self.events if isinstance(event, Received) and event.peer == peer]


@dataclass
class Station:
    """A driver that runs, and what it said."""

    name: NodeName
    driver: GossipDriver
    machine: ScriptedMachine
    outputs: list[ToProgram] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def port(self) -> int:
        return next(notice.port for notice in self.notices if isinstance(notice, Listening))

    @property
    def where(self) -> Where:
        return Where(LOOPBACK, self.port)

    @property
    def door(self) -> Door:
        assert self.driver._door is not None
        return self.driver._door

    @property
    def refusals(self) -> list[str]:
        return [notice.reason for notice in self.notices if isinstance(notice, TurnedAway)]

    def act(self, *outputs: Output) -> None:
        """Let the machine want this now."""
        self.machine.next(*outputs)
        self.driver.tell(Tick())

    def has_opened(self, peer: NodeName) -> bool:
        return Opened(peer=peer) in self.machine.events

    def dropped(self, reason: str) -> int:
        return self.driver.counters.dropped[reason]


@asynccontextmanager
async def station(
    name: str, *, keyring: Keyring = KEYRING, host: str = LOOPBACK, port: int = 0
) -> AsyncIterator[Station]:
    """Run a driver with a scripted machine until the block ends."""
    machine = ScriptedMachine()
    async with running(name, machine, keyring=keyring, host=host, port=port) as (driver, outputs, notices):
        made = Station(NodeName(name), driver, machine, outputs, notices)
        await until(lambda: any(isinstance(notice, Listening) for notice in notices))
        yield made


@asynccontextmanager
async def running(
    name: str, machine: Machine, *, keyring: Keyring = KEYRING, host: str = LOOPBACK, port: int | None = 0
) -> AsyncIterator[tuple[GossipDriver, list[ToProgram], list[Notice]]]:
    """Run a driver around any machine until the block ends; a driver that fails ends the block."""
    outputs: list[ToProgram] = []
    notices: list[Notice] = []
    driver = GossipDriver(
        machine,
        me=NodeName(name),
        keyring=keyring,
        host=host,
        port=port,
        rng=Random(name),
        on_output=outputs.append,
        on_notice=notices.append,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run(), name=name)
        yield driver, outputs, notices
        task.cancel()


def introduce(*stations: Station) -> None:
    """Tell all where all are."""
    everybody = {station.name: station.where for station in stations}
    for one in stations:
        one.driver.locate(everybody)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what a test waits for has no event of its own
            await asyncio.sleep(0.001)


class Impostor:
    """A caller that can shake hands, and then does what no driver would do."""

    def __init__(self, websocket: ClientWebSocketResponse) -> None:
        self.websocket = websocket

    async def prove(self, name: str, *, keyring: Keyring = KEYRING, callee: str = "bob") -> Session:
        """Shake hands as a member would."""
        handshake = Handshake(
            me=NodeName(name),
            keyring=keyring,
            nonce=b"n" * NONCE_BYTES,
            dialled=True,
            admitted={NodeName(callee)},
        )
        await self.websocket.send_bytes(handshake.hello)
        while True:
            step = handshake.receive(await self.websocket.receive_bytes())
            if step.send is not None:
                await self.websocket.send_bytes(step.send)
            if step.session is not None:
                return step.session

    def stop_reading(self) -> None:
        """Take nothing any more, as a frozen process would."""
        self.websocket._writer.transport.pause_reading()

    async def end(self) -> None:
        """Wait until the other end has hung up."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.websocket.closed:
                await self.websocket.receive()


@asynccontextmanager
async def impostor(where: Where) -> AsyncIterator[Impostor]:
    """Open a WebSocket at a gossip port, without a word yet."""
    async with ClientSession() as client:
        url = f"http://{where.host}:{where.port}{GOSSIP_PATH}"
        async with client.ws_connect(url, max_msg_size=0, timeout=ClientWSTimeout(ws_close=0.1)) as websocket:
            yield Impostor(websocket)
