"""Trials that a stalled host spoiled are repeated once; progress goes to standard error."""

import sys
from collections.abc import Callable

from lab.machine import Machine
from lab.site import Watchers
from lab.trial import Trial, measure

STALL_MAX_S = 0.05
"""A host that stood still for longer spoils a measure of tenths of seconds: the trial is repeated once."""


def say(sentence: str) -> None:
    """Progress, for whoever waits."""
    print(sentence, file=sys.stderr, flush=True)


def measured(
    watchers: Watchers,
    product: str,
    fault: str,
    strike: Callable[[Machine], None],
    repair: Callable[[Machine], None],
) -> list[Trial]:
    """One trial, repeated once if the host stood still; both are kept, the last one counts."""
    trials: list[Trial] = []
    for _ in range(2):
        trial = measure(watchers, product, fault, strike)
        trials.append(trial)
        say(
            f"  {product}: {trial.owner} {fault}; {trial.successor} took over; outage {trial.outage_s:.3f} s,"
            f" answered again after {trial.answered_s:.3f} s"
        )
        repair(watchers.site.lab.machines[trial.owner])
        if trial.stall_s <= STALL_MAX_S:
            break
        say(f"  the host itself stood still for {trial.stall_s * 1000:.0f} ms: repeated once")
    return trials
