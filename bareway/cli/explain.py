"""``bareway explain WORD``: what a word means that Bareway said somewhere, and what to do about it.

Needs no cluster. Without a word it lists all. Exit codes: 0 the word is known, 2 nobody says it; then words
that look like it are named.
"""

import sys
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Final

from bareway.cli.pages.output import add_output, show, versioned
from bareway.cli.pages.shapes import Block, Cell, Column, Lines, Mood, Page, Table
from bareway.cli.pages.table import printable
from bareway.cli.settings import terminal
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.reasons.explanation import Topic
from bareway.decide.answers.reasons.registry import TOPICS, Entry, entries, find, nearest

WIDTH_MAX: Final = 96  # characters; longer lines are hard to read
WIDTH_MIN: Final = 30  # below that a line holds no more than a word
INDENT: Final = "  "
HEAD: Final = (Column("WORD"), Column("MEANING"), Column("WHAT TO DO", wide=True))


def explained(word: str, width: int) -> Page | None:
    """The page about one word; None = nobody says it."""
    found = find(word)
    if not found:
        return None
    blocks = tuple(block for entry in found for block in _told(entry, width))
    return Page(blocks=blocks, data=versioned({"words": [_row(entry) for entry in found]}))


def listed() -> Page:
    """The page about all of them."""
    return Page(
        blocks=tuple(map(_table, TOPICS)), data=versioned({"words": [_row(entry) for entry in entries()]})
    )


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "word", metavar="WORD", nargs="?", help="as Bareway says it, in any case; default: all"
    )
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    word: str | None = arguments.word
    width = max(WIDTH_MIN, min(WIDTH_MAX, terminal().columns))
    page = listed() if word is None else explained(word.strip(), width)
    if page is None:
        print(f"bareway: {printable(_unknown(word or ''))}", file=sys.stderr)
        return ExitCode.COULD_NOT_TELL
    show(page, arguments.output)
    return ExitCode.WELL


EXPLAIN = Verb(add_arguments=_add_arguments, run=_run)


def _unknown(word: str) -> str:
    alike = nearest(word)
    hint = f"did you mean {' or '.join(alike)}?" if alike else "bareway explain lists the words there are"
    return f'"{word}" is no word that Bareway says; {hint}'


def _row(entry: Entry) -> dict[str, object]:
    return {
        "word": entry.explanation.word,
        "about": entry.topic.title,
        "meaning": _plain(entry.explanation.meaning),
        "remedy": _plain(entry.explanation.remedy),
        "seen": [_plain(topic.seen) for topic in entry.topics],
        "enums": [topic.enum for topic in entry.topics if topic.enum],
    }


def _told(entry: Entry, width: int) -> Iterator[Block]:
    """One word in full."""
    told, seen = entry.explanation, "; ".join(topic.seen for topic in entry.topics)
    yield Lines(lines=(Cell(told.word, Mood.TITLE), *_filled(entry.topic.title, width)))
    for text in (told.meaning, f"What to do: {told.remedy}", f"Said in: {seen}."):
        yield Lines(lines=tuple(_filled(text, width)))


def _table(topic: Topic) -> Table:
    rows = tuple((one.word, _plain(one.meaning), _plain(one.remedy)) for one in topic.words)
    return Table(columns=HEAD, rows=rows, title=topic.title)


def _filled(text: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(_plain(text), width, initial_indent=INDENT, subsequent_indent=INDENT)


def _plain(text: str) -> str:
    """Without the marks that Markdown needs."""
    return text.replace("`", "")
