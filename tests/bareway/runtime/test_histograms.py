from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.profile import PROFILES
from bareway.runtime.histograms import SHORT_S, SPANS_S, Histogram, Measured

SECONDS = st.floats(min_value=0, max_value=100, allow_nan=False)


@given(st.lists(st.tuples(SECONDS, st.integers(min_value=1, max_value=9))))
def test_each_bound_counts_what_took_no_longer(observed: list[tuple[float, int]]) -> None:
    histogram = Histogram(SPANS_S)
    for seconds, times in observed:
        histogram.observe(seconds, times)
    told = histogram.measured()
    for bound_s in (*SPANS_S, inf):
        assert told.up_to[bound_s] == sum(times for seconds, times in observed if seconds <= bound_s)
    assert told.count == sum(times for _, times in observed)
    assert told.sum_s == pytest.approx(sum(seconds * times for seconds, times in observed))


def test_what_is_told_stays_as_it_was_while_counting_goes_on() -> None:
    histogram = Histogram(SHORT_S)
    before = histogram.measured()
    histogram.observe(0.004)
    assert (before.count, histogram.measured().count) == (0, 1)


def test_nothing_measured_is_told_as_such() -> None:
    assert (Measured().count, Measured().sum_s, dict(Measured().up_to)) == (0, 0.0, {inf: 0})


@pytest.mark.parametrize("bounds_s", [SHORT_S, SPANS_S])
def test_bounds_ascend(bounds_s: tuple[float, ...]) -> None:
    assert all(lower < upper for lower, upper in pairwise(bounds_s))


def test_each_profile_finds_a_bound_at_or_just_below_its_silence() -> None:
    for profile in PROFILES.values():
        assert max(bound_s for bound_s in SHORT_S if bound_s <= profile.silence_s) >= 0.8 * profile.silence_s
