"""``bareway lint``: every mistake in configuration files, before a cluster sees them.

Needs no cluster. Exit codes: 0 no errors (there may be warnings), 1 errors, 2 a file cannot be read.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final

from bareway.cli.asking.files import (
    CannotTell,
    add_files,
    as_row,
    documents,
    has_error,
    problem_line,
    problems_of,
    read_files,
)
from bareway.cli.pages.output import add_output, show
from bareway.cli.pages.shapes import Cell, Lines, Mood, Page
from bareway.cli.pages.table import printable
from bareway.cli.verb import ExitCode, Verb
from bareway.model.problems import Problem, Severity
from bareway.resources.manifests import Place

NO_MISTAKES: Final = Cell("No mistakes.", Mood.GOOD)
MOODS: Final = {Severity.ERROR: Mood.BAD, Severity.WARNING: Mood.ODD}
NOTHING_FOUND: Final = "there is no configuration document in these files"


def lint(names: Sequence[str]) -> list[tuple[Place, Problem]]:
    """Every mistake in the files, in their order.

    Raises:
        CannotTell: one of them cannot be read at all.
    """
    found = read_files(names)
    written = documents(found)
    problems = list(problems_of(found, written))
    if not written and not problems:
        warning = Problem(path="", message=NOTHING_FOUND, severity=Severity.WARNING)
        problems.append((Place(file=names[0], document=0), warning))
    order = {name: number for number, name in enumerate(names)}
    problems.sort(key=lambda one: (order[one[0].file], one[0].document, one[1].line))
    return problems


def _add_arguments(parser: ArgumentParser) -> None:
    add_files(parser, required=True)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    try:
        problems = lint(arguments.filename)
    except CannotTell as error:
        print(f"bareway: {printable(str(error))}", file=sys.stderr)
        return ExitCode.COULD_NOT_TELL
    lines = tuple(Cell(problem_line(place, problem), MOODS[problem.severity]) for place, problem in problems)
    rows = [as_row(problem, place) for place, problem in problems]
    show(Page(blocks=(Lines(lines=lines or (NO_MISTAKES,)),), data=rows), arguments.output)
    return ExitCode.SOMETHING_WRONG if has_error(problems) else ExitCode.WELL


LINT = Verb(add_arguments=_add_arguments, run=_run)
