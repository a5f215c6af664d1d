"""A row of the tables: what is done to the cluster, which word must come first, and what its remedy is."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.clinic.cluster import Clinic, Found

SEEN_WITHIN_S = 90.0
"""Most are seen at once; the machine may be busy with other things."""
Plant = Callable[[Clinic], None]
Cure = Callable[[Clinic, Found], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; ``cure`` does what ``says`` says, which must stand in the remedy."""

    word: str
    plant: Plant
    says: str
    cure: Cure
    about: str = ""
    """The Service or address that ``bareway why`` is asked about; empty = ``bareway doctor`` is asked."""
    subject: str = ""
    """Whom it must be about; empty = whoever it names."""
    well_within_s: float = SEEN_WITHIN_S
    """After the cure; the machine may be busy. Less where it was once told on and on."""


def follow(clinic: Clinic, found: Found) -> None:
    """The remedy is a command: type it."""
    clinic.follow(found)


def kubectl(*words: str) -> Cure:
    """What the sentence asks for, as a command."""
    return lambda clinic, _: _run(clinic, *words)


def configured(**pools: str) -> Cure:
    """The sentence asks for these changes of the configuration."""
    return lambda clinic, _: clinic.configure(**pools)


def _run(clinic: Clinic, *words: str) -> None:
    clinic.kubectl(*words)
