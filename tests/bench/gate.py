"""The gate of CI: Bareway replaces a powered-off node in less than a third of keepalived's time.

    python -m bench.gate --trials 3

By the median of the client's outage. A ratio of two products side by side bears a slow machine; a limit in
seconds does not.
"""

import sys

import msgspec

from bench import bareway, keepalived
from bench.arguments import bench
from bench.summary import Report, report
from bench.trials import say

RATIO_MAX = 1 / 3


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """Both products, and the ratio of their medians."""

    ratio: float
    ratio_max: float
    is_open: bool
    bareway: Report
    keepalived: Report


def compare(ours: Report, theirs: Report) -> Gate:
    """Open if our median outage is less than RATIO_MAX of theirs."""
    ratio = ours.outage_s.p50 / theirs.outage_s.p50
    return Gate(
        ratio=round(ratio, 3),
        ratio_max=round(RATIO_MAX, 3),
        is_open=ratio < RATIO_MAX,
        bareway=ours,
        keepalived=theirs,
    )


def measure_gate(trials: int) -> tuple[Gate, bool]:
    """Both products with as many trials each."""
    gate = compare(report(bareway.measure_power_off(trials)), report(keepalived.measure_power_off(trials)))
    verdict = "less" if gate.is_open else "NOT less"
    say(
        f"bareway {gate.bareway.outage_s.p50:.2f} s, keepalived {gate.keepalived.outage_s.p50:.2f} s:"
        f" {gate.ratio:.2f} of it, {verdict} than a third"
    )
    return gate, gate.is_open


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, measure_gate, trials=3))
