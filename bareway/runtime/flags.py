"""Flags and environment variables to values, by the rules of Go's ``flag`` package.

Manifests for MetalLB are written so: ``-x v``, ``--x v`` and ``--x=v``; a switch is ``--x`` or ``--x=false``
and takes no separate value; the last one wins. A flag wins over the environment, and an empty text counts as
not given. Unlike Go's, every mistake is told at once, and an argument that is no flag is a mistake.
"""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from bareway.model.arguments import FALSE_WORDS, TRUE_WORDS
from bareway.model.problems import Problem

ENVIRONMENT_PREFIXES: Final = ("BAREWAY_", "METALLB_")
"""Prefixes of environment variables, in this order: the first that is set and not empty wins."""


class Silence(Enum):
    """What a reader returns for a text that says nothing, so that None stays a value like others."""

    NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag, the field it fills, and how its text is read."""

    name: str
    field: str
    read: Callable[[str], object]
    """Text to value, or Silence.NOT_GIVEN; raises ValueError with what is wrong and what to write."""
    environment: str = ""
    """Name of its variable without prefix (ENVIRONMENT_PREFIXES); empty = none."""
    is_switch: bool = False
    short_for: str = ""
    """For a switch that says what another flag says too: how that is written, like ``--profile=wan``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredFlag:
    """A flag of MetalLB that is accepted, named once, and changes nothing."""

    name: str
    reason: str
    is_switch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found on the command line and in the environment."""

    values: Mapping[str, Any]
    """By field; only what was given."""
    ignored: tuple[str, ...]
    """Flags given that have no meaning here, as ``--name``, each once."""
    problems: tuple[Problem, ...]


def read_flags(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    flags: Collection[Flag],
    ignored: Collection[IgnoredFlag],
) -> Reading:
    """Read ``argv`` (without the program's name) and ``environ``."""
    switches = {flag.name: flag.is_switch for flag in ignored} | {flag.name: flag.is_switch for flag in flags}
    given, problems = split_arguments(argv, switches)
    by_name = {flag.name: flag for flag in flags}
    texts = _texts_of_environment(environ, flags)
    texts += [(f"--{name}", by_name[name], text) for name, text in given if name in by_name]
    values, bad = _read_texts(texts)
    without_meaning = dict.fromkeys(f"--{name}" for name, _ in given if name not in by_name)
    return Reading(values=values, ignored=tuple(without_meaning), problems=(*problems, *bad))


def split_arguments(
    argv: Sequence[str], switches: Mapping[str, bool]
) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Cut ``argv`` into (name, text); ``switches`` holds every known flag, and whether it takes no value."""
    given: list[tuple[str, str]] = []
    problems: list[Problem] = []
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        name, has_value, text = argument.removeprefix("-").removeprefix("-").partition("=")
        if not argument.startswith("-") or not name or name.startswith("-"):
            problems.append(Problem(path=argument, message="is not a flag", hint="write --name=value"))
        elif name not in switches:
            problems.append(_unknown(name, switches))
        elif has_value or switches[name]:
            given.append((name, text if has_value else "true"))
        elif rest:
            given.append((name, rest.pop(0)))
        else:
            problems.append(Problem(path=f"--{name}", message="needs a value", hint=f"write --{name}=value"))
    return given, problems


def read_text(text: str) -> str:
    """Any text."""
    return text


def read_switch(text: str) -> bool:
    """The words that Go's strconv.ParseBool takes."""
    if text in TRUE_WORDS:
        return True
    if text in FALSE_WORDS:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def read_number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        if not is_number or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _texts_of_environment(environ: Mapping[str, str], flags: Collection[Flag]) -> list[tuple[str, Flag, str]]:
    found = []
    for flag in flags:
        names = [prefix + flag.environment for prefix in ENVIRONMENT_PREFIXES if flag.environment]
        name = next((name for name in names if environ.get(name)), None)
        if name is not None:
            found.append((name, flag, environ[name]))
    return found


def _read_texts(texts: Sequence[tuple[str, Flag, str]]) -> tuple[dict[str, object], list[Problem]]:
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for place, flag, text in texts:
        try:
            value = flag.read(text) if text else Silence.NOT_GIVEN
        except ValueError as error:
            problems.append(Problem(path=place, message=str(error)))
            continue
        if value is not Silence.NOT_GIVEN:
            values[flag.field] = value
    return values, problems


def _unknown(name: str, known: Collection[str]) -> Problem:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean --{close[0]}?" if close else "--help lists all flags"
    return Problem(path=f"--{name}", message="no such flag", hint=hint)
