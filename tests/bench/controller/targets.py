"""What is promised of the controller, beside what was measured."""

from collections.abc import Iterable
from math import inf

import msgspec

from bench.controller.measures import Measures
from bench.summary import Figures, figures

RATE_MIN_PER_S = 130.0
"""Creations that come slower prove nothing: the trial does not count."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One promise."""

    what: str
    target: float
    measured: Figures
    is_met: bool
    """By the median of the trials that count."""

    def __str__(self) -> str:
        word = "" if self.is_met else "  MISSED"
        found = self.measured
        return f"{self.what}: {found.p50:g} ({found.min:g} to {found.max:g}); target {self.target:g}{word}"


def rows(measures: Measures) -> list[Row]:
    """Every promise that was measured."""
    return [
        *(_of_decisions(measures) if measures.decision else ()),
        *(_of_creations(measures) if measures.creation else ()),
        *_of_starts(measures),
        *_of_moments(measures),
    ]


def _of_decisions(measures: Measures) -> Iterable[Row]:
    decisions = measures.decision
    yield _row("allocate all, s", 2, (one.all_s for one in decisions))
    yield _row("allocate one more, s", 0.001, (one.one_more_s.p50 for one in decisions))


def _of_creations(measures: Measures) -> Iterable[Row]:
    created = [one for one in measures.creation if one.rate_per_s >= RATE_MIN_PER_S]
    yield _row("created while running: lag of the last address, s", 0.5, (one.lag_s for one in created))
    services = max((one.services for one in created), default=0)
    yield _row("created while running: writes of status", services, (one.writes.status for one in created))
    yield _row("created while running: other writes", 20, (one.writes.others for one in created))


def _of_starts(measures: Measures) -> Iterable[Row]:
    for trials, last_s, pss_mb in ((measures.starts_of_some, 2, 60), (measures.starts_of_many, 8, 75)):
        if not trials:
            continue
        many = f"{trials[0].start.services} Services"
        yield _row(
            f"{many} waiting at start: last address, s", last_s, (one.start.last_status_s for one in trials)
        )
        yield _row(f"{many}: PSS, MB", pss_mb, (one.start.pss_mb for one in trials))
    if not (many_trials := measures.starts_of_many):
        return
    yield _row("restart: writes to Services", 0, (one.restart.writes.status for one in many_trials))
    yield _row("restart: settled, s", 2, (one.restart.settled_s for one in many_trials))
    yield _row("CPU with all Events, s", 5, (one.start.cpu_s for one in many_trials))


def _of_moments(measures: Measures) -> Iterable[Row]:
    if replaced := measures.replacement:
        yield _row("replaced: address of the median, s", 0.1, (one.waited_s.p50 for one in replaced))
    for share, target in (("p50", 0.015), ("p99", 0.050)) if measures.single else ():
        above = (getattr(one.above_s, share) for one in measures.single)
        yield _row(f"a single Service: {share} above the API's own, s", target, above)
    for end, target in (("crash", 5.0), ("clean stop", 0.5)) if measures.takeover else ():
        taken = (one.served_s for one in measures.takeover if one.end == end)
        yield _row(f"takeover after a {end}, s", target, taken)


def _row(what: str, target: float, values: Iterable[float]) -> Row:
    """Without a value that counts nothing is met."""
    found = figures([*values] or [inf])
    return Row(what=what, target=target, measured=found, is_met=found.p50 <= target)
