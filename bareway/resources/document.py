"""A YAML document as a tree of text: scalars stay as written, every value knows its line.

What a scalar means is decided by the type of its key, as Go's yaml.v2 does, not by YAML's guesses:
``64512:30``, ``no`` and ``0644`` arrive as they were written. Anchors, aliases and merge keys work; a key
written twice is a Problem. The tree is built from libyaml's events, since its composer overruns the C stack
on deep nesting. Left out: tags that call for a type of their own, and more than one document.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import yaml

from bareway.model.problems import Problem

SIZE_MAX = 1024 * 1024  # characters; etcd takes no larger object
DEPTH_MAX = 32  # the grammar needs 6
VALUES_MAX = 200_000  # with every alias counted as often as it is used: three levels of nine make no bomb

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE_KEY = "<<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A scalar as written."""

    value: str
    line: int
    quoted: bool = False
    """In quotes or as a block; yaml.v2 then takes it for text and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """Nothing: an empty value, ``~`` or ``null``; the key counts as absent."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    values: tuple["Tree", ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a mapping and its value."""

    key: str
    line: int
    value: "Tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A mapping; keys are unique and stand in the order of the document, merged ones last."""

    entries: tuple[Entry, ...]
    line: int


Tree: TypeAlias = Text | Null | Items | Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was read; a tree with problems beside it is complete, and its further mistakes can be told too."""

    tree: Tree | None
    problems: tuple[Problem, ...] = ()


def read_document(
    text: str, name: str = "", *, size_max: int = SIZE_MAX, values_max: int = VALUES_MAX
) -> Document:
    """The tree of the first document in ``text``, or why there is none; ``name`` is for the problems."""
    if len(text) > size_max:
        told = f"could not parse config: longer than {size_max} characters"
        return Document(tree=None, problems=(Problem(path="", message=told, document=name),))
    builder = _Builder(values_max)
    tree: Tree | None = None
    problems = builder.problems
    try:
        tree = builder.build(text)
    except _Unreadable as error:
        problems = [*builder.problems, error.problem]
    return Document(tree=tree, problems=tuple(replace(problem, document=name) for problem in problems))


class _Unreadable(Exception):
    """The document cannot be read at all; ``problem`` says why."""

    def __init__(self, message: str, *, path: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(path=path, message=f"could not parse config: {message}", line=line, hint=hint)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for, and how many values that is."""

    tree: Tree
    values: int


class _Builder:
    """Builds one tree; lives as long as one call of read_document."""

    def __init__(self, values_max: int) -> None:
        self.problems: list[Problem] = []
        self._anchors: dict[str, _Anchored | None] = {}  # None: not complete yet
        self._values = 0
        self._values_max = values_max
        self._path: list[str | int] = []

    def build(self, text: str) -> Tree:
        events = _events(text)
        tree: Tree | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                following = self._tree(event, events)
                if tree is not None and not isinstance(tree, Null) and not isinstance(following, Null):
                    hint = "write everything in one document, without a line of three dashes between"
                    raise _Unreadable("more than one document", line=following.line, hint=hint)
                tree = following if tree is None or isinstance(tree, Null) else tree
        return tree or Null(line=0)

    def _tree(self, event: yaml.NodeEvent, events: Iterator[yaml.Event]) -> Tree:
        """The value that begins with ``event``; takes the rest of its events."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if len(self._path) > DEPTH_MAX:
            raise _Unreadable(f"nested deeper than {DEPTH_MAX} levels", line=_line(event))
        before = self._values
        self._count(1, event)
        self._refuse_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        tree = self._content(event, events)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(tree, self._values - before)
        return tree

    def _content(self, event: yaml.NodeEvent, events: Iterator[yaml.Event]) -> Tree:
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(event, events)
        if isinstance(event, yaml.MappingStartEvent):
            return self._fields(event, events)
        assert isinstance(event, yaml.ScalarEvent)  # noqa: S101 - YAML has no fourth kind of value
        if event.tag is None and _is_plain(event) and event.value in _NULLS:
            return Null(line=_line(event))
        return Text(value=event.value, line=_line(event), quoted=not _is_plain(event))

    def _items(self, start: yaml.SequenceStartEvent, events: Iterator[yaml.Event]) -> Items:
        values: list[Tree] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            assert isinstance(event, yaml.NodeEvent)  # noqa: S101 - what the parser promises inside a list
            self._path.append(len(values))
            values.append(self._tree(event, events))
            self._path.pop()
        return Items(values=tuple(values), line=_line(start))

    def _fields(self, start: yaml.MappingStartEvent, events: Iterator[yaml.Event]) -> Fields:
        entries: dict[str, Entry] = {}
        merges: list[Entry] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            self._path.append(key)
            value_event = next(events)
            assert isinstance(value_event, yaml.NodeEvent)  # noqa: S101 - what the parser promises after a key
            entry = Entry(key=key, line=_line(event), value=self._tree(value_event, events))
            if key == _MERGE_KEY and _is_plain(event):
                merges.append(entry)
            elif key in entries:
                self._duplicate(entry, entries[key])
            else:
                entries[key] = entry
            self._path.pop()
        for merge in merges:
            for merged in _merged(merge):
                entries.setdefault(merged.key, merged)
        return Fields(entries=tuple(entries.values()), line=_line(start))

    def _key(self, event: yaml.Event) -> str:
        if isinstance(event, yaml.AliasEvent):
            tree = self._alias(event)
            if isinstance(tree, Text):
                return tree.value
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unreadable("a key must be plain text", line=_line(event))
        self._count(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(Text(value=event.value, line=_line(event)), 1)
        return event.value

    def _duplicate(self, entry: Entry, first: Entry) -> None:
        self.problems.append(
            Problem(
                path=path_of(self._path),
                message=f'could not parse config: key "{entry.key}" already set in map',
                line=entry.line,
                hint=f"it stands in line {first.line} too",
            )
        )

    def _alias(self, event: yaml.AliasEvent) -> Tree:
        if event.anchor not in self._anchors:
            which = "" if is_secret(path_of(self._path)) else f" '{event.anchor}'"
            raise _Unreadable(f"unknown anchor{which} referenced", line=_line(event))
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _Unreadable(f"anchor '{event.anchor}' value contains itself", line=_line(event))
        self._count(anchored.values, event)
        return anchored.tree

    def _count(self, values: int, event: yaml.Event) -> None:
        self._values += values
        if self._values > self._values_max:
            raise _Unreadable(f"more than {self._values_max} values", line=_line(event))

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _PLAIN_TAGS:
            path = path_of(self._path)
            which = "" if is_secret(path) else f" {tag}"
            raise _Unreadable(f"unsupported tag{which}", line=_line(event), path=path)


def path_of(parts: Sequence[str | int]) -> str:
    """Parts of a path as people write them: ``address-pools[0].name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _events(text: str) -> Iterator[yaml.Event]:
    """The events of ``text``, one by one: nothing is scanned far ahead of what is asked for."""
    try:
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Unreadable(f"control characters are not allowed: {error.character!r}", line=line) from error
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise _Unreadable("half a surrogate pair is not a character", line=line) from error


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> _Unreadable:
    lines = text.splitlines()
    mark = error.problem_mark
    if mark is None or not lines:
        return _Unreadable(error.problem or "not YAML")
    line = min(mark.line + 1, len(lines))  # what is missing at the end is missing in the last line
    has_tab = lines[line - 1][: mark.column + 1].endswith("\t")
    hint = "indent with spaces, YAML forbids tabs" if has_tab else ""
    return _Unreadable(error.problem or "not YAML", line=line, hint=hint)


def _merged(merge: Entry) -> Iterator[Entry]:
    """The entries that ``<<`` brings in: of one mapping, or of several, the first of which wins."""
    sources = merge.value.values if isinstance(merge.value, Items) else (merge.value,)
    for source in sources:
        if not isinstance(source, Fields):
            raise _Unreadable("map merge requires map or sequence of maps as the value", line=merge.line)
        yield from source.entries


def _is_plain(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.style


def _line(event: yaml.Event) -> int:
    """1-based."""
    assert event.start_mark is not None  # noqa: S101 - None only in events that somebody made by hand
    return event.start_mark.line + 1


def is_secret(path: str) -> bool:
    """Whether what stands there is no other reader's business: no message tells a password."""
    return path.rpartition(".")[2].casefold().startswith("password")
