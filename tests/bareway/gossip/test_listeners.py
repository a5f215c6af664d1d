"""Observers at a member: they are told everything, and are nothing to the group."""

from dataclasses import replace

import pytest

from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Hangup,
    Opened,
    OwnFacts,
    Received,
    Send,
)
from bareway.gossip.listeners import LISTENERS_MAX
from bareway.gossip.member import MemberState, Report
from bareway.gossip.message import Heartbeat, Message, News, Pull, State
from bareway.gossip.roles import is_observer, observer_name
from bareway.model.names import NodeName
from support.gossip_desk import ADDRESS, ME, UP, A, Desk, Z, beat, claim, desk, report
from support.wishes import wanted as wanting

EYE = observer_name("bareway-controller-7d9f")
SLOW_MS = 500


def seen_by(made: Desk) -> set[NodeName]:
    return {member.name for member in made.machine.members()}


def attended(*peers: NodeName) -> Desk:
    """A member with an observer's edge."""
    made = desk(*peers)
    made.give(Opened(peer=EYE))
    assert made.out == []
    return made


def test_an_observer_is_told_what_everybody_is_told_and_each_heartbeat() -> None:
    made = attended(A, Z)
    made.hear(A, News(claims=(claim(A),), relay=True))
    assert made.sent(EYE, News) == made.sent(Z, News)
    assert made.sent(EYE, News)[0].claims == (claim(A),)
    made.wait(0.1, A, Z)
    assert made.sent(EYE, Heartbeat) == made.sent(Z, Heartbeat) != []


def test_an_observers_pull_is_answered_with_everything() -> None:
    made = attended(A)
    made.hear(A, News(claims=(claim(A),)))
    made.hear(EYE, Pull(number=9))
    (state,) = made.sent(EYE, State)
    assert (state.number, state.last, state.claims) == (9, True, (claim(A),))
    assert {one.name for one in state.reports} == {ME, A}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(News(claims=(claim(Z, count=9),), reports=(report(Z),), relay=True), id="news"),
        pytest.param(
            State(number=1, last=True, claims=(claim(Z, count=9),), reports=(report(Z),)), id="state"
        ),
    ],
)
def test_what_an_observer_says_of_members_and_claims_is_ignored(message: Message) -> None:
    made = attended(A)
    made.hear(EYE, message)
    assert made.out == []
    assert seen_by(made) == {ME, A}
    assert made.machine.claims() == ()


def test_an_observer_is_never_a_member_whoever_says_so() -> None:
    made = attended(A)
    about = Report(name=EYE, epoch=1, incarnation=0, state=MemberState.ALIVE, facts=UP, by=A)
    made.hear(A, News(reports=(about,)))
    assert made.out == []
    assert seen_by(made) == {ME, A}


def test_whoever_has_only_observers_is_alone_and_starts_and_answers_at_once() -> None:
    made = Desk()
    made.give(Opened(peer=EYE))
    made.give(wanting({ADDRESS: None}))
    made.give(OwnFacts(ready=True, able=True))
    assert made.machine.own.facts.started
    assert made.machine.answering == {ADDRESS}
    made.now += 60.0  # a pause: with members this would trip the fence
    assert made.answers()


def test_a_silent_observer_is_hung_up_and_nobody_is_told() -> None:
    made = attended(A)
    said = made.wait(1.15, A)
    assert Hangup(peer=EYE) in said
    assert not [one for one in said if isinstance(one, Dial) and one.peer == EYE]
    told = [one.message for one in said if isinstance(one, Send) and isinstance(one.message, News)]
    assert told == []
    made.wait(0.2, A)
    assert made.sent(EYE, Heartbeat) == []


def test_an_observer_is_allowed_the_silence_that_follows_from_the_interval_it_announced() -> None:
    made = attended(A)
    made.hear(EYE, beat(interval_ms=SLOW_MS))
    assert Hangup(peer=EYE) not in made.wait(4.8, A)
    assert Hangup(peer=EYE) in made.wait(0.5, A)


def test_after_a_pause_of_our_own_no_observer_is_held_silent() -> None:
    made = attended(A)
    made.now += 30.0
    made.hear(A, beat())
    assert Hangup(peer=EYE) not in made.out
    assert Hangup(peer=EYE) not in made.wait(0.3, A)


def test_the_generation_of_the_lists_that_an_observer_knows_goes_round() -> None:
    made = attended(A)
    made.hear(EYE, replace(beat(), generation=7))
    made.wait(0.1, A)
    assert {one.generation for one in made.sent(A, Heartbeat)} == {7}


def test_only_a_few_observers_are_let_in_and_one_that_calls_again_keeps_its_place() -> None:
    made = desk(A)
    eyes = [observer_name(f"pod-{number}") for number in range(LISTENERS_MAX + 1)]
    for eye in eyes[:-1]:
        assert made.give(Opened(peer=eye)) == []
    assert made.give(Opened(peer=eyes[-1])) == [Hangup(peer=eyes[-1])]
    assert made.give(Opened(peer=eyes[0])) == []
    made.give(Closed(peer=eyes[1]))
    assert made.give(Opened(peer=eyes[-1])) == []


def test_a_frame_after_the_hang_up_and_a_failed_dial_change_nothing() -> None:
    made = desk(A)
    assert made.give(Received(peer=EYE, message=Pull(number=1))) == []
    assert made.give(DialFailed(peer=EYE, refused=True)) == []
    assert seen_by(made) == {ME, A}


def test_an_observers_name_is_one_that_no_node_can_have() -> None:
    assert EYE == "controller/bareway-controller-7d9f"
    assert is_observer(EYE)
    assert not is_observer(NodeName("controller"))
    assert len(observer_name("x" * 300)) == 253
