"""Nodes and routers under random faults: what must always hold does, and after calm all is well."""

import subprocess
import sys
from pathlib import Path

import pytest

from sim.routers.checkers import Standing
from sim.routers.history import RandomRun
from sim.routers.scripts import FAULTS_MIN, draw

SEEDS = 150
BUNDLE = 25
TESTS = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, SEEDS, BUNDLE))
def test_invariants_hold_in_random_histories(first: int) -> None:
    settled = kept = 0
    for seed in range(first, first + BUNDLE):
        run = RandomRun(seed)
        run.play()
        settled += sum(one is Standing.SETTLED for one in run.world.checkers.standing.values())
        kept += run.world.checkers.kept_restarts
    assert settled > BUNDLE  # what is never settled is never looked at
    assert kept >= 3


def test_every_kind_of_router_and_fault_is_drawn() -> None:
    scripts = [draw(seed) for seed in range(SEEDS)]
    assert all(len(script.faults) >= FAULTS_MIN for script in scripts)
    assert len({fault.kind for script in scripts for fault in script.faults}) == 19
    plans = [plan for script in scripts for plan in script.plans]
    for trait in ("has_bfd", "has_restart", "heeds_shutdown", "dials", "is_internal", "ends_what_is_kept"):
        assert {getattr(plan, trait) for plan in plans} == {True, False}


@pytest.mark.slow
def test_a_seed_tells_the_same_story_to_the_last_byte_in_another_process() -> None:
    def fingerprint(hash_seed: str) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "sim.routers", "12"],
            env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        )
        return next(line for line in told.stdout.splitlines() if line.startswith("trace "))

    assert fingerprint("1") == fingerprint("2")
