"""What may be typed after ``bareway``: its verbs, their flags, and values where they are fixed.

Read from `bareway.cli.spoken`, which is written from the parsers themselves: to ask them here would import
all that the verbs need, half a second for each shell that starts.
"""

from dataclasses import dataclass
from typing import Final

from bareway.cli.spoken import TEXT
from bareway.cli.words import WORDS

INDENT: Final = "  "
FILES: Final = frozenset({"FILE", "NEW", "PATH"})
"""Values that name a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One option, by all its names."""

    names: tuple[str, ...]
    value: str = ""
    """What it takes, as the help calls it; empty = nothing."""
    choices: tuple[str, ...] = ()
    """The values that there are, if they are fixed."""

    @property
    def takes_file(self) -> bool:
        """Whether its value names a file."""
        return self.value in FILES


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One verb, or the command itself."""

    verb: str
    """Empty: what may stand before a verb."""
    summary: str
    flags: tuple[Flag, ...] = ()
    choices: tuple[str, ...] = ()
    """Words that may follow it, if they are fixed."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """All that may be typed where no value is due."""
        return (*self.choices, *(name for flag in self.flags for name in flag.names))


def phrases(text: str = TEXT) -> tuple[Phrase, ...]:
    """The command itself first, then its verbs in the order of its help."""
    summaries = {word.name: word.summary for word in WORDS}
    found = []
    for block in text.split("\n\n"):
        verb, *lines = block.splitlines()
        flags = tuple(_flag(line.split()) for line in lines if line.startswith(f"{INDENT}-"))
        choices = tuple(word for line in lines if not line.startswith(f"{INDENT}-") for word in line.split())
        name = verb if verb in summaries else ""
        found.append(
            Phrase(
                verb=name,
                summary=summaries.get(verb, ""),
                flags=flags,
                choices=choices if name else tuple(summaries),
            )
        )
    return tuple(found)


def _flag(words: list[str]) -> Flag:
    names = tuple(word for word in words if word.startswith("-"))
    rest = words[len(names) :]
    is_fixed = len(rest) > 1
    return Flag(names=names, value=" ".join(rest), choices=tuple(rest) if is_fixed else ())
