"""The whole controller beside speakers that gossip on loopback: lists come first, and follow what is seen."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from apiserver import Fault
from apiserver.kinds import CONFIG_MAPS
from bareway.gossip.sealing import Keyring
from bareway.model.announcer_lists import shard_of
from bareway.model.names import NodeName
from bareway.model.rank import ranked
from support.controllers import FOUR, NAMESPACE, Cluster
from support.speaking import Voice, speaking
from support.until import until

pytestmark = pytest.mark.slow

ADDRESS = ip_address("192.0.2.0")
NAMES = (NodeName("node-1"), NodeName("node-2"), NodeName("node-3"))
RANKED = ranked(NAMES, ADDRESS)


def shard(cluster: Cluster, digit: str) -> Mapping[str, Any]:
    """A part of the lists, as it is stored."""
    data = cluster.one(CONFIG_MAPS, NAMESPACE, f"bareway-announcers-{digit}").get("data", {})
    found: Mapping[str, Any] = json.loads(data.get("announcers", "{}"))
    return found


def listed(cluster: Cluster, address: str = str(ADDRESS)) -> tuple[int, list[str]]:
    """The entry of an address: generation and nodes."""
    found = shard(cluster, f"{shard_of(ip_address(address)):x}")
    generation, *places = found.get("addresses", {}).get(address, [0])
    return generation, [found["nodes"][place] for place in places]


async def add_node(cluster: Cluster, name: str, address: str) -> None:
    await cluster.client.create("/api/v1/nodes", {"metadata": {"name": name}})
    status = {"status": {"addresses": [{"type": "InternalIP", "address": address}]}}
    await cluster.client.merge_patch(f"/api/v1/nodes/{name}/status", status)


class Speakers:
    """Speakers on all Nodes, each at an address of its own and one port."""

    def __init__(self, cluster: Cluster, keyring: Keyring) -> None:
        self.cluster = cluster
        self.keyring = keyring
        self.voices: dict[NodeName, Voice] = {}
        self.port = 0
        self._stacks: dict[NodeName, AsyncExitStack] = {}

    async def start(self, name: NodeName) -> None:
        stack = self._stacks[name] = AsyncExitStack()
        host = f"127.0.0.{1 + len(self.voices)}"
        voice = await stack.enter_async_context(
            speaking(name, host=host, port=self.port, keyring=self.keyring)
        )
        self.voices[name] = voice
        self.port = voice.where.port
        await add_node(self.cluster, name, host)

    async def stop(self, name: NodeName) -> None:
        del self.voices[name]
        await self._stacks.pop(name).aclose()

    def introduce(self, *addresses: str) -> None:
        where = {name: voice.where for name, voice in self.voices.items()}
        wanted = dict.fromkeys(ip_address(address) for address in addresses)
        for voice in self.voices.values():
            voice.learn(where, wanted)

    @property
    def holder(self) -> str:
        """Who answers for the address."""
        return "".join(name for name, one in self.voices.items() if ADDRESS in one.machine.answering)

    async def close(self) -> None:
        for name in [*self.voices]:
            await self.stop(name)


@asynccontextmanager
async def speakers(cluster: Cluster, *names: NodeName) -> AsyncIterator[Speakers]:
    """Speakers with the key of the Secret, which a controller has to have made."""
    async with cluster.controller():
        await until(cluster.secret)
    made = Speakers(cluster, Keyring([b64decode(cluster.secret()["secretkey"])]))
    try:
        for name in names:
            await made.start(name)
        cluster.settings = replace(cluster.settings, gossip_port=made.port)
        yield made
    finally:
        await made.close()


# ------------------------------------------------------------ lists


async def test_an_address_is_listed_before_the_service_shows_it(cluster: Cluster) -> None:
    for number, name in enumerate(NAMES, 1):
        await add_node(cluster, name, f"127.0.1.{number}")
    await cluster.configure(FOUR)
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        generation, nodes = listed(cluster)
    assert generation > 0
    assert nodes == list(RANKED)
    written = [write for write in cluster.writes() if "announcers" in write or "services/web" in write]
    creating = [place for place, (_, path) in enumerate(cluster.api.requests) if path.endswith("/configmaps")]
    showing = [place for place, (_, path) in enumerate(cluster.api.requests) if "services/web/status" in path]
    assert max(place for place in creating if place < showing[0]) > 0
    assert written[-1].startswith("PATCH")


async def test_a_service_waits_for_its_list_as_long_as_that_cannot_be_written(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller():
        await until(cluster.in_force)
        cluster.api.faults.add(Fault.ERROR, verb="create", resource="configmaps", times=3)
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"), within_s=15)
        assert listed(cluster)[0] > 0
    tries = [
        write for write in cluster.writes() if write == f"POST /api/v1/namespaces/{NAMESPACE}/configmaps"
    ]
    assert len(tries) >= 4


async def test_a_burst_costs_few_writes_of_lists(cluster: Cluster) -> None:
    await cluster.configure(FOUR.replace("192.0.2.0/30", "198.51.100.0/24"))
    async with cluster.controller():
        await until(cluster.in_force)
        cluster.api.requests.clear()
        for number in range(120):
            await cluster.create(f"web-{number}")
        await until(lambda: len(cluster.shown()) == 120)
        writes = [write for write in cluster.writes() if "configmaps" in write]
    # Seventeen: each of the 16 shards once with what may follow, and a second time where that was not enough.
    assert len(writes) <= 2 * 16


async def test_a_shard_that_somebody_deleted_or_broke_is_written_anew(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/bareway-announcers-{shard_of(ADDRESS):x}"
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        await cluster.client.delete(path)
        await until(lambda: listed(cluster)[0] > 0, within_s=15)
        await cluster.client.merge_patch(path, {"data": {"announcers": "{"}})
        await until(lambda: listed(cluster)[0] > 0 if _is_json(cluster) else False, within_s=15)


def _is_json(cluster: Cluster) -> bool:
    name = f"bareway-announcers-{shard_of(ADDRESS):x}"
    text: str = cluster.one(CONFIG_MAPS, NAMESPACE, name).get("data", {}).get("announcers", "")
    return text.endswith("}")


async def test_addresses_of_bgp_pools_wait_for_no_list(cluster: Cluster) -> None:
    await cluster.configure(FOUR.replace("layer2", "bgp"))
    async with cluster.controller():
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
    assert not any(key.name.startswith("bareway-announcers") for key, _ in cluster.api.store.all(CONFIG_MAPS))


# ------------------------------------------------------------ what is seen


async def test_what_gossip_moved_is_listed_and_the_holder_stays(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with speakers(cluster, *NAMES) as group:
        async with cluster.controller():
            await cluster.create("web")
            await until(lambda: cluster.ingress("web"))
            group.introduce(str(ADDRESS))
            await until(lambda: group.holder)
            first = NodeName(group.holder)
            # On a machine that is busy otherwise it may have been listed before a member was seen.
            await until(lambda: listed(cluster)[1][:1] == [first], within_s=15)
            await group.stop(first)
            await until(lambda: group.holder)
            await until(lambda: listed(cluster)[1][:1] == [group.holder], within_s=15)
            second, generation = group.holder, listed(cluster)[0]
            assert first not in listed(cluster)[1]
            voice = group.voices[NodeName(second)]
            # Heartbeats carry the generation of the lists to the speakers; no part of their surface shows it.
            await until(lambda: voice.machine._election.table.generation == generation)
        assert group.holder == second
        names = {one.name for voice in group.voices.values() for one in voice.machine.members()}
        assert names <= set(NAMES), "the controller is no member"


async def test_when_all_speakers_are_gone_lists_stay_and_new_addresses_are_listed_by_rank(
    cluster: Cluster,
) -> None:
    await cluster.configure(FOUR)
    async with speakers(cluster, *NAMES[:2]) as group, cluster.controller():
        group.introduce(str(ADDRESS))
        await cluster.create("web")
        await until(lambda: cluster.ingress("web"))
        await until(lambda: group.holder and listed(cluster)[1][:1] == [group.holder], within_s=15)
        before = listed(cluster)
        for name in NAMES[:2]:
            await group.stop(name)
        await cluster.client.delete(f"/api/v1/nodes/{before[1][0]}")
        await cluster.create("more")
        await until(lambda: cluster.ingress("more"))
        left = next(name for name in NAMES[:2] if name != before[1][0])
        assert listed(cluster, "192.0.2.1")[1] == [left]
        assert listed(cluster) == before


async def test_speakers_with_another_key_are_not_seen_and_everything_else_works(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with speakers(cluster, NAMES[0]) as group:
        await group.stop(NAMES[0])
        group.keyring = Keyring([b"a foreign key"])
        await cluster.client.delete(f"/api/v1/nodes/{NAMES[0]}")
        await group.start(NAMES[0])
        async with cluster.controller():
            await cluster.create("web")
            await until(lambda: cluster.ingress("web"))
            assert listed(cluster)[1] == [NAMES[0]]
