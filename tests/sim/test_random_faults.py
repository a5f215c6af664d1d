"""Whole groups under random faults: what must always hold does, and after calm all is well.

A run that breaks says ``replay: make sim SEED=…``; a seed that once failed stays here with a name.
"""

import pytest

from sim.faults import RandomRun

SEEDS = 200
BUNDLE = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, BUNDLE))
def test_invariants_hold_under_random_faults(first: int) -> None:
    for seed in range(first, first + BUNDLE):
        RandomRun(seed).play()


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(
            204, id="a side that gave way before it was asked left clients with its hardware address"
        ),
        pytest.param(216, id="the winner of a dispute announced before the loser did"),
        pytest.param(3712, id="both restarted while cut apart: strangers when they met, both had announced"),
    ],
)
def test_what_once_went_wrong_does_not_any_more(seed: int) -> None:
    RandomRun(seed).play()


def test_a_seed_tells_the_same_story_twice() -> None:
    first, second = RandomRun(11), RandomRun(11)
    first.play()
    second.play()
    assert first.world.trace == second.world.trace
    assert len(first.world.trace) > 20
