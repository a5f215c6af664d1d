"""The staircase: it holds what it must, exactly where it can, and never more steps than allowed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2.pages import LOW, NUMBER_BITS, Staircase, Step, staircase

HIGHEST = (1 << NUMBER_BITS) - 1
near = st.integers(0x0A00_0000, 0x0A00_0200)
anywhere = st.integers(0, HIGHEST)


def holds(stairs: Staircase, number: int) -> bool:
    """Looked up from the end, not by halving."""
    page = number >> stairs.shift
    word = next(step.word for step in reversed(stairs.steps) if step.page <= page)
    return bool(word >> (number & LOW) & 1)


@given(st.sets(near | anywhere, min_size=1, max_size=60), near | anywhere)
def test_where_there_is_room_it_is_exact(numbers: set[int], asked: int) -> None:
    stairs = staircase(numbers, steps_max=1000)
    assert stairs.shift == 5
    around = {(number + step) & HIGHEST for number in numbers for step in (-32, -1, 0, 1, 32)}
    for number in {asked, *around}:
        assert holds(stairs, number) == (number in numbers)


@given(st.sets(near | anywhere, min_size=1, max_size=400), st.integers(3, 40))
def test_where_there_is_none_it_holds_all_in_as_many_steps_as_allowed(
    numbers: set[int], steps_max: int
) -> None:
    stairs = staircase(numbers, steps_max=steps_max)
    assert len(stairs.steps) <= steps_max
    assert all(holds(stairs, number) for number in numbers)


@given(st.sets(near | anywhere, min_size=1, max_size=400), st.integers(3, 400))
def test_steps_ascend_from_zero_and_differ_from_their_neighbours(numbers: set[int], steps_max: int) -> None:
    steps = staircase(numbers, steps_max=steps_max).steps
    assert steps[0].page == 0
    assert all(before.page < after.page and before.word != after.word for before, after in pairwise(steps))


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        pytest.param([0], (Step(0, 1), Step(1, 0)), id="the first number"),
        pytest.param([HIGHEST], (Step(0, 0), Step((1 << 27) - 1, 1 << 31)), id="the last number"),
        pytest.param([33, 35, 33], (Step(0, 0), Step(1, 0b1010), Step(2, 0)), id="one page, one twice"),
        pytest.param(range(32, 96), (Step(0, 0), Step(1, 0xFFFF_FFFF), Step(3, 0)), id="two full pages"),
        pytest.param([32, 96], (Step(0, 0), Step(1, 1), Step(2, 0), Step(3, 1), Step(4, 0)), id="a gap"),
    ],
)
def test_a_small_set_in_full(numbers: list[int], steps: tuple[Step, ...]) -> None:
    assert staircase(numbers, steps_max=10) == Staircase(5, steps)


def test_five_thousand_addresses_of_one_range_are_exact_whichever_are_ours() -> None:
    pool = range(0x0A00_0000, 0x0A00_0000 + 5000)
    ours = {number for number in pool if number * 2654435761 >> 7 & 3 == 1}
    stairs = staircase(ours, steps_max=300)
    assert len(ours) > 1000
    assert len(stairs.steps) < 160
    assert {number for number in pool if holds(stairs, number)} == ours


def test_a_sparse_set_admits_few_of_its_range_and_nobody_outside() -> None:
    """A third of 5,000 addresses, scattered over a range of 65,536."""
    ours = {0x0A00_0000 + number * number * 7919 % 65_536 for number in range(1, 4000, 2)}
    stairs = staircase(ours, steps_max=300)
    admitted = sum(holds(stairs, 0x0A00_0000 + number) for number in range(65_536))
    assert admitted - len(ours) < 65_536 // 4
    assert not any(holds(stairs, 0xC0A8_0000 + number) for number in range(65_536))
