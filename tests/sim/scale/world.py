"""A large group that has formed already: machines, the edges between them, and who dies.

Unlike ``sim.world`` it knows no addresses and no clients, so that a thousand members fit into a minute. Edges
are as TCP has them: in order, and a lost segment comes a retransmission later. Everything follows from the
seed.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from bareway.gossip.claims import NOBODY
from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    MemberChanged,
    Opened,
    Output,
    PeersKnown,
    Probe,
    Probed,
    Received,
    Send,
    Tick,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import MemberState, Report
from bareway.gossip.message import Message, News, Pull, decode, encode
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName
from sim.network import DIAL_TIMEOUT_S, RETRANSMIT_S

DELAY_S = (0.0002, 0.002)
"""One way through the switches."""
FORMING_S = 1.0
"""So long until all edges are open."""


@dataclass(slots=True)
class Counts:
    """What one member sent, by the kind of message."""

    by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        kind = type(message).__name__
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


class ScaleWorld:
    """Members by name; those that are not in ``machines`` are dead."""

    def __init__(
        self, *, seed: int, members: int, profile: ProfileName = ProfileName.DEFAULT, loss: float = 0.0
    ) -> None:
        self.rng = Random(f"scale/{seed}")
        self.now = 0.0
        self.loss = loss
        self.profile = PROFILES[profile]
        self.names = [NodeName(f"node{number:04}") for number in range(members)]
        self.machines: dict[NodeName, GossipMachine] = {}
        self.sent: dict[NodeName, Counts] = {name: Counts() for name in self.names}
        self.changes: list[tuple[float, NodeName, MemberChanged]] = []
        """When, who noticed, and what."""
        self._heap: list[tuple[float, int, NodeName, Event | bytes, NodeName]] = []
        self._order = 0
        self._edges: set[tuple[NodeName, NodeName]] = set()
        """Open edges, in both directions."""
        self._last_at: dict[tuple[NodeName, NodeName], float] = {}
        self._planned: dict[NodeName, float] = {}
        self._is_forming = True
        self._form(seed)

    def _form(self, seed: int) -> None:
        """Everybody knows everybody; what they would tell each other when an edge opens is known already."""
        reports = tuple(
            Report(name=name, epoch=1, incarnation=0, state=MemberState.ALIVE, by=name) for name in self.names
        )
        everybody = frozenset(self.names)
        for name in self.names:
            born_at = self.rng.uniform(0, self.profile.interval_s)
            machine = GossipMachine(
                me=name, epoch=1, profile=self.profile, rng=Random(f"{seed}/{name}"), now=born_at
            )
            machine.handle(Opened(peer=self.names[0]), now=born_at)
            machine.handle(Received(peer=self.names[0], message=News(reports=reports)), now=born_at)
            machine.handle(Closed(peer=self.names[0]), now=born_at)
            self.machines[name] = machine
            self._push(born_at, name, PeersKnown(peers=everybody))
        self.run(FORMING_S)
        self._is_forming = False
        self.changes.clear()
        self.sent = {name: Counts() for name in self.names}

    # ------------------------------------------------------------ time

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        heap = self._heap
        while heap and heap[0][0] <= end:
            self.now, _, name, what, source = heappop(heap)
            self._give(name, what, source)
        self.now = end

    def kill(self, name: NodeName) -> None:
        """No FIN, no answer: silence."""
        del self.machines[name]

    @property
    def views(self) -> set[frozenset[NodeName]]:
        """Whom each living member holds to live; one view if all agree."""
        return {
            frozenset(member.name for member in machine.members() if member.lives)
            for machine in self.machines.values()
        }

    def edges_of(self, name: NodeName) -> list[NodeName]:
        """To whom it has an edge."""
        return [target for source, target in self._edges if source == name]

    def _push(self, at: float, name: NodeName, what: Event | bytes, source: NodeName = NOBODY) -> None:
        self._order += 1
        heappush(self._heap, (at, self._order, name, what, source))

    def _give(self, name: NodeName, what: Event | bytes, source: NodeName) -> None:
        machine = self.machines.get(name)
        if machine is None:
            return
        if isinstance(what, bytes):
            if (source, name) not in self._edges:
                return
            what = Received(peer=source, message=decode(what))
        elif isinstance(what, Tick):
            if self._planned.get(name) != self.now:
                return
            del self._planned[name]
        self._do(name, machine.handle(what, now=self.now))
        deadline = max(machine.deadline, self.now)
        if deadline < self._planned.get(name, float("inf")):
            self._planned[name] = deadline
            self._push(deadline, name, Tick())

    # ------------------------------------------------------------ what members do

    def _do(self, name: NodeName, outputs: list[Output]) -> None:
        encoded: dict[int, bytes] = {}
        for output in outputs:
            match output:
                case Send():
                    self._send(name, output, encoded)
                case Dial():
                    self._dial(name, output.peer)
                case Probe():
                    self._probe(name, output.peer)
                case Hangup():
                    self._edges.discard((name, output.peer))
                    self._edges.discard((output.peer, name))
                case MemberChanged():
                    self.changes.append((self.now, name, output))
                case _:
                    raise AssertionError(f"nobody has an address here: {output}")

    def _send(self, name: NodeName, send: Send, encoded: dict[int, bytes]) -> None:
        if (name, send.peer) not in self._edges or (self._is_forming and isinstance(send.message, Pull)):
            return
        self.sent[name].add(send.message)
        frame = encoded.get(id(send.message))
        if frame is None:
            frame = encoded[id(send.message)] = encode(send.message)
        self._push(self._arrival(name, send.peer), send.peer, frame, name)

    def _arrival(self, source: NodeName, target: NodeName) -> float:
        late_s = 0.0
        while self.loss and self.rng.random() < self.loss:
            late_s = 2 * late_s or RETRANSMIT_S
        way = (source, target)
        at = max(self.now + self.rng.uniform(*DELAY_S) + late_s, self._last_at.get(way, 0.0))
        self._last_at[way] = at
        return at

    def _dial(self, caller: NodeName, peer: NodeName) -> None:
        """A round trip for the connection, another one for the handshake; the dead do not answer."""
        if peer not in self.machines:
            self._push(self.now + DIAL_TIMEOUT_S, caller, DialFailed(peer=peer, refused=False))
            return
        self._edges |= {(caller, peer), (peer, caller)}
        at = self.now + 4 * self.rng.uniform(*DELAY_S)
        self._push(at, peer, Opened(peer=caller))
        self._push(at, caller, Opened(peer=peer))

    def _probe(self, caller: NodeName, peer: NodeName) -> None:
        alive = peer in self.machines
        wait_s = 4 * self.rng.uniform(*DELAY_S) if alive else DIAL_TIMEOUT_S
        self._push(self.now + wait_s, caller, Probed(peer=peer, alive=alive))
