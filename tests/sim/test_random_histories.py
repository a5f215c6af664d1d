"""Whole clusters under random faults: what must always hold does, and after calm all is well.

A history that breaks says ``replay: make sim SEED=…``, with the shortest script that still breaks it.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sim.history import RandomRun
from sim.scripts import FAULTS_MIN, Script, draw
from sim.shrinking import play, shrink

SEEDS = 1000
BUNDLE = 25
NODES_MIN, SPAN_MIN_S = 5, 30.0
TESTS = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, BUNDLE))
def test_invariants_hold_in_random_histories(first: int) -> None:
    for seed in range(first, first + BUNDLE):
        play(seed)


def test_every_history_is_long_enough_and_has_faults_and_nodes_enough() -> None:
    for seed in range(SEEDS):
        script = draw(seed)
        assert script.nodes >= NODES_MIN
        assert len(script.faults) >= FAULTS_MIN
        assert script.calm_at + 12.0 >= SPAN_MIN_S


def test_a_seed_tells_the_same_story_to_the_last_byte_in_another_process() -> None:
    def fingerprint(hash_seed: str) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "sim", "12"],
            env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        )
        return next(line for line in told.stdout.splitlines() if line.startswith("trace "))

    assert fingerprint("1") == fingerprint("2")


def test_messages_as_objects_and_as_bytes_tell_the_same_story() -> None:
    script = draw(12)
    one = RandomRun(12, script=replace(script, as_bytes=False))
    other = RandomRun(12, script=replace(script, as_bytes=True))
    one.play()
    other.play()
    assert one.world.trace == other.world.trace
    assert len(one.world.trace) > 20


def test_a_failed_history_is_made_as_short_as_what_breaks_it() -> None:
    script = draw(3)
    guilty = script.faults[2]
    runs: list[Script] = []

    def fails(shorter: Script) -> bool:
        runs.append(shorter)
        return guilty in shorter.faults

    assert shrink(script, fails=fails).faults == (guilty,)
    assert len(runs) <= 60
