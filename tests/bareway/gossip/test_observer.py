"""An observer: whom it dials, what it believes, when it knows nothing, and what it never says."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareway.gossip.claims import NOBODY
from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Received,
    Send,
    Tick,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import Facts, LinkFact, MemberState
from bareway.gossip.message import Heartbeat, Message, News, Pull, State, decode, encode
from bareway.gossip.observer import BEAT_S, DIAL_ALL_MAX, DIAL_SOME, Observer, Picture
from bareway.gossip.profile import FORGET_S, PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName
from support.gossip_desk import ADDRESS, PROFILE, A, Z, beat, claim, report
from support.wishes import wanted as wanting

EYE = observer_name("pod")
OTHER = ip_address("192.0.2.2")
CALM_S = PROFILE.calm_s


class Bench:
    """An observer whose peers are played by hand."""

    def __init__(self, *peers: str) -> None:
        self.now = 100.0
        self.observer = Observer(me=EYE, profile=PROFILE, rng=Random("bench"), now=self.now)
        self.out: list[Output] = []
        self.pulls: dict[NodeName, int] = {}
        if peers:
            self.give(PeersKnown(peers=frozenset(map(NodeName, peers))))

    def give(self, event: Event) -> list[Output]:
        self.out = self.observer.handle(event, now=self.now)
        for output in self.out:
            if isinstance(output, Send):
                assert decode(encode(output.message)) == output.message, "it can be sent"
            if isinstance(output, Send) and isinstance(output.message, Pull):
                self.pulls[output.peer] = output.message.number
        return self.out

    def hear(self, peer: NodeName, message: Message) -> list[Output]:
        return self.give(Received(peer=peer, message=message))

    def meet(self, peer: NodeName, *told: Message) -> None:
        """An edge opens, and the peer tells all that it knows."""
        self.give(Opened(peer=peer))
        self.answer(peer, *told)

    def answer(self, peer: NodeName, *told: Message) -> None:
        for message in told or (State(number=0, last=True, reports=(report(peer, by=peer),)),):
            full = replace(message, number=self.pulls[peer]) if isinstance(message, State) else message
            self.hear(peer, full)

    def wait(self, seconds: float, *alive: NodeName) -> list[Output]:
        end, said = self.now + seconds, list[Output]()
        while self.now < end:
            self.now = min(end, self.now + 0.1)
            for peer in alive:
                said += self.hear(peer, beat())
            if self.observer.deadline <= self.now:
                said += self.give(Tick())
        self.out = said
        return said

    @property
    def picture(self) -> Picture | None:
        return self.observer.picture(now=self.now)

    @property
    def known(self) -> Picture:
        found = self.picture
        assert found is not None
        return found

    @property
    def dialled(self) -> list[NodeName]:
        return [output.peer for output in self.out if isinstance(output, Dial)]


def state(*names: NodeName, by: NodeName = A, claims: tuple = (), last: bool = True) -> State:  # type: ignore[type-arg]  # of claims
    return State(number=0, last=last, reports=tuple(report(name, by=by) for name in names), claims=claims)


# ------------------------------------------------------------ what is known


def test_nothing_is_known_before_a_member_has_told_everything() -> None:
    made = Bench(A)
    assert made.picture is None
    made.give(Opened(peer=A))
    made.answer(A, state(A, Z, last=False))
    assert made.picture is None
    made.answer(A, state(claims=(claim(Z),)))
    assert made.known.members.keys() == {A, Z}
    assert made.known.claims == {ADDRESS: claim(Z)}


def test_what_members_flood_is_known_and_who_gave_up_an_address_holds_it_no_more() -> None:
    made = Bench(A)
    made.meet(A)
    version = made.observer.version
    made.hear(A, News(claims=(claim(Z, generation=4),), reports=(report(Z),)))
    assert made.observer.version > version
    assert (made.known.claims[ADDRESS].node, made.known.generation) == (Z, 4)
    made.hear(A, News(claims=(claim(NOBODY, count=2, generation=4),)))
    assert made.known.claims == {}


def test_facts_of_members_are_those_that_they_tell() -> None:
    made = Bench(A)
    made.meet(A)
    leaving = replace(report(A, incarnation=1), facts=Facts(started=True, able=True, leaving=True))
    made.hear(A, News(reports=(leaving,)))
    assert (made.known.members[A].leaving, made.known.members[A].eligible) == (True, True)
    link = LinkFact(name=InterfaceName("eth0"), mac=MacAddress(b"\x02" + bytes(5)))
    facts = Facts(able=True, links=(link,))
    made.hear(A, News(reports=(replace(leaving, incarnation=2, facts=facts),)))
    assert (made.known.members[A].leaving, made.known.members[A].eligible) == (False, False)
    assert made.known.members[A].links == (link,)


def test_the_view_is_stable_since_the_last_that_came_or_went_and_never_while_one_is_suspected() -> None:
    made = Bench(A)
    made.meet(A, state(A, Z))
    since = made.now
    made.wait(1.0, A)
    assert (made.known.stable_since, made.known.calm_s) == (since, CALM_S)
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT),)))
    assert made.known.stable_since == inf
    assert made.known.members[Z].alive
    made.wait(30.0, A)
    assert made.known.members[Z].alive, "it is the members' to find it dead"
    made.hear(A, News(reports=(report(Z, MemberState.DEAD),)))
    assert (made.known.stable_since, made.known.members[Z].alive) == (made.now, False)
    assert made.known.joined == {A, Z}


def test_a_dead_member_that_is_only_heard_of_has_joined_once() -> None:
    made = Bench(A)
    dead = report(Z, MemberState.DEAD)
    made.meet(A, State(number=0, last=True, reports=(report(A), dead)))
    assert made.known.members.keys() == {A}
    assert made.known.joined == {A, Z}


def test_calm_is_measured_by_the_slowest_member_that_tells() -> None:
    made = Bench(A)
    made.meet(A)
    made.hear(A, beat(interval_ms=500))
    wide = PROFILES[ProfileName.WAN]
    assert made.known.calm_s == pytest.approx(5 * PROFILE.silence_s + 5 * PROFILE.suspicion_s)
    assert made.known.calm_s >= wide.calm_s


def test_an_address_wanted_no_more_is_forgotten_after_a_while_and_none_before_it_is_told_what_is_wanted() -> (
    None
):
    made = Bench(A)
    made.meet(A, state(A, claims=(claim(A), claim(A, address=OTHER))))
    made.wait(FORGET_S + 5, A)
    assert made.known.claims.keys() == {ADDRESS, OTHER}
    made.give(wanting({ADDRESS: None}))
    made.wait(FORGET_S + 5, A)
    assert made.known.claims.keys() == {ADDRESS}


# ------------------------------------------------------------ when nothing is known any more


def test_with_the_last_edge_goes_all_knowledge_but_who_ever_joined_and_the_generation() -> None:
    made = Bench(A, Z)
    made.meet(A, state(A, Z, claims=(claim(Z, generation=5),)))
    made.give(Closed(peer=A))
    assert made.picture is None
    made.meet(Z, State(number=0, last=True, reports=(report(Z, by=Z),)))
    assert made.known.members.keys() == {Z}, "nobody could tell that A is gone"
    assert made.known.claims == {}
    assert made.known.joined == {A, Z}
    assert made.known.generation == 5


def test_one_of_several_edges_may_go() -> None:
    made = Bench(A, Z)
    made.meet(A, state(A, Z))
    made.meet(Z, state(A, Z, by=Z))
    made.give(Closed(peer=A))
    assert made.known.members.keys() == {A, Z}
    assert all(member.alive for member in made.known.members.values())


def test_silence_counts_as_a_lost_edge() -> None:
    made = Bench(A)
    made.meet(A)
    made.wait(PROFILE.silence_s + 0.1)
    assert made.picture is None
    made.wait(PROFILE.silence_s)
    assert Hangup(peer=A) in made.out
    made.wait(3.0)
    assert made.dialled.count(A) >= 1


def test_after_a_pause_nothing_is_sure_until_a_pull_begun_after_it_has_ended() -> None:
    made = Bench(A)
    made.meet(A, state(A, Z))
    old = made.pulls[A]
    made.now += 3.0
    made.hear(A, beat())
    assert made.picture is None
    made.hear(A, State(number=old, last=True))
    assert made.picture is None
    made.answer(A, State(number=0, last=True))
    assert made.known.members.keys() == {A, Z}


# ------------------------------------------------------------ what it says, and to whom


def test_it_says_nothing_but_pulls_and_seldom_heartbeats() -> None:
    made = Bench(A, Z)
    made.meet(A)
    made.meet(Z, state(Z, by=Z))
    made.observer.knows_lists(9)
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT),), claims=(claim(Z),), relay=True))
    said = made.out + made.wait(10.0, A, Z)
    messages = [output.message for output in said if isinstance(output, Send)]
    assert {type(message) for message in messages} <= {Pull, Heartbeat}
    beats = [message for message in messages if isinstance(message, Heartbeat)]
    assert {message.generation for message in beats} == {9}
    assert 30 <= len(beats) <= 2 * 10.0 / BEAT_S + 2


def test_it_pulls_where_a_heartbeat_tells_that_something_is_missing() -> None:
    made = Bench(A)
    made.meet(A)
    made.out = []
    said = made.wait(1.0, A)  # the digests of these heartbeats are 0
    assert [one for one in said if isinstance(one, Send) and isinstance(one.message, Pull)]


def test_few_speakers_are_all_dialled_whatever_their_names_and_again_when_they_fail() -> None:
    names = [NodeName(f"{letter}-node") for letter in "abcdefghi"]
    assert len(names) == DIAL_ALL_MAX
    made = Bench(*names)
    assert sorted(made.dialled) == names
    for name in names:
        made.give(DialFailed(peer=name, refused=True))
    made.wait(3.0)
    assert set(made.dialled) == set(names)


def test_of_many_speakers_some_are_dialled_and_others_in_the_place_of_those_that_fail() -> None:
    names = [NodeName(f"node-{number}") for number in range(DIAL_ALL_MAX + 1)]
    made = Bench(*names)
    first = made.dialled
    assert len(first) == len(set(first)) == DIAL_SOME
    made.meet(first[0], state(first[0], by=first[0]))
    for name in first[1:]:
        made.give(DialFailed(peer=name, refused=True))
    made.wait(1.5, first[0])
    again = set(made.dialled) - set(first)
    assert len(again) == DIAL_SOME - 1


def test_members_that_live_are_dialled_rather_than_others() -> None:
    names = [NodeName(f"node-{number:03}") for number in range(100)]
    made = Bench(*names)
    first = made.dialled
    living = [name for name in names if name not in first][:DIAL_SOME]
    made.meet(first[0], state(first[0], *living, by=first[0]))
    for name in first[1:]:
        made.give(DialFailed(peer=name, refused=False))
    made.wait(1.5, first[0])
    assert set(made.dialled) - set(first) <= set(living)


# ------------------------------------------------------------ beside real machines


def talk(
    machines: Mapping[NodeName, GossipMachine],
    observer: Observer | None,
    events: Iterable[tuple[NodeName, Event]],
    *,
    now: float,
) -> list[tuple[NodeName, Output]]:
    """All that follows from these events, at one moment; what members do but for the observer."""
    queue = list(events)
    done: list[tuple[NodeName, Output]] = []
    while queue:
        name, event = queue.pop(0)
        outputs = (
            observer.handle(event, now=now)
            if name == EYE and observer
            else machines[name].handle(event, now=now)
        )
        for output in outputs:
            if isinstance(output, Send) and (output.peer in machines or (output.peer == EYE and observer)):
                message = decode(encode(output.message))
                queue.append((output.peer, Received(peer=name, message=message)))
            if name != EYE and not (isinstance(output, Send) and output.peer == EYE):
                done.append((name, output))
    return done


def run(
    steps: list[tuple[int, float]], *, observed: bool
) -> tuple[list[tuple[NodeName, Output]], Observer | None]:
    """Three machines on a perfect wire that are told things; what they do."""
    names = [NodeName(f"node-{number}") for number in range(3)]
    machines = {
        name: GossipMachine(me=name, epoch=1, profile=PROFILE, rng=Random(name), now=0.0) for name in names
    }
    observer = Observer(me=EYE, profile=PROFILE, rng=Random("eye"), now=0.0) if observed else None
    wanted: dict[IPAddress, frozenset[NodeName] | None] = {ip_address(f"192.0.2.{n}"): None for n in range(8)}
    events: list[tuple[NodeName, Event]] = []
    for name in names:
        events += [(name, PeersKnown(peers=frozenset(names))), (name, wanting(wanted))]
        events += [(name, OwnFacts(ready=True, able=True))]
        events += [(name, Opened(peer=other)) for other in names if other != name]
    done = talk(machines, observer, events, now=0.0)
    if observer is not None:
        opened = [(name, Opened(peer=EYE)) for name in names] + [(EYE, Opened(peer=name)) for name in names]
        talk(machines, observer, opened, now=0.0)
    now = 0.0
    for who, seconds in [(-1, 4.0), *steps, (-1, 4.0)]:
        if who >= 0:
            facts = OwnFacts(ready=True, able=who % 2 == 0, leaving=who >= 4)
            done += talk(machines, observer, [(names[who % 3], facts)], now=now)
        until = now + seconds
        while now < until:
            now = round(now + 0.05, 2)
            ticks: list[tuple[NodeName, Event]] = [(name, Tick()) for name in names]
            done += talk(machines, observer, [*ticks, *([(EYE, Tick())] if observer else [])], now=now)
    if observer is not None:
        seen = observer.picture(now=now)
        assert seen is not None
        assert {one.address: one for one in machines[names[0]].claims()} == seen.claims
        for name, machine in machines.items():
            facts_now = machine.own.facts
            assert seen.members[name].eligible == (facts_now.started and facts_now.able)
            assert seen.members[name].leaving == facts_now.leaving
        assert seen.members.keys() == set(names)
    return done, observer


@settings(max_examples=20, deadline=None)  # seconds of three members each
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.05, 0.3, 1.0])), max_size=4))
def test_members_do_exactly_the_same_whether_an_observer_listens_or_not(
    steps: list[tuple[int, float]],
) -> None:
    assert run(steps, observed=True)[0] == run(steps, observed=False)[0]


def test_silence_ends_what_is_known_until_all_is_told_anew() -> None:
    made = Bench(A)
    made.meet(A, state(A, claims=(claim(A),)))
    made.wait(3 * PROFILE.silence_s)
    assert Hangup(peer=A) in made.out
    made.give(Opened(peer=A))
    assert made.picture is None, "what it said before it was silent counts no more"
    made.answer(A, state(A))
    assert made.known.claims == {}


def test_an_address_that_is_wanted_again_is_learnt_again_also_from_a_claim_of_before() -> None:
    made = Bench(A)
    made.meet(A, state(A, claims=(claim(A),)))
    made.give(wanting({OTHER: None}))
    made.wait(FORGET_S + 5, A)
    made.hear(A, News(claims=(claim(A),)))
    assert made.known.claims == {}
    made.give(wanting({ADDRESS: None, OTHER: None}))
    made.hear(A, News(claims=(claim(A),)))
    assert made.known.claims.keys() == {ADDRESS}
