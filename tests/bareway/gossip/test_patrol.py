"""The round of our addresses: each is asked for in its turn, at a pace that no number of them changes."""

from ipaddress import ip_address
from math import inf

import pytest

from bareway.gossip.patrol import ROUND_S, Patrol

FOUR, OTHER, SIX = (ip_address(text) for text in ("192.0.2.9", "192.0.2.10", "2001:db8::1"))
HELD = frozenset({SIX, OTHER, FOUR})


def begun() -> Patrol:
    patrol = Patrol()
    patrol.begin(now=0.0)
    return patrol


def test_who_holds_nothing_asks_nothing_and_wants_no_time() -> None:
    assert Patrol().deadline == inf
    patrol = begun()
    assert patrol.on_time(frozenset(), now=ROUND_S) == []
    assert patrol.deadline == inf


def test_each_address_is_asked_for_in_its_turn_and_then_again() -> None:
    patrol = begun()
    asked = [ask.address for turn in range(1, 6) for ask in patrol.on_time(HELD, now=turn * ROUND_S)]
    assert asked == [FOUR, OTHER, SIX, FOUR, OTHER]


def test_nothing_is_asked_before_its_time() -> None:
    patrol = begun()
    assert patrol.on_time(HELD, now=ROUND_S - 0.001) == []
    assert len(patrol.on_time(HELD, now=ROUND_S)) == 1
    assert patrol.on_time(HELD, now=ROUND_S + 0.001) == []


def test_a_new_address_does_not_put_the_round_off() -> None:
    patrol = begun()
    patrol.begin(now=ROUND_S / 2)
    assert patrol.deadline == ROUND_S


@pytest.mark.parametrize(
    "gone", [pytest.param(FOUR, id="the one asked last"), pytest.param(OTHER, id="the next")]
)
def test_the_round_goes_on_past_an_address_that_is_gone(gone: object) -> None:
    patrol = begun()
    patrol.on_time(HELD, now=ROUND_S)
    (ask,) = patrol.on_time(HELD - {gone}, now=2 * ROUND_S)
    assert ask.address == (SIX if gone == OTHER else OTHER)
