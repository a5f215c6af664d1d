"""The detector in a whole machine: whom it asks before it is sure, its own health, who is a neighbour."""

import itertools
from dataclasses import replace
from random import Random

import pytest

from bareway.gossip.events import (
    Dial,
    Hangup,
    KeyHeld,
    MemberChanged,
    Opened,
    OwnFacts,
    PeersKnown,
    Probe,
    Probed,
    Send,
    Tick,
    UseProfile,
)
from bareway.gossip.machine import LAG_DIVISOR, GossipMachine
from bareway.gossip.member import LinkFact, MemberReason, MemberState
from bareway.gossip.message import Heartbeat, News, PingAnswer, PingRequest, Pull
from bareway.gossip.profile import (
    PROFILES,
    REACCUSE_S,
    SURPLUS_S,
    SUSPICION_MAX_FACTOR,
    SYNC_S,
    ProfileName,
    sync_s,
)
from bareway.gossip.rings import Rings
from bareway.gossip.speech import NOTICES
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, NodeName
from support.gossip_desk import ME, PROFILE, A, Desk, Z, beat, desk, report

H, T, S = PROFILE.interval_s, PROFILE.silence_s, PROFILE.suspicion_s
OTHERS = [NodeName(f"node{number:02}") for number in range(19)]
LINK = LinkFact(name=InterfaceName("eth0"), mac=MacAddress(bytes(6)))


def suspects(made: Desk) -> list[NodeName]:
    return [each.name for each in made.all(MemberChanged) if each.state is MemberState.SUSPECT]


def crowd() -> Desk:
    """One of twenty, with edges to its neighbours."""
    made = Desk()
    made.give(PeersKnown(peers=frozenset(OTHERS)))
    made.give(OwnFacts(ready=True, able=True))
    made.give(Opened(peer=OTHERS[0]))
    made.hear(OTHERS[0], News(reports=tuple(report(name, by=name) for name in OTHERS)))
    for name in neighbours():
        made.give(Opened(peer=name))
    return made


def neighbours() -> list[NodeName]:
    return sorted(Rings([ME, *OTHERS]).neighbours(ME))


# ---------------------------------------------------------------- before it is sure


def test_a_silent_member_is_suspected_dialled_afresh_and_asked_for() -> None:
    made = desk(A, Z)
    made.wait(T + 0.01, A)
    assert suspects(made) == [Z]
    assert Dial(peer=Z) in made.out
    assert [request.target for request in made.sent(A, PingRequest)] == [Z]


@pytest.mark.parametrize("how", ["a fresh edge", "a frame", "another's word"])
def test_a_suspect_of_which_there_is_fresh_evidence_lives(how: str) -> None:
    made = desk(A, Z)
    made.wait(T + 0.01, A)
    (request,) = made.sent(A, PingRequest)
    if how == "a fresh edge":
        made.give(Opened(peer=Z))
    elif how == "a frame":
        made.hear(Z, beat())
    else:
        made.hear(A, PingAnswer(number=request.number, heard=True))
    (changed,) = made.all(MemberChanged)
    assert (changed.name, changed.state, changed.reason) == (Z, MemberState.ALIVE, MemberReason.REFUTED)
    made.wait(S + 0.01, A)
    assert not [each for each in made.all(MemberChanged) if each.state is MemberState.DEAD]


def test_a_suspect_of_which_there_is_none_is_dead_at_the_bound() -> None:
    made = desk(A, Z)
    made.hear(Z, beat())
    made.wait(T, A)
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT, by=A),)))
    made.wait(S + 0.01, A)
    assert MemberState.DEAD in [each.state for each in made.all(MemberChanged)]


def apart() -> Desk:
    """Z is silent on our edge, and has refuted what we said of it."""
    made = desk(A, Z)
    made.wait(T + 0.01, A)
    assert suspects(made) == [Z]
    made.hear(A, News(reports=(report(Z, incarnation=1, by=Z),)))
    return made


def test_one_that_refuted_is_asked_about_before_it_is_accused_again() -> None:
    made = apart()
    asked = 0
    for _ in range(round(10 * REACCUSE_S / H)):
        made.wait(H, A)
        assert suspects(made) == []
        for request in made.sent(A, PingRequest):
            asked += 1
            made.hear(A, PingAnswer(number=request.number, heard=True))
    assert asked >= 10


@pytest.mark.parametrize("says_no", [True, False])
def test_one_that_refuted_and_that_nobody_hears_any_more_is_accused_again(*, says_no: bool) -> None:
    made = apart()
    while not (requests := made.sent(A, PingRequest)):
        made.wait(H, A)
    if says_no:
        made.hear(A, PingAnswer(number=requests[0].number, heard=False))
    made.wait(2 * T + H, A)
    assert suspects(made) == [Z]


def test_one_that_was_heard_again_is_accused_at_once_when_it_falls_silent() -> None:
    made = apart()
    made.give(Opened(peer=Z))
    made.hear(Z, beat())
    made.wait(T + 0.01, A)
    assert suspects(made) == [Z]


def test_another_is_told_when_the_member_it_asks_for_speaks() -> None:
    made = desk(A, Z)
    made.hear(A, PingRequest(number=5, target=Z, wait_ms=200))
    assert made.sent(A, PingAnswer) == []
    made.hear(Z, beat())
    assert made.sent(A, PingAnswer) == [PingAnswer(number=5, heard=True)]


def test_another_is_told_in_time_that_the_member_it_asks_for_is_silent() -> None:
    made = desk(A, Z)
    made.hear(A, PingRequest(number=5, target=Z, wait_ms=200))
    made.wait(0.19, A)
    assert made.sent(A, PingAnswer) == []
    made.wait(0.02, A)
    assert made.sent(A, PingAnswer) == [PingAnswer(number=5, heard=False)]


def test_one_that_is_no_neighbour_is_probed_for_another() -> None:
    made = crowd()
    stranger = min(set(OTHERS) - set(neighbours()) - {OTHERS[0]})
    asker = neighbours()[0]
    assert Probe(peer=stranger) in made.hear(asker, PingRequest(number=5, target=stranger, wait_ms=200))
    made.give(Probed(peer=stranger, alive=True))
    assert made.sent(asker, PingAnswer) == [PingAnswer(number=5, heard=True)]


# ---------------------------------------------------------------- our own health


def test_a_late_turn_of_our_own_lengthens_the_silence_of_others_and_passes() -> None:
    made = desk(A, Z)
    made.now += T / 2 + H
    made.give(Tick())
    made.hear(Z, beat())
    made.wait(T + H, A)
    assert suspects(made) == []
    made.wait(T, A)
    assert suspects(made) == [Z]


def test_in_a_late_turn_nobody_is_declared_dead_before_what_waits_unread_was_read() -> None:
    made = desk(A, Z)
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT, by=A),)))
    made.wait(SUSPICION_MAX_FACTOR * S - H / 2, A, Z)
    made.give(Tick())
    assert not made.all(MemberChanged)
    made.now += T / LAG_DIVISOR + H + 0.001
    made.give(Tick())
    assert not made.all(MemberChanged)
    made.wait(2 * H, A, Z)
    assert [each.state for each in made.all(MemberChanged)] == [MemberState.DEAD], "but no later than that"


def test_who_lost_its_last_link_accuses_nobody() -> None:
    made = desk(A, Z)
    made.give(OwnFacts(ready=True, able=True, links=(LINK,)))
    made.give(OwnFacts(ready=True, able=False))
    made.wait(4 * T)
    assert suspects(made) == []
    made.give(OwnFacts(ready=True, able=True, links=(LINK,)))
    made.wait(4 * T)
    assert suspects(made) == [A, Z]


def test_who_never_told_of_a_link_accuses() -> None:
    made = desk(A, Z)
    made.wait(T + 0.01)
    assert suspects(made) == [A, Z]


def test_when_most_fall_silent_at_once_the_accusation_waits_once() -> None:
    peers = [NodeName(name) for name in ("a", "b", "c", "d", "z")]
    made = desk(*peers)
    for peer in peers:
        made.hear(peer, beat())
    made.wait(T + H, peers[0], peers[1])
    assert suspects(made) == [], "three of five"
    made.wait(T, peers[0], peers[1])
    assert sorted(suspects(made)) == sorted(peers[2:])


def test_when_a_minority_falls_silent_it_is_accused_at_once() -> None:
    peers = [NodeName(name) for name in ("a", "b", "c", "d", "z")]
    made = desk(*peers)
    for peer in peers:
        made.hear(peer, beat())
    made.wait(T + H, *peers[:3])
    assert sorted(suspects(made)) == sorted(peers[3:])


# ---------------------------------------------------------------- neighbours


def test_of_a_large_group_the_neighbours_are_dialled_and_the_rest_is_not() -> None:
    made = crowd()
    made.wait(1.0, *neighbours())
    assert {send.peer for send in made.all(Send) if isinstance(send.message, Heartbeat)} - {OTHERS[0]} == set(
        neighbours()
    ) - {OTHERS[0]}


def test_who_takes_the_place_of_a_dead_neighbour_is_dialled_before_anybody_is_given_up() -> None:
    made = crowd()
    made.wait(SURPLUS_S + 1, *neighbours())
    before = neighbours()
    gone = before[0]
    after = Rings([ME, *OTHERS])
    after.remove(gone)
    new = sorted(after.neighbours(ME) - set(before))
    made.hear(before[1], News(reports=(report(gone, MemberState.LEFT, by=gone),)))
    said = made.out + made.wait(0.1, *before[1:])
    assert {output.peer for output in said if isinstance(output, Dial)} >= set(new)
    made.wait(2 * SURPLUS_S, *before[1:])
    assert {output.peer for output in made.all(Hangup)} <= {gone}, "the new one has no edge yet"


# ---------------------------------------------------------------- pulls that nothing calls for


@pytest.mark.parametrize(
    ("members", "factor"),
    [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3), (128, 3), (1000, 6)],
)
def test_the_time_between_pulls_is_scaled_as_memberlist_does(members: int, factor: int) -> None:
    """The vectors of its TestPushPullScale."""
    assert sync_s(members) == factor * SYNC_S


def test_now_and_then_one_member_is_asked_for_everything() -> None:
    made = desk(A, Z)
    same = replace(
        beat(), view_digest=made.machine._membership.digest, claims_digest=made.machine._election.table.digest
    )
    pulls = 0
    for _ in range(int(4 * SYNC_S / H)):
        for peer in (A, Z):
            made.hear(peer, same)
        made.now += H
        made.give(Tick())
        pulls += len(made.sent(A, Pull)) + len(made.sent(Z, Pull))
    assert 3 <= pulls <= 6


# ---------------------------------------------------------------- another profile, another key


def intervals(made: Desk, seconds: float) -> list[tuple[float, int]]:
    """When heartbeats left, and which interval each announced."""
    sent: list[tuple[float, int]] = []
    end = made.now + seconds
    while made.machine.deadline < end:
        made.now = max(made.now, made.machine.deadline)
        made.give(Tick())
        sent += [(made.now, each.interval_ms) for each in made.sent(Z, Heartbeat)]
        made.hear(Z, beat())
    return sent


def test_a_slower_interval_is_announced_before_it_takes_effect() -> None:
    made = desk(Z)
    made.wait(H, Z)
    made.give(UseProfile(profile=PROFILES[ProfileName.WAN]))
    sent = intervals(made, 3.0)
    gaps = [round(later - earlier, 3) for (earlier, _), (later, _) in itertools.pairwise(sent)]
    assert {announced for _, announced in sent} == {500}
    assert gaps[:NOTICES] == [H] * NOTICES
    assert set(gaps[NOTICES:]) == {0.5}


def test_a_faster_interval_takes_effect_with_its_announcement() -> None:
    made = desk(Z)
    made.wait(H, Z)
    made.give(UseProfile(profile=PROFILES[ProfileName.FAST]))
    assert [each.interval_ms for each in made.sent(Z, Heartbeat)] == [25]
    sent = intervals(made, 1.0)
    gaps = {round(later - earlier, 3) for (earlier, _), (later, _) in itertools.pairwise(sent)}
    assert gaps == {0.025}


def test_another_profile_changes_what_is_demanded_of_ourselves() -> None:
    made = Desk()
    made.give(UseProfile(profile=PROFILES[ProfileName.FAST]))
    assert made.machine._guard.profile.silence_s == 0.125
    assert made.machine._guard.readiness.calm_s == pytest.approx(0.225)


def test_the_key_that_we_hold_is_published_and_stays_with_other_facts() -> None:
    made = desk(Z)
    made.give(KeyHeld(key_id=b"new"))
    (news,) = made.sent(Z, News)
    assert [each.facts.key_id for each in news.reports] == [b"new"]
    made.give(OwnFacts(ready=True, able=True, leaving=True))
    assert (made.machine.own.facts.key_id, made.machine.own.facts.leaving) == (b"new", True)


def test_two_machines_with_one_seed_do_the_same() -> None:
    def play() -> list[object]:
        machine = GossipMachine(me=ME, epoch=1, profile=PROFILE, rng=Random("same"), now=0.0)
        said: list[object] = [*machine.handle(PeersKnown(peers=frozenset(OTHERS)), now=0.0)]
        for step in range(1, 200):
            said += machine.handle(Tick(), now=step * 0.05)
        return said

    assert play() == play()


def test_another_profile_changes_how_long_others_may_be_silent_and_we_may_be_unwell() -> None:
    fast = PROFILES[ProfileName.FAST]
    made = desk(A, Z)
    made.give(UseProfile(profile=fast))
    assert made.machine._detector.health.recovery_s == 2 * fast.silence_s
    assert made.machine._detector._edges.profile is made.machine._detector._inquiries.profile is fast


def test_what_another_says_of_a_suspect_counts_from_the_moment_when_it_comes() -> None:
    made = desk(A, Z)
    made.wait(T + 0.01, A)
    (request,) = made.sent(A, PingRequest)
    made.hear(A, PingAnswer(number=request.number, heard=True))
    (member,) = [one for one in made.machine.members() if one.name == Z]
    assert member.since == made.now


@pytest.mark.parametrize(
    ("returns", "epoch", "patience"),
    [
        pytest.param(2, 1, 1, id="two"),
        pytest.param(3, 1, 2, id="three"),
        pytest.param(3, 2, 1, id="three that begin anew were dead indeed"),
    ],
)
def test_where_several_come_back_from_the_dead_all_may_be_silent_for_longer(
    returns: int, epoch: int, patience: int
) -> None:
    made = desk(A, Z)
    members = [report(name) for name in OTHERS[:3]]
    made.hear(A, News(reports=tuple(members)))
    made.hear(A, News(reports=tuple(replace(each, state=MemberState.SUSPECT) for each in members)))
    made.wait(S, A, Z)
    made.hear(A, News(reports=tuple(replace(each, state=MemberState.DEAD) for each in members)))
    back = tuple(replace(each, epoch=epoch, incarnation=1) for each in members[:returns])
    made.hear(A, News(reports=back))
    assert [each.reason for each in made.all(MemberChanged)] == [MemberReason.RETURNED] * returns
    made.hear(Z, beat())
    made.wait(patience * T - 0.05, A)
    assert Z not in suspects(made)
    made.wait(0.1, A)
    assert Z in suspects(made)
