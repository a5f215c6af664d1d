"""Two BGP sessions against each other in virtual time, over links that carry, stall and break.

`Pair` is a driver as `bareway.bgp.events` asks for one, without sockets: connections have two numbers, what
one end sends the other one receives after a moment, and `Writable` comes unless the reader stopped reading.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import count
from math import inf
from random import Random
from typing import Final

from bareway.bgp import codec
from bareway.bgp.codec import Reader
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
    Received,
    Send,
    SessionReason,
    Start,
    StateChanged,
    Tick,
    Told,
    Want,
    Writable,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Keepalive, Malformed, Message, Notification, Open, Update
from bareway.bgp.negotiated import Negotiated, negotiate
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import network
from bareway.bgp.routes import Attributes, RouteSet
from bareway.bgp.session import Session
from bareway.model.names import IPAddress, IPNetwork

NODE: Final = IPv4Address("192.0.2.11")
ROUTER: Final = IPv4Address("192.0.2.1")
NODE6: Final = IPv6Address("2001:db8::11")
ROUTER6: Final = IPv6Address("2001:db8::1")
LINK_LOCAL: Final = IPv6Address("fe80::11")
NODE_ASN: Final = 64512
ROUTER_ASN: Final = 64513
DELAY_S: Final = 0.001  # of a link, one way
CONNECTION: Final = ConnectionId(1)


def settings(**changes: object) -> PeerSettings:
    """The node's, towards the router."""
    given: dict[str, object] = {
        "name": "router",
        "address": ROUTER,
        "local_asn": NODE_ASN,
        "peer_asn": ROUTER_ASN,
        "router_id": NODE,
    }
    return PeerSettings(**(given | changes))  # type: ignore[arg-type]  # a table of words and values


def router_settings(**changes: object) -> PeerSettings:
    """The router's, towards the node."""
    given: dict[str, object] = {
        "name": "node",
        "address": NODE,
        "local_asn": ROUTER_ASN,
        "peer_asn": NODE_ASN,
        "router_id": ROUTER,
    }
    return settings(**(given | changes))


def hosts(amount: int, *, first: str = "198.51.100.0") -> list[IPNetwork]:
    """So many addresses one after the other."""
    start = int(IPv4Address(first))
    return [IPv4Network((start + place, 32)) for place in range(amount)]


def hosts6(amount: int, *, first: str = "2001:db8:1::") -> list[IPNetwork]:
    """The same of IPv6."""
    start = int(IPv6Address(first))
    return [IPv6Network((start + place, 128)) for place in range(amount)]


def routes(*texts: str, **attributes: object) -> RouteSet:
    """Routes to these prefixes, all alike."""
    alike = Attributes(**attributes)  # type: ignore[arg-type]  # a table of words and values
    return RouteSet.of((ip_network(text), alike) for text in texts)


def kinds(outputs: Iterable[Output]) -> list[str]:
    """The names of outputs, where their contents do not matter."""
    return [type(output).__name__ for output in outputs]


def sent(outputs: Iterable[Output], session: Negotiated = codec.BEFORE_OPEN) -> list[Message | Malformed]:
    """The messages in what is to be sent."""
    reader = Reader()
    reader.session = session
    data = b"".join(output.data for output in outputs if isinstance(output, Send))
    return list(reader.feed(data))


def reasons(outputs: Iterable[Output]) -> list[SessionReason]:
    """Why the state changed, each time that it did."""
    return [output.reason for output in outputs if isinstance(output, StateChanged)]


def notices(outputs: Iterable[Output]) -> list[Notification]:
    """NOTIFICATIONs of ours."""
    return [output.notification for output in outputs if isinstance(output, Told) and output.is_ours]


@dataclass
class Bench:
    """One session, and a peer that says exactly what a test has it say."""

    session: Session
    now: float = 100.0
    theirs: Open = field(
        default_factory=lambda: Open(asn=ROUTER_ASN, hold_time_s=90, router_id=ROUTER, capabilities=())
    )

    def do(self, event: Event) -> list[Output]:
        return self.session.handle(event, now=self.now)

    def later(self, seconds: float) -> list[Output]:
        """Pass time, with a tick at each deadline on the way."""
        outputs: list[Output] = []
        until = self.now + seconds
        while self.session.deadline <= until:
            self.now = max(self.now, self.session.deadline)
            outputs += self.do(Tick())
        self.now = until
        return outputs

    def hear(self, *messages: Message, connection: ConnectionId = CONNECTION) -> list[Output]:
        data = b"".join(map(codec.encode, messages))
        return self.do(Received(connection=connection, data=data))

    def connected(
        self, *, connection: ConnectionId = CONNECTION, is_incoming: bool = False, local: IPAddress = NODE
    ) -> list[Output]:
        return self.do(Connected(connection=connection, local=local, remote=ROUTER, is_incoming=is_incoming))

    def clear(self, connection: ConnectionId = CONNECTION) -> list[Output]:
        return self.do(Writable(connection=connection))

    def established(self, theirs: Open | None = None, *, local: IPAddress = NODE) -> list[Output]:
        """From Idle to Established, by our connection."""
        outputs = self.do(Start()) + self.connected(local=local)
        outputs += self.hear(theirs or self.theirs)
        outputs += self.hear(Keepalive())
        return outputs + self.clear()


def bench(seed: int = 1, **changes: object) -> Bench:
    """A session that has not been started."""
    return Bench(session=Session(settings(**changes), rng=Random(seed)))


# ---------------------------------------------------------------- two ends


@dataclass
class Wire:
    """One TCP connection; each end knows it by a number of its own."""

    numbers: tuple[ConnectionId, ConnectionId]
    is_open: bool = True
    is_lost: bool = False
    """What is on its way does not arrive."""


class End:
    """One of two sessions, what it put out, and what it learnt of the other's routes."""

    def __init__(self, pair: "Pair", place: int, given: PeerSettings, rng: Random, local: IPAddress) -> None:
        self.pair = pair
        self.place = place
        self.local = local
        self.session = Session(given, rng=rng)
        self.outputs: list[Output] = []
        self.heard: list[Message] = []
        self.learnt: dict[IPNetwork, Update] = {}
        self.link_local: IPv6Address | None = None
        self.other_family: IPAddress | None = None
        self.reads = True
        self.listens = True
        self.numbers = count(1)
        self.listening_to: dict[ConnectionId, Reader] = {}
        self.unread: dict[ConnectionId, list[bytes]] = defaultdict(list)

    def do(self, event: Event) -> None:
        outputs = self.session.handle(event, now=self.pair.now)
        self.outputs += outputs
        if any(isinstance(o, StateChanged) and o.before is State.ESTABLISHED for o in outputs):
            self.learnt.clear()  # a router without graceful restart
        for output in outputs:
            self.pair.carry_out(self, output)

    @property
    def state(self) -> State:
        return self.session.state

    def read(self, connection: ConnectionId, data: bytes) -> None:
        """Take bytes as the session does, and note beside it what they say."""
        reader = self.listening_to[connection]
        for message in reader.feed(data):
            if isinstance(message, Malformed):
                break
            self.heard.append(message)
            if isinstance(message, Open):
                for number, ours in self.pair.opens[self.place]:
                    if number == connection:
                        reader.session = negotiate(ours, message)
            elif isinstance(message, Update):
                self.note(message)
        self.do(Received(connection=connection, data=data))

    def note(self, update: Update) -> None:
        for family, prefixes in update.withdrawn.items():
            for prefix in prefixes:
                self.learnt.pop(network(prefix, family), None)
        for family, prefixes in update.announced.items():
            for prefix in prefixes:
                self.learnt[network(prefix, family)] = update


class Pair:
    """A node and a router; time moves by `run` alone."""

    def __init__(
        self,
        *,
        seed: int = 1,
        node: PeerSettings | None = None,
        router: PeerSettings | None = None,
        locals_: tuple[IPAddress, IPAddress] = (NODE, ROUTER),
    ) -> None:
        self.now = 100.0
        self.rng = Random(seed)
        given = (node or settings(), router or router_settings())
        self.ends = tuple(
            End(self, place, each, Random(f"{seed}/{place}"), locals_[place])
            for place, each in enumerate(given)
        )
        self.node, self.router = self.ends
        self.opens: tuple[list[tuple[ConnectionId, Open]], ...] = ([], [])
        self._letters: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._wires: list[Wire] = []
        self._attempts = [0, 0]

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._letters, (self.now + delay_s, next(self._order), act))

    def start(self, *, node: Mapping[IPNetwork, Attributes] | None = None) -> None:
        for end in self.ends:
            end.do(Want(routes=node or {} if end is self.node else {}))
            end.do(Start())

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            deadlines = [end.session.deadline for end in self.ends]
            letter = self._letters[0][0] if self._letters else inf
            at = min(*deadlines, letter)
            if at > until:
                break
            self.now = max(self.now, at)
            if letter <= self.now:
                heapq.heappop(self._letters)[2]()
                continue
            for end in self.ends:
                if end.session.deadline <= self.now:
                    end.do(Tick())
        self.now = until

    def carry_out(self, end: End, output: Output) -> None:
        match output:
            case Connect():
                self._attempts[end.place] += 1
                attempt = self._attempts[end.place]
                self.later(DELAY_S, lambda: self._arrive(end, attempt))
            case Abandon():
                self._attempts[end.place] += 1
            case Send():
                self._carry(end, output)
            case Close():
                wire = self.wire(end, output.connection)
                if wire is not None:
                    wire.is_open = False
                    other, number = self.across(end, wire)
                    self.later(DELAY_S, lambda: other.do(Closed(connection=number)))
            case StateChanged() | Told() | Faulty():
                pass

    def wire(self, end: End, number: ConnectionId) -> Wire | None:
        return next((w for w in self._wires if w.is_open and w.numbers[end.place] == number), None)

    def across(self, end: End, wire: Wire) -> tuple[End, ConnectionId]:
        other = self.ends[1 - end.place]
        return other, wire.numbers[other.place]

    def cut(self) -> None:
        """Both ends lose all their connections."""
        for wire in [wire for wire in self._wires if wire.is_open]:
            wire.is_open, wire.is_lost = False, True
            for end in self.ends:
                end.do(Closed(connection=wire.numbers[end.place]))

    def lose(self) -> None:
        """The link carries nothing any more, and nobody is told."""
        for wire in self._wires:
            wire.is_open, wire.is_lost = False, True

    def stop_reading(self, end: End) -> None:
        end.reads = False

    def read_again(self, end: End) -> None:
        end.reads = True
        other = self.ends[1 - end.place]
        for number, waiting in end.unread.items():
            wire = self.wire(end, number)
            if wire is None:
                continue
            for data in waiting:
                end.read(number, data)
            other.do(Writable(connection=wire.numbers[other.place]))
        end.unread.clear()

    def _arrive(self, end: End, attempt: int) -> None:
        if self._attempts[end.place] != attempt:
            return
        other = self.ends[1 - end.place]
        if not other.listens:
            end.do(ConnectFailed())
            return
        mine, its = ConnectionId(next(end.numbers)), ConnectionId(next(other.numbers))
        numbers = (mine, its) if end.place == 0 else (its, mine)
        self._wires.append(Wire(numbers=numbers))
        for one, number, is_incoming in ((end, mine, False), (other, its, True)):
            one.listening_to[number] = Reader()
            peer = self.ends[1 - one.place]
            one.do(
                Connected(
                    connection=number,
                    local=one.local,
                    remote=peer.local,
                    is_incoming=is_incoming,
                    link_local=one.link_local,
                    other_family=one.other_family,
                )
            )

    def _carry(self, end: End, output: Send) -> None:
        wire = self.wire(end, output.connection)
        if wire is None:
            return
        other, number = self.across(end, wire)
        first = codec.decode(output.data) if output.data[18] == codec.OPEN else None
        if isinstance(first, Open):
            self.opens[end.place].append((output.connection, first))

        def arrive() -> None:
            if wire.is_lost:
                return
            if other.reads:
                other.read(number, output.data)
                end.do(Writable(connection=output.connection))
            else:
                other.unread[number].append(output.data)

        self.later(DELAY_S, arrive)
