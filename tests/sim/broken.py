"""What is raised when an invariant does not hold."""

from typing import NoReturn, Protocol


class Clock(Protocol):
    """What tells the time."""

    now: float


class Broken(AssertionError):
    """An invariant does not hold; says which, when, and how to see it again."""


def broken(clock: Clock, seed: int, text: str) -> NoReturn:
    """Say what is wrong."""
    raise Broken(f"{clock.now:.4f} {text}; replay: make sim SEED={seed}")
