"""Our own health: what counts against us, what it lengthens, and how it passes."""

from math import inf

import pytest

from bareway.gossip.health import EDGES_MIN, MEMBERS_MIN, SCORE_MAX, Health, scored

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
