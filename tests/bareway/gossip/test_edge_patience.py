"""Edges: what lengthens the silence before an accusation, fresh edges, and edges that nobody needs."""

from math import inf
from random import Random

import pytest

from bareway.gossip.edges import HANGUP_FACTOR, Edge, Edges
from bareway.gossip.profile import (
    GAP_FACTOR,
    PROFILES,
    REACCUSE_S,
    RETRY_LOST_MAX_S,
    RETRY_MAX_S,
    SILENCE_MAX_FACTOR,
    SURPLUS_S,
    ProfileName,
)
from bareway.model.names import NodeName
from bareway.runtime.gossip.dialler import CONNECT_S

ME, Y, Z = (NodeName(name) for name in ("m", "y", "z"))
PROFILE = PROFILES[ProfileName.DEFAULT]
H, T = PROFILE.interval_s, PROFILE.silence_s


def opened(*peers: NodeName) -> Edges:
    made = Edges(me=ME, profile=PROFILE, rng=Random("edges"))
    made.keep(frozenset(peers), now=0.0)
    for peer in peers:
        made.opened(peer, now=0.0)
    return made


def edge(of: Edges, peer: NodeName = Z) -> Edge:
    found = of.get(peer)
    assert found is not None
    return found


def hear(of: Edges, *gaps_s: float) -> float:
    """Frames of Z after each other; returns when the last one came."""
    now = edge(of).heard_at
    for gap_s in gaps_s:
        now += gap_s
        of.heard(Z, now=now)
        of.announces(Z, interval_s=H)
    return now


# ---------------------------------------------------------------- adaptation


@pytest.mark.parametrize(
    ("gaps_s", "tolerance_s"),
    [
        pytest.param([0.1] * 50, T, id="a clean link stays at the floor"),
        pytest.param([0.1, 0.9, 0.1], T, id="a lone pause too"),
        pytest.param([0.1, 0.3, 0.3], GAP_FACTOR * 0.3, id="a link that loses frames is given more"),
        pytest.param([0.1, 0.9, 0.9], SILENCE_MAX_FACTOR * T, id="but not more than the ceiling"),
    ],
)
def test_the_tolerance_follows_the_usual_gap(gaps_s: list[float], tolerance_s: float) -> None:
    made = opened(Z)
    now = hear(made, *gaps_s)
    assert made.silent(now=now + tolerance_s - 0.001) == []
    assert made.silent(now=now + tolerance_s) == [Z]


def test_adaptation_does_not_change_whom_we_hear() -> None:
    made = opened(Z)
    now = hear(made, 0.4, 0.4, 0.4)
    assert made.hears(Z, now=now + T)
    assert not made.hears(Z, now=now + T + 0.01)


def test_a_new_edge_begins_without_memory() -> None:
    made = opened(Z)
    now = hear(made, 0.4, 0.4, 0.4)
    made.opened(Z, now=now)
    assert made.silent(now=now + T) == [Z]


@pytest.mark.parametrize("patience", [1, 2, 8])
def test_our_own_ill_health_multiplies_the_silence_before_alarm_and_hang_up(patience: int) -> None:
    made = opened(Z)
    made.patience = patience
    assert made.silent(now=patience * T - 0.001) == []
    assert not made.is_alarm(now=patience * T - 0.001)
    assert made.is_alarm(now=patience * T)
    assert made.silent(now=patience * T) == [Z]
    assert made.hopeless(now=HANGUP_FACTOR * patience * T - 0.001) == []
    assert made.hopeless(now=HANGUP_FACTOR * patience * T) == [Z]


def test_one_is_silent_on_an_open_edge_whatever_our_patience() -> None:
    made = opened(Z)
    made.patience = 8
    assert not made.is_silent(Z, now=T)
    assert made.is_silent(Z, now=T + 0.001)
    made.hung_up(Z, now=T)
    assert not made.is_silent(Z, now=2 * T), "others may hear it"
    assert not made.is_silent(Y, now=2 * T)


def test_alarms_are_counted_until_the_peer_is_heard() -> None:
    made = opened(Z)
    for count, now in enumerate((T, T + REACCUSE_S, T + 2 * REACCUSE_S), 1):
        assert made.silent(now=now) == [Z]
        assert made.alarms(Z) == count
    made.heard(Z, now=3 * REACCUSE_S)
    assert made.alarms(Z) == 0
    made.silent(now=9 * REACCUSE_S)
    made.opened(Z, now=9 * REACCUSE_S)
    assert made.alarms(Z) == 0


def test_quiet_are_the_open_edges_that_have_used_up_half_of_what_they_may() -> None:
    made = opened(Y, Z)
    made.keep(frozenset({Y, Z, NodeName("zz")}), now=0.0)
    made.heard(Z, now=0.2)
    assert [made.quiet(now=now) for now in (T / 2, T / 2 + 0.01, 0.2 + T / 2 + 0.01)] == [0, 1, 2]


# ---------------------------------------------------------------- deadlines


def test_frames_that_come_never_make_the_deadline_too_late() -> None:
    made = opened(Y, Z)
    assert made.deadline <= T
    for step in range(1, 20):
        made.heard(Z, now=step * H)
    assert made.deadline <= T, "Y is silent"
    assert made.silent(now=T) == [Y]
    assert made.silent(now=19 * H + T) == [Z]


def test_a_faster_interval_brings_the_deadline_forward() -> None:
    made = opened(Z)
    made.announces(Z, interval_s=10 * H)
    assert made.deadline == pytest.approx(10 * T)
    made.announces(Z, interval_s=H)
    assert made.deadline == pytest.approx(T)


# ---------------------------------------------------------------- fresh edges


def test_a_fresh_edge_is_dialled_beside_the_one_that_is_silent() -> None:
    made = opened(Z)
    made.refresh(Z, now=T)
    assert made.deadline <= T
    assert made.to_dial(now=T) == [Z]
    assert made.open == (Z,)
    assert not made.dial_failed(Z, now=T + 0.5), "the old one is still there"
    assert made.to_dial(now=1e6) == []


def test_nothing_is_refreshed_that_is_not_there() -> None:
    made = opened(Z)
    made.refresh(Y, now=T)
    assert made.to_dial(now=T) == []


# ---------------------------------------------------------------- surplus


def test_the_edge_of_a_former_neighbour_stays_a_while_and_is_then_given_up() -> None:
    made = opened(Y, Z)
    made.keep(frozenset({Z}), now=1.0)
    assert made.open == (Y, Z)
    assert made.surplus(now=1.0 + SURPLUS_S - 0.01) == []
    assert made.surplus(now=1.0 + SURPLUS_S) == [Y]
    made.hung_up(Y, now=1.0 + SURPLUS_S)
    assert Y not in made.open
    assert made.get(Y) is None


def test_no_edge_is_given_up_while_a_neighbour_lacks_its_own() -> None:
    made = opened(Y)
    made.needed = frozenset({Z})
    made.keep(frozenset({Z}), now=1.0)
    assert made.surplus(now=1.0 + SURPLUS_S) == []
    made.opened(Z, now=7.0)
    assert made.surplus(now=1.0 + 2 * SURPLUS_S - 0.1) == []
    assert made.surplus(now=1.0 + 2 * SURPLUS_S) == [Y]


def test_who_becomes_a_neighbour_again_keeps_its_edge() -> None:
    made = opened(Y, Z)
    made.keep(frozenset({Z}), now=1.0)
    made.keep(frozenset({Y, Z}), now=2.0)
    assert made.surplus(now=100.0) == []


def test_a_stranger_that_calls_is_let_in_for_a_while() -> None:
    made = opened(Z)
    made.opened(Y, now=1.0)
    assert made.open == (Z, Y)
    assert made.surplus(now=1.0 + SURPLUS_S) == [Y]


def test_an_edge_that_nobody_needs_and_that_ends_is_not_dialled_again() -> None:
    made = opened(Y, Z)
    made.keep(frozenset({Z}), now=1.0)
    assert made.closed(Y, now=2.0)
    assert made.get(Y) is None
    assert made.to_dial(now=100.0) == []


def test_who_only_observes_gives_up_nothing_by_itself() -> None:
    made = Edges(me=ME, profile=PROFILE, rng=Random("eye"), always_dials=True)
    made.opened(Z, now=0.0)
    assert made.surplus(now=1e6) == []
    assert edge(made).surplus_at == inf


# ---------------------------------------------------------------- back-off


def test_who_is_lost_to_discovery_is_dialled_more_and_more_seldom() -> None:
    made = Edges(me=ME, profile=PROFILE, rng=Random("lost"))
    made.keep(frozenset({Y, Z}), lost=frozenset({Z}), now=0.0)
    longest = dict.fromkeys((Y, Z), 0.0)
    now = 0.0
    for peer in (Y, Z):
        now = 0.0
        for _ in range(20):
            made.dial_failed(peer, now=now)
            longest[peer] = max(longest[peer], edge(made, peer).dial_at - now)
            now = edge(made, peer).dial_at
    assert RETRY_MAX_S / 2 <= longest[Y] <= RETRY_MAX_S
    assert RETRY_LOST_MAX_S / 2 <= longest[Z] <= RETRY_LOST_MAX_S
    made.keep(frozenset({Y, Z}), now=now)
    made.dial_failed(Z, now=now)
    assert edge(made, Z).dial_at - now <= RETRY_MAX_S, "discovery knows it again"


def test_two_halves_find_each_other_within_two_seconds_of_the_repair() -> None:
    assert CONNECT_S + RETRY_MAX_S < 1.8, "the rest is for the handshake"
