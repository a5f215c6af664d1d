"""The shapes that answers are made of: pages of blocks, lines and tables with cells.

What they look like, on a terminal and through a pipe, is `output.py` and `drawing.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bareway.cli.pages.table import NOTHING


class Form(StrEnum):
    """What ``-o`` asks for."""

    TABLE = "table"
    WIDE = "wide"
    """With columns that most people do not need."""
    JSON = "json"
    YAML = "yaml"


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


def text_of(cell: Cell | str) -> str:
    """What it says."""
    return cell.text if isinstance(cell, Cell) else cell


def mood_of(cell: Cell | str) -> Mood:
    """What it means."""
    if text_of(cell) in ("", NOTHING):
        return Mood.FAINT
    return cell.mood if isinstance(cell, Cell) else Mood.PLAIN
