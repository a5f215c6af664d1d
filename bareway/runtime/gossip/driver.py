"""Drives a gossip machine over WebSockets: feeds it edges, messages and time, and does what it says.

One driver serves a program: it takes the port (an observer has none), dials whom the machine wants dialled,
and hands announcements to the program before anything goes to the network. Every decision is the machine's;
every "no" to the network is counted by its word.

Not covered: a UDP lane, TLS (frames are sealed anyway).
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from random import Random
from typing import Final, Protocol

from bareway.gossip.events import (
    Announce,
    Ask,
    Closed,
    Dial,
    DialFailed,
    Event,
    Found,
    Hangup,
    MemberChanged,
    Opened,
    Output,
    Probe,
    Probed,
    Received,
    Send,
    Tick,
    Withdraw,
)
from bareway.gossip.message import SINCE_VERSION_2, BadMessage, Heartbeat, Message, decode, encode
from bareway.gossip.sealing import Keyring, Purpose, Refusal, Refused
from bareway.model.names import IPAddress, NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.caller import Caller
from bareway.runtime.gossip.dialler import NoAnswer, Where
from bareway.runtime.gossip.door import Door
from bareway.runtime.gossip.edge import Edge
from bareway.runtime.gossip.report import Drop, GossipCounters, Notice, TurnedAway
from bareway.runtime.gossip.table import EdgeTable
from bareway.runtime.gossip.wire import Ended, Wire, shake_hands

REJECTIONS: Final = frozenset({Refusal.UNKNOWN_KEY, Refusal.UNKNOWN_NAME, Refusal.WRONG_SEAL})
"""What a handshake between members of different groups ends with; or the other end just closes."""
RENEW_GAP_S: Final = 0.2
"""Between two edges that are opened anew because their key counts no longer: not all at once."""
RENEW_MAX_S: Final = 10.0
"""An edge that still has such a key after this is closed."""
SOURCES_TOLD_MAX: Final = 256
"""Sources whose refusal was told; beyond that they are only counted."""


class Machine(Protocol):
    """What the driver asks of a gossip machine; ``bareway.gossip.machine`` has the real one."""

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Take one event; what shall be done about it, in order."""
        ...

    @property
    def deadline(self) -> float:
        """When the machine wants a ``Tick``."""
        ...


ToProgram = Announce | Withdraw | MemberChanged | Ask | Found


class GossipDriver:
    """Runs one machine; ``run`` it in a task of the program."""

    def __init__(
        self,
        machine: Machine,
        *,
        me: NodeName,
        keyring: Keyring,
        host: str,
        port: int | None,
        rng: Random,
        on_output: Callable[[ToProgram], None],
        on_notice: Callable[[Notice], None],
    ) -> None:
        """Prepare a driver.

        Args:
            machine: What decides.
            me: Our name.
            keyring: The cluster's keys.
            host: Address to listen on; empty: all, of both families.
            port: Port to listen on; 0: any; None: it only dials, as observers do.
            rng: Chance for the waits between attempts to take a busy port, and between renewed edges.
            on_output: Gets announcements and withdrawals before anything is sent; must not wait.
            on_notice: Gets what is worth a line in the log; must not wait.
        """
        self.counters: Final = GossipCounters()
        self._machine = machine
        self._rng = rng
        self._on_output = on_output
        self._on_notice = on_notice
        self._door: Door | None = None
        if port is not None:
            self._door = Door(
                host=host,
                port=port,
                receive=self._receive,
                counters=self.counters,
                on_notice=on_notice,
                rng=rng,
            )
        self._caller = Caller(me=me, keyring=keyring)
        self._edges: EdgeTable[Edge] = EdgeTable(me)
        self._dialling: set[NodeName] = set()
        self._probing: set[NodeName] = set()
        self._told: dict[str, str] = {}
        self._group: asyncio.TaskGroup | None = None
        self._alarm = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ what the program calls

    def locate(self, addresses: Mapping[NodeName, Where]) -> None:
        """Say where each member listens; callers of any other name, but observers, are turned away."""
        self._caller.addresses = addresses
        if self._door is not None:
            self._door.expect(frozenset(ip_address(where.host) for where in addresses.values()))

    def use(self, keyring: Keyring) -> None:
        """Keys from now on; edges that are open with another one are opened anew, one after the other."""
        self._caller.keyring = keyring
        if self._group is not None:
            _start(self._group, self._renew(keyring), name="gossip renew")

    def tell(self, event: Event) -> None:
        """Let the machine know something, and do what follows."""
        self._do(self._machine.handle(event, now=monotonic()))

    async def run(self) -> None:
        """Serve and dial until cancelled."""
        async with self._caller.dialler, asyncio.TaskGroup() as group:
            self._group = group
            for peer in self._dialling:
                group.create_task(self._dial(peer), name=f"gossip dial {peer}")
            if self._door is not None:
                group.create_task(self._door.serve(), name="gossip door")
            group.create_task(self._keep_time(), name="gossip time")

    async def flush(self) -> None:
        """Wait until what was said has left, as after a goodbye; bound it by a timeout."""
        for edge in tuple(self._edges):
            await edge.flush()

    # ------------------------------------------------------------ time

    async def _keep_time(self) -> None:
        """Give the machine its ticks; any other event may bring its deadline forward."""
        self._set_timer()
        while True:
            await self._alarm.wait()
            self._alarm.clear()
            self._timer = None
            late_s = monotonic() - self._machine.deadline
            if late_s >= 0:
                self.tell(Tick())
                self.counters.lateness.observe(late_s)
            else:
                self._set_timer()

    def _set_timer(self) -> None:
        wait_s = max(0.0, self._machine.deadline - monotonic())
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + wait_s:
                return  # it goes off early enough, and is then set anew
            self._timer.cancel()
        self._timer = loop.call_later(wait_s, self._alarm.set)

    # ------------------------------------------------------------ what the machine wants

    def _do(self, outputs: Iterable[Output]) -> None:
        """Do what the machine says: first what the program must know, then the network."""
        rest: list[Dial | Probe | Hangup | Send] = []
        for output in outputs:
            if isinstance(output, ToProgram):
                self._on_output(output)
            else:
                rest.append(output)
        self._act(rest)
        if self._group is not None:
            self._set_timer()

    def _act(self, outputs: Iterable[Dial | Probe | Hangup | Send]) -> None:
        encoded: dict[int, bytes] = {}  # one message goes to many peers
        for output in outputs:
            match output:
                case Send(peer=peer, message=message):
                    self._send(peer, message, encoded)
                case Dial(peer=peer):
                    self._start_dial(peer)
                case Probe(peer=peer):
                    self._start_probe(peer)
                case Hangup(peer=peer):
                    self._hang_up(peer)

    def _send(self, peer: NodeName, message: Message, encoded: dict[int, bytes]) -> None:
        edge = self._edges.current(peer)
        if edge is None or (edge.version < 2 and isinstance(message, SINCE_VERSION_2)):  # noqa: PLR2004 - as named
            return
        payload = encoded.get(id(message))
        if payload is None:
            payload = encoded[id(message)] = encode(message)
        edge.send(payload, is_beat=isinstance(message, Heartbeat))

    def _hang_up(self, peer: NodeName) -> None:
        for edge in self._edges.pop(peer):
            edge.close()

    def _start_dial(self, peer: NodeName) -> None:
        if peer in self._dialling:
            return
        self._dialling.add(peer)
        if self._group is not None:  # else ``run`` will
            _start(self._group, self._dial(peer), name=f"gossip dial {peer}")

    def _start_probe(self, peer: NodeName) -> None:
        if peer not in self._probing and self._group is not None:
            self._probing.add(peer)
            _start(self._group, self._probe(peer), name=f"gossip probe {peer}")

    # ------------------------------------------------------------ edges

    async def _probe(self, peer: NodeName) -> None:
        """Answer one ``Probe`` with ``Probed``."""
        alive = refused = False
        try:
            wire, _ = await self._caller.reach(peer, Purpose.PROBE)
        except NoAnswer as answer:
            refused = answer.refused
        except (Refused, Ended) as end:
            alive = _is_rejection(end)
        else:
            wire.abort()
            alive = True
        finally:
            self._probing.discard(peer)
        self.tell(Probed(peer=peer, alive=alive, refused=refused))

    async def _renew(self, keyring: Keyring) -> None:
        """Give edges whose key counts no longer another one; who dialled does it, the other end waits."""
        for edge in tuple(self._edges):
            if edge.dialled and not edge.is_sealed_by(keyring.ids):
                self._start_dial(edge.peer)
                await asyncio.sleep(self._rng.uniform(0, RENEW_GAP_S))
        await asyncio.sleep(RENEW_MAX_S)
        for edge in tuple(self._edges):
            if not edge.is_sealed_by(keyring.ids):
                edge.close()

    async def _dial(self, peer: NodeName) -> None:
        """Answer one ``Dial`` with ``Opened`` or ``DialFailed``, and then carry the edge."""
        refused = turned_away = False
        edge: Edge | None = None
        try:
            edge = await self._call(peer)
        except NoAnswer as answer:
            refused = answer.refused
        except (Refused, Ended) as end:
            turned_away = _is_rejection(end)
            self._turn_away(peer, end.reason)
        finally:
            self._dialling.discard(peer)
        if edge is None:
            self.tell(DialFailed(peer=peer, refused=refused, turned_away=turned_away))
        else:
            await self._keep(edge)

    async def _call(self, peer: NodeName) -> Edge:
        wire, session = await self._caller.reach(peer, Purpose.EDGE)
        return Edge(wire=wire, session=session, dialled=True, counters=self.counters)

    async def _receive(self, wire: Wire, source: IPAddress) -> None:
        """Let a task of ours talk to a caller: the HTTP server would swallow our mistakes."""
        if self._group is None or self._door is None:
            return
        talk = _start(self._group, self._talk(self._door, wire, str(source)), name=f"gossip from {source}")
        if talk is not None:
            await asyncio.wait([talk])

    async def _talk(self, door: Door, wire: Wire, source: str) -> None:
        handshake = self._caller.handshake(dialled=False, admitted=self._caller.addresses.keys())
        try:
            session = await shake_hands(wire, handshake)
        except (Refused, Ended) as end:
            self._turn_away(source, end.reason)
            return
        if not door.admit(wire):
            return
        self._told.pop(source, None)
        if session.purpose is Purpose.PROBE:
            wire.close()
        else:
            await self._keep(Edge(wire=wire, session=session, dialled=False, counters=self.counters))

    async def _keep(self, edge: Edge) -> None:
        """Carry an edge from its opening to its end."""
        self._told.pop(edge.peer, None)
        self.counters.sessions += 1
        try:
            self._install(edge)
            end = await edge.run(self._deliver)
        finally:
            self.counters.sessions -= 1
        self._turn_away(edge.peer, end)
        self._remove(edge)

    def _install(self, edge: Edge) -> None:
        """Make room for a new edge and tell the machine."""
        for surplus in self._edges.add(edge):
            self.counters.dropped[Drop.DUPLICATE] += 1
            surplus.close()
        if edge.dialled or self._edges.current(edge.peer) is edge:
            self.tell(Opened(peer=edge.peer))

    def _remove(self, edge: Edge) -> None:
        """Forget an edge that ended, and tell the machine unless it or we wanted that."""
        if edge not in self._edges:
            return
        was_current = self._edges.current(edge.peer) is edge
        self._edges.remove(edge)
        if self._edges.current(edge.peer) is None:
            self.tell(Closed(peer=edge.peer))
        elif was_current:
            self.tell(Opened(peer=edge.peer))  # the other one takes its place

    def _deliver(self, edge: Edge, payload: bytes) -> None:
        try:
            message = decode(payload)
        except BadMessage as bad:
            raise Ended(bad.reason) from None
        if edge in self._edges:
            self.tell(Received(peer=edge.peer, message=message))

    def _turn_away(self, source: str, reason: StrEnum | None) -> None:
        """Count a refusal; tell of it if this source was not refused for the same reason just before."""
        if reason is None:  # nobody refused anything, it was only closed
            return
        self.counters.dropped[reason] += 1
        known = self._told.get(source)
        if known == reason or (known is None and len(self._told) >= SOURCES_TOLD_MAX):
            return
        self._told[source] = reason
        self._on_notice(TurnedAway(source=source, reason=reason))


def _start(
    group: asyncio.TaskGroup, work: Coroutine[None, None, None], *, name: str
) -> asyncio.Task[None] | None:
    """Start a task of the driver; None while the driver is being stopped, when nothing new begins."""
    try:
        return group.create_task(work, name=name)
    except RuntimeError:
        work.close()
        return None


def _is_rejection(end: Refused | Ended) -> bool:
    """Whether a member listens there that would not have us, as opposed to a stranger or one that is slow."""
    return end.reason is None or end.reason in REJECTIONS
