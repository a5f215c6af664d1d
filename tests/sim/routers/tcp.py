"""Hosts, the links between them, and TCP on these: what is sent arrives in order, or waits, or is refused.

A cut link keeps what was sent until it is whole again, as retransmission does. A process that ended says FIN
by its kernel; a host without power says nothing, and answers with RST when it is back.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from math import inf
from random import Random
from typing import Final

from bareway.bgp.events import (
    Abandon,
    Close,
    Closed,
    Connect,
    Connected,
    ConnectFailed,
    ConnectionId,
    Event,
    Output,
    Received,
    Send,
    Tick,
    Writable,
)
from bareway.bgp.session import Session
from sim.timeline import Timeline

DELAY_S: Final = 0.001
SYN_S: Final = 1.0
"""Between two attempts of a kernel to reach a host."""
RETRANSMIT_S: Final = (0.05, 0.8)
BUFFER_BYTES: Final = 150
"""What the reader's kernel takes before the writer has to wait: little, so that it happens."""


class Host:
    """A machine with one BGP program on it, if that runs."""

    def __init__(self, name: str, address: IPv4Address, address_6: IPv6Address) -> None:
        self.name = name
        self.address = address
        self.address_6 = address_6
        self.powered = False
        self.frozen = False
        """The BGP program stands still; its kernel does not."""
        self.backlog: list[Callable[[], None]] = []
        self.ends: dict[str, End] = {}
        """Of the program that runs, by the name of the host behind."""

    def after(self, end: "End", outputs: list[Output]) -> None:
        """A session did something."""

    def hear(self, source: IPv4Address, data: bytes) -> None:
        """A datagram of BFD came."""


class Half:
    """One end of a connection."""

    def __init__(self, end: "End", number: ConnectionId) -> None:
        self.end = end
        self.number = number
        self.is_open = True
        self.unread = 0
        """Bytes on their way to it, or before it."""
        self.makes_wait = False
        """The other end waits until we have read."""


class Wire:
    """One TCP connection."""

    def __init__(self, one: Half, other: Half) -> None:
        self.halves = (one, other)

    def half(self, end: "End") -> Half:
        return self.halves[0] if self.halves[0].end is end else self.halves[1]

    def across(self, end: "End") -> Half:
        return self.halves[1] if self.halves[0].end is end else self.halves[0]


class End:
    """What drives one session, by the rules of ``bareway.bgp.events``."""

    def __init__(self, net: "Net", host: Host, peer: Host, session: Session) -> None:
        self.net = net
        self.host = host
        self.peer = peer
        self.session = session
        self.alive = True
        self.stuck = False
        """It does not read; the others of its host do."""
        self.waiting: list[Callable[[], None]] = []
        self.numbers = count(1)
        self.wires: dict[ConnectionId, Wire] = {}
        self.attempt = 0
        self._tick_at = inf

    def do(self, event: Event) -> None:
        """Give the session an event, and carry out what it says."""
        if not self.alive:
            return
        outputs = self.session.handle(event, now=self.net.world.now)
        for output in outputs:
            self._carry_out(output)
        self.host.after(self, outputs)
        self._arm()

    def read(self, what: Callable[[], None]) -> None:
        """Something came by the network: now, or when the program gets to it."""
        if self.host.frozen:
            self.host.backlog.append(what)
        elif self.stuck:
            self.waiting.append(what)
        else:
            what()

    def unstick(self) -> None:
        """Read on."""
        self.stuck = False
        waiting, self.waiting = self.waiting, []
        for what in waiting:
            what()

    def _carry_out(self, output: Output) -> None:
        match output:
            case Connect():
                self.attempt += 1
                self.net.dial(self, self.attempt)
            case Abandon():
                self.attempt += 1
            case Send(connection=number, data=data):
                self.net.send(self, number, data)
            case Close(connection=number):
                self.net.close(self, number)
            case _:
                pass

    def _arm(self) -> None:
        deadline = max(self.session.deadline, self.net.world.now)
        if deadline < self._tick_at:
            self._tick_at = deadline
            self.net.world.at(deadline, self._ring, deadline)

    def _ring(self, at: float) -> None:
        if not self.alive or at != self._tick_at:
            return
        self._tick_at = inf
        if self.host.frozen:
            self.host.backlog.append(lambda: self.do(Tick()))
        elif self.session.deadline <= self.net.world.now:
            self.do(Tick())
        else:
            self._arm()


class Net:
    """All links and connections."""

    def __init__(self, world: Timeline, rng: Random) -> None:
        self.world = world
        self._rng = rng
        self.cuts: set[frozenset[str]] = set()
        self._held: list[tuple[str, str, Callable[[], None]]] = []
        """What waits at cut links: from, to."""
        self._orphans: list[tuple[str, Half]] = []
        """Ends whose other host lost its power."""

    def is_cut(self, one: str, other: str) -> bool:
        """Nothing passes between these two."""
        return frozenset((one, other)) in self.cuts

    def cut(self, one: str, other: str) -> None:
        """From now on nothing does."""
        self.cuts.add(frozenset((one, other)))

    def heal(self, one: str, other: str) -> None:
        """What waited goes on its way."""
        self.cuts.discard(frozenset((one, other)))
        held, self._held = self._held, []
        pause_s = self._rng.uniform(*RETRANSMIT_S)
        for source, target, what in held:
            if {source, target} == {one, other}:
                self.world.at(self.world.now + pause_s, self._pass, source, target, what)
            else:
                self._held.append((source, target, what))

    # ------------------------------------------------------------ connections

    def dial(self, end: End, attempt: int) -> None:
        """The kernel tries to reach the other host."""
        self.world.at(self.world.now + DELAY_S, self._reach, end, attempt)

    def _reach(self, end: End, attempt: int) -> None:
        if not end.alive or end.attempt != attempt:
            return
        peer = end.peer
        if self.is_cut(end.host.name, peer.name) or not peer.powered:
            self.world.at(self.world.now + SYN_S, self._reach, end, attempt)
            return
        other = peer.ends.get(end.host.name)
        if other is None or not other.alive:
            end.read(lambda: end.do(ConnectFailed()) if end.attempt == attempt else None)
            return
        mine = Half(end, ConnectionId(next(end.numbers)))
        its = Half(other, ConnectionId(next(other.numbers)))
        wire = Wire(mine, its)
        end.wires[mine.number] = wire
        other.wires[its.number] = wire
        end.read(lambda: self._tell(mine, is_incoming=False) if end.attempt == attempt else self._drop(mine))
        other.read(lambda: self._tell(its, is_incoming=True))

    def _tell(self, half: Half, *, is_incoming: bool) -> None:
        end = half.end
        if half.is_open:
            told = Connected(
                connection=half.number,
                local=end.host.address,
                remote=end.peer.address,
                is_incoming=is_incoming,
                other_family=end.host.address_6,
            )
            end.do(told)

    def _drop(self, half: Half) -> None:
        self.close(half.end, half.number)

    def send(self, end: End, number: ConnectionId, data: bytes) -> None:
        """On its way; the writer waits when the reader's kernel has enough."""
        wire = end.wires.get(number)
        if wire is None:
            return
        ours, theirs = wire.half(end), wire.across(end)
        theirs.unread += len(data)
        if theirs.unread <= BUFFER_BYTES:
            self.world.at(self.world.now, self._writable, ours)
        else:
            theirs.makes_wait = True
        self._post(end, lambda: self._arrive(ours, theirs, data))

    def _writable(self, half: Half) -> None:
        if half.is_open and half.end.alive:
            half.end.read(lambda: half.end.do(Writable(connection=half.number)))

    def _post(self, end: End, what: Callable[[], None]) -> None:
        source, target = end.host.name, end.peer.name
        self.world.at(self.world.now + DELAY_S, self._pass, source, target, what)

    def _pass(self, source: str, target: str, what: Callable[[], None]) -> None:
        if self.is_cut(source, target):
            self._held.append((source, target, what))
        else:
            what()

    def _arrive(self, sender: Half, reader: Half, data: bytes) -> None:
        end = reader.end
        if not end.host.powered:
            return
        if not (end.alive and reader.is_open):
            self._post(end, lambda: self._end(sender))  # RST
            return
        end.read(lambda: self._take(sender, reader, data))

    def _take(self, sender: Half, reader: Half, data: bytes) -> None:
        if not reader.is_open:
            return
        reader.unread -= len(data)
        if reader.makes_wait and reader.unread <= BUFFER_BYTES:
            reader.makes_wait = False
            self._post(reader.end, lambda: self._writable(sender))
        reader.end.do(Received(connection=reader.number, data=data))

    def close(self, end: End, number: ConnectionId) -> None:
        """FIN behind what was sent."""
        wire = end.wires.pop(number, None)
        if wire is None:
            return
        wire.half(end).is_open = False
        other = wire.across(end)
        self._post(end, lambda: self._end(other))

    def _end(self, half: Half) -> None:
        if half.is_open and half.end.alive and half.end.host.powered:
            half.end.read(lambda: self._closed(half))

    def _closed(self, half: Half) -> None:
        if half.is_open:
            half.is_open = False
            half.end.wires.pop(half.number, None)
            half.end.do(Closed(connection=half.number))

    # ------------------------------------------------------------ programs and hosts

    def process_ended(self, host: Host) -> None:
        """The kernel closes all that the program had."""
        for end in host.ends.values():
            end.alive = False
            for number in list(end.wires):
                self.close(end, number)
        host.ends, host.backlog, host.frozen = {}, [], False

    def power_lost(self, host: Host) -> None:
        """Nobody is told."""
        for end in host.ends.values():
            end.alive = False
            for wire in end.wires.values():
                wire.half(end).is_open = False
                self._orphans.append((host.name, wire.across(end)))
        host.ends, host.backlog, host.frozen, host.powered = {}, [], False, False

    def power_back(self, host: Host) -> None:
        """The others' kernels still send to connections that nobody here knows."""
        host.powered = True
        orphans, self._orphans = self._orphans, []
        for name, half in orphans:
            if name == host.name:
                at = self.world.now + self._rng.uniform(*RETRANSMIT_S)
                source, target = host.name, half.end.host.name
                self.world.at(at, self._pass, source, target, lambda half=half: self._end(half))
            else:
                self._orphans.append((name, half))

    def thaw(self, host: Host) -> None:
        """The program goes on, and finds what came meanwhile."""
        host.frozen = False
        backlog, host.backlog = host.backlog, []
        for what in backlog:
            what()

    def datagram(self, source: Host, target: Host, data: bytes) -> None:
        """It comes, or does not."""

        def arrive() -> None:
            if target.powered and not self.is_cut(source.name, target.name):
                target.hear(source.address, data)

        self.world.at(self.world.now + DELAY_S, arrive)
