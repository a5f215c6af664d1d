"""Our own health: what counts against us, what it lengthens, and how it passes."""

from math import inf

import pytest

from bareway.gossip.health import (
    EDGES_MIN,
    MEMBERS_MIN,
    RETURNS_WITHIN_S,
    SCORE_MAX,
    UNREST_LASTS_S,
    UNREST_MAX,
    Health,
    scored,
)
from bareway.model.names import NodeName

T = 0.5


def healthy() -> Health:
    return Health(recovery_s=T)


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        pytest.param([0, -1, -10], 0, id="never below the floor"),
        pytest.param([1], 1, id="one worse"),
        pytest.param([1, 10], SCORE_MAX, id="never above the ceiling"),
        pytest.param([10, *[-1] * 3], SCORE_MAX - 3, id="down one by one"),
        pytest.param([10, *[-1] * 10], 0, id="down to the floor"),
    ],
)
def test_the_score_is_that_of_memberlist(changes: list[int], score: int) -> None:
    """The vectors of its TestAwareness."""
    now = 0
    for change in changes:
        now = scored(now, change)
    assert now == score


def test_who_is_healthy_has_the_patience_of_its_profile_and_nothing_to_recover_from() -> None:
    health = healthy()
    assert (health.score, health.patience, health.deadline) == (0, 1, inf)
    health.recover(now=1e9)
    assert health.score == 0


def test_what_is_evidence_against_us_lengthens_our_patience_and_passes_step_by_step() -> None:
    health = healthy()
    health.worsen(2, now=10.0)
    assert (health.patience, health.deadline) == (3, 10.0 + T)
    health.recover(now=10.0 + T - 0.01)
    assert health.patience == 3
    health.recover(now=10.0 + T)
    assert (health.patience, health.deadline) == (2, 10.0 + 2 * T)
    health.recover(now=10.0 + 2 * T)
    assert (health.patience, health.deadline) == (1, inf)


@pytest.mark.parametrize(
    ("silent", "edges", "members", "is_alarm", "patience"),
    [
        pytest.param(3, 4, 5, True, 2, id="most, in a group of five"),
        pytest.param(3, 4, 4, True, 1, id="four members: the silence may be a death"),
        pytest.param(2, 3, 9, True, 1, id="fewer than three"),
        pytest.param(4, 8, 9, True, 1, id="half is not most"),
        pytest.param(5, 8, 9, True, 2, id="more than half"),
        pytest.param(5, 8, 9, False, 1, id="nobody is late enough for an alarm"),
    ],
)
def test_silence_on_most_edges_at_once_is_our_own_fault(
    silent: int, edges: int, members: int, is_alarm: bool, patience: int
) -> None:
    assert (EDGES_MIN, MEMBERS_MIN) == (3, 5)
    health = healthy()
    health.hear(silent=silent, edges=edges, members=members, is_alarm=is_alarm, now=1.0)
    assert health.patience == patience


def test_a_silence_that_goes_on_counts_once_and_a_new_one_again() -> None:
    health = healthy()

    def hear(silent: int, now: float) -> int:
        health.hear(silent=silent, edges=8, members=9, is_alarm=True, now=now)
        return health.patience

    assert [hear(8, 1.0), hear(8, 1.1), hear(5, 1.2)] == [2, 2, 2]
    assert [hear(4, 1.3), hear(8, 1.4)] == [2, 3]


def unrest(health: Health, *names: str, at: float = 100.0, members: int = MEMBERS_MIN) -> Health:
    for name in names:
        health.returned(NodeName(name), members=members, now=at)
    return health


@pytest.mark.parametrize(
    ("names", "members"),
    [
        pytest.param(("a", "b"), MEMBERS_MIN, id="two may have been cut off"),
        pytest.param(("a", "a", "a", "b"), MEMBERS_MIN, id="one that comes and goes is one"),
        pytest.param(("a", "b", "c"), MEMBERS_MIN - 1, id="in a small group that is most of it"),
    ],
)
def test_a_few_that_come_back_were_cut_off(names: tuple[str, ...], members: int) -> None:
    health = unrest(healthy(), *names, members=members)
    assert (health.patience, health.deadline) == (1, inf)


def test_members_that_come_back_one_by_one_are_no_unrest() -> None:
    health = healthy()
    for number in range(9):
        unrest(health, f"node{number}", at=100.0 + number * RETURNS_WITHIN_S / 2)
    assert health.patience == 1


def test_two_halves_that_meet_again_cost_one_step_of_patience() -> None:
    assert unrest(healthy(), *"abcdefgh").patience == 2


def test_as_long_as_several_come_back_all_give_each_other_more_time_and_less_when_it_is_over() -> None:
    health, at = healthy(), 100.0
    for second in range(2 * UNREST_MAX):
        at = 100.0 + second
        unrest(health, *"abc", at=at)
    assert health.patience == UNREST_MAX + 1
    health.recover(now=at + UNREST_LASTS_S - 0.1)
    assert (health.patience, health.deadline) == (UNREST_MAX + 1, at + UNREST_LASTS_S)
    for step in range(UNREST_MAX):
        health.recover(now=at + UNREST_LASTS_S * (1 + step))
        assert health.patience == UNREST_MAX - step
    assert health.deadline == inf


def test_our_own_health_and_unrest_do_not_add_up() -> None:
    health = unrest(healthy(), *"abc")
    health.worsen(3, now=100.0)
    assert (health.score, health.patience) == (3, 4)
