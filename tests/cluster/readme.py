"""The commands and samples in ``manifests/README.md``, so that the story runs what the reader is told."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "manifests" / "README.md"

_SECTION: Final = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!## ).*\n?)*)", re.MULTILINE)
_CODE: Final = re.compile(r"^ {4,}(?P<line>\S.*)$", re.MULTILINE)
_PROMPT: Final = "$ "
_HEADING: Final = re.compile(r"[A-Z-]+(?: [A-Z-]+)*(?:\(S\))?")
"""Of a table's column: capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A command and what it printed when the README was written."""

    command: str
    output: str


def section(title: str, *, source: Path = README) -> str:
    """The text below a heading."""
    return {found["title"]: found["text"] for found in _SECTION.finditer(source.read_text())}[title]


def commands(title: str, *, source: Path = README) -> list[list[str]]:
    """The arguments of each kubectl in a section's code blocks; paths are made absolute."""
    text = section(title, source=source)
    lines = [found["line"].strip().removeprefix(_PROMPT) for found in _CODE.finditer(text)]
    return [_arguments(line) for line in lines if line.startswith("kubectl ")]


def samples(title: str) -> list[Sample]:
    """What a section shows of a terminal: each command with what follows it, up to the next one."""
    code = "\n".join(line[4:] for line in section(title).splitlines() if line.startswith("    ") or not line)
    parts = code.split(f"\n{_PROMPT}")[1:]
    return [Sample(command=part.partition("\n")[0], output=part.partition("\n")[2].strip()) for part in parts]


def arguments_of(sample: Sample) -> list[str]:
    """Of the program that a sample runs."""
    return _arguments(sample.command)


def headings(output: str) -> list[list[str]]:
    """The first line of each table in an output; the rest is another on every cluster."""
    rows = [re.split(r" {2,}", line.strip()) for line in output.splitlines() if line.strip()]
    return [row for row in rows if len(row) > 1 and all(_HEADING.fullmatch(word) for word in row)]


def _arguments(line: str) -> list[str]:
    words = shlex.split(line)[1:]
    return [str(ROOT / word) if word.startswith("manifests/") else word for word in words]
