"""What the API server remembers: objects, one counter of revisions, and the last changes (as etcd).

Every write takes the next revision. The last HISTORY_MAX changes are kept, so that a watch can go on from
where it was and a list can be read as it stood at an older revision; what was asked from before them is
refused (``Compacted``). Objects are never changed in place: a write stores a new one, so whoever holds an
old one still has it whole.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from apiserver.kinds import Kind

HISTORY_MAX = (
    20_000  # enough for a slow watch through a burst of 10,000 Services, and still only tens of megabytes
)

JsonObject: TypeAlias = dict[str, Any]


class Key(NamedTuple):
    """Where an object is: the namespace is empty for kinds without namespaces."""

    namespace: str
    name: str

    @property
    def path(self) -> str:
        """What lists are sorted by, and where a page ends."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class ChangeType(StrEnum):
    """What happened to an object, in the words of a watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write."""

    revision: int
    type: ChangeType
    kind: Kind
    key: Key
    object: JsonObject
    """The object after the write; of a deleted one its last state with the revision of the deletion."""
    previous: JsonObject | None


class Compacted(Exception):
    """The history does not reach back to the revision asked for."""


class Store:
    """Objects by kind and key, with their history."""

    def __init__(self, *, first_revision: int = 1) -> None:
        self.revision = first_revision
        self._objects: dict[Kind, dict[Key, JsonObject]] = {}
        self._in_order: dict[Kind, list[tuple[Key, JsonObject]]] = {}
        """As last listed, for lists that are asked for page by page; gone with the next write of the kind."""
        self._history: list[Change] = []
        self._changed = asyncio.Event()

    @property
    def compacted(self) -> int:
        """The oldest revision from which a watch may start."""
        return self._history[0].revision - 1 if self._history else self.revision

    def get(self, kind: Kind, key: Key) -> JsonObject | None:
        """The object as it is now."""
        return self._objects.get(kind, {}).get(key)

    def kinds(self) -> Sequence[Kind]:
        """The kinds of which there ever was an object."""
        return tuple(self._objects)

    def all(self, kind: Kind, *, at: int | None = None) -> list[tuple[Key, JsonObject]]:
        """Every object of a kind in order of its path, now or as it was at a revision."""
        if at is None:
            if kind not in self._in_order:
                self._in_order[kind] = _sorted(self._objects.get(kind, {}))
            return list(self._in_order[kind])
        objects = dict(self._objects.get(kind, {}))
        for change in reversed(self.since(at)):
            if change.kind is not kind:
                continue
            if change.previous is None:
                del objects[change.key]
            else:
                objects[change.key] = change.previous
        return _sorted(objects)

    def put(self, kind: Kind, key: Key, value: JsonObject) -> JsonObject:
        """Write an object, new or not; returns it with its resourceVersion."""
        previous = self.get(kind, key)
        stored = self._stamped(value)
        self._objects.setdefault(kind, {})[key] = stored
        kind_of_change = ChangeType.ADDED if previous is None else ChangeType.MODIFIED
        self._record(kind_of_change, kind, key, stored, previous)
        return stored

    def delete(self, kind: Kind, key: Key) -> JsonObject:
        """Remove an object that is there; returns its last state."""
        previous = self._objects[kind].pop(key)
        last = self._stamped(previous)
        self._record(ChangeType.DELETED, kind, key, last, previous)
        return last

    def since(self, revision: int) -> Sequence[Change]:
        """The changes after a revision, oldest first."""
        if revision < self.compacted:
            raise Compacted
        # Revisions have no gaps, so the place of a change in the history follows from its number.
        return self._history[max(0, len(self._history) - (self.revision - revision)) :]

    def compact(self) -> None:
        """Forget the history: every watch that lags behind, and every continue token, gets 410."""
        self._history.clear()
        self.wake()

    async def wait_for_change(self) -> None:
        """Return when something was written or the history was cut."""
        await self._changed.wait()

    def _stamped(self, value: JsonObject) -> JsonObject:
        metadata = {**value["metadata"], "resourceVersion": str(self.revision + 1)}
        return {**value, "metadata": metadata}

    def _record(
        self, what: ChangeType, kind: Kind, key: Key, value: JsonObject, previous: JsonObject | None
    ) -> None:
        self.revision += 1
        self._in_order.pop(kind, None)
        self._history.append(
            Change(revision=self.revision, type=what, kind=kind, key=key, object=value, previous=previous)
        )
        if len(self._history) > HISTORY_MAX:
            del self._history[: HISTORY_MAX // 10]
        self.wake()

    def wake(self) -> None:
        """Let every watch look again."""
        self._changed.set()
        self._changed = asyncio.Event()


def _sorted(objects: Mapping[Key, JsonObject]) -> list[tuple[Key, JsonObject]]:
    return sorted(objects.items(), key=lambda item: item[0].path)
