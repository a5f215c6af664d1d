"""The usual gap: the largest but one of the last one to two thousand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.gaps import SPAN, Gaps


def of(*gaps_s: float) -> Gaps:
    made = Gaps()
    for gap_s in gaps_s:
        made.add(gap_s)
    return made


@pytest.mark.parametrize(
    ("gaps_s", "usual_s"),
    [
        pytest.param([], 0.0, id="none"),
        pytest.param([0.7], 0.0, id="a lone one says nothing"),
        pytest.param([0.1, 0.7, 0.1], 0.1, id="a pause says nothing"),
        pytest.param([0.3, 0.1, 0.7], 0.3, id="the second largest, in any order"),
        pytest.param([0.3, 0.3, 0.1], 0.3, id="two alike"),
    ],
)
def test_the_largest_gap_is_left_out(gaps_s: list[float], usual_s: float) -> None:
    assert of(*gaps_s).usual_s == usual_s


@given(st.lists(st.floats(0, 10), max_size=30))
def test_of_the_first_span_it_is_the_second_largest(gaps_s: list[float]) -> None:
    assert of(*gaps_s).usual_s == ([0.0, 0.0, *sorted(gaps_s)])[-2]


@pytest.mark.parametrize(
    ("former_s", "later_s", "usual_s"),
    [
        pytest.param([0.5, 0.6], [0.1, 0.1], 0.5, id="those of the span before still count"),
        pytest.param([0.1, 0.1], [0.5, 0.6], 0.5, id="those of this one too"),
        pytest.param([0.9, 0.1], [0.5, 0.1], 0.5, id="one of each, the larger left out"),
        pytest.param([0.5, 0.1], [0.9, 0.1], 0.5, id="whichever was first"),
    ],
)
def test_two_spans_are_one_memory(former_s: list[float], later_s: list[float], usual_s: float) -> None:
    gaps = of(*former_s, *[0.0] * (SPAN - len(former_s)), *later_s)
    assert gaps.usual_s == usual_s


def test_what_is_two_spans_old_is_forgotten() -> None:
    gaps = of(0.9, 0.9, *[0.1] * (2 * SPAN - 2))
    assert gaps.usual_s == 0.9
    gaps.add(0.1)
    assert gaps.usual_s == 0.1
