"""Columns of plain text, aligned, without colours: to be read, and to be cut with awk."""

from collections.abc import Sequence

GAP = "   "
NOTHING = "-"
"""Stands for an empty cell, so that every line has as many words as there are columns."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """``rows`` below ``head``, each column as wide as its widest cell; ends with a newline."""
    cells = [tuple(head), *(tuple(printable(cell) or NOTHING for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
    return "".join(f"{line}\n" for line in lines)


def printable(text: str) -> str:
    """``text`` without anything that moves the cursor: users' mistakes are quoted, and a terminal obeys."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def span(seconds: float) -> str:
    """How long something lasts, in two units at most: ``5s``, ``3m20s``, ``7h05m``, ``2d03h``."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3_600, whole // 86_400
    if days:
        return f"{days}d{hours % 24:02}h"
    if hours:
        return f"{hours}h{minutes % 60:02}m"
    if minutes:
        return f"{minutes}m{whole % 60:02}s"
    return f"{whole}s"
