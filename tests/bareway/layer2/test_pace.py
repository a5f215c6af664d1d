"""The token bucket's bound, over every second and whatever is asked when."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2.pace import Pace

START = 12_345_678.9  # seconds since boot of a machine that has been up for months


def test_a_full_bucket_gives_its_depth_at_once_and_no_more() -> None:
    pace = Pace(per_second=1000, depth=100, now=START)
    assert pace.available(now=START) == 100
    pace.take(100)
    assert pace.available(now=START) == 0


def test_who_waits_as_long_as_he_is_told_gets_what_he_asked_for() -> None:
    pace = Pace(per_second=1000, depth=100, now=START)
    pace.available(now=START)
    pace.take(100)
    assert pace.ready_at(9) == pytest.approx(START + 0.01)
    assert pace.available(now=pace.ready_at(9)) == 9


def test_what_is_there_is_ready_now() -> None:
    pace = Pace(per_second=1000, depth=100, now=START)
    assert pace.ready_at(100) == START


@given(st.lists(st.floats(0.0, 0.7), max_size=60))
def test_in_no_second_more_than_the_limit_goes(gaps_s: list[float]) -> None:
    pace = Pace(per_second=1000, depth=100, now=START)
    went: list[tuple[float, int]] = []
    for at in accumulate(gaps_s, initial=START):
        count = pace.available(now=at)
        pace.take(count)
        went.append((at, count))
    for begin, _ in went:
        assert sum(count for at, count in went if begin <= at < begin + 1) <= 1000
