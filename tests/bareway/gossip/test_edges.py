"""Edges: whom to dial and when, who is silent, and when to ask for everything."""

from random import Random

import pytest

from bareway.gossip.edges import HANGUP_FACTOR, Edge, Edges
from bareway.gossip.profile import (
    DIAL_MAX_S,
    PROBE_DELAY_S,
    PROFILES,
    PULL_GAP_MAX_S,
    REACCUSE_S,
    RETRY_MAX_S,
    RETRY_MIN_S,
    ProfileName,
)
from bareway.model.names import NodeName

LOW, ME, HIGH = (NodeName(name) for name in ("a", "m", "z"))
PROFILE = PROFILES[ProfileName.DEFAULT]
H, T = PROFILE.interval_s, PROFILE.silence_s


def edges(*peers: NodeName, now: float = 0.0) -> Edges:
    made = Edges(me=ME, profile=PROFILE, rng=Random("edges"))
    made.keep(frozenset(peers), now=now)
    return made


def opened(peer: NodeName = HIGH, *, now: float = 10.0) -> Edges:
    made = edges(peer)
    made.opened(peer, now=now)
    return made


def edge(of: Edges, peer: NodeName = HIGH) -> Edge:
    found = of.get(peer)
    assert found is not None
    return found


# ---------------------------------------------------------------- dialling


def test_the_lower_name_dials_at_once_and_the_higher_a_moment_later() -> None:
    made = edges(LOW, HIGH)
    assert made.to_dial(now=0.0) == [HIGH]
    assert made.to_dial(now=PROBE_DELAY_S) == [LOW]


def test_a_higher_name_that_came_first_need_not_dial() -> None:
    made = edges(LOW)
    made.opened(LOW, now=PROBE_DELAY_S / 2)
    assert made.to_dial(now=9.0) == []


def test_whose_turn_it_is_tries_again_with_growing_distances_up_to_a_limit() -> None:
    made, now, waits = edges(HIGH), 0.0, []
    for _ in range(10):
        assert made.to_dial(now=now) == [HIGH]
        made.dial_failed(HIGH, now=now)
        waits.append(edge(made).dial_at - now)
        now = edge(made).dial_at
    assert all(RETRY_MIN_S * 2**place / 2 <= wait for place, wait in enumerate(waits[:5]))
    assert RETRY_MIN_S / 2 <= waits[0] <= RETRY_MIN_S
    assert all(RETRY_MAX_S / 2 <= wait <= RETRY_MAX_S for wait in waits[6:])
    assert len(set(waits)) == len(waits), "with jitter"


def test_whose_turn_it_is_not_does_not_try_again() -> None:
    made = edges(LOW)
    made.to_dial(now=1.0)
    made.dial_failed(LOW, now=1.0)
    assert made.to_dial(now=1000.0) == []


def test_after_a_pause_everybody_without_an_edge_is_dialled_at_once() -> None:
    made = edges(LOW, HIGH, NodeName("zz"))
    for peer in made.to_dial(now=1.0):
        made.dial_failed(peer, now=1.0)
    made.opened(HIGH, now=1.0)
    made.dial_everybody(now=1.0)
    assert sorted(made.to_dial(now=1.0)) == [LOW, NodeName("zz")]


def test_a_dial_that_nobody_ever_answers_for_is_tried_again() -> None:
    made = edges(HIGH)
    assert made.to_dial(now=0.0) == [HIGH]
    assert made.to_dial(now=DIAL_MAX_S - 0.1) == []
    assert made.to_dial(now=DIAL_MAX_S) == [HIGH]


@pytest.mark.parametrize(("peer", "delay_s"), [(HIGH, 0.0), (LOW, PROBE_DELAY_S)])
def test_an_edge_that_ends_is_dialled_again_by_both_ends_in_turn(peer: NodeName, delay_s: float) -> None:
    made = opened(peer, now=0.0)
    assert made.closed(peer, now=10.0)
    assert edge(made, peer).dial_at == 10.0 + delay_s


def test_an_edge_that_ends_soon_again_and_again_is_dialled_less_and_less() -> None:
    made = opened(HIGH, now=0.0)
    made.closed(HIGH, now=0.1)
    first = edge(made).dial_at - 0.1
    made.opened(HIGH, now=1.0)
    made.closed(HIGH, now=1.1)
    assert 0 < first < edge(made).dial_at - 1.1


def test_the_end_of_an_edge_that_was_not_open_is_nothing() -> None:
    made = edges(HIGH)
    assert not made.closed(HIGH, now=1.0)
    assert not made.closed(NodeName("stranger"), now=1.0)
    assert not opened().dial_failed(HIGH, now=11.0)


def test_whoever_comes_back_by_the_word_of_others_is_dialled_at_once() -> None:
    made = edges(HIGH)
    for _ in range(6):
        edge(made).dial_at = 0.0
        made.to_dial(now=0.0)
        made.dial_failed(HIGH, now=0.0)
    made.returned(HIGH, now=5.0)
    assert made.to_dial(now=5.0) == [HIGH]


def test_who_is_not_known_any_more_is_forgotten_unless_its_edge_is_open() -> None:
    made = edges(LOW, HIGH)
    made.opened(HIGH, now=0.0)
    made.keep(frozenset(), now=1.0)
    assert made.get(LOW) is None
    assert made.open == (HIGH,)
    assert made.known


# ---------------------------------------------------------------- silence


def test_an_open_edge_raises_the_alarm_after_the_silence_and_not_before() -> None:
    made = opened(now=10.0)
    made.heard(HIGH, now=11.0)
    assert made.silent(now=11.0 + T - 0.001) == []
    assert made.hears(HIGH, now=11.0 + T)
    assert made.silent(now=11.0 + T) == [HIGH]
    assert made.silent(now=11.0 + T) == [], "once"
    assert made.silent(now=11.0 + T + REACCUSE_S) == [HIGH], "and again much later"
    assert not made.hears(HIGH, now=11.0 + T + 0.001)


def test_what_a_member_announces_is_what_it_is_allowed() -> None:
    made = opened(now=10.0)
    made.announces(HIGH, interval_s=4 * H)
    assert made.silent(now=10.0 + T) == []
    assert made.silent(now=10.0 + 4 * T) == [HIGH]
    assert made.suspicion_s(HIGH) == PROFILE.suspicion_of(4 * H)


def test_a_frame_on_an_edge_that_is_not_open_counts_for_nothing() -> None:
    made = edges(HIGH)
    assert made.heard(HIGH, now=1.0) is None
    assert not made.hears(HIGH, now=1.0)


def test_an_edge_that_stays_silent_is_given_up_and_dialled_anew() -> None:
    made = opened(now=10.0)
    assert made.hopeless(now=10.0 + HANGUP_FACTOR * T - 0.001) == []
    assert made.hopeless(now=10.0 + HANGUP_FACTOR * T) == [HIGH]
    made.hung_up(HIGH, now=11.0)
    assert made.open == ()
    assert 11.0 < edge(made).dial_at <= 11.0 + RETRY_MAX_S


def test_nobody_was_silent_while_we_did_not_listen() -> None:
    made = opened(now=10.0)
    made.delay_by(3.0)
    assert made.silent(now=13.0 + T - 0.001) == []
    assert made.silent(now=13.0 + T) == [HIGH]


def test_whom_we_never_reached_is_given_time_for_an_edge_before_it_is_accused() -> None:
    made = edges(HIGH)
    assert made.silent(now=REACCUSE_S) == []
    assert made.silent(now=REACCUSE_S + T) == [HIGH]


def test_the_deadline_is_that_of_whatever_comes_first() -> None:
    made = edges(LOW, HIGH)
    assert made.deadline == 0.0
    made.opened(LOW, now=1.0)
    made.opened(HIGH, now=1.1)
    assert made.deadline == 1.0 + T
    made.silent(now=1.0 + T)
    assert made.deadline == 1.1 + T


# ---------------------------------------------------------------- pulls


def test_digests_that_differ_for_two_heartbeats_call_for_everything() -> None:
    made = opened(now=10.0)
    edge(made).pull = None
    assert made.differs(edge(made), differs=True, now=11.0) is None
    assert made.differs(edge(made), differs=True, now=11.0 + H) is None
    number = made.differs(edge(made), differs=True, now=11.001 + 2 * H)
    assert number is not None
    assert edge(made).pull == number


def test_digests_that_agree_in_between_begin_anew() -> None:
    made = opened(now=10.0)
    edge(made).pull = None
    made.differs(edge(made), differs=True, now=11.0)
    made.differs(edge(made), differs=False, now=11.1)
    assert made.differs(edge(made), differs=True, now=11.2) is None


def test_one_pull_at_a_time_but_one_that_is_never_answered_does_not_block() -> None:
    made = opened(now=10.0)
    made.differs(edge(made), differs=True, now=10.0)
    assert made.differs(edge(made), differs=True, now=11.0) is None, "the one of the opening runs"
    assert made.differs(edge(made), differs=True, now=10.0 + PULL_GAP_MAX_S) is not None


def test_pulls_that_do_not_help_become_seldom() -> None:
    made, pulls, now = opened(now=0.0), [], 0.0
    while now < 60:
        edge(made).pull = None
        if made.differs(edge(made), differs=True, now=now) is not None:
            pulls.append(now)
        now = round(now + H, 3)
    assert len(pulls) < 20
    assert pulls[-1] - pulls[-2] == pytest.approx(PULL_GAP_MAX_S, abs=2 * H)


def test_every_pull_has_a_number_of_its_own() -> None:
    made = opened()
    numbers = {edge(made).pull, made.begin_pull(HIGH, now=11.0), made.opened(HIGH, now=12.0)}
    assert len(numbers) == 3
