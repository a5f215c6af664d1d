"""Every measure in one run and one JSON document: ``python -m bench --trials 10``."""

import sys

import msgspec

from bench import bareway, keepalived
from bench.arguments import bench
from bench.controller.report import TRIALS, ControllerReport, measure_controller
from bench.memory import Memory, measure_memory
from bench.summary import Report, report

MEMORY_LOOKS = 3


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """All that is measured."""

    power_off: Report
    kill: Report
    memory: list[Memory]
    keepalived_power_off: Report
    controller: ControllerReport


def measure_all(trials: int) -> tuple[Measures, bool]:
    """One after the other: they would disturb each other side by side."""
    measures = Measures(
        power_off=report(bareway.measure_power_off(trials)),
        kill=report(bareway.measure_kill(trials)),
        memory=measure_memory(MEMORY_LOOKS),
        keepalived_power_off=report(keepalived.measure_power_off(trials)),
        controller=measure_controller(min(trials, TRIALS))[0],
    )
    return measures, True


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, measure_all))
