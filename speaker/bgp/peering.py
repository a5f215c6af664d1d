"""One peer: its session, the connections that it has, its timer, and our attempt to reach it.

Everything that the session says is done here, in its order, and everything that happens is told to it; the
rules of that are in `bareway.bgp.events`.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from math import inf
from random import Random
from typing import Final, NamedTuple, Protocol, TypeAlias

from bareway.bgp.events import (
    Abandon,
    Close,
    Closed,
    Connect,
    Connected,
    ConnectFailed,
    ConnectionId,
    Event,
    Faulty,
    Output,
    Readdressed,
    Received,
    Send,
    SettingsChanged,
    StateChanged,
    Tick,
    Told,
    Writable,
)
from bareway.bgp.fsm import State
from bareway.bgp.peers import Change, PeerSettings
from bareway.bgp.session import Session
from bareway.bgp.status import SessionStatus
from bareway.model.names import IPAddress
from speaker.bgp.addresses import NOTHING, Beside, beside, indices_of
from speaker.bgp.sockets import address_of, close_hard, outgoing, prepare, set_key
from speaker.bgp.transport import Wire
from speaker.layer2.netlink import AddressMessage

CONNECTIONS_MOST: Final = 8
"""Of one peer, with those that are being closed: two are a session's, of others the last word is out within a
second."""
NO_ANSWER: Final = "no answer"
NO_ANSWER_SIGNED: Final = "no answer: the router may be away, or have another password"
OnOutput: TypeAlias = Callable[[str, StateChanged | Told | Faulty], None]
Spawn: TypeAlias = Callable[[Coroutine[None, None, None]], "Running"]


class Ends(NamedTuple):
    """Of a connection, with what the session was told of our addresses beside its own."""

    local: IPAddress
    remote: IPAddress
    beside: Beside


class Running(Protocol):
    """A task, as far as it matters here."""

    def cancel(self) -> bool:
        """End it."""


class Peering:
    """One peer of the configuration, as long as it stands there and until its last word is out."""

    def __init__(
        self,
        settings: PeerSettings,
        *,
        rng: Random,
        numbers: Iterator[int],
        spawn: Spawn,
        on_output: OnOutput,
        on_quiet: Callable[[], None],
        addresses: Callable[[], list[AddressMessage]],
    ) -> None:
        """Prepare a peering.

        Args:
            settings: of the peer.
            rng: for the session's jitter.
            numbers: of connections, each once, ascending.
            spawn: runs what waits in a task.
            on_output: gets what the session says of itself.
            on_quiet: called when neither session nor connection is left.
            addresses: of this node.
        """
        self._session = Session(settings, rng=rng)
        self._numbers = numbers
        self._spawn = spawn
        self._on_output = on_output
        self._on_quiet = on_quiet
        self._addresses = addresses
        self._loop = asyncio.get_running_loop()
        self._wires: dict[ConnectionId, Wire] = {}
        """All whose socket is open; the session has forgotten those that are being closed."""
        self._ends: dict[ConnectionId, Ends] = {}
        self._attempt: Running | None = None
        self._arriving = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        self._is_over = False
        self.trouble = ""
        """Why there is no connection, as the kernel says it; empty once there is one."""

    # ------------------------------------------------------------ what the driver calls

    @property
    def settings(self) -> PeerSettings:
        """As they are now."""
        return self._session.settings

    @property
    def status(self) -> SessionStatus:
        """Of the session."""
        return self._session.status

    @property
    def is_up(self) -> bool:
        """Routes are told."""
        return self._session.state is State.ESTABLISHED

    @property
    def is_quiet(self) -> bool:
        """Nothing is under way."""
        idle = self._session.state is State.IDLE and self._session.deadline == inf
        return idle and not self._wires and not self._arriving

    def digest(self) -> str:
        """Of the routes that the peer shall have."""
        return self._session.digest()

    def handle(self, event: Event) -> None:
        """Tell the session, and do what it says."""
        if self._is_over:
            return
        for output in self._session.handle(event, now=self._loop.time()):
            self._do(output)
        self._arm()

    def change(self, settings: PeerSettings) -> None:
        """Other settings; a key counts at once, on connections that go on with it."""
        before = self.settings
        if settings.password != before.password and before.change_to(settings) is Change.LIVE:
            for wire in self._wires.values():
                self._sign(wire, settings)
        self.handle(SettingsChanged(settings=settings))

    @property
    def own_ends(self) -> frozenset[IPAddress]:
        """Our addresses of its connections."""
        return frozenset(ends.local for ends in self._ends.values())

    def readdress(self) -> None:
        """Addresses of this node came or went: what stands beside the ends of connections may be another.

        An end that is on no interface is about to come back, or its connection to end: nothing is told by it.
        """
        for connection, ends in tuple(self._ends.items()):
            if not indices_of(self._addresses(), {ends.local}):
                continue
            found = self._beside(ends.local, ends.remote, former=ends.beside)
            if found != ends.beside:
                self._ends[connection] = ends._replace(beside=found)
                self.handle(Readdressed(connection=connection, **found._asdict()))

    def _beside(self, local: IPAddress, remote: IPAddress, *, former: Beside = NOTHING) -> Beside:
        is_multihop = self.settings.is_multihop
        return beside(self._addresses(), local=local, remote=remote, is_multihop=is_multihop, former=former)

    def _sign(self, wire: Wire, settings: PeerSettings) -> None:
        if wire.options is not None:
            try:
                set_key(wire.options, settings.address, settings.password)
            except OSError:  # rather no session than one without that key
                wire.abort()

    def take(self, it: socket.socket) -> bool:
        """A connection that the peer opened; False = there are too many, and it is not ours then."""
        if len(self._wires) + self._arriving >= CONNECTIONS_MOST:
            return False
        self._arriving += 1
        self._spawn(self._arrive(it))
        return True

    def abort(self) -> None:
        """End everything at once, and for ever."""
        self._is_over = True
        self._abandon()
        if self._timer is not None:
            self._timer.cancel()
        for wire in list(self._wires.values()):
            wire.abort()

    # ------------------------------------------------------------ what a connection calls

    def received(self, connection: ConnectionId, data: bytes) -> None:
        """Bytes came."""
        self.handle(Received(connection=connection, data=data))

    def closed(self, connection: ConnectionId) -> None:
        """The peer or the kernel ended it."""
        self.handle(Closed(connection=connection))

    def writable(self, connection: ConnectionId) -> None:
        """What was sent has left our buffer."""
        self.handle(Writable(connection=connection))

    def gone(self, wire: Wire) -> None:
        """Its socket is closed."""
        self._wires.pop(wire.connection, None)
        self._ends.pop(wire.connection, None)
        self._look_quiet()

    # ------------------------------------------------------------ what the session says

    def _do(self, output: Output) -> None:
        match output:
            case Connect():
                if self._attempt is not None:
                    self.trouble = NO_ANSWER_SIGNED if self.settings.password else NO_ANSWER
                self._abandon()
                self._attempt = self._spawn(self._connect())
            case Abandon():
                self._abandon()
            case Send(connection=connection, data=data):
                self._wires[connection].send(data)
            case Close(connection=connection, how=how):
                self._wires[connection].close(how)
            case StateChanged():
                self._on_output(self.settings.name, output)
                self._look_quiet()
            case Told() | Faulty():
                self._on_output(self.settings.name, output)

    def _abandon(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()

    def _arm(self) -> None:
        """Wake in time; a timer that is too early does no harm, and is cheaper than a new one."""
        deadline = self._session.deadline
        if deadline >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer, self._timer_at = None, inf
        self.handle(Tick())

    def _look_quiet(self) -> None:
        if self.is_quiet:
            self._on_quiet()

    # ------------------------------------------------------------ connections

    async def _connect(self) -> None:
        """Our attempt; `Abandon` cancels it."""
        try:
            it, where = outgoing(self.settings)
        except OSError as error:
            self._fail(error)
            return
        try:
            await self._loop.sock_connect(it, where)
            wire = await self._adopt(it)
        except OSError as error:
            it.close()
            self._fail(error)
            return
        except asyncio.CancelledError:
            it.close()
            raise
        self._attempt = None
        try:
            self._tell(wire, it, is_incoming=False)
        except OSError as error:
            wire.abort()
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._attempt = None
        self.trouble = os.strerror(error.errno) if error.errno else str(error)
        self.handle(ConnectFailed())

    async def _arrive(self, it: socket.socket) -> None:
        """A connection that the peer opened."""
        try:
            prepare(it, self.settings)
            set_key(it, self.settings.address, self.settings.password)
            wire = await self._adopt(it)
            self._tell(wire, it, is_incoming=True)
        except OSError:  # it has gone already
            close_hard(it)
        finally:
            self._arriving -= 1
        self._look_quiet()

    async def _adopt(self, it: socket.socket) -> Wire:
        """From here on the socket is asyncio's; what is done right after this comes before the first byte."""
        wire = Wire(ConnectionId(next(self._numbers)), self)
        await self._loop.connect_accepted_socket(lambda: wire, it)
        return wire

    def _tell(self, wire: Wire, it: socket.socket, *, is_incoming: bool) -> None:
        """To the session, with the addresses of ours that stand in its routes.

        Raises:
            OSError: the connection has ended already.
        """
        local, remote = address_of(it.getsockname()), address_of(it.getpeername())
        others = self._beside(local, remote)
        self._wires[wire.connection] = wire
        self._ends[wire.connection] = Ends(local, remote, others)
        self.trouble = ""
        self.handle(
            Connected(
                connection=wire.connection,
                local=local,
                remote=remote,
                is_incoming=is_incoming,
                **others._asdict(),
            )
        )
