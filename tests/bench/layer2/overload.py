"""Speakers that start with their addresses while the machine has no time for them: do they find each other?

Each death moves what the dead had, and that is work: a group may keep itself too busy to end it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import msgspec

from bench.layer2.conditions import Conditions
from bench.layer2.idle import Idle, rest
from bench.trials import say
from lab.multitude import Multitude, multitude
from lab.waiting import pause

BUSY_S = 45.0
"""From before the first speaker starts; a process of every core then leaves it what is fair, and no more."""
WATCHED_ON_S = 60.0
WINDOW_S = 20.0
SPIN = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """Of a speaker's log."""

    ts: datetime
    msg: str
    state: str = ""


class Overload(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the group."""

    busy_s: float
    deaths: int
    """Told by all speakers together; nobody died."""
    calm_after_s: float
    """From the first moment until the last death was told."""
    is_calm: bool
    """Nobody was buried in the last ten seconds."""
    afterwards: Idle


CALM_S = 10.0


def overload(conditions: Conditions) -> list[Overload]:
    """Again and again."""
    return [_overload(conditions) for _ in range(conditions.trials)]


def _overload(conditions: Conditions) -> Overload:
    with ExitStack() as stack:
        began = datetime.now(UTC)
        stack.enter_context(_busy(BUSY_S))
        crowd = stack.enter_context(
            multitude(
                count=conditions.addresses,
                nodes=conditions.nodes,
                families=conditions.families,
                flags=("--profile", conditions.profile),
                together=True,
            )
        )
        passed_s = (datetime.now(UTC) - began).total_seconds()
        pause(max(BUSY_S - passed_s, 0.0) + WATCHED_ON_S)
        afterwards = rest(crowd, seconds=WINDOW_S)
        deaths = _deaths(crowd)
        watched_s = (datetime.now(UTC) - began).total_seconds()
    last_s = max(((at - began).total_seconds() for at in deaths), default=0.0)
    found = Overload(
        busy_s=BUSY_S,
        deaths=len(deaths),
        calm_after_s=round(last_s, 1),
        is_calm=watched_s - last_s > CALM_S,
        afterwards=afterwards,
    )
    say(f"  busy for {BUSY_S:g} s: {found.deaths} deaths told, the last after {found.calm_after_s} s")
    return found


@contextmanager
def _busy(seconds: float) -> Iterator[None]:
    """One loop for each core, which ends by itself."""
    loops = [subprocess.Popen([sys.executable, "-c", SPIN, str(seconds)]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _deaths(crowd: Multitude) -> list[datetime]:
    lines = [
        msgspec.json.decode(line, type=_Line)
        for node in crowd.site.nodes
        for line in crowd.speaker(node).output.read_text().splitlines()
        if line.startswith("{")
    ]
    return [line.ts for line in lines if line.msg == "member changed" and line.state == "Dead"]
