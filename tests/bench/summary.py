"""Figures of many trials: what is printed as JSON, every trial kept."""

import os
from collections.abc import Sequence
from math import ceil

import msgspec

from bench.trials import STALL_MAX_S
from lab.trial import Trial


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one measure over all trials that count."""

    p50: float
    max: float
    min: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One product, one fault."""

    product: str
    fault: str
    trials_counted: int
    outage_s: Figures
    answered_s: Figures
    two_answerers_s: float
    """The longest time in any trial."""
    requests_failed_max: int
    load: float
    """Of the last minute when the report was made: other work on the machine."""
    trials: list[Trial]


def figures(values: Sequence[float]) -> Figures:
    """Median by nearest rank, so that it is a value that was measured."""
    ordered = sorted(values)
    return Figures(p50=ordered[ceil(len(ordered) / 2) - 1], max=ordered[-1], min=ordered[0])


def counted(trials: Sequence[Trial]) -> list[Trial]:
    """Trials in which the host did not stand still; if it did in all of them, all of them."""
    return [trial for trial in trials if trial.stall_s <= STALL_MAX_S] or list(trials)


def report(trials: Sequence[Trial]) -> Report:
    """The figures of trials of one product under one fault."""
    those = counted(trials)
    return Report(
        product=those[0].product,
        fault=those[0].fault,
        trials_counted=len(those),
        outage_s=figures([trial.outage_s for trial in those]),
        answered_s=figures([trial.answered_s for trial in those]),
        two_answerers_s=max(trial.two_answerers_s for trial in those),
        requests_failed_max=max(trial.requests_failed for trial in those),
        load=round(os.getloadavg()[0], 2),
        trials=list(trials),
    )
