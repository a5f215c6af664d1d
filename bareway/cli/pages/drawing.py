"""Blocks on a terminal, by rich: colours, and tables that fit the width that there is.

A table that is too wide has its longest column wrapped; where even that leaves less than a reader needs, as
on 40 columns, each row becomes a few lines of its own. Nothing is cut off.
"""

import sys
from collections.abc import Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from bareway.cli.pages.shapes import Block, Cell, Lines, Mood, Table, mood_of, text_of
from bareway.cli.pages.table import NOTHING, printable
from bareway.cli.settings import Terminal

STYLES: Final = {
    Mood.PLAIN: "",
    Mood.GOOD: "green",
    Mood.ODD: "yellow",
    Mood.BAD: "bold red",
    Mood.FAINT: "dim",
    Mood.TITLE: "bold",
}
COLUMN_GAP: Final = 2
WRAPPED_MIN: Final = 24
"""Columns that a wrapped field needs to be read as a sentence."""


def draw(blocks: Sequence[Block], on: Terminal, file: TextIO | None = None) -> None:
    """Print the blocks with an empty line between them."""
    console = Console(
        file=file or sys.stdout,
        width=on.columns,
        force_terminal=True,
        no_color=not on.has_colours,
        color_system="standard" if on.has_colours else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for number, block in enumerate(blocks):
        if number:
            console.print()
        match block:
            case Lines():
                for line in block.lines:
                    _draw_line(console, _text(line))
            case Table():
                _draw_table(console, block)


def _draw_line(console: Console, line: Text) -> None:
    """What does not fit goes on below its first letter."""
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    console.print(Padding(line[indent:], (0, 0, 0, indent), expand=False))


def _draw_table(console: Console, table: Table) -> None:
    if table.title:
        console.print(Text(printable(table.title), STYLES[Mood.TITLE]))
    if not fits(table, console.width):
        _draw_records(console, table)
        return
    longest = _widths(table).index(max(_widths(table)))
    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0))
    for index, column in enumerate(table.columns):
        drawn.add_column(
            Text(column.title, "bold"),
            justify="right" if column.right else "left",
            no_wrap=index != longest,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*map(_cell, row))
    console.print(drawn)


def fits(table: Table, width: int) -> bool:
    """Whether it can be read as a table, its longest column wrapped if need be."""
    widths = _widths(table)
    gaps = COLUMN_GAP * len(widths)
    longest = max(widths)
    return sum(widths) - longest + min(longest, WRAPPED_MIN) + gaps <= width


def _widths(table: Table) -> list[int]:
    cells = [
        [column.title, *(printable(text_of(row[index])) for row in table.rows)]
        for index, column in enumerate(table.columns)
    ]
    return [max(map(len, column)) for column in cells]


def _draw_records(console: Console, table: Table) -> None:
    """Row by row, each field on a line of its own below the row's first."""
    for row in table.rows:
        console.print(_text(row[0], Mood.TITLE))
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            if text_of(cell):
                _draw_line(console, Text(f"  {column.title.lower()}: ", STYLES[Mood.FAINT]) + _text(cell))


def _cell(cell: Cell | str) -> Text:
    return _text(cell) if text_of(cell) else Text(NOTHING, STYLES[Mood.FAINT])


def _text(cell: Cell | str, otherwise: Mood = Mood.PLAIN) -> Text:
    mood = mood_of(cell)
    return Text(printable(text_of(cell)), STYLES[mood if mood is not Mood.PLAIN else otherwise])
