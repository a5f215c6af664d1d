"""The lists that a speaker holds are those in the API, as far as they can be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from bareway.model.announcer_lists import Entry, Shard
from bareway.model.names import NodeName, ObjectKey
from bareway.model.objects import ConfigMap
from bareway.resources.announcer_lists import DATA_KEY, shard_key, write_shard
from speaker.lists import ListReader
from support.until import until

A, B = ip_address("192.0.2.1"), ip_address("192.0.2.2")
SYSTEM = "bareway-system"


class Mirror:
    """What a reflector shows."""

    def __init__(self) -> None:
        self.objects: dict[ObjectKey, ConfigMap] = {}
        self.synced = False


class Held:
    """A reader at work, and how often it told of something new."""

    def __init__(self) -> None:
        self.mirror = Mirror()
        self.told = 0
        self.reader = ListReader(SYSTEM, self.mirror, on_read=self._on_read)

    def put(self, number: int, shard: Shard | str) -> None:
        data = {DATA_KEY: shard} if isinstance(shard, str) else write_shard(shard)
        key = shard_key(SYSTEM, number)
        self.mirror.objects[key] = ConfigMap(key=key, data=data)

    async def read(self) -> None:
        """Until the reader has seen all that there is."""
        self.reader.look_again()
        for _ in range(100):
            await asyncio.sleep(0)

    def _on_read(self) -> None:
        self.told += 1


@asynccontextmanager
async def held() -> AsyncIterator[Held]:
    made = Held()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.reader.run())
        yield made
        task.cancel()


def shard(generation: int, *addresses: object) -> Shard:
    entry = Entry(generation=generation, nodes=(NodeName("a"),))
    return Shard(generation=generation, entries={ip_address(str(one)): entry for one in addresses})


async def test_nothing_counts_before_all_was_listed_once() -> None:
    async with held() as made:
        made.put(0, shard(1, A))
        await made.read()
        assert (made.reader.are_read, made.reader.exist, made.told) == (False, False, 0)
        made.mirror.synced = True
        made.reader.look_again()
        await until(lambda: made.reader.are_read)
        assert made.reader.lists.shards[0] == shard(1, A)
        assert (made.reader.exist, made.told) == (True, 1)


async def test_a_cluster_without_lists_is_told_once() -> None:
    async with held() as made:
        made.mirror.synced = True
        await made.read()
        await made.read()
        assert (made.reader.are_read, made.reader.exist, made.told) == (True, False, 1)


async def test_what_changed_is_read_and_the_rest_stays_the_same_object() -> None:
    async with held() as made:
        made.mirror.synced = True
        made.put(3, shard(1, A))
        made.put(4, shard(2, B))
        await made.read()
        before = made.reader.lists
        made.put(4, shard(5, B))
        await made.read()
        assert made.reader.lists.shards[3] is before.shards[3]
        assert made.reader.lists.shards[4] == shard(5, B)
        assert made.reader.lists.generation == 5
        assert made.told == 2
        await made.read()
        assert made.told == 2


async def test_a_shard_that_cannot_be_read_leaves_the_last_good_one_and_is_named_until_it_can() -> None:
    async with held() as made:
        made.mirror.synced = True
        made.put(10, shard(1, A))
        await made.read()
        made.put(10, "{")
        await made.read()
        assert made.reader.lists.shards[10] == shard(1, A)
        (problems,) = made.reader.problems.values()
        assert "is not JSON" in problems[0].message
        assert made.told == 2
        made.put(10, shard(2, B))
        await made.read()
        assert made.reader.problems == {}
        assert made.reader.lists.shards[10] == shard(2, B)


async def test_a_shard_that_is_gone_lists_nothing() -> None:
    async with held() as made:
        made.mirror.synced = True
        made.put(10, shard(1, A))
        made.put(11, "{")
        await made.read()
        made.mirror.objects.clear()
        await made.read()
        assert made.reader.lists.shards[10] == Shard()
        assert (made.reader.exist, made.reader.problems) == (False, {})


async def test_other_config_maps_with_the_label_are_nobodys_shard() -> None:
    async with held() as made:
        made.mirror.synced = True
        made.mirror.objects[ObjectKey(SYSTEM, "bareway-announcers-10")] = ConfigMap(
            key=ObjectKey(SYSTEM, "bareway-announcers-10"), data={DATA_KEY: "{"}
        )
        await made.read()
        assert (made.reader.exist, made.reader.problems) == (False, {})
