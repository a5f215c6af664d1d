"""How answers are printed: ``-o table|wide|json|yaml``, alike for every verb.

An answer is a page of blocks, lines and tables, and what a script reads (``Page.data``). Through a pipe a
table is plain text, as awk likes it; on a terminal rich draws it (`drawing.py`, imported only then).
"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from bareway.cli.pages.table import NOTHING, printable, table
from bareway.cli.settings import Terminal, terminal

JSON_VERSION: Final = 1


class Form(StrEnum):
    """What ``-o`` asks for."""

    TABLE = "table"
    WIDE = "wide"
    """With columns that most people do not need."""
    JSON = "json"
    YAML = "yaml"


OLD_NAMES: Final = {"text": Form.TABLE}


class Mood(StrEnum):
    """What a cell or a line means to who looks at it; on a terminal its colour."""

    PLAIN = ""
    GOOD = "good"
    ODD = "odd"
    BAD = "bad"
    FAINT = "faint"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table."""

    text: str
    mood: Mood = Mood.PLAIN


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    title: str
    wide: bool = False
    """Shown with ``-o wide`` only."""
    right: bool = False
    """Numbers, on a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below a head; a row without cells for all columns is a mistake."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    title: str = ""
    """A line above it; none = the head says enough."""

    def for_form(self, form: Form) -> "Table":
        """The same without the columns that the form leaves out."""
        if form is Form.WIDE:
            return self
        shown = [index for index, column in enumerate(self.columns) if not column.wide]
        return Table(
            columns=tuple(self.columns[index] for index in shown),
            rows=tuple(tuple(row[index] for index in shown) for row in self.rows),
            title=self.title,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Text as it is, line by line; what moves a cursor is taken out of it."""

    lines: tuple[Cell | str, ...]


Block: TypeAlias = Table | Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer, in every form."""

    blocks: tuple[Block, ...]
    """With an empty line between each two."""
    data: object | Callable[[], object]
    """Made of dict, list, str, int, float, bool and None (`bareway.model.plain`), or what makes that."""

    def values(self) -> object:
        """What a script reads."""
        return self.data() if callable(self.data) else self.data

    def for_form(self, form: Form) -> tuple[Block, ...]:
        """The blocks without the columns that the form leaves out."""
        return tuple(block.for_form(form) if isinstance(block, Table) else block for block in self.blocks)


def columns(*titles: str) -> tuple[Column, ...]:
    """A head of columns without anything special."""
    return tuple(Column(title) for title in titles)


def add_output(parser: ArgumentParser) -> None:
    """The option ``-o``."""
    parser.add_argument(
        "-o",
        "--output",
        type=read_form,
        choices=tuple(Form),
        default=Form.TABLE,
        metavar="FORM",
        help=f"{', '.join(Form)} (default: {Form.TABLE})",
    )


def read_form(text: str) -> Form:
    """What stands behind ``-o``."""
    try:
        return OLD_NAMES.get(text) or Form(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no form of output; write one of {', '.join(Form)}") from error


def show(page: Page, form: Form, on: Terminal | None = None) -> None:
    """Print it on standard output, as fits what that is."""
    match form:
        case Form.JSON:
            sys.stdout.write(as_json(page.values()))
        case Form.YAML:
            from bareway.cli.pages.as_yaml import as_yaml  # noqa: PLC0415 - yaml, for those who ask for it

            sys.stdout.write(as_yaml(page.values()))
        case Form.TABLE | Form.WIDE:
            blocks = page.for_form(form)
            where = on if on is not None else terminal()
            if where.is_rich:
                from bareway.cli.pages.drawing import draw  # noqa: PLC0415 - rich, where somebody looks

                draw(blocks, where)
            else:
                sys.stdout.write(plain_text(blocks))


def as_json(data: object) -> str:
    """Indented, in UTF-8, with a newline at its end."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def plain_text(blocks: Sequence[Block]) -> str:
    """Without colours and as wide as it is; ends with a newline unless it is empty."""
    return "\n".join(filter(None, map(_plain_block, blocks)))


def _plain_block(block: Block) -> str:
    match block:
        case Lines():
            return "".join(f"{printable(text_of(line))}\n" for line in block.lines)
        case Table():
            title = f"{printable(block.title)}\n" if block.title else ""
            head = [column.title for column in block.columns]
            return title + table(head, [[text_of(cell) for cell in row] for row in block.rows])


def text_of(cell: Cell | str) -> str:
    """What it says."""
    return cell.text if isinstance(cell, Cell) else cell


def mood_of(cell: Cell | str) -> Mood:
    """What it means."""
    if text_of(cell) in ("", NOTHING):
        return Mood.FAINT
    return cell.mood if isinstance(cell, Cell) else Mood.PLAIN


def versioned(page: Mapping[str, object]) -> dict[str, object]:
    """``page`` with the version that every object of ours carries."""
    return {"version": JSON_VERSION, **page}
