"""Files that a verb is given: read whole, before anything is said about them."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import EXTENSION_KEY, ConfigurationReading, read_configuration
from bareway.resources.manifests import Found, Misread, Place, Written, read_manifests

STANDARD_INPUT: Final = "-"


OWN_PREFIX: Final = "bareway-"  # ConfigMaps that Bareway writes hold no document of the user's
Problems: TypeAlias = Sequence[tuple[Place, Problem]]


class CannotTell(Exception):
    """Nothing can be found out, such as from a file that may not be read; the sentence says why."""


def add_files(parser: ArgumentParser, *, required: bool) -> None:
    """The option that names them."""
    parser.add_argument(
        "-f",
        "--filename",
        action="extend",
        nargs="+",
        default=[],
        required=required,
        metavar="FILE",
        help="YAML or JSON as kubectl takes and prints it; - is the standard input; may be given many times",
    )


def read_files(names: Sequence[str]) -> list[Found]:
    """Everything in all of them.

    Raises:
        CannotTell: one of them cannot be read at all.
    """
    return [found for name in dict.fromkeys(names) for found in read_manifests(_text(name), name)]


def _text(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode()
        return Path(name).read_bytes().decode()
    except OSError as error:
        raise CannotTell(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotTell(f"{name}: is not text in UTF-8, from byte {error.start} on") from error


def documents(found: Iterable[Found]) -> tuple[Written, ...]:
    """The configuration documents among them, as users write them."""
    return tuple(
        one
        for one in found
        if isinstance(one, Written)
        and (one.config_map is None or not one.config_map.name.startswith(OWN_PREFIX))
    )


def read_written(written: Written) -> ConfigurationReading:
    """Its configuration; lines are those of the file where they can be told."""
    reading = read_configuration(written.text, written.extension)
    return replace(reading, problems=tuple(_in_file(problem, written) for problem in reading.problems))


def _in_file(problem: Problem, written: Written) -> Problem:
    before = written.extension_line if problem.document == EXTENSION_KEY else written.line
    return replace(problem, line=problem.line + before) if problem.line else problem


def as_row(problem: Problem, place: Place) -> dict[str, object]:
    """One Problem as ``-o json`` shows it."""
    return {
        "file": place.file,
        "document": place.document,
        "path": problem.path,
        "line": problem.line,
        "severity": problem.severity.value,
        "message": problem.message,
        "hint": problem.hint,
    }


def problems_of(found: Iterable[Found], written: Iterable[Written]) -> Iterator[tuple[Place, Problem]]:
    """Everything wrong in what was read, in the order of the files."""
    for one in found:
        if isinstance(one, Misread):
            yield one.place, one.problem
    for document in written:
        for problem in read_written(document).problems:
            yield document.place, problem


def problem_line(place: Place, problem: Problem) -> str:
    """As compilers tell it, so that editors find the place."""
    where = f"{place.file}:{problem.line}" if problem.line else place.file
    path = f"{problem.path}: " if problem.path else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{where}: {problem.severity}: {path}{problem.message}{hint}"


def has_error(problems: Problems) -> bool:
    """Whether any of them is more than a warning."""
    return any(problem.severity is Severity.ERROR for _, problem in problems)
