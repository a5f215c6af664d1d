from math import inf

import pytest

from bareway.decide.routing.weights import SETTLE_S, SWING_S, Counts, Weights
from support.builders import key

WEB = key("web")


def told(weights: Weights, count: int, now: float) -> int:
    return weights.weigh(WEB, Counts(count, 0), now=now).v4


def test_the_first_count_is_told_at_once() -> None:
    weights = Weights()
    assert told(weights, 3, 0.0) == 3
    assert weights.deadline == inf


def test_another_count_is_told_once_it_has_stood() -> None:
    weights = Weights()
    told(weights, 3, 0.0)
    assert told(weights, 4, 10.0) == 3
    assert weights.deadline == 10.0 + SETTLE_S
    assert weights.due(now=10.0 + SETTLE_S - 0.1) == frozenset()
    assert weights.due(now=10.0 + SETTLE_S) == {WEB}
    assert told(weights, 4, 10.0 + SETTLE_S) == 4
    assert weights.deadline == inf


def test_a_pod_that_is_replaced_changes_nothing() -> None:
    weights = Weights()
    told(weights, 3, 0.0)
    assert told(weights, 2, 10.0) == 3
    assert told(weights, 3, 12.0) == 3
    assert weights.deadline == inf
    assert told(weights, 2, 14.0) == 3, "the count from before 12 s has been forgotten"
    assert weights.due(now=10.0 + SETTLE_S + 1) == frozenset()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(1, 2, 2, id="few: each one counts"),
        pytest.param(8, 7, 8, id="an eighth"),
        pytest.param(7, 6, 6, id="more than an eighth"),
        pytest.param(100, 90, 100, id="a tenth"),
        pytest.param(100, 80, 80, id="a fifth"),
        pytest.param(0, 1, 1, id="from nothing"),
    ],
)
def test_a_small_difference_is_not_told(before: int, after: int, expected: int) -> None:
    weights = Weights()
    told(weights, before, 0.0)
    told(weights, after, 1.0)
    assert told(weights, after, 1.0 + SETTLE_S) == expected


def test_both_families_are_told_together() -> None:
    weights = Weights()
    weights.weigh(WEB, Counts(3, 0), now=0.0)
    weights.weigh(WEB, Counts(3, 1), now=1.0)
    assert weights.weigh(WEB, Counts(3, 1), now=1.0 + SETTLE_S) == Counts(3, 1)


def test_who_comes_back_begins_anew() -> None:
    weights = Weights()
    told(weights, 3, 0.0)
    told(weights, 2, 1.0)
    weights.forget(WEB)
    assert weights.deadline == inf
    assert told(weights, 1, 2.0) == 1


def test_a_count_that_swings_without_end_is_told_all_the_same() -> None:
    weights = Weights()
    told(weights, 8, 0.0)
    now, said = 100.0, 8
    while said == 8:
        said = told(weights, 2 + int(now) % 3, now)  # another one each second: none settles
        assert weights.deadline <= 100.0 + SWING_S or said != 8
        now += 1.0
    assert now - 1.0 == 100.0 + SWING_S
    assert weights.deadline == inf


def test_a_swing_through_what_was_told_begins_anew() -> None:
    weights = Weights()
    told(weights, 8, 0.0)
    for second in range(0, 200, 4):
        assert told(weights, 2, 100.0 + second) == 8
        assert told(weights, 8, 102.0 + second) == 8
