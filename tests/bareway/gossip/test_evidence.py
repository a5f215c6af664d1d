"""What the link says of a member that gossip does not hear."""

from ipaddress import ip_address
from math import inf

import pytest

from bareway.gossip.events import Ask, Question
from bareway.gossip.evidence import (
    ANSWER_SLACK_S,
    ASK_AGAIN_S,
    ASKED_MAX,
    HOLD_FACTOR,
    HOLD_S,
    PROBE_GAP_S,
    Evidence,
)
from bareway.gossip.ownership import Hold
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName

PROFILE = PROFILES[ProfileName.DEFAULT]
BOUND_S = HOLD_FACTOR * PROFILE.calm_s
Z = NodeName("z")
ONE, OTHER = ip_address("192.0.2.1"), ip_address("192.0.2.2")
OLD, FOREIGN = (MacAddress(bytes([2, 0, 0, 0, 0, number])) for number in (1, 2))


def asked(*addresses: str, now: float = 10.0) -> Evidence:
    made = Evidence(profile=PROFILE)
    some = [ip_address(text) for text in addresses] or [ONE]
    made.ask(Z, some, frozenset({OLD}), now=now)
    return made


def test_some_addresses_are_asked_for_with_three_probes() -> None:
    made = Evidence(profile=PROFILE)
    many = [ip_address(f"192.0.2.{number}") for number in range(1, 50)]
    asks = made.ask(Z, many, frozenset({OLD}), now=10.0)
    assert asks == [Ask(address=each, question=Question.SUSPECT, probes=3) for each in many[:ASKED_MAX]]
    assert made.knows(Z)


def test_nothing_is_asked_about_nothing_or_about_one_whose_links_are_not_known() -> None:
    made = Evidence(profile=PROFILE)
    assert made.ask(Z, [], frozenset({OLD}), now=10.0) == []
    assert made.ask(Z, [ONE], frozenset(), now=10.0) == []
    assert not made.knows(Z)
    assert made.holds == {}


@pytest.mark.parametrize("name", ProfileName)
def test_the_question_is_answered_before_the_shortest_suspicion_ends(name: ProfileName) -> None:
    profile = PROFILES[name]
    made = Evidence(profile=profile)
    made.ask(Z, [ONE], frozenset({OLD}), now=0.0)
    assert made.holds[Z].asked_until < profile.suspicion_s
    assert made.probes >= 1


def test_until_the_answer_nothing_is_held_but_nothing_taken() -> None:
    made = asked()
    assert made.holds == {Z: Hold(-inf, 10.0 + 3 * PROBE_GAP_S + ANSWER_SLACK_S)}
    assert made.deadline == inf


@pytest.mark.parametrize(
    "macs", [frozenset[MacAddress](), frozenset({FOREIGN})], ids=["nobody answers", "somebody else answers"]
)
def test_who_does_not_answer_is_not_held(macs: frozenset[MacAddress]) -> None:
    made = asked()
    made.answered(ONE, macs, now=10.1)
    assert made.holds[Z].until < 10.1
    assert made.deadline == inf


def test_who_answers_is_held_for_a_moment_and_asked_again() -> None:
    made = asked()
    made.answered(ONE, frozenset({OLD, FOREIGN}), now=10.1)
    assert made.holds[Z].until == pytest.approx(10.1 + HOLD_S)
    assert made.deadline == pytest.approx(10.1 + ASK_AGAIN_S)
    assert made.ask_again(now=10.2) == []
    assert made.ask_again(now=10.1 + ASK_AGAIN_S) == [Ask(address=ONE, question=Question.SUSPECT, probes=3)]
    assert made.deadline == inf, "until that is answered"


def test_the_hold_has_no_gap_while_it_answers_and_ends_at_the_bound() -> None:
    made, now = asked(), 10.0
    while True:
        now += 3 * PROBE_GAP_S + ANSWER_SLACK_S
        made.answered(ONE, frozenset({OLD}), now=now)
        assert made.holds[Z].until > now or now >= 10.0 + BOUND_S
        assert made.holds[Z].until <= 10.0 + BOUND_S
        if made.deadline == inf:
            break
        assert made.deadline + 3 * PROBE_GAP_S + ANSWER_SLACK_S <= now + HOLD_S
        now = made.deadline
        made.ask_again(now=now)
    assert made.holds[Z].until == 10.0 + BOUND_S


def test_one_that_stops_answering_is_no_longer_held() -> None:
    made = asked()
    made.answered(ONE, frozenset({OLD}), now=10.1)
    made.answered(ONE, frozenset(), now=10.4)
    assert made.holds[Z].until == 10.4
    assert made.deadline == inf


def test_one_address_that_is_answered_holds_all_others_of_that_member() -> None:
    made = asked(str(ONE), str(OTHER))
    made.answered(OTHER, frozenset({OLD}), now=10.1)
    made.answered(ONE, frozenset(), now=10.1)
    assert made.holds[Z].until > 10.1
    made.ask_again(now=10.1 + ASK_AGAIN_S)
    made.answered(OTHER, frozenset(), now=10.5)
    assert made.holds[Z].until == 10.5


def test_an_answer_to_what_was_not_asked_says_nothing() -> None:
    made = asked()
    made.answered(OTHER, frozenset({OLD}), now=10.1)
    assert made.holds[Z].until == -inf


def test_of_one_that_is_back_nothing_is_known() -> None:
    made = asked()
    made.keep([NodeName("other")])
    assert not made.knows(Z)
    made.answered(ONE, frozenset({OLD}), now=10.1)
    assert made.holds == {}
    made = asked()
    made.keep([Z])
    assert made.knows(Z)
