"""The promises beside every trial that they were judged by."""

from collections.abc import Collection

import msgspec

from bench.controller.measures import FULL, NAMES, Measures, Scale, measure_all
from bench.controller.targets import Row, rows
from bench.trials import say

TRIALS = 3


class ControllerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The promises, and every trial."""

    rows: list[Row]
    measures: Measures


def measure_controller(
    trials: int, scale: Scale = FULL, only: Collection[str] = NAMES
) -> tuple[ControllerReport, bool]:
    """All of it, or only some; whether every promise was kept that was measured."""
    measures = measure_all(scale, trials, only)
    report = ControllerReport(rows=rows(measures), measures=measures)
    for row in report.rows:
        say(str(row))
    return report, all(row.is_met for row in report.rows)
