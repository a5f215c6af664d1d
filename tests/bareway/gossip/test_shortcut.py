"""Most heartbeats tell nothing and are not followed up: a machine that follows up each does the same."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareway.gossip.events import (
    Event,
    ListsKnown,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Received,
    Tick,
    Wanted,
    Wish,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import NO_SIDE, MemberState
from bareway.gossip.message import Heartbeat, News, State
from bareway.model.configuration import Partition
from bareway.model.names import NodeName
from support.gossip_desk import ME, PROFILE, claim, report

PEERS = [NodeName(name) for name in ("a", "b", "y", "z")]
KEYS = [ip_address(f"192.0.2.{number}") for number in range(1, 5)]


class Thorough(GossipMachine):
    """Follows up everything."""

    def _is_all_the_same(self, event: Event, now: float) -> bool:
        return False


class Life:
    """One machine that is ticked when it wants, and all that it ever did."""

    def __init__(self, kind: type[GossipMachine], partition: Partition) -> None:
        self.now = 0.0
        self.done: list[tuple[float, Output]] = []
        self.machine = kind(me=ME, epoch=1, profile=PROFILE, rng=Random("life"), now=0.0, partition=partition)
        self.give(PeersKnown(peers=frozenset(PEERS)))
        self.give(
            Wanted(
                addresses={
                    key: Wish(generation=key == KEYS[0], nodes=(ME,) * (key == KEYS[0])) for key in KEYS
                },
                lists=ListsKnown(generation=1, exist=True, current=True),
            )
        )
        self.give(OwnFacts(ready=True, able=True))
        for number, peer in enumerate(PEERS, 1):
            self.give(Opened(peer=peer))
            state = State(number=number, last=True, reports=tuple(report(each, by=each) for each in PEERS))
            self.give(Received(peer=peer, message=state))
        self.live(4.0, PEERS)

    def give(self, event: Event) -> None:
        self.done += [(self.now, output) for output in self.machine.handle(event, now=self.now)]

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.machine.deadline <= until:
            self.now = max(self.now, self.machine.deadline)
            self.give(Tick())
        self.now = until

    def live(self, seconds: float, speakers: list[NodeName], **changed: int) -> None:
        """Some speak every 17 ms, out of step with our own heartbeats; the first one answers pulls, too."""
        for _ in range(round(seconds / 0.017)):
            self.sleep(0.017)
            for peer in speakers:
                self.beat(peer, **changed)
                edge = self.machine._edges.get(peer)
                if peer == PEERS[0] and edge is not None and edge.pull is not None:
                    self.give(Received(peer=peer, message=State(number=edge.pull, last=True)))

    def beat(self, peer: NodeName, *, interval_ms: int = 100, generation: int = 0, knows: int = 1) -> None:
        machine = self.machine
        self.give(
            Received(
                peer=peer,
                message=Heartbeat(
                    sequence=1,
                    interval_ms=interval_ms,
                    generation=generation,
                    view_digest=machine._membership.digest if knows else 5,
                    claims_digest=machine._election.table.digest if knows else 6,
                    side=NO_SIDE,
                ),
            )
        )


@dataclass(frozen=True)
class Alive:
    """Some speak for a while, and say this."""

    seconds: float
    speakers: list[NodeName]
    changed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Suspected:
    name: NodeName
    incarnation: int = 0


@dataclass(frozen=True)
class Claimed:
    name: NodeName
    place: int
    count: int


@dataclass(frozen=True)
class Paused:
    seconds: float


Step = Alive | Suspected | Claimed | Paused
CHANGED = st.fixed_dictionaries(
    {},
    optional={
        "interval_ms": st.sampled_from([10, 50, 400]),
        "generation": st.integers(0, 3),
        "knows": st.integers(0, 1),
    },
)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Alive, st.floats(0.05, 1.5), st.lists(st.sampled_from(PEERS), unique=True), CHANGED),
        st.builds(Suspected, st.sampled_from(PEERS), st.integers(0, 2)),
        st.builds(Claimed, st.sampled_from(PEERS), st.integers(0, 3), st.integers(1, 4)),
        st.builds(Paused, st.floats(0.1, 1.0)),
    ),
    max_size=6,
)


def play(kind: type[GossipMachine], partition: Partition, steps: list[Step]) -> Life:
    life = Life(kind, partition)
    for step in steps:
        match step:
            case Alive():
                life.live(step.seconds, step.speakers, **step.changed)
            case Suspected():
                said = report(step.name, MemberState.SUSPECT, incarnation=step.incarnation, by=PEERS[0])
                life.give(Received(peer=PEERS[0], message=News(reports=(said,))))
            case Claimed():
                claims = (claim(step.name, step.count, KEYS[step.place]),)
                life.give(Received(peer=PEERS[1], message=News(claims=claims)))
            case Paused():
                life.now += step.seconds
                life.give(Tick())
    life.live(1.0, PEERS)
    return life


@pytest.mark.parametrize("partition", Partition)
@settings(max_examples=10, deadline=None)  # seconds of two members each
@given(steps=STEPS)
def test_what_is_not_followed_up_would_have_changed_nothing(partition: Partition, steps: list[Step]) -> None:
    assert play(GossipMachine, partition, steps).done == play(Thorough, partition, steps).done


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([Alive(0.3, PEERS), Alive(0.017, PEERS, {"interval_ms": 10}), Alive(1.0, PEERS[:2])],
                     id="a faster interval is an earlier alarm"),
        pytest.param([Alive(0.7, []), Alive(2.0, PEERS[:1]), Alive(2.0, PEERS)], id="a majority is back"),
        pytest.param([Alive(0.2, PEERS, {"generation": 3}), Claimed(PEERS[0], 1, 9), Suspected(PEERS[0]),
                      Alive(2.0, PEERS[1:], {"generation": 3})], id="newer lists"),
    ],
)  # fmt: skip
def test_what_a_heartbeat_can_tell_is_followed_up(steps: list[Step]) -> None:
    for partition in Partition:
        assert play(GossipMachine, partition, steps).done == play(Thorough, partition, steps).done
