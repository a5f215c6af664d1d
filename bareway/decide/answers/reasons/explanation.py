"""What is told of one word, and of the Enum that it belongs to.

Words stand here as text: some of their Enums live in programs that this layer may not know, or beside
libraries that take longer to import than the answer may take. A test compares them with the Enums.
"""

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One word, for who has just read it somewhere."""

    word: str
    meaning: str
    """What is so, in sentences."""
    remedy: str
    """What to do, in sentences; also where that is nothing."""
    _: KW_ONLY
    also: tuple[str, ...] = ()
    """Other Enums, by their import path, that say the same with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """All words of one Enum."""

    title: str
    """What the words are about."""
    enum: str
    """Where they are decided, as an import path; empty = they belong to no Enum."""
    seen: str
    """Where one meets them."""
    words: tuple[Explanation, ...]
