"""One gossip machine on a desk: its peers are played by hand, its time passes as told."""

from collections.abc import Mapping
from ipaddress import ip_address
from random import Random
from typing import TypeVar

from bareway.gossip.claims import Claim
from bareway.gossip.events import (
    Closed,
    DialFailed,
    Event,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Permission,
    Received,
    Send,
    Tick,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import NO_SIDE, Facts, MemberState, Report, Side
from bareway.gossip.message import Heartbeat, Message, News, Pull, State
from bareway.gossip.profile import PROFILES, START_MAX_S, ProfileName
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from support.wishes import wanted as wanting

A, ME, Z = (NodeName(name) for name in ("a", "m", "z"))
PROFILE = PROFILES[ProfileName.DEFAULT]
ADDRESS = ip_address("192.0.2.1")
UP = Facts(started=True, able=True)
Kind = TypeVar("Kind")


def report(name: NodeName, state: MemberState = MemberState.ALIVE, *, incarnation: int = 0, by: NodeName = A,
           side: Side | None = None) -> Report:  # fmt: skip
    return Report(name=name, epoch=1, incarnation=incarnation, state=state, facts=UP, by=by, side=side)


def claim(node: NodeName, count: int = 1, address: IPAddress = ADDRESS, generation: int = 0) -> Claim:
    return Claim(address=address, generation=generation, count=count, node=node)


class Desk:
    """A machine, its time, and what it said last."""

    def __init__(self, partition: Partition = Partition.AVAILABLE) -> None:
        self.now = 100.0
        self.machine = GossipMachine(
            me=ME, epoch=1, profile=PROFILE, rng=Random("desk"), now=self.now, partition=partition
        )
        self.out: list[Output] = []

    def give(self, event: Event) -> list[Output]:
        self.out = self.machine.handle(event, now=self.now)
        return self.out

    def answers(self, address: IPAddress = ADDRESS, *, later_s: float = 0.0) -> bool:
        return self.machine.may_answer(address, now=self.now + later_s) is Permission.YES

    def hear(self, peer: NodeName, message: Message) -> list[Output]:
        return self.give(Received(peer=peer, message=message))

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [output for output in self.out if isinstance(output, kind)]

    def sent(self, peer: NodeName, kind: type[Kind]) -> list[Kind]:
        messages = [send.message for send in self.all(Send) if send.peer == peer]
        return [message for message in messages if isinstance(message, kind)]

    def wait(self, seconds: float, *alive: NodeName) -> list[Output]:
        """Time passes with heartbeats from some; everything that is said meanwhile."""
        end, said = self.now + seconds, list[Output]()
        while self.machine.deadline < end:
            self.now = max(self.now, self.machine.deadline)
            said += self.machine.handle(Tick(), now=self.now)
            for peer in alive:
                said += self.machine.handle(Received(peer=peer, message=beat()), now=self.now)
        self.now, self.out = end, said
        return said

    def meet(self, peer: NodeName, *claims: Claim, side: Side | None = None, incarnation: int = 0) -> None:
        """An edge opens, the peer tells all it knows and asks for nothing."""
        (pull,) = [
            output.message
            for output in self.give(Opened(peer=peer))
            if isinstance(output, Send) and isinstance(output.message, Pull)
        ]
        told = (report(peer, incarnation=incarnation, by=peer, side=side),)
        self.hear(peer, State(number=pull.number, last=True, reports=told, claims=claims))


def beat(side: Side = NO_SIDE, interval_ms: int = 100) -> Heartbeat:
    return Heartbeat(
        sequence=1, interval_ms=interval_ms, generation=0, view_digest=0, claims_digest=0, side=side
    )


def desk(
    *peers: NodeName,
    wanted: Mapping[IPAddress, frozenset[NodeName] | None] | None = None,
    partition: Partition = Partition.AVAILABLE,
) -> Desk:
    """Started, with edges to these, which serve nothing."""
    made = Desk(partition)
    made.give(PeersKnown(peers=frozenset({ME, *peers})))
    made.give(wanting(wanted or {}))
    made.give(OwnFacts(ready=True, able=True))
    for peer in peers:
        made.meet(peer)
    made.wait(START_MAX_S + 0.1, *peers)
    assert made.machine.own.facts == UP
    return made


def holding(count: int = 1, partition: Partition = Partition.AVAILABLE) -> Desk:
    """We hold ADDRESS."""
    made = desk(A, Z, wanted={ADDRESS: frozenset({ME})}, partition=partition)
    made.hear(A, News(claims=(claim(ME, count),)))
    made.give(wanting({ADDRESS: None}))
    assert made.answers()
    return made


def paused() -> Desk:
    made = holding()
    made.give(Closed(peer=A))
    made.give(DialFailed(peer=A, refused=False))
    made.now += 5.0
    made.give(Tick())
    return made
