"""Files as people keep them and as ``kubectl get -o yaml`` prints them: many documents, Lists, YAML or JSON.

Each becomes model objects, configuration documents, and a Problem for all that cannot be read. A scalar of
YAML is converted by the type of its field, never by YAML's guesses. A mapping without ``kind`` is a bare
MetalLB document. Objects of other kinds are passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap, Namespace
from bareway.model.problems import Problem
from bareway.model.services import Service
from bareway.resources.configurations import DOCUMENT_KEY, EXTENSION_KEY
from bareway.resources.document import Fields, Items, Null, Text, Tree, read_document
from bareway.resources.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NODES,
    SERVICES,
    Kind,
    Unreadable,
)

SIZE_MAX: Final = 64 * 1024 * 1024  # characters: 20,000 Services as kubectl prints them
VALUES_MAX: Final = 5_000_000
DEFAULT_NAMESPACE: Final = "default"
DOCUMENT_FIELDS: Final = (DOCUMENT_KEY, EXTENSION_KEY)
"""Keys of a ConfigMap's data that hold configuration documents: the user's, and our extension to it."""

_SEPARATOR: Final = re.compile(r"^(---|\.\.\.)(?=[ \t\r\n]|$)", re.MULTILINE)
_WITHOUT_CONTENT: Final = re.compile(r"(\s*(#[^\n]*|%[^\n]*)?\n?)*")
_BLOCK_HEADER: Final = re.compile(r"\|[0-9+-]*\s*(#.*)?$")

Content: TypeAlias = Service | Node | Namespace | EndpointSlice | ConfigMap
_KINDS: Final[dict[tuple[str, str], Kind[Service] | Kind[Node] | Kind[Namespace] | Kind[EndpointSlice]]] = {
    (kind.api_version, kind.name): kind for kind in (SERVICES, NODES, NAMESPACES, ENDPOINT_SLICES)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands."""

    file: str
    document: int
    """0-based, in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A configuration document in a file: bare, or in a ConfigMap."""

    place: Place
    text: str
    line: int = 0
    """What to add to its line numbers, so that they are those of the file; 0 where they cannot be told."""
    extension: str = ""
    """The document under the ConfigMap's data key ``bareway``."""
    extension_line: int = 0
    config_map: ObjectKey | None = None
    """None for a bare document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """What cannot be read, and why."""

    place: Place
    problem: Problem


Found: TypeAlias = Content | Written | Misread


def read_manifests(text: str, file: str) -> Iterator[Found]:
    """Everything in one file, in its order."""
    if len(text) > SIZE_MAX:
        problem = Problem(path="", message=f"longer than {SIZE_MAX} characters")
        yield Misread(place=Place(file=file, document=0), problem=problem)
        return
    if (value := _json(text)) is not None:
        yield from _objects(value, Place(file=file, document=0), None, text)
        return
    for number, (line, part) in enumerate(_documents(text)):
        yield from _from_yaml(part, line, Place(file=file, document=number))


def _json(text: str) -> object:
    """The content of a file in JSON, twenty times faster than as YAML; None if it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _documents(text: str) -> Iterator[tuple[int, str]]:
    """Each YAML document that has content, with the lines before it."""
    begin = 0
    for match in (*_SEPARATOR.finditer(text), None):
        part = text[begin : match.start() if match else len(text)]
        if not _WITHOUT_CONTENT.fullmatch(part):
            yield text.count("\n", 0, begin), part
        begin = match.end() if match else 0


def _from_yaml(text: str, line: int, place: Place) -> Iterator[Found]:
    document = read_document(text, size_max=SIZE_MAX, values_max=VALUES_MAX)
    is_bare = isinstance(document.tree, Fields) and not {"kind", "apiVersion"} & {
        entry.key for entry in document.tree.entries
    }
    if is_bare:
        yield Written(place=place, text=text, line=line)
        return
    for problem in document.problems:
        yield Misread(place=place, problem=replace(problem, line=problem.line + line if problem.line else 0))
    if document.tree is not None:
        yield from _objects(_plain(document.tree), place, document.tree, text, line)


def _plain(tree: Tree) -> object:
    match tree:
        case Null():
            return None
        case Text(value=value):
            return value
        case Items(values=values):
            return [_plain(value) for value in values]
        case Fields(entries=entries):
            return {entry.key: _plain(entry.value) for entry in entries}


def _objects(value: object, place: Place, tree: Tree | None, text: str, line: int = 0) -> Iterator[Found]:
    """The object, or those of the list, that a document holds; ``tree`` is the same with its lines."""
    if isinstance(value, list) or (isinstance(value, dict) and str(value.get("kind", "")).endswith("List")):
        items = value if isinstance(value, list) else value.get("items") or []
        trees = _items_of(tree)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            yield from _objects(item, place, trees[index] if trees else None, text, line)
        return
    if not isinstance(value, dict):
        yield Misread(place=place, problem=Problem(path="", message="is no Kubernetes object", line=line + 1))
        return
    kind = (str(value.get("apiVersion", "")), str(value.get("kind", "")))
    if kind == (CONFIG_MAPS.api_version, CONFIG_MAPS.name):
        yield from _config_map(value, place, tree, text, line)
    elif kind in _KINDS:
        yield from _read(_KINDS[kind], value, place, tree, line)


def _read(
    kind: Kind[Service] | Kind[Node] | Kind[Namespace] | Kind[EndpointSlice] | Kind[ConfigMap],
    value: dict[object, object],
    place: Place,
    tree: Tree | None,
    line: int,
) -> Iterator[Content | Misread]:
    metadata = value.get("metadata")
    if kind.namespaced and isinstance(metadata, dict) and not metadata.get("namespace"):
        value = {**value, "metadata": {**metadata, "namespace": DEFAULT_NAMESPACE}}
    at = line + tree.line if tree is not None else 0
    try:
        reading = kind.read_loosely(value)
    except Unreadable as error:
        yield Misread(place=place, problem=Problem(path="", message=f"{kind.name}: {error}", line=at))
        return
    if isinstance(reading.content, tuple):
        for problem in reading.content:
            message = f"{kind.name} {reading.key}: {problem.message}"
            yield Misread(place=place, problem=replace(problem, message=message, line=at))
    else:
        yield reading.content


def _config_map(
    value: dict[object, object], place: Place, tree: Tree | None, text: str, line: int
) -> Iterator[Found]:
    for found in _read(CONFIG_MAPS, value, place, tree, line):
        if isinstance(found, ConfigMap) and set(DOCUMENT_FIELDS) & set(found.data):
            document, extension = (found.data.get(field, "") for field in DOCUMENT_FIELDS)
            at, extension_at = (_begin(tree, field, text, line) for field in DOCUMENT_FIELDS)
            yield Written(
                place=place,
                text=document,
                line=at,
                extension=extension,
                extension_line=extension_at,
                config_map=found.key,
            )
        yield found


def _begin(tree: Tree | None, field: str, text: str, line: int) -> int:
    """The lines of the file before a literal block; 0 for any other scalar, whose lines were folded."""
    scalar = _below(_below(tree, "data"), field)
    if not isinstance(scalar, Text):
        return 0
    header = text.splitlines()[scalar.line - 1]
    return line + scalar.line if _BLOCK_HEADER.search(header) else 0


def _below(tree: Tree | None, key: str) -> Tree | None:
    if not isinstance(tree, Fields):
        return None
    return next((entry.value for entry in tree.entries if entry.key == key), None)


def _items_of(tree: Tree | None) -> tuple[Tree, ...]:
    below = tree if isinstance(tree, Items) else _below(tree, "items")
    return below.values if isinstance(below, Items) else ()
