"""What we wrote and the watch has not shown yet, laid over what it shows, so that no pass decides twice.

Each write was made on the condition of a resourceVersion, so nothing lies between that version and ours: as
long as the mirror shows the former, ours is the newer one, and as soon as it shows anything else, it has seen
ours, or knows that the write failed. A write without an answer may have happened: its address counts as held,
since the next one must not get it, but not as shown, so that it is written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bareway.model.names import ObjectKey, ServiceKey
from bareway.model.objects import ConfigMap, Secret
from bareway.model.services import Service
from controller.writing.effects import ServiceWrite

T = TypeVar("T", Service, ConfigMap, Secret)


@dataclass(frozen=True, slots=True)
class _Written(Generic[T]):
    over: frozenset[str]
    """Versions that ours came after; two writes may be ahead of the mirror."""
    after: T
    is_certain: bool


class Assumptions(Generic[T]):
    """The newest writes to objects of one kind."""

    def __init__(self) -> None:
        self._written: dict[ObjectKey, _Written[T]] = {}

    def __len__(self) -> int:
        return len(self._written)

    def note(self, after: T, *, over: str, is_certain: bool = True) -> None:
        """We wrote an object over the version ``over`` (empty: created it), and it is now ``after``."""
        before = self._written.get(after.key)
        older = before.over if before is not None else frozenset[str]()
        self._written[after.key] = _Written(older | {over}, after, is_certain)

    def clear(self) -> None:
        """Forget all of it."""
        self._written.clear()

    def prune(self, objects: Mapping[ObjectKey, T]) -> None:
        """Forget what the mirror has caught up with."""
        for key in [*self._written]:
            self.prune_one(key, objects.get(key))

    def prune_one(self, key: ObjectKey, mirrored: T | None) -> None:
        """Forget what we wrote to one object, if the mirror has caught up with it."""
        written = self._written.get(key)
        version = mirrored.resource_version if mirrored is not None else ""
        if written is not None and version not in written.over:
            del self._written[key]

    def is_doubtful(self, key: ObjectKey) -> bool:
        """Whether a write got no answer, and nothing has shown yet what became of it."""
        written = self._written.get(key)
        return written is not None and not written.is_certain

    def is_ours(self, key: ObjectKey) -> bool:
        """Whether the object is as we wrote it, which the mirror has not shown yet."""
        written = self._written.get(key)
        return written is not None and written.is_certain

    def shown_one(self, key: ObjectKey, mirrored: T | None) -> T | None:
        """One object with what was certainly written."""
        written = self._written.get(key)
        return written.after if written is not None and written.is_certain else mirrored

    def held_one(self, key: ObjectKey, mirrored: T | None) -> T | None:
        """One object with what was written, also where no answer came."""
        written = self._written.get(key)
        return written.after if written is not None else mirrored

    def shown(self, objects: Mapping[ObjectKey, T]) -> Mapping[ObjectKey, T]:
        """The objects with what was certainly written."""
        return {**objects, **{key: w.after for key, w in self._written.items() if w.is_certain}}

    def held(self, objects: Mapping[ObjectKey, T]) -> Mapping[ObjectKey, T]:
        """The objects with what was written, also where no answer came."""
        return {**objects, **{key: w.after for key, w in self._written.items()}}


@dataclass(frozen=True, slots=True)
class Memory:
    """What we wrote, by kind."""

    services: Assumptions[Service] = field(default_factory=Assumptions)
    configurations: Assumptions[ConfigMap] = field(default_factory=Assumptions)
    secrets: Assumptions[Secret] = field(default_factory=Assumptions)
    states: Assumptions[ConfigMap] = field(default_factory=Assumptions)
    lists: Assumptions[ConfigMap] = field(default_factory=Assumptions)
    unanswered: dict[ServiceKey, ServiceWrite] = field(default_factory=dict)
    """What may have been made: nothing was said of it yet."""

    def forget(self) -> None:
        """Another controller led meanwhile: what we wrote before is old, and the mirrors are fresh."""
        for assumptions in (self.services, self.configurations, self.secrets, self.states, self.lists):
            assumptions.clear()
        self.unanswered.clear()
