"""How answers are printed: ``-o table|wide|json|yaml``, alike for every verb.

An answer is a page (`shapes.py`) with what a script reads (``Page.data``). Through a pipe a
table is plain text, as awk likes it; on a terminal rich draws it (`drawing.py`, imported only then).
"""

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from typing import Final

from bareway.cli.pages.shapes import Block, Form, Lines, Page, Table, text_of
from bareway.cli.pages.table import printable, table
from bareway.cli.settings import Terminal, terminal

JSON_VERSION: Final = 1
BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7e]")
"""JSON itself escapes what is below: these are DEL, C1, marks of direction, and letters that may stay."""


PIECE: Final = 4096
"""Characters written at a time: less than a pipe holds."""

OLD_NAMES: Final = {"text": Form.TABLE}


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
            write(as_json(page.values(), any_letters=writes_any_letters()))
        case Form.YAML:
            from bareway.cli.pages.as_yaml import as_yaml  # noqa: PLC0415 - yaml, for those who ask for it

            write(as_yaml(page.values(), any_letters=writes_any_letters()))
        case Form.TABLE | Form.WIDE:
            blocks = page.for_form(form)
            where = on if on is not None else terminal()
            if where.is_rich:
                from bareway.cli.pages.drawing import draw  # noqa: PLC0415 - rich, where somebody looks

                draw(blocks, where)
            else:
                write(plain_text(blocks))


def write(text: str) -> None:
    """Write it on standard output, piece by piece.

    Under PYTHONUNBUFFERED, as in our image, Python takes one long write for done although the reader went in
    its midst; the next one fails then, as it should.

    Raises:
        BrokenPipeError: the reader went.
    """
    for start in range(0, len(text), PIECE):
        sys.stdout.write(text[start : start + PIECE])


def as_json(data: object, *, any_letters: bool = True) -> str:
    """Indented, with a newline at its end; what a terminal would obey, and does not show, is escaped."""
    text = json.dumps(data, indent=2, ensure_ascii=not any_letters)
    return BEYOND_ASCII.sub(_escaped, text) + "\n"


def writes_any_letters() -> bool:
    """Whether standard output has room for more than ASCII: else JSON and YAML escape it in their own way."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


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


def versioned(page: Mapping[str, object]) -> dict[str, object]:
    """``page`` with the version that every object of ours carries."""
    return {"version": JSON_VERSION, **page}
