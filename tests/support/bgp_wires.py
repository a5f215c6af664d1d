"""Real BGP on loopback: the speaker's driver, and routers that do on TCP what a test has them do.

Each process has addresses of its own, so that tests may run beside each other with one port.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address
from random import Random
from typing import Final

from bareway.bgp import codec
from bareway.bgp.codec import Reader
from bareway.bgp.events import Faulty, SessionReason, StateChanged, Told
from bareway.bgp.fsm import State
from bareway.bgp.messages import Keepalive, Message, Notification, Open, Update
from bareway.bgp.negotiated import negotiate
from bareway.bgp.opening import our_open
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import network
from bareway.model.names import IPAddress, IPNetwork
from speaker.bgp.driver import BgpDriver
from speaker.bgp.listener import ConnectionRefusal
from speaker.bgp.sockets import prepare, set_key
from support.bgp import NODE_ASN, ROUTER_ASN
from support.until import until

PORT: Final = 1790
_PLACE: Final = os.getpid() & 0xFFFF


def loopback(number: int) -> IPv4Address:
    """An address that no other process uses."""
    return IPv4Address((127 << 24) | (1 + _PLACE // 255) << 16 | (_PLACE % 255) << 8 | number)


NODE: Final = loopback(1)
ROUTER: Final = loopback(2)
OTHER: Final = loopback(3)


def towards(router: IPAddress = ROUTER, **changes: object) -> PeerSettings:
    """The node's, to a router."""
    given: dict[str, object] = {
        "name": "router",
        "address": router,
        "source_address": NODE,
        "local_asn": NODE_ASN,
        "peer_asn": ROUTER_ASN,
        "router_id": IPv4Address("192.0.2.11"),
        "port": PORT,
        "connect_retry_s": 0.2,
    }
    return PeerSettings(**(given | changes))  # type: ignore[arg-type]  # a table of words and values


def back(node: IPAddress = NODE, **changes: object) -> PeerSettings:
    """A router's, to the node; it waits."""
    given: dict[str, object] = {
        "name": "node",
        "source_address": ROUTER,
        "local_asn": ROUTER_ASN,
        "peer_asn": NODE_ASN,
        "router_id": IPv4Address("192.0.2.1"),
        "is_passive": True,
    }
    return towards(node, **(given | changes))


class End:
    """A driver at work, and what it said."""

    def __init__(self, **options: object) -> None:
        self.said: list[tuple[str, StateChanged | Told | Faulty]] = []
        self.driver = BgpDriver(
            rng=Random("an end"),
            on_output=lambda name, output: self.said.append((name, output)),
            **({"port": PORT} | options),  # type: ignore[arg-type]  # a table of words and values
        )

    def configure(self, *peers: PeerSettings) -> None:
        self.driver.configure({peer.name: peer for peer in peers})

    def state(self, name: str = "router") -> State:
        return self.driver.statuses()[name].state

    async def up(self, *names: str) -> None:
        await until(lambda: all(self.state(name) is State.ESTABLISHED for name in names or ("router",)))

    async def down(self, name: str = "router") -> None:
        await until(lambda: self.state(name) is not State.ESTABLISHED)

    async def tried_again(self, name: str = "router") -> None:
        """An attempt was given up, and another one is under way."""
        peering = self.driver._peerings[name]
        await until(lambda: peering._attempt is not None)
        first = peering._attempt
        await until(lambda: peering._attempt not in (None, first))

    async def lost(self, times: int, name: str = "router") -> None:
        """So many times it was Established no longer."""
        await until(lambda: len(self.losses(name)) == times)

    def refused(self, reason: ConnectionRefusal) -> int:
        return self.driver.counters.refused.get(reason, 0)

    def sockets(self, name: str = "router") -> int:
        """Connections of a peer, with those that are being closed."""
        return len(self.driver._peerings[name]._wires)

    def reasons(self, name: str = "router") -> list[SessionReason]:
        return [o.reason for n, o in self.said if n == name and isinstance(o, StateChanged)]

    def losses(self, name: str = "router") -> list[SessionReason]:
        """Why it was Established no longer, each time."""
        found = (o for n, o in self.said if n == name and isinstance(o, StateChanged))
        return [o.reason for o in found if o.before is State.ESTABLISHED]

    def notices(self, name: str = "router", *, is_ours: bool = True) -> list[Notification]:
        told = (o for n, o in self.said if n == name and isinstance(o, Told))
        return [o.notification for o in told if o.is_ours is is_ours]


@asynccontextmanager
async def running(*peers: PeerSettings, **options: object) -> AsyncIterator[End]:
    """A driver that runs with these peers."""
    end = End(**options)
    end.configure(*peers)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(end.driver.run())
        await asyncio.sleep(0)
        try:
            yield end
        finally:
            task.cancel()


class Conversation(asyncio.Protocol):
    """A router's side of one connection."""

    def __init__(self, router: "Router") -> None:
        self.router = router
        self.reader = Reader()
        self.heard: list[Message] = []
        self.is_over = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.router.conversations.append(self)
        if self.router.speaks:
            self.say(self.router.open)

    def data_received(self, data: bytes) -> None:
        for message in self.reader.feed(data):
            assert isinstance(message, Message)
            self.heard.append(message)
            if isinstance(message, Open) and self.router.speaks:
                self.reader.session = negotiate(self.router.open, message)
                self.say(Keepalive())
            elif isinstance(message, Update):
                self.router.note(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True

    def say(self, *messages: Message) -> None:
        self.transport.write(b"".join(map(codec.encode, messages)))

    @property
    def notices(self) -> list[Notification]:
        return [message for message in self.heard if isinstance(message, Notification)]

    @property
    def updates(self) -> list[Update]:
        """Those that change something: End-of-RIB does not."""
        found = (message for message in self.heard if isinstance(message, Update))
        return [message for message in found if message.end_of_rib is None]


class Router:
    """It takes connections and brings a session up, unless it is told to be silent."""

    def __init__(self, settings: PeerSettings, *, speaks: bool = True) -> None:
        self.settings = settings
        self.speaks = speaks
        self.open = our_open(settings, is_restart=False, is_over_ipv6=False)
        self.conversations: list[Conversation] = []
        self.routes: dict[IPNetwork, Update] = {}
        self.ends = 0
        """End-of-RIB markers."""

    @property
    def last(self) -> Conversation:
        return self.conversations[-1]

    def note(self, update: Update) -> None:
        for family, prefixes in update.withdrawn.items():
            for prefix in prefixes:
                self.routes.pop(network(prefix, family), None)
        for family, prefixes in update.announced.items():
            for prefix in prefixes:
                self.routes[network(prefix, family)] = update
        self.ends += update.end_of_rib is not None

    async def has(self, *prefixes: IPNetwork) -> None:
        """It has learnt these routes, and no others."""
        await until(lambda: set(self.routes) == set(prefixes), within_s=10.0)

    async def dial(self, port: int = PORT) -> Conversation:
        """Open a connection to the node."""
        where, ours = str(self.settings.address), str(self.settings.source_address)
        _, conversation = await asyncio.get_running_loop().create_connection(
            lambda: Conversation(self), where, port, local_addr=(ours, 0)
        )
        return conversation


@asynccontextmanager
async def callers(amount: int, *, source: IPAddress = ROUTER) -> AsyncIterator[list[socket.socket]]:
    """So many connections to the node, on which nobody says or reads or closes anything."""
    loop = asyncio.get_running_loop()
    sockets = []
    for _ in range(amount):
        it = socket.socket()
        it.setblocking(False)
        it.bind((str(source), 0))
        with suppress(ConnectionError):  # it was closed at once
            await loop.sock_connect(it, (str(NODE), PORT))
        sockets.append(it)
    try:
        yield sockets
    finally:
        for it in sockets:
            it.close()


async def is_listening() -> bool:
    """Whether the node takes connections of anybody at all."""
    with socket.socket() as it:
        it.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(it, (str(NODE), PORT))
        except ConnectionRefusedError:
            return False
        except ConnectionResetError:  # it is not for us
            return True
    return True


@asynccontextmanager
async def router(
    settings: PeerSettings | None = None,
    *,
    speaks: bool = True,
    shape: Callable[[socket.socket], None] = lambda listener: None,
    listens: bool = True,
) -> AsyncIterator[Router]:
    """A router; ``shape`` sets options of its listening socket."""
    settings = settings or back()
    it = Router(settings, speaks=speaks)
    server: asyncio.Server | None = None
    if listens:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        prepare(listener, settings)
        if settings.password:
            set_key(listener, settings.address, settings.password)
        shape(listener)
        listener.bind((str(settings.source_address), PORT))
        server = await asyncio.get_running_loop().create_server(lambda: Conversation(it), sock=listener)
    try:
        yield it
    finally:
        if server is not None:
            server.close()
            await server.wait_closed()
        for conversation in it.conversations:
            conversation.transport.abort()
        with suppress(TimeoutError):
            await until(lambda: all(one.is_over for one in it.conversations), within_s=1.0)
