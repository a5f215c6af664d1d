"""Sentences for words: those of ``bareway explain``, as they fit into a line of the chain."""

from functools import cache

from bareway.decide.answers.reasons.registry import find
from bareway.model.answers import Finding, Gravity


@cache  # a chain asks for a handful of words, a hundred times
def meaning(word: str) -> str:
    """What a word means; empty for one that nobody explains, and for no word."""
    found = find(word) if word else ()
    return _spoken(found[0].explanation.meaning) if found else ""


@cache
def advice(word: str) -> str:
    """What to do about it, whoever it hits."""
    found = find(word) if word else ()
    return _spoken(found[0].explanation.remedy) if found else ""


def _spoken(text: str) -> str:
    """Without the marks of a document."""
    return text.replace("`", "")


def whole(text: str) -> str:
    """A sentence: it begins with a capital and ends with a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def finding(
    *, word: str, gravity: Gravity, subject: str, evidence: str, consequence: str, remedy: str
) -> Finding:
    """One that tells in whole sentences."""
    return Finding(
        word=str(word),
        gravity=gravity,
        subject=subject,
        evidence=whole(evidence),
        consequence=whole(consequence),
        remedy=remedy,
    )


def enumerated(names: tuple[str, ...], most: int = 5) -> str:
    """``n1, n2 and 3 more``; never longer than a line or two."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
