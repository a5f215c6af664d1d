"""Values of a document by the type of their key; every mistake is noted with its place, and reading goes on.

A ``Place`` is a value and where it stands, a ``Walk`` one pass through all documents, a ``Section`` the known
keys of one mapping. A key without a value, or with null, is as good as absent, as in yaml.v2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, TypeVar

from bareway.model.problems import Problem, Severity
from bareway.resources.document import Entry, Fields, Items, Null, Text, Tree, is_secret
from bareway.resources.grammar.keys import Shape
from bareway.resources.grammar.scalars import (
    FALSE,
    TRUE,
    duration_ns,
    has_leading_zero,
    quoted,
    tag_of,
    whole_number,
)

GUESSES_MAX: Final = (
    100  # unknown keys that a likely one is looked for: it takes a tenth of a millisecond each
)

WordT = TypeVar("WordT", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A type of whole numbers, and the name that Go has for it."""

    name: str
    low: int
    high: int


INT: Final = Whole(name="int", low=-(2**63), high=2**63 - 1)
UINT16: Final = Whole(name="uint16", low=0, high=2**16 - 1)
UINT32: Final = Whole(name="uint32", low=0, high=2**32 - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document, and where it stands."""

    tree: Tree
    path: str = ""
    document: str = ""

    def below(self, key: str, tree: Tree) -> "Place":
        """The value of one key of this mapping."""
        shown = shown_key(key)
        return Place(tree, f"{self.path}.{shown}" if self.path else shown, self.document)

    def items(self) -> "Iterator[Place]":
        """The values of this list; none where it is no list."""
        values = self.tree.values if isinstance(self.tree, Items) else ()
        for index, tree in enumerate(values):
            yield Place(tree, f"{self.path}[{index}]", self.document)

    @property
    def has_content(self) -> bool:
        """Whether it is more than an empty list or mapping."""
        match self.tree:
            case Null():
                return False
            case Items(values=values):
                return bool(values)
            case Fields(entries=entries):
                return bool(entries)
            case Text():
                return True


class Walk:
    """One pass through the documents; ``problems`` grow in the order in which they are met."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fail(self, place: Place, message: str, *, hint: str = "") -> None:
        """Take note of a mistake."""
        self._note(place, message, hint, Severity.ERROR)

    def warn(self, place: Place, message: str, *, hint: str = "") -> None:
        """Take note of something that a reader should know, and that keeps nothing from working."""
        self._note(place, message, hint, Severity.WARNING)

    def text(self, place: Place) -> str | None:
        """A scalar as written; empty for null, None after a mistake."""
        match place.tree:
            case Text(value=value):
                return value
            case Null():
                return ""
            case Items() | Fields():
                self.mistyped(place, "string")
                return None

    def whole(self, place: Place, type_: Whole) -> int | None:
        """A whole number; None after a mistake."""
        tree = place.tree
        value = whole_number(tree.value) if isinstance(tree, Text) and not tree.quoted else None
        if value is None or not type_.low <= value <= type_.high:
            hint = f"write a whole number from {type_.low} to {type_.high}, without quotes"
            self.mistyped(
                place, type_.name, hint if type_ is not INT else "write a whole number, without quotes"
            )
            return None
        if isinstance(tree, Text) and has_leading_zero(tree.value):
            told = f"{tree.value} is read as {value}, as MetalLB does: a zero in front makes a number octal"
            self.warn(place, told, hint="write it without the zero")
        return value

    def truth(self, place: Place) -> bool | None:
        """A truth value in any of yaml.v2's words; None after a mistake."""
        tree = place.tree
        if isinstance(tree, Text) and not tree.quoted and tree.value in TRUE | FALSE:
            return tree.value in TRUE
        self.mistyped(place, "bool", "write true or false, without quotes")
        return None

    def mapping(self, place: Place) -> Iterator[tuple[str, Place]]:
        """The keys and values of a mapping whose keys are the user's."""
        if isinstance(place.tree, Fields):
            for entry in place.tree.entries:
                yield entry.key, place.below(entry.key, entry.value)
        elif not isinstance(place.tree, Null):
            self.mistyped(place, "a mapping")

    def list(self, place: Place) -> Sequence[Place]:
        """The values of a list."""
        if not isinstance(place.tree, Items | Null):
            self.mistyped(place, "a list")
        return tuple(place.items())

    def section(self, place: Place, shape: Shape, *, told: str = "", number: int = 0) -> "Section | None":
        """The known keys of a mapping; any other is a mistake. None if it is no mapping at all."""
        found: dict[str, Place] = {}
        known = shape.names
        if isinstance(place.tree, Fields):
            for entry in place.tree.entries:
                below = place.below(entry.key, entry.value)
                if entry.key not in known:
                    self._unknown(below, entry, shape)
                elif not isinstance(entry.value, Null):
                    found[entry.key] = below
        elif not isinstance(place.tree, Null):
            self.mistyped(place, shape.type_name)
            return None
        return Section(walk=self, place=place, found=found, told=told, number=number)

    def mistyped(self, place: Place, wanted: str, hint: str = "") -> None:
        """Take note of a value of another type than its key's."""
        self.fail(place, f"could not parse config: cannot unmarshal {_told(place)} into {wanted}", hint=hint)

    def _note(self, place: Place, message: str, hint: str, severity: Severity) -> None:
        self.problems.append(
            Problem(
                path=place.path,
                message=message,
                line=place.tree.line,
                hint=hint,
                severity=severity,
                document=place.document,
            )
        )

    def _unknown(self, place: Place, entry: Entry, shape: Shape) -> None:
        message = f"could not parse config: field {shown_key(entry.key)} not found in type {shape.type_name}"
        hint = ""
        if len(self.problems) < GUESSES_MAX:
            likely = get_close_matches(entry.key.lower().replace("_", "-"), shape.names, n=1)
            hint = f'did you mean "{likely[0]}"?' if likely else f"known here: {', '.join(shape.names)}"
        self.fail(Place(Null(line=entry.line), place.path, place.document), message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The known keys of one mapping that have a value."""

    walk: Walk
    place: Place
    found: Mapping[str, Place]
    told: str = ""
    """How MetalLB's messages about it begin."""
    number: int = 0
    """Which one of its list it is, from 1."""

    def extended_by(self, other: "Section") -> "Section":
        """This one with the keys of ``other``, which replace those that are in both."""
        return Section(
            walk=self.walk,
            place=self.place,
            found={**self.found, **other.found},
            told=self.told,
            number=self.number,
        )

    def has(self, key: str) -> bool:
        """Whether the key has a value other than an empty list or mapping."""
        return key in self.found and self.found[key].has_content

    def fail(self, message: str, *, key: str = "", hint: str = "") -> None:
        """A mistake of the whole, or in the value of one key."""
        self.walk.fail(self.found.get(key, self.place), self.told + message, hint=hint)

    def warn(self, message: str, *, key: str, hint: str = "") -> None:
        """Something to know about the value of one key."""
        self.walk.warn(self.found.get(key, self.place), self.told + message, hint=hint)

    def text(self, key: str) -> str:
        """A scalar as written; empty if there is none."""
        return (self.walk.text(self.found[key]) or "") if key in self.found else ""

    def plain_text(self, key: str) -> str:
        """The same, without a word about a value of another type."""
        tree = self.found[key].tree if key in self.found else None
        return tree.value if isinstance(tree, Text) else ""

    def texts(self, key: str) -> Iterator[tuple[Place, str]]:
        """The scalars of a list, each with its place."""
        for place in self.list(key):
            text = self.walk.text(place)
            if text is not None:
                yield place, text

    def list(self, key: str) -> Sequence[Place]:
        """The values of a list."""
        return self.walk.list(self.found[key]) if key in self.found else ()

    def mapping(self, key: str) -> Iterator[tuple[str, Place]]:
        """The keys and values of a mapping whose keys are the user's."""
        return self.walk.mapping(self.found[key]) if key in self.found else iter(())

    def sections(self, key: str, shape: Shape, told: str = "") -> Iterator["Section"]:
        """The mappings of a list; ``told`` may hold a place for the number: ``parsing peer #{}: ``."""
        for number, place in enumerate(self.list(key), start=1):
            section = self.walk.section(place, shape, told=told.format(number) or self.told, number=number)
            if section is not None:
                yield section

    def truth(self, key: str, *, default: bool = False) -> bool:
        """A truth value."""
        found = self.walk.truth(self.found[key]) if key in self.found else None
        return default if found is None else found

    def whole(self, key: str, type_: Whole) -> int | None:
        """A whole number; None if there is none."""
        return self.walk.whole(self.found[key], type_) if key in self.found else None

    def within(self, key: str, low: int, high: int) -> int | None:
        """A whole number in a range; None if there is none."""
        value = self.whole(key, INT)
        if value is not None and not low <= value <= high:
            message = f"invalid {key} value: invalid value {value}, must be in {low}-{high} range"
            self.fail(message, key=key, hint=f"write a number from {low} to {high}")
            return None
        return value

    def word(self, key: str, default: WordT) -> WordT:
        """One of a few words."""
        text = self.text(key)
        words = tuple(type(default))
        if text in words:
            return type(default)(text)
        if key in self.found:
            self.fail(f"unknown {key} {quoted(text)}", key=key, hint=f"write {' or '.join(words)}")
        return default

    def duration_s(self, key: str, default: float) -> float:
        """Seconds of a duration that is not below zero."""
        text = self.text(key)
        if not text:
            return default
        try:
            seconds = duration_ns(text) / 10**9
        except ValueError as error:
            self.fail(f"invalid {key} {quoted(text)}: {error}", key=key, hint=duration_hint(text))
            return default
        if seconds < 0:
            self.fail(f"invalid {key} {quoted(text)}: must not be negative", key=key)
        return seconds


def duration_hint(text: str) -> str:
    """What to write instead of a duration that cannot be read."""
    return (
        f"write {text}s" if text.isdecimal() and text.isascii() else "write a duration like 90s, 5m or 1h30m"
    )


def shown_key(key: str) -> str:
    """A key in messages: of ``password:x`` without a space in between no more than its beginning."""
    name, colon, _ = key.partition(":")
    return f"{quoted(name)[1:-1]}:…" if colon and is_secret(name) else quoted(key)[1:-1]


def _told(place: Place) -> str:
    """What was found; of a text that may be a password in the wrong place no more than that it is one."""
    peers = place.path.partition("[")[0] == "peers" and not place.path.partition(".")[2]
    if isinstance(place.tree, Text) and (peers or is_secret(place.path)):
        return tag_of(place.tree.value, quoted=place.tree.quoted)
    return _kind(place.tree)


def _kind(tree: Tree) -> str:
    """As yaml.v2 names what it found."""
    match tree:
        case Text(value=value, quoted=is_quoted):
            return f"{tag_of(value, quoted=is_quoted)} `{quoted(value)[1:-1]}`"
        case Items():
            return "!!seq"
        case Fields():
            return "!!map"
        case Null():
            return "!!null"
