"""Two sessions against each other in virtual time, on a wire that loses, cuts and delays."""

from itertools import pairwise

import pytest

from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.session import Change, Disable, Enable
from bareway.bfd.timing import SLOW_US, Timing
from support.bfd import FAST, MS, Wire

UP, DOWN = State.UP, State.DOWN


def test_they_come_up_in_a_few_round_trips() -> None:
    wire = Wire()
    wire.run(0.05)
    assert wire.states == (UP, UP)
    assert [(side, change.state) for _, side, change in wire.history if change.state is UP] != []


def test_a_passive_one_is_woken_by_the_other() -> None:
    wire = Wire(passive=(True, False))
    wire.run(1.1)
    assert wire.states == (UP, UP)


def test_two_passive_ones_never_speak() -> None:
    wire = Wire(passive=(True, True))
    wire.run(100.0)
    assert wire.log == []


@pytest.mark.parametrize("cut", [(True, True), (True, False), (False, True)], ids=["both", "first", "second"])
def test_a_cut_is_noticed_within_the_detection_time(cut: tuple[bool, bool]) -> None:
    wire = Wire()
    wire.run_until_up()
    wire.run(1.0)
    wire.history.clear()
    at = wire.now
    wire.is_cut[:] = cut
    wire.run(0.31 + 0.31)
    assert wire.states != (UP, UP)
    first_at, side, change = wire.history[0]
    assert change == (DOWN, Diagnostic.DETECTION_TIME_EXPIRED)
    assert cut[1 - side]  # the one that heard nothing
    assert 0.2 <= first_at - at <= 0.31
    if cut != (True, True):  # the other one is told by who noticed
        assert wire.history[1][2] == (DOWN, Diagnostic.NEIGHBOR_SIGNALED_DOWN)


def test_what_is_mended_comes_up_again() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.is_cut[:] = (True, True)
    wire.run(10.0)
    assert wire.states == (DOWN, DOWN)
    wire.is_cut[:] = (False, False)
    wire.run_until_up(within_s=2.5)


@pytest.mark.parametrize("seed", range(20))
def test_a_fifth_of_all_packets_lost_keeps_nobody_from_coming_up_and_noticing_a_cut(seed: int) -> None:
    wire = Wire(seed=seed, loss=0.2)
    wire.run_until_up()
    wire.run(60.0)
    wire.loss = 0.0
    wire.run_until_up()
    wire.is_cut[:] = (True, True)
    wire.run(3.1)  # one may have come up this moment, and expects the other's slow packets still
    assert wire.states == (DOWN, DOWN)


@pytest.mark.parametrize("seed", range(5))
def test_single_losses_bring_no_session_down(seed: int) -> None:
    wire = Wire(seed=seed)
    wire.run_until_up()
    wire.history.clear()
    count = 0

    def every_third(packet: object) -> bool:
        nonlocal count
        count += 1
        return count % 3 == 0

    wire.deaf_to = every_third
    wire.run(120.0)
    assert wire.history == []


def test_packets_go_at_the_agreed_rate_and_never_faster() -> None:
    wire = Wire(timings=(Timing(50 * MS, 50 * MS, 3), Timing(200 * MS, 200 * MS, 3)))
    wire.run_until_up()
    wire.run(1.0)
    wire.log.clear()
    wire.run(60.0)
    for side in (0, 1):
        times = [at for at, who, _ in wire.log if who == side]
        pauses = [b - a for a, b in pairwise(times)]
        assert 0.15 <= min(pauses) <= max(pauses) <= 0.2 + 1e-9
        assert sum(pauses) / len(pauses) == pytest.approx(0.175, rel=0.05)


def test_changed_intervals_reach_the_other_side_and_nobody_goes_down() -> None:
    wire = Wire(loss=0.1, seed=4)
    wire.run_until_up()
    wire.run(5.0)
    wire.history.clear()
    for timing in (
        Timing(500 * MS, 400 * MS, 4),
        Timing(60 * MS, 50 * MS, 5),
        FAST._replace(detect_multiplier=6),
    ):
        wire.say(0, Change(timing))
        wire.run(20.0)
        ours, theirs = wire.sides
        assert ours.in_use == ours.announced == theirs.remote.timing == timing
        assert not ours.is_polling
    assert wire.history == []


def test_a_quick_row_of_changes_ends_with_the_last_one() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.run(1.0)
    wire.history.clear()
    for interval in (500, 60, 900, 70, 80):
        wire.say(0, Change(Timing(interval * MS, interval * MS, 3)))
        wire.run(0.003)
    wire.run(10.0)
    assert wire.sides[1].remote.timing == wire.sides[0].in_use == Timing(80 * MS, 80 * MS, 3)
    assert wire.history == []


def test_who_is_disabled_is_down_at_the_other_side_with_the_reason() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.say(0, Disable())
    wire.run(0.01)
    other = wire.sides[1]
    assert (other.state, other.diagnostic) == (DOWN, Diagnostic.NEIGHBOR_SIGNALED_DOWN)
    assert (other.remote.state, other.remote.diagnostic) == (
        State.ADMIN_DOWN,
        Diagnostic.ADMINISTRATIVELY_DOWN,
    )
    wire.run(10.0)
    assert wire.states == (State.ADMIN_DOWN, DOWN)
    wire.say(0, Enable())
    wire.run_until_up(within_s=2.1)


def test_after_going_down_both_are_slow() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.say(0, Disable())
    wire.run(1.0)
    wire.log.clear()
    wire.run(30.0)
    assert {told.desired_min_tx_us for _, _, told in wire.log} == {SLOW_US}
    assert len(wire.log) <= 2 * 30 / 0.75 + 2


def test_a_patient_multiplier_lets_a_side_be_away_for_a_while() -> None:
    wire = Wire()
    wire.run_until_up()
    wire.run(1.0)
    wire.history.clear()
    wire.say(0, Change(FAST._replace(detect_multiplier=255)))
    wire.run(0.01)
    wire.is_cut[0] = True
    wire.run(20.0)
    wire.is_cut[0] = False
    wire.say(0, Change(FAST))
    wire.run(5.0)
    assert wire.history == []
    wire.is_cut[0] = True
    wire.run(0.35)
    assert wire.sides[1].state is DOWN
