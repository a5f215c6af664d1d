"""What we know of one kind of object: the last list, and all events since; without input or output.

A list is gathered page by page and takes the place of the old one when it is complete, so that a reader never
sees half of one. An object that becomes unreadable keeps its last good form and is told as a problem: an
address in use is never freed because somebody wrote nonsense beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

from bareway.model.names import ObjectKey
from bareway.model.problems import Problem
from bareway.resources.kinds import Bookmark, Deleted, Reading

T = TypeVar("T")


@dataclass(slots=True)
class Contents(Generic[T]):
    """Objects by key, and what is wrong with those that could not be read."""

    objects: dict[ObjectKey, T] = field(default_factory=dict)
    problems: dict[ObjectKey, tuple[Problem, ...]] = field(default_factory=dict)


class Store(Generic[T]):
    """All objects of one kind, and the resourceVersion up to which they are known."""

    def __init__(self) -> None:
        self._contents: Contents[T] = Contents()
        self._listing: Contents[T] = Contents()
        self.resource_version = ""
        """Where a watch goes on; empty = list first."""

    @property
    def objects(self) -> Mapping[ObjectKey, T]:
        """The objects as they are; ask again rather than keep it."""
        return MappingProxyType(self._contents.objects)

    @property
    def problems(self) -> Mapping[ObjectKey, tuple[Problem, ...]]:
        """What is wrong with the objects that cannot be read."""
        return MappingProxyType(self._contents.problems)

    def apply(self, event: Reading[T] | Deleted | Bookmark) -> bool:
        """Take one event of a watch; whether anything changed for a reader. Events may come twice."""
        if event.resource_version:
            self.resource_version = event.resource_version
        match event:
            case Reading():
                return _put(event, known=self._contents, into=self._contents)
            case Deleted():
                had_problems = self._contents.problems.pop(event.key, None) is not None
                return self._contents.objects.pop(event.key, None) is not None or had_problems
            case Bookmark():
                return False

    def keep(self, key: ObjectKey, content: T) -> None:
        """Hold ``content`` in the place of the object, if it is equal: one in memory, not two."""
        if self._contents.objects.get(key) == content:
            self._contents.objects[key] = content

    def expire(self) -> None:
        """The resourceVersion is worth nothing any more; the objects stay until the next list is complete."""
        self.resource_version = ""

    def begin_list(self) -> None:
        """Begin a new list, and forget one that was not finished."""
        self._listing = Contents()

    def add(self, reading: Reading[T]) -> None:
        """Take one object of the new list; an equal one that we have is kept in its place: no new memory."""
        _put(reading, known=self._contents, into=self._listing)

    def end_list(self, resource_version: str) -> frozenset[ObjectKey]:
        """The new list is complete and counts; which objects changed for a reader."""
        changed = frozenset(_differences(self._contents, self._listing))
        self._contents, self._listing = self._listing, Contents()
        self.resource_version = resource_version
        return changed


def _differences(before: Contents[T], after: Contents[T]) -> Iterator[ObjectKey]:
    """An object that is equal is the very same, since ``add`` keeps it."""
    for key in before.objects.keys() | after.objects.keys():
        if before.objects.get(key) is not after.objects.get(key):
            yield key
    for key in before.problems.keys() | after.problems.keys():
        if before.problems.get(key) != after.problems.get(key):
            yield key


def _put(reading: Reading[T], *, known: Contents[T], into: Contents[T]) -> bool:
    """Whether a reader of ``known`` sees a difference."""
    key, content = reading.key, reading.content
    present = known.objects.get(key)
    problems = known.problems.get(key)
    if isinstance(content, tuple):
        if present is not None:
            into.objects[key] = present
        into.problems[key] = content
        return problems != content
    into.problems.pop(key, None)
    if present is not None and present == content:
        into.objects[key] = present
        return problems is not None
    into.objects[key] = content
    return True
