"""One machine, with the others played by hand: what it says and does, and in which order."""

from ipaddress import ip_address

import pytest

from bareway.gossip.events import (
    Announce,
    Closed,
    Dial,
    DialFailed,
    Hangup,
    Leave,
    MemberChanged,
    Opened,
    OwnFacts,
    PeersKnown,
    Send,
    Tick,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.member import NO_SIDE, Facts, MemberReason, MemberState, Side
from bareway.gossip.message import Heartbeat, News, Pull, State
from bareway.gossip.profile import FENCE_MAX_S, PULL_GAP_MAX_S, RELEASE_S
from bareway.model.names import NodeName
from support.gossip_desk import ADDRESS, ME, PROFILE, A, Desk, Z, beat, claim, desk, holding, paused, report
from support.wishes import wanted as wanting

H, T, S = PROFILE.interval_s, PROFILE.silence_s, PROFILE.suspicion_s
OTHER = ip_address("192.0.2.2")


# ---------------------------------------------------------------- edges


def test_known_peers_are_dialled_and_ourselves_never() -> None:
    made = Desk()
    assert made.give(PeersKnown(peers=frozenset({ME, Z}))) == [Dial(peer=Z)]


def test_an_open_edge_begins_with_a_pull_and_goes_on_with_heartbeats() -> None:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({Z})))
    made.give(Opened(peer=Z))
    assert made.sent(Z, Pull)
    made.wait(1.0)
    beats = made.sent(Z, Heartbeat)
    assert [later.sequence - beats[0].sequence for later in beats] == list(range(len(beats)))
    assert len(beats) == pytest.approx(1.0 / H, abs=1)
    assert {each.interval_ms for each in beats} == {100}


def test_a_pull_is_answered_with_everything_under_its_number() -> None:
    made = desk(A, Z)
    made.hear(A, News(claims=(claim(A),)))
    made.hear(Z, Pull(number=77))
    (state,) = made.sent(Z, State)
    assert (state.number, state.last) == (77, True)
    assert {each.name for each in state.reports} == {ME, A, Z}
    assert state.claims == (claim(A),)


def test_what_comes_without_an_edge_is_ignored() -> None:
    made = desk(Z)
    assert made.hear(A, News(reports=(report(A),))) == []
    assert [member.name for member in made.machine.members()] == [ME, Z]


@pytest.mark.parametrize("told_by_driver", [True, False])
def test_a_refused_reconnection_after_an_end_is_a_crash(*, told_by_driver: bool) -> None:
    made = desk(A, Z)
    made.give(Closed(peer=Z, refused=told_by_driver))
    if not told_by_driver:
        assert made.all(Dial) == [Dial(peer=Z)]
        made.give(DialFailed(peer=Z, refused=True))
    changed = MemberChanged(name=Z, state=MemberState.SUSPECT, reason=MemberReason.CRASHED)
    assert made.all(MemberChanged) == [changed]
    (news,) = made.sent(A, News)
    assert [(each.name, each.state, each.crashed) for each in news.reports] == [
        (Z, MemberState.SUSPECT, True)
    ]


def test_an_unanswered_reconnection_is_no_alarm_before_the_silence_is_over() -> None:
    made = desk(A, Z)
    made.give(Closed(peer=Z))
    made.give(DialFailed(peer=Z, refused=False))
    assert made.all(MemberChanged) == []
    made.wait(T, A)
    assert [each.state for each in made.all(MemberChanged)] == [MemberState.SUSPECT]


def test_a_member_that_announces_a_longer_interval_may_be_silent_for_longer() -> None:
    made = desk(Z)
    made.hear(Z, beat(interval_ms=400))
    made.wait(4 * T - 0.2)
    assert made.all(MemberChanged) == []
    made.wait(0.5)
    assert [each.state for each in made.all(MemberChanged)] == [MemberState.SUSPECT]


def test_the_edge_of_the_dead_is_hung_up() -> None:
    made = desk(A, Z)
    made.wait(T + 6 * S + H, A)
    assert [each.state for each in made.all(MemberChanged)] == [MemberState.SUSPECT, MemberState.DEAD]
    assert made.all(Hangup) == [Hangup(peer=Z)]


def test_tables_that_differ_for_long_call_for_a_pull() -> None:
    made = desk(A)
    made.wait(PULL_GAP_MAX_S + 1, A)  # the heartbeats of the other carry digests of nothing
    assert made.sent(A, Pull)


# ---------------------------------------------------------------- claims


def test_an_announcement_comes_before_everything_else() -> None:
    made = desk(A, Z, wanted={ADDRESS: None, OTHER: None})
    made.hear(Z, News(claims=(claim(Z, 5), claim(Z, 5, OTHER))))
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT, by=A),)))
    made.hear(A, News(claims=(claim(A, 6, OTHER),)))
    said = made.wait(T + S + H, A)
    (announce,) = made.all(Announce)
    assert announce.addresses == (ADDRESS,)
    assert claim(ME, 6) in made.sent(A, News)[-1].claims
    assert said.index(announce) < min(
        said.index(each) for each in said if isinstance(each, Send) and isinstance(each.message, News)
        and each.message.claims
    )  # fmt: skip


def test_who_sees_itself_beaten_stops_at_once() -> None:
    made = holding()
    made.hear(A, News(claims=(claim(A, 9),)))
    assert made.out[0] == Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.BEATEN)
    assert not made.answers()
    assert made.machine.answering == frozenset()


def test_a_rival_with_a_worse_claim_makes_us_announce_again() -> None:
    made = holding(count=5)
    made.hear(A, News(claims=(claim(A, 2),)))
    assert made.out == [Announce(addresses=(ADDRESS,))]


def test_a_worse_claim_that_is_only_passed_on_does_not() -> None:
    made = holding(count=5)
    made.hear(A, News(claims=(claim(Z, 2),)))
    assert made.out == []


@pytest.mark.parametrize("relay", [True, False])
def test_claims_are_passed_on_only_where_their_sender_could_not_reach_all(*, relay: bool) -> None:
    made = desk(A, Z)
    made.hear(A, News(claims=(claim(A),), relay=relay))
    assert [each.claims for each in made.sent(Z, News)] == ([(claim(A),)] if relay else [])
    assert made.sent(A, News) == []


def test_reports_are_always_passed_on_but_not_back() -> None:
    made = desk(A, Z)
    made.hear(A, News(reports=(report(NodeName("b")),)))
    assert [[each.name for each in news.reports] for news in made.sent(Z, News)] == [["b"]]
    assert made.sent(A, News) == []


def test_own_claims_ask_to_be_passed_on_if_a_living_member_is_out_of_reach() -> None:
    made = desk(A, wanted={ADDRESS: frozenset({ME})})
    assert not made.sent(A, News)[-1].relay
    made.hear(A, News(reports=(report(NodeName("b")),)))
    made.give(wanting({ADDRESS: frozenset({ME}), OTHER: frozenset({ME})}))
    assert made.sent(A, News)[-1].claims == (claim(ME, 1, OTHER),)
    assert made.sent(A, News)[-1].relay


def test_what_others_say_of_a_side_counts_only_where_its_member_is_out_of_reach() -> None:
    made = desk(A, Z)
    made.hear(Z, beat(side=Side(2, Z)))
    made.hear(A, News(reports=(report(Z, side=Side(9, A)), report(NodeName("b"), side=Side(7, A)))))
    made.hear(A, Pull(number=1))
    (state,) = made.sent(A, State)
    sides = {each.name: each.side for each in state.reports}
    assert (sides[Z], sides[NodeName("b")]) == (Side(2, Z), Side(7, A))


def test_what_a_push_pull_taught_is_passed_on_by_who_has_started() -> None:
    made = desk(A)
    made.meet(Z, claim(Z, 3))
    assert [each for news in made.sent(A, News) for each in news.claims] == [claim(Z, 3)]
    fresh = Desk()
    fresh.meet(A)
    fresh.meet(Z, claim(Z, 3))
    assert [each for news in fresh.sent(A, News) for each in news.claims] == []


def test_the_side_is_nothing_before_the_start() -> None:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({Z})))
    made.give(OwnFacts(ready=True, able=True))
    made.meet(Z)
    made.wait(0.3, Z)
    assert {each.side for each in made.sent(Z, Heartbeat)} == {NO_SIDE}


# ---------------------------------------------------------------- the fence


def test_an_old_turn_of_our_own_forbids_every_answer() -> None:
    made = holding()
    assert made.answers(later_s=T - 0.001)
    assert not made.answers(later_s=T + 0.001)


def test_who_never_knew_anybody_has_no_fence() -> None:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({ME})))
    made.give(wanting({ADDRESS: None}))
    made.give(OwnFacts(ready=True, able=True))
    assert made.out[0] == Announce(addresses=(ADDRESS,))
    assert made.answers(later_s=1000)


def test_after_a_pause_nothing_is_answered_everybody_is_dialled_and_asked() -> None:
    made = paused()
    assert made.out[0] == Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.FENCED)
    assert made.all(Dial) == [Dial(peer=A)], "also whose turn it is to dial us"
    assert len(made.sent(Z, Pull)) == 1
    assert not made.answers()
    assert made.machine._sides.own(now=made.now) == NO_SIDE


def test_after_a_pause_nobody_is_accused_of_silence() -> None:
    made = paused()
    assert made.all(MemberChanged) == []
    made.wait(T - 2 * H)
    assert made.all(MemberChanged) == []


def test_after_a_pause_a_suspect_still_has_its_time_to_refute() -> None:
    made = desk(A, Z)
    made.hear(A, News(reports=(report(Z, MemberState.SUSPECT, by=A),)))
    made.now += 60.0
    made.give(Tick())
    assert made.all(MemberChanged) == []


def test_a_push_pull_begun_after_the_pause_confirms_what_is_still_ours() -> None:
    made = paused()
    (pull,) = made.sent(Z, Pull)
    made.hear(Z, State(number=pull.number - 1, last=True, claims=(claim(ME),)))
    assert made.all(Announce) == [], "an answer from before says nothing"
    made.hear(Z, State(number=pull.number, last=False))
    assert made.all(Announce) == [], "not all of it yet"
    made.hear(Z, State(number=pull.number, last=True))
    assert made.out[0] == Announce(addresses=(ADDRESS,))


def test_after_the_pause_the_side_is_what_we_see_now() -> None:
    made = paused()
    (pull,) = made.sent(Z, Pull)
    made.hear(Z, State(number=pull.number, last=True))
    assert made.machine._sides.own(now=made.now) == Side(3, A)


def test_a_push_pull_after_the_pause_also_brings_what_is_ours_no_more() -> None:
    made = paused()
    (pull,) = made.sent(Z, Pull)
    made.hear(Z, State(number=pull.number, last=True, claims=(claim(Z, 2),)))
    assert made.all(Announce) == []
    assert made.machine.answering == frozenset()


def test_a_second_without_any_edge_ends_the_silence() -> None:
    made = paused()
    made.give(Closed(peer=Z, refused=True))
    made.wait(FENCE_MAX_S - 0.01)
    assert made.machine.answering == frozenset()
    made.wait(0.02)
    assert made.machine.answering == {ADDRESS}


def test_a_short_lag_accuses_nobody_but_needs_no_confirmation() -> None:
    made = holding()
    made.now += T - 0.01
    made.give(Tick())
    assert made.all(MemberChanged) == []
    assert made.answers()
    made.wait(0.1)
    assert made.all(MemberChanged) == []


# ---------------------------------------------------------------- start and end


def test_nothing_is_claimed_before_the_start() -> None:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({Z})))
    made.give(wanting({ADDRESS: frozenset({ME})}))
    made.give(OwnFacts(ready=True, able=True))
    made.meet(Z)
    assert made.wait(PROFILE.calm_s - 0.01, Z)
    assert made.all(Announce) == []
    made.wait(0.02, Z)
    assert made.all(Announce) == [Announce(addresses=(ADDRESS,))]


def test_who_is_back_after_a_crash_answers_for_its_claims_as_soon_as_it_learns_them() -> None:
    made = Desk()
    made.give(PeersKnown(peers=frozenset({Z})))
    made.give(wanting({ADDRESS: None}))
    made.give(OwnFacts(ready=True, able=True))
    made.meet(Z, claim(ME, 4))
    assert made.out[0] == Announce(addresses=(ADDRESS,))
    assert made.machine.claims() == (claim(ME, 4),), "it goes on, it does not claim anew"


def test_when_its_node_is_able_again_a_member_starts_anew() -> None:
    made = holding()
    made.give(OwnFacts(ready=True, able=False))
    assert made.answers(), "until somebody has claimed"
    made.give(OwnFacts(ready=True, able=True))
    assert made.out[0] == Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.NOT_STARTED)
    assert made.sent(A, Pull)
    assert not made.machine.own.facts.started


def test_goodbye_withdraws_everything_tells_everybody_and_is_the_end() -> None:
    made = holding()
    made.give(Leave())
    assert made.out[0] == Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.LEFT)
    for peer in (A, Z):
        (news,) = made.sent(peer, News)
        assert [(each.name, each.state) for each in news.reports] == [(ME, MemberState.LEFT)]
    assert made.machine.deadline == float("inf")
    assert made.hear(A, News(reports=(report(ME, MemberState.DEAD),))) == []


def test_facts_of_our_own_node_are_told_to_all() -> None:
    made = desk(A)
    made.give(OwnFacts(ready=True, able=True, leaving=True))
    (news,) = made.sent(A, News)
    assert [each.facts for each in news.reports] == [Facts(started=True, able=True, leaving=True)]


def test_a_highest_generation_is_heard_and_told_on() -> None:
    made = desk(A, Z)
    made.hear(A, Heartbeat(
        sequence=1, interval_ms=100, generation=12, view_digest=0, claims_digest=0, side=NO_SIDE
    ))  # fmt: skip
    made.wait(0.2, A, Z)
    assert made.sent(Z, Heartbeat)[-1].generation == 12


def test_who_is_asked_for_everything_tells_its_own_side_too() -> None:
    made = desk(A)
    made.hear(A, Pull(number=3))
    (told,) = made.sent(A, State)
    (own,) = [report for report in told.reports if report.name == ME]
    assert own.side == made.machine._sides.own(now=made.now)
    assert own.side is not None


def test_what_nobody_wants_any_more_is_given_up_in_the_end() -> None:
    made = holding()
    made.give(wanting({}))
    assert made.machine.claims() == (claim(ME),), "others may want it still"
    made.wait(RELEASE_S + 10.0, A, Z)
    assert made.machine.claims() == ()
