"""What an operator is told: something that was found, what it does, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """How much a finding matters; in this order they are told."""

    BROKEN = "Broken"
    """Somebody gets no address, or no answer from one."""
    AT_RISK = "AtRisk"
    """All is served now; the next fault would not be survived as promised."""
    ODD = "Odd"
    """Worth knowing, and nothing suffers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    word: str
    """Value of an Enum, which ``bareway explain`` knows."""
    gravity: Gravity
    subject: str
    """What it is about: ``Service ns/name``, ``node n1``, ``192.0.2.10``, ``pool p``."""
    evidence: str
    """What was seen, as a sentence."""
    consequence: str
    """What follows for users."""
    remedy: str
    """What to do; a command where one does it."""


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The gravest first; among equals by word and subject."""
    rank = {gravity: number for number, gravity in enumerate(Gravity)}
    return tuple(sorted(findings, key=lambda one: (rank[one.gravity], one.word, one.subject)))
