"""The promises beside every trial that they were judged by."""

import msgspec

from bench.controller.measures import FULL, Measures, Scale, measure_all
from bench.controller.targets import Row, rows
from bench.trials import say

TRIALS = 3


class ControllerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The promises, and every trial."""

    rows: list[Row]
    measures: Measures


def measure_controller(trials: int, scale: Scale = FULL) -> tuple[ControllerReport, bool]:
    """All of it; whether every promise was kept."""
    measures = measure_all(scale, trials)
    report = ControllerReport(rows=rows(measures), measures=measures)
    for row in report.rows:
        say(str(row))
    return report, all(row.is_met for row in report.rows)
