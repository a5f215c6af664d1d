"""Random histories of users, faults and controllers: what must hold does, and after calm all is well.

A run that breaks says ``replay: make sim WORLD=control SEED=…``; what it found is told in ``test_stories``.
"""

import pytest

from sim.control.faults import RandomRun

SEEDS = 200
BUNDLE = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, BUNDLE))
def test_invariants_hold_in_random_histories(first: int) -> None:
    for seed in range(first, first + BUNDLE):
        RandomRun(seed).play()


def test_a_seed_tells_the_same_story_twice() -> None:
    first, second = RandomRun(11), RandomRun(11)
    first.play()
    second.play()
    assert first.world.trace == second.world.trace
    assert len(first.world.trace) > 20
