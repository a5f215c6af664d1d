"""Trials that the host spoiled are repeated, and none is dropped."""

from dataclasses import dataclass

import pytest

from bench.trials import REPEATS_MAX, until_calm


@dataclass(frozen=True, slots=True)
class Once:
    stall_s: float


@pytest.mark.parametrize(
    ("stalls_s", "expected"),
    [
        pytest.param([0.0, 0.0], 1, id="a calm host: once"),
        pytest.param([0.2, 0.0, 0.0], 2, id="spoiled once: again"),
        pytest.param([0.2, 0.2, 0.2, 0.2], REPEATS_MAX, id="always spoiled: not for ever"),
    ],
)
def test_a_spoiled_trial_is_repeated_and_kept(stalls_s: list[float], expected: int) -> None:
    waiting = iter(stalls_s)
    tried = until_calm(lambda: [Once(next(waiting))])
    assert [one.stall_s for one in tried] == stalls_s[:expected]
