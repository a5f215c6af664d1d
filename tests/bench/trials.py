"""Trials that a stalled host spoiled are repeated once; progress goes to standard error."""

import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from lab.machine import Machine
from lab.site import Watchers
from lab.trial import Trial, measure

STALL_MAX_S = 0.05
"""A host that stood still for longer spoils a measure of tenths of seconds: the trial is repeated once."""


REPEATS_MAX = 3
"""A trial that the host spoiled is tried so often at most; all are kept."""


def say(sentence: str) -> None:
    """Progress, for whoever waits."""
    print(sentence, file=sys.stderr, flush=True)


def heed_interrupts() -> None:
    """SIGINT counts, also where a shell started us in the background and so had it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Stalled(Protocol):
    """A trial that knows how long the host itself stood still in it."""

    @property
    def stall_s(self) -> float:
        """At most, in one piece."""


StalledT = TypeVar("StalledT", bound=Stalled)


def until_calm(measure: Callable[[], Sequence[StalledT]]) -> list[StalledT]:
    """The trials of one fault, and the same again while the host stood still; all of them are kept."""
    tried: list[StalledT] = []
    for _ in range(REPEATS_MAX):
        trials = measure()
        tried += trials
        stall_s = max((trial.stall_s for trial in trials), default=0.0)
        if stall_s <= STALL_MAX_S:
            break
        say(f"  the host itself stood still for {stall_s * 1000:.0f} ms: repeated")
    return tried


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
