"""A failed history made short: faults are left out while it still fails; then its end is shown."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sim.broken import Broken
from sim.history import RandomRun
from sim.scripts import Script, draw

RUNS_MAX: Final = 60
"""Histories played while one is shrunk: half a minute at most."""
LINES: Final = 40
"""Of the trace, from its end."""


def fails(script: Script) -> Broken | None:
    """Play it; what broke."""
    try:
        RandomRun(script.seed, script=script).play()
    except Broken as error:
        return error
    return None


def shrink(script: Script, *, fails: Callable[[Script], object] = fails, runs_max: int = RUNS_MAX) -> Script:
    """Halves, quarters and single faults are left out as long as what is left still fails."""
    runs, share = 0, max(1, len(script.faults) // 2)
    while runs < runs_max:
        start, has_shrunk = 0, False
        while start < len(script.faults) and runs < runs_max:
            shorter = replace(script, faults=script.faults[:start] + script.faults[start + share :])
            runs += 1
            if fails(shorter):
                script, has_shrunk = shorter, True
            else:
                start += share
        if share == 1 and not has_shrunk:
            break
        share = max(1, share // 2)
    return script


def tell(seed: int, error: Broken) -> str:
    """What a person needs to look into a failure."""
    script = shrink(draw(seed))
    run = RandomRun(seed, script=script)
    try:
        run.play()
        last: Broken | None = None
    except Broken as again:
        last = again
    about = f"{script.nodes} nodes, {script.profile}, {script.partition}, lists: {script.lists}"
    return "\n".join(
        [
            f"seed {seed}: {error}",
            f"the script, made shorter ({about}):",
            *map(str, script.faults),
            f"ends with: {last}",
            f"the last {LINES} lines:",
            *run.world.trace[-LINES:],
        ]
    )


def play(seed: int) -> None:
    """Play a seed; a failure comes with the shortest history that still fails.

    Raises:
        Broken: an invariant does not hold.
    """
    try:
        RandomRun(seed).play()
    except Broken as error:
        raise Broken(tell(seed, error)) from error
