"""What became of each mutant: as little of mutmut's own files as a report needs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    """A test failed."""
    TIMED_OUT = "timed out"
    """It ran until its time was up: the tests would not have ended, so it is dead too."""
    SURVIVED = "survived"
    UNTESTED = "untested"
    """No test reaches the function. It lives."""
    LOST = "lost"
    """Something else than a test ended it. It counts as living."""
    UNTRIED = "untried"
    """Its turn did not come."""


DEAD = {Fate.KILLED, Fate.TIMED_OUT}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """What one mutant changes, as a reader finds it again after the lines have moved."""

    function: str
    """``bareway.decide.allocation.free.Intervals.add``."""
    was: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mutant, and what became of it."""

    path: str
    """From the root of the tree."""
    line: int
    change: Change
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The figures of one module, or of several."""

    mutants: int
    fates: Counter[Fate]
    equivalent: int
    """Of those that live."""

    @property
    def dead(self) -> int:
        """How many the tests notice."""
        return sum(self.fates[fate] for fate in DEAD)

    @property
    def share(self) -> float:
        """Per cent of all that are dead."""
        return _per_cent(self.dead, self.mutants)

    @property
    def share_of_others(self) -> float:
        """Per cent that are dead of those that change anything at all."""
        return _per_cent(self.dead, self.mutants - self.equivalent)


def count(mutants: Iterable[Mutant], equivalent: Iterable[Change]) -> Count:
    """How many there are of each fate."""
    known, listed = set(equivalent), list(mutants)
    living = [one for one in listed if one.fate not in DEAD]
    return Count(
        mutants=len(listed),
        fates=Counter(one.fate for one in listed),
        equivalent=sum(one.change in known for one in living),
    )


def _per_cent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0
