"""Values of a document by the type of their key, as Go's yaml.v2 converts them; null is as good as absent.

A ``Walk`` through one document gathers every mistake with its path and line and keeps going, so that none
stays untold. Not here: what the keys mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from bareway.model.problems import Problem, Severity
from bareway.resources.document import Entry, Fields, Items, Null, Text, Tree

TRUE: Final = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
FALSE: Final = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
"""The words of yaml.v2 for a key that holds a truth value, unquoted."""

Found = Mapping[str, Tree]
"""The known keys of one mapping that have a value."""


class Walk:
    """One pass through a document; ``problems`` grow in the order in which they are met."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fields(self, tree: Tree, path: str, known: Sequence[str], type_name: str) -> Found:
        """The ``known`` keys of a mapping; any other is a mistake. ``type_name`` is MetalLB's."""
        if isinstance(tree, Null):
            return {}
        if not isinstance(tree, Fields):
            self._mistyped(path, tree, type_name)
            return {}
        found: dict[str, Tree] = {}
        for entry in tree.entries:
            if entry.key not in known:
                message = f"could not parse config: field {entry.key} not found in type {type_name}"
                self.fail(_join(path, entry.key), message, entry, hint=_did_you_mean(entry.key, known))
            elif not isinstance(entry.value, Null):
                found[entry.key] = entry.value
        return found

    def items(self, found: Found, key: str, path: str) -> Sequence[Tree]:
        """The values of a list."""
        tree = found.get(key)
        if tree is None:
            return ()
        if isinstance(tree, Items):
            return tree.values
        self._mistyped(_join(path, key), tree, "a list")
        return ()

    def texts(self, found: Found, key: str, path: str) -> Iterator[tuple[str, Text]]:
        """The scalars of a list, each with its path."""
        for index, tree in enumerate(self.items(found, key, path)):
            place = f"{_join(path, key)}[{index}]"
            match tree:
                case Text():
                    yield place, tree
                case Null():
                    yield place, Text(value="", line=tree.line)
                case Items() | Fields():
                    self._mistyped(place, tree, "string")

    def text(self, found: Found, key: str, path: str) -> str:
        """A scalar as written; empty if there is none."""
        tree = found.get(key)
        if tree is None:
            return ""
        if isinstance(tree, Text):
            return tree.value
        self._mistyped(_join(path, key), tree, "string")
        return ""

    def truth(self, found: Found, key: str, path: str, *, default: bool) -> bool:
        """A truth value in any of yaml.v2's words."""
        tree = found.get(key)
        if tree is None:
            return default
        if isinstance(tree, Text) and not tree.quoted and tree.value in TRUE | FALSE:
            return tree.value in TRUE
        self._mistyped(_join(path, key), tree, "bool", hint="write true or false, without quotes")
        return default

    def fail(self, path: str, message: str, place: Tree | Entry, *, hint: str = "") -> None:
        """Take note of a mistake in the line of ``place``."""
        self.problems.append(Problem(path=path, message=message, line=place.line, hint=hint))

    def warn(self, path: str, message: str, place: Tree | Entry) -> None:
        """Take note of something that a reader should know, and that keeps nothing from working."""
        severity = Severity.WARNING
        self.problems.append(Problem(path=path, message=message, line=place.line, severity=severity))

    def _mistyped(self, path: str, tree: Tree, wanted: str, hint: str = "") -> None:
        message = f"could not parse config: cannot unmarshal {_kind(tree)} into {wanted}"
        self.fail(path, message, tree, hint=hint)


def _kind(tree: Tree) -> str:
    """As yaml.v2 names what it found."""
    match tree:
        case Text():
            return f"!!str `{tree.value}`"
        case Items():
            return "!!seq"
        case Fields():
            return "!!map"
        case Null():
            return "!!null"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _did_you_mean(key: str, known: Sequence[str]) -> str:
    likely = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f'did you mean "{likely[0]}"?' if likely else f"known here: {', '.join(known)}"
