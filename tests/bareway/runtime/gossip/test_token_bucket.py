import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.runtime.gossip.token_bucket import TokenBucket


def test_a_full_bucket_gives_its_burst_and_no_more() -> None:
    bucket = TokenBucket(rate=10, burst=3, now=0)
    assert [bucket.try_take(0) for _ in range(4)] == [True, True, True, False]


def test_tokens_come_back_at_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=1, now=0)
    assert bucket.try_take(0)
    assert not bucket.try_take(0.09)
    assert bucket.try_take(0.11)


def test_a_bucket_that_was_idle_for_long_holds_its_burst_and_no_more() -> None:
    bucket = TokenBucket(rate=10, burst=2, now=0)
    assert [bucket.try_take(1_000) for _ in range(3)] == [True, True, False]


def test_a_refused_one_costs_nothing() -> None:
    bucket = TokenBucket(rate=1, burst=1, now=0)
    assert bucket.try_take(0)
    for _ in range(5):
        assert not bucket.try_take(0.5)
    assert bucket.try_take(1)


def test_who_takes_in_advance_waits_the_longer_the_more_was_taken() -> None:
    bucket = TokenBucket(rate=10, burst=1, now=0)
    assert [bucket.take(0) for _ in range(3)] == [0, pytest.approx(0.1), pytest.approx(0.2)]


@given(
    waits=st.lists(st.floats(min_value=0, max_value=2), min_size=1, max_size=50),
    rate=st.integers(1, 50),
    burst=st.integers(1, 20),
)
def test_never_more_than_the_burst_and_the_rate_allow(waits: list[float], rate: int, burst: int) -> None:
    bucket = TokenBucket(rate=rate, burst=burst, now=0)
    now, taken = 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.try_take(now)
        assert taken <= burst + rate * now + 1e-6
