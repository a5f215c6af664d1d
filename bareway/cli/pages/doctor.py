"""The page of ``bareway doctor``: what is so, what was found, what could not be found out."""

from collections.abc import Iterator

from bareway.cli.pages.findings import MOODS, unknown_block
from bareway.cli.pages.output import versioned
from bareway.cli.pages.shapes import Block, Cell, Lines, Mood, Page
from bareway.decide.answers.diagnosis import Diagnosis
from bareway.model.answers import Finding
from bareway.model.plain import plain
from bareway.model.surroundings import NodeFacts

ALL = 10_000
"""Nothing is left out: it is asked once, and read."""


def page_of(diagnosis: Diagnosis, *, here: NodeFacts | None = None) -> Page:
    """``here`` is what this node's kernel says, for whoever asks by a command in its Pod."""
    head = [Cell(fact) for fact in diagnosis.facts]
    if diagnosis.findings:
        grave = len(diagnosis.findings)
        head.append(Cell(f"{grave} finding{'s' if grave > 1 else ''}, the gravest first", Mood.TITLE))
    else:
        head.append(Cell(_nothing(diagnosis), Mood.GOOD))
    blocks: list[Block] = [Lines(lines=tuple(head))]
    blocks += [Lines(lines=tuple(_finding(one))) for one in diagnosis.findings]
    blocks += unknown_block(diagnosis.unknown, at_most=ALL)
    data = {
        "installed": diagnosis.is_installed,
        "facts": list(diagnosis.facts),
        "findings": plain(diagnosis.findings),
        "unknown": plain(diagnosis.unknown),
    }
    if here is not None:
        data["node"] = plain(here)
    return Page(blocks=tuple(blocks), data=versioned(data))


def _nothing(diagnosis: Diagnosis) -> str:
    if diagnosis.is_installed is None:
        return "Too little could be looked at to say that all is well"
    if diagnosis.unknown:
        return "Nothing was found in what could be looked at"
    return "Nothing was found"


def _finding(one: Finding) -> Iterator[Cell | str]:
    yield Cell(f"{one.word}: {one.subject} ({one.gravity})", MOODS[one.gravity])
    yield f"  seen: {one.evidence}"
    yield f"  so:   {one.consequence}"
    yield f"  do:   {one.remedy}"
