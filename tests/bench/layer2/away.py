"""The API server goes away for minutes, and then a node dies: no call to it lies on the way of an address.

    make bench ONLY=layer2 SCENARIO=api-away MINUTES=10

First the same fault with the API server there, as often as ``TRIALS`` says. A node cannot come back while it
is away, since a speaker that starts asks it what to announce: if the host stood still during the fault, the
next node dies, until one is left.
"""

import time

import msgspec

from bench.layer2.chronicle import Judgement, LogReader, judge
from bench.layer2.conditions import Conditions
from bench.layer2.failover import power_on, reports, strike_once
from bench.layer2.stage import Stage, staged
from bench.summary import Report
from bench.trials import STALL_MAX_S, say
from lab.machine import Machine
from lab.trial import Trial, measure_each
from lab.waiting import pause

LOOKS_S = 60.0


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it."""

    minutes: float
    """That nobody answered for the API server before the node died."""
    requests: int
    """Of the client in that time, to all watched addresses."""
    requests_failed: int
    meanwhile: Judgement
    """What the members wrote down in that time: no death, no move."""
    with_api: list[Report]
    """For each family."""
    without_api: list[Report]


def api_away(conditions: Conditions) -> Away:
    """With it, and without it."""
    with staged(conditions) as stage:
        with_api = [
            trial
            for _ in range(conditions.trials)
            for trial in strike_once(stage, "power off", Machine.power_off, power_on)
        ]
        stage.owner()
        logs = [LogReader(name, process.output) for name, process in stage.system.speakers.items()]
        for log in logs:
            log.skip()
        began = time.monotonic()
        stage.system.api.kill()
        _wait(stage, 60 * conditions.minutes)
        ended = time.monotonic()
        for log in logs:
            log.read()
        without_api = _deaths(stage)
        sent = [
            attempt
            for watchers in stage.watched
            for attempt in watchers.prober.attempts
            if began <= attempt.sent_at < ended - 1
        ]
        return Away(
            minutes=round((ended - began) / 60, 2),
            requests=len(sent),
            requests_failed=sum(attempt.body is None for attempt in sent),
            meanwhile=judge(entry for log in logs for entry in log.entries),
            with_api=reports(with_api, stage) if with_api else [],
            without_api=reports(without_api, stage),
        )


def _wait(stage: Stage, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while (left_s := ends_at - time.monotonic()) > 0:
        say(f"  no API server; a node dies in {left_s / 60:.1f} minutes")
        pause(min(LOOKS_S, left_s))
        for speaker in stage.system.speakers.values():
            speaker.must_run()


def _deaths(stage: Stage) -> list[list[Trial]]:
    """One, or more while the host itself stood still and a node is left to take over."""
    tried: list[list[Trial]] = []
    for _ in stage.site.nodes[1:]:
        trials = measure_each(stage.watched, "bareway", "power off, no API server", Machine.power_off)
        tried.append(trials)
        outages = ", ".join(f"{trial.outage_s:.3f}" for trial in trials)
        say(f"  {trials[0].owner} without power; {trials[0].successor} took over; outages {outages} s")
        if max(trial.stall_s for trial in trials) <= STALL_MAX_S:
            break
        say("  the host itself stood still meanwhile: repeated with the next node")
    return tried
