"""What was found, and what could not be found out, as lines: alike in every answer."""

from collections.abc import Sequence
from typing import Final

from bareway.cli.pages.shapes import Block, Cell, Lines, Mood
from bareway.decide.answers.checks.view import OUR_PODS
from bareway.model.answers import Finding, Gravity
from bareway.model.cluster import Cluster, Unknown

SHOWN: Final = 8
"""Findings on one screen; ``bareway doctor`` tells all."""
UNKNOWN_SHOWN: Final = 8
MOODS: Final = {Gravity.BROKEN: Mood.BAD, Gravity.AT_RISK: Mood.ODD, Gravity.ODD: Mood.FAINT}
WRONG: Final = frozenset({Gravity.BROKEN, Gravity.AT_RISK})
"""What makes a verb end with 1; an oddity alone does not."""


def is_wrong(findings: Sequence[Finding]) -> bool:
    """Whether any of them is more than odd."""
    return any(one.gravity in WRONG for one in findings)


def findings_block(findings: Sequence[Finding], *, at_most: int = SHOWN) -> tuple[Block, ...]:
    """Each in a few lines; nothing where there are none."""
    if not findings:
        return ()
    lines: list[Cell | str] = [Cell(f"What is wrong ({len(findings)}):", Mood.TITLE)]
    for one in findings[:at_most]:
        lines.append(Cell(f"  {one.word}: {one.subject}", MOODS[one.gravity]))
        lines.append(f"    {_sentence(one.evidence)} {one.consequence}".rstrip())
        if one.remedy:
            lines.append(f"    To do: {one.remedy}")
    if len(findings) > at_most:
        lines.append(f"  and {len(findings) - at_most} more: bareway doctor")
    return (Lines(lines=tuple(lines)),)


def _sentence(text: str) -> str:
    """With a full stop, where another sentence follows."""
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."


def unknown_block(unknown: Sequence[Unknown], *, at_most: int = UNKNOWN_SHOWN) -> tuple[Block, ...]:
    """What was asked and not answered; nothing where all was."""
    if not unknown:
        return ()
    lines: list[Cell | str] = [Cell(f"What could not be found out ({len(unknown)}):", Mood.TITLE)]
    for one in unknown[:at_most]:
        lines.append(Cell(f"  {one.subject}: {one.why}", Mood.ODD))
        if one.remedy:
            lines.append(f"    To do: {one.remedy}")
    if len(unknown) > at_most:
        lines.append(f"  and {len(unknown) - at_most} more")
    return (Lines(lines=tuple(lines)),)


def is_absent(cluster: Cluster) -> bool:
    """There is nothing of Bareway, as far as it was found out."""
    answered = cluster.pods or cluster.controllers or cluster.speakers
    return not answered and all(one.subject != OUR_PODS for one in cluster.unknown)


def absent_block(namespace: str) -> tuple[Block, ...]:
    """What to say where nothing of Bareway is."""
    lines = (
        Cell(f"There is no Pod of Bareway in namespace {namespace}.", Mood.BAD),
        "To install it: kubectl apply -k manifests/. If it runs elsewhere, say so: -n NAMESPACE",
    )
    return (Lines(lines=lines),)


def unasked_block(cluster: Cluster) -> tuple[Block, ...]:
    """That there are more speakers than were asked."""
    if not cluster.unasked:
        return ()
    asked = sum(pod.component == "speaker" for pod in cluster.pods) - len(cluster.unasked)
    total = asked + len(cluster.unasked)
    return (Lines(lines=(f"{asked} of {total} speakers were asked; --all asks every one",)),)
