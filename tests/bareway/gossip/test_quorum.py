"""Whom a member hears: a majority, or nobody."""

from math import inf

import pytest

from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.quorum import Quorum
from bareway.model.names import NodeName

PROFILE = PROFILES[ProfileName.DEFAULT]
T = PROFILE.silence_s
NAMES = [NodeName(f"n{number}") for number in range(1, 8)]


def quorum(*, peers: int, joined: int | None = None) -> Quorum:
    """Our API knows so many others, and so many of them joined."""
    made = Quorum(profile=PROFILE, peers=frozenset(NAMES[:peers]))
    made.see(dict.fromkeys(NAMES[: peers if joined is None else joined], False))
    return made


@pytest.mark.parametrize(
    ("others", "needed"),
    [
        pytest.param(0, 0, id="alone"),
        pytest.param(1, 1, id="two need both"),
        pytest.param(2, 1, id="three"),
        pytest.param(3, 2, id="four"),
        pytest.param(4, 2, id="five"),
        pytest.param(7, 4, id="eight"),
    ],
)
def test_a_majority_is_more_than_half_ourselves_included(others: int, needed: int) -> None:
    made = quorum(peers=others)
    for heard in range(others + 1):
        assert made.is_fresh(now=10.0) is (heard >= needed)
        if heard < others:
            made.heard(NAMES[heard], now=10.0)


def test_who_starts_anew_counts_those_too_that_it_only_heard_of() -> None:
    made = quorum(peers=6, joined=2)
    for name in NAMES[:2]:
        made.heard(name, now=10.0)
    assert made.is_fresh(now=10.0), "two of two, as far as it knows"
    for name in NAMES[2:6]:
        made.heard_of(name)
    assert not made.is_fresh(now=10.0)
    made.see(dict.fromkeys(NAMES[:2], False))
    assert not made.is_fresh(now=10.0), "and it remembers"


def test_a_majority_is_lost_when_the_last_needed_frame_is_as_old_as_the_silence() -> None:
    made = quorum(peers=4)
    for number, name in enumerate(NAMES[:4]):
        made.heard(name, now=10.0 + number)
    assert made.ends_at() == 12.0 + T, "two others are needed: the two heard last"
    assert made.is_fresh(now=12.0 + T - 0.001)
    assert not made.is_fresh(now=12.0 + T)


def test_alone_a_majority_never_ends_and_unheard_it_never_began() -> None:
    assert quorum(peers=0).ends_at() == inf
    assert quorum(peers=2).ends_at() == -inf


def test_only_nodes_of_the_api_that_ever_joined_are_counted() -> None:
    made = quorum(peers=7, joined=2)
    made.heard(NAMES[0], now=10.0)
    assert made.is_fresh(now=10.0), "five of the Nodes have no speaker"
    made.peers = frozenset(NAMES[1:2])
    assert not made.is_fresh(now=10.0), "the one that is heard is no Node any more"


def test_who_said_goodbye_is_still_counted_for_a_majority_but_not_waited_for() -> None:
    made = quorum(peers=2)
    made.see({NAMES[0]: True, NAMES[1]: True})
    assert not made.is_fresh(now=10.0)
    assert made.is_ours_alone
    assert not made.is_isolated(now=10.0)


def test_who_never_met_anybody_counts_every_node_where_something_may_listen() -> None:
    made = quorum(peers=2, joined=0)
    assert not made.is_fresh(now=10.0)
    assert made.is_isolated(now=10.0)
    made.refused(NAMES[0])
    assert not made.is_fresh(now=10.0)
    made.refused(NAMES[1])
    assert made.is_fresh(now=10.0)
    assert not made.is_isolated(now=10.0)


def test_a_node_that_refused_once_and_then_spoke_counts_again() -> None:
    made = quorum(peers=1, joined=0)
    made.refused(NAMES[0])
    made.heard(NAMES[0], now=10.0)
    assert not made.is_fresh(now=20.0)


def test_isolated_is_who_hears_none_of_those_it_knows() -> None:
    made = quorum(peers=3)
    assert made.is_isolated(now=10.0)
    made.heard(NAMES[2], now=10.0)
    assert not made.is_isolated(now=10.0 + T - 0.001)
    assert made.is_isolated(now=10.0 + T)
    assert not quorum(peers=0).is_isolated(now=10.0)


def test_what_is_read_right_after_a_pause_may_be_as_old_as_the_pause() -> None:
    made = quorum(peers=1)
    made.paused(since=10.0, now=10.4)
    made.heard(NAMES[0], now=10.41)
    assert made.ends_at() == 10.0 + T
    made.heard(NAMES[0], now=10.4 + PROFILE.interval_s / 2)
    assert made.ends_at() == pytest.approx(10.4 + PROFILE.interval_s / 2 + T)


def test_missing_is_who_joined_has_a_node_did_not_leave_and_does_not_live() -> None:
    made = quorum(peers=4)
    made.see({NAMES[0]: True, NAMES[1]: False, NAMES[2]: False, NAMES[3]: False})
    assert made.missing([NAMES[3]]) == {NAMES[1], NAMES[2]}
    made.peers = frozenset(NAMES[2:4])
    assert made.missing([NAMES[3]]) == {NAMES[2]}


def test_who_is_no_node_any_more_and_no_member_known_is_forgotten() -> None:
    made = quorum(peers=2)
    made.peers = frozenset(NAMES[:1])
    made.see({})
    assert made.joined == {NAMES[0]}
