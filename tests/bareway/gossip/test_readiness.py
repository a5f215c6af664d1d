"""When a member starts, and how long a pause silences it."""

from math import inf

import pytest

from bareway.gossip.profile import FENCE_MAX_S, START_MAX_S
from bareway.gossip.readiness import Readiness

CALM_S = 0.75


def readiness(*, ready_at: float | None = 10.0, met_at: float | None = None) -> Readiness:
    made = Readiness(calm_s=CALM_S)
    if ready_at is not None:
        made.ready(now=ready_at)
    if met_at is not None:
        made.pull_ended(begun_at=met_at, lives=True)
    return made


def start_at(
    made: Readiness,
    *,
    alone: bool = False,
    unwelcome: bool = False,
    has_claims: bool = False,
    changed_at: float = 0.0,
) -> float:
    return made.start_at(unwelcome=unwelcome, alone=alone, has_claims=has_claims, changed_at=changed_at)


def test_nobody_starts_before_its_caches_are_synced() -> None:
    assert start_at(readiness(ready_at=None, met_at=9.0), alone=True) == inf


def test_who_is_alone_starts_at_once() -> None:
    assert start_at(readiness(), alone=True) == 10.0


def test_who_met_nobody_starts_after_three_seconds() -> None:
    assert start_at(readiness()) == 10.0 + START_MAX_S


@pytest.mark.parametrize(
    ("changed_at", "expected"),
    [
        pytest.param(0.0, 10.0, id="the view is stable already"),
        pytest.param(9.9, 9.9 + CALM_S, id="stable a while after the last change"),
        pytest.param(12.9, 10.0 + START_MAX_S, id="changes do not prolong it"),
    ],
)
def test_who_met_somebody_starts_when_the_view_is_stable(changed_at: float, expected: float) -> None:
    assert start_at(readiness(met_at=10.1), changed_at=changed_at) == expected


def test_who_finds_claims_of_its_own_goes_on_at_once() -> None:
    assert start_at(readiness(met_at=10.1), has_claims=True, changed_at=10.1) == 10.0
    assert start_at(readiness(), has_claims=True) == 10.0 + START_MAX_S


def test_a_pull_from_before_or_without_anybody_does_not_count_as_meeting() -> None:
    assert start_at(readiness(met_at=9.9)) == 10.0 + START_MAX_S
    lonely = readiness()
    lonely.pull_ended(begun_at=11.0, lives=False)
    assert start_at(lonely) == 10.0 + START_MAX_S


def test_becoming_unready_begins_anew() -> None:
    made = readiness(met_at=10.1)
    made.unready()
    assert start_at(made) == inf
    made.ready(now=20.0)
    assert start_at(made) == 20.0 + START_MAX_S


def test_being_ready_anew_forgets_whom_it_met() -> None:
    made = readiness(met_at=10.1)
    made.ready(now=20.0)
    assert start_at(made) == 20.0 + START_MAX_S


def test_after_a_pause_only_a_pull_begun_since_confirms() -> None:
    made = readiness()
    made.fence(now=15.0)
    made.pull_ended(begun_at=14.9, lives=True)
    assert made.fenced
    made.pull_ended(begun_at=15.0, lives=True)
    assert not made.fenced


def test_after_a_pause_nobody_starts_before_it_is_confirmed() -> None:
    made = readiness(met_at=10.1)
    made.fence(now=15.0)
    assert start_at(made) == inf


def test_a_second_without_any_answer_counts_as_one() -> None:
    made = readiness()
    assert made.deadline == inf
    made.fence(now=15.0)
    assert made.deadline == 15.0 + FENCE_MAX_S
    made.nobody_answers(now=15.9)
    assert made.fenced
    made.nobody_answers(now=15.0 + FENCE_MAX_S)
    assert not made.fenced


@pytest.mark.parametrize("met_at", [None, 10.5])
def test_whom_most_turn_away_does_not_start_however_long_it_waits(met_at: float | None) -> None:
    assert start_at(readiness(met_at=met_at), unwelcome=True, has_claims=True) == inf


def test_claims_of_its_own_do_not_hurry_a_second_start() -> None:
    made = readiness()
    made.was_started = True
    made.ready(now=20.0)
    made.pull_ended(begun_at=20.1, lives=True)
    assert start_at(made, has_claims=True, changed_at=20.05) == 20.05 + CALM_S
