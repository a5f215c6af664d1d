"""Waiting for something to become true, with a limit and a name for what was awaited."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.commands import LabError

POLL_S = 0.02
"""Between two looks: below what a person or a measure of tenths of seconds notices."""

T = TypeVar("T")


class TimedOut(LabError):
    """What was awaited did not happen."""


def wait_for(look: Callable[[], T | None], *, what: str, within_s: float, poll_s: float = POLL_S) -> T:
    """The first value of ``look()`` that is true; ``TimedOut`` names ``what`` if there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise TimedOut(f"waited {within_s:g} s in vain for {what}")
        pause(poll_s)


def pause(seconds: float) -> None:
    """Let time pass between two looks, or traffic flow for a measure; tests wait for a condition instead."""
    time.sleep(seconds)
