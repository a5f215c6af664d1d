"""The arithmetic of the benches: medians, what counts, and when the gate opens."""

import pytest

from bench.gate import compare
from bench.summary import Figures, counted, figures, report
from lab.trial import Trial


def trial(outage_s: float, *, stall_s: float = 0.0, requests_failed: int = 60) -> Trial:
    return Trial(
        product="bareway",
        fault="power off",
        owner="node1",
        successor="node2",
        outage_s=outage_s,
        requests_failed=requests_failed,
        failures={"timeout": requests_failed},
        announced_s=outage_s,
        answered_s=outage_s,
        two_answerers_s=0.0,
        stall_s=stall_s,
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0.5], Figures(p50=0.5, max=0.5, min=0.5), id="one"),
        pytest.param([3.0, 1.0, 2.0], Figures(p50=2.0, max=3.0, min=1.0), id="odd"),
        pytest.param(
            [4.0, 1.0, 2.0, 3.0], Figures(p50=2.0, max=4.0, min=1.0), id="even: one that was measured"
        ),
    ],
)
def test_the_median_is_a_value_that_was_measured(values: list[float], expected: Figures) -> None:
    assert figures(values) == expected


def test_trials_of_a_stalled_host_are_kept_but_do_not_count() -> None:
    trials = [trial(0.6), trial(2.0, stall_s=0.4), trial(0.7)]
    told = report(trials)
    assert told.trials == trials
    assert told.trials_counted == 2
    assert told.outage_s.max == 0.7


def test_if_the_host_always_stalled_everything_counts() -> None:
    trials = [trial(2.0, stall_s=0.4), trial(3.0, stall_s=0.1)]
    assert counted(trials) == trials


@pytest.mark.parametrize(
    ("ours", "theirs", "is_open"),
    [
        pytest.param(0.99, 3.0, True, id="less than a third"),
        pytest.param(1.0, 3.0, False, id="a third"),
        pytest.param(2.0, 3.0, False, id="more"),
    ],
)
def test_the_gate_opens_below_a_third(ours: float, theirs: float, is_open: bool) -> None:
    assert compare(report([trial(ours)]), report([trial(theirs)])).is_open is is_open
