"""The arithmetic of intervals."""

from random import Random

import pytest

from bareway.bfd.timing import (
    SLOW_US,
    Timing,
    detection_time_s,
    in_use_until_confirmed,
    jittered_s,
    transmit_interval_us,
)

OLD = Timing(100, 200, 3)


@pytest.mark.parametrize(
    ("announced", "in_use"),
    [
        pytest.param(Timing(150, 200, 3), Timing(100, 200, 3), id="slower sending waits"),
        pytest.param(Timing(50, 200, 3), Timing(50, 200, 3), id="faster sending does not"),
        pytest.param(Timing(100, 150, 3), Timing(100, 200, 3), id="expecting more waits"),
        pytest.param(Timing(100, 250, 3), Timing(100, 250, 3), id="expecting less does not"),
        pytest.param(Timing(150, 150, 9), Timing(100, 200, 9), id="the multiplier never waits"),
    ],
)
def test_a_change_never_makes_us_more_demanding_before_it_is_confirmed(
    announced: Timing, in_use: Timing
) -> None:
    assert in_use_until_confirmed(OLD, announced) == in_use


@pytest.mark.parametrize(
    ("transmit_us", "up", "announced_us"),
    [(100, True, 100), (100, False, SLOW_US), (SLOW_US, False, SLOW_US), (2 * SLOW_US, False, 2 * SLOW_US)],
)
def test_a_session_that_is_not_up_is_slow(transmit_us: int, up: bool, announced_us: int) -> None:
    timing = Timing(transmit_us, 200, 3)
    assert timing.of_session_that_is(up=up) == timing._replace(desired_min_tx_us=announced_us)


def test_the_slower_side_decides_each_way() -> None:
    assert [transmit_interval_us(OLD, us) for us in (50, 300)] == [100, 300]
    assert detection_time_s(OLD, Timing(150, 1, 5)) == pytest.approx(5 * 200e-6)
    assert detection_time_s(OLD, Timing(300, 1, 5)) == pytest.approx(5 * 300e-6)


def test_jitter_takes_away_up_to_a_quarter_and_more_where_one_packet_is_all() -> None:
    rng = Random("jitter")
    many = [jittered_s(1_000_000, 3, rng) for _ in range(1000)]
    assert 0.75 <= min(many) < 0.76
    assert 0.99 < max(many) <= 1.0
    single = [jittered_s(1_000_000, 1, rng) for _ in range(1000)]
    assert 0.75 <= min(single) < 0.76
    assert 0.89 < max(single) <= 0.9
