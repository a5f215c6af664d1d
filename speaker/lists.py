"""The announcer lists as this speaker holds them: each shard is read anew when its ConfigMap changed.

Reading takes some milliseconds a shard in a great cluster, so it is done beside the loop's other work. A
shard that cannot be read leaves the last good one, and is named; one that is gone lists nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol

from bareway.model.announcer_lists import AnnouncerLists, Shard
from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap
from bareway.model.problems import Problem
from bareway.resources.announcer_lists import read_lists, read_shard_in_steps, shard_keys
from bareway.runtime.turns import in_turns


class Mirrored(Protocol):
    """The mirror of the ConfigMaps."""

    @property
    def objects(self) -> Mapping[ObjectKey, ConfigMap]:
        """As last seen."""

    @property
    def synced(self) -> bool:
        """Whether all were listed once."""


class ListReader:
    """Keeps ``lists`` equal to what the mirror has; ``run`` it in a TaskGroup."""

    def __init__(self, namespace: str, mirror: Mirrored, on_read: Callable[[], None]) -> None:
        """``on_read`` is called when the lists changed, or were read for the first time; it must not wait."""
        self._keys = shard_keys(namespace)
        self._mirror = mirror
        self._on_read = on_read
        self._wake = asyncio.Event()
        self._read: dict[ObjectKey, ConfigMap] = {}
        self._shards: dict[int, Shard] = {}
        self.lists = AnnouncerLists()
        self.problems: dict[ObjectKey, tuple[Problem, ...]] = {}
        """What is wrong with a shard that was written last."""
        self.are_read = False
        """Whether all that there was at first is read."""

    @property
    def exist(self) -> bool:
        """Whether a controller ever wrote any."""
        return bool(self._read)

    def look_again(self) -> None:
        """A ConfigMap may have changed."""
        self._wake.set()

    async def run(self) -> NoReturn:
        """Read what changed, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._mirror.synced:
                await self._catch_up()

    async def _catch_up(self) -> None:
        before = self.lists, self.exist, self.are_read, dict(self.problems)
        for number, key in enumerate(self._keys):
            await self._follow(number, key)
        self.lists = read_lists(self._shards)
        self.are_read = True
        if before != (self.lists, self.exist, self.are_read, self.problems):
            self._on_read()

    async def _follow(self, number: int, key: ObjectKey) -> None:
        present = self._mirror.objects.get(key)
        if present is self._read.get(key):
            return
        if present is None:
            del self._read[key]
            self._shards.pop(number, None)
            self.problems.pop(key, None)
            return
        self._read[key] = present
        found = await in_turns(read_shard_in_steps(present))
        if isinstance(found, list):
            self.problems[key] = tuple(found)
        else:
            self.problems.pop(key, None)
            self._shards[number] = found
