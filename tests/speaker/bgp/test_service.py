"""All of BGP in a speaker, from the API server to a router: begins with peers, ends as its Node says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from random import Random

import pytest

from bareway.bgp.errors import Cease, Code
from bareway.model.names import ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.resources.kinds import CONFIG_MAPS, NODES
from bareway.runtime.clock import boot_time
from speaker.bgp.life_sign import FILE_NAME, LifeSign
from speaker.routing import Routing
from support.bgp import NODE_ASN, ROUTER_ASN
from support.bgp_wires import NODE, PORT, ROUTER, Router, back, router
from support.rig import Rig, rig
from support.until import until

POOL = "address-pools:\n- {name: a, protocol: bgp, addresses: [198.51.100.0/24]}\n"
PEER = (
    f"{{my-asn: {NODE_ASN}, peer-asn: {ROUTER_ASN}, peer-address: {ROUTER}, peer-port: {PORT}, "
    f"source-address: {NODE}, graceful-restart: on}}"
)
WITH_PEER = f"{POOL}peers:\n- {PEER}\n"
ADDRESS = ip_network("198.51.100.7/32")


class World:
    def __init__(self, made: Rig, folder: Path) -> None:
        self.rig = made
        self.sign = LifeSign(folder / FILE_NAME)
        self.routing = Routing(
            made.settings, made.client, watch=made.watch, recorder=made.recorder, rng=Random("routing")
        )
        made.also = self.routing.look_again

    async def configure(self, document: str) -> None:
        path = CONFIG_MAPS.object_path(ObjectKey("bareway-system", "config"))
        await self.rig.client.merge_patch(path, {"data": {"config": document}})

    async def mark(self, value: str | None) -> None:
        body = {"metadata": {"annotations": {DRAIN_ANNOTATION: value}}}
        await self.rig.client.merge_patch(NODES.object_path(ObjectKey("", "a")), body)


@asynccontextmanager
async def world(
    folder: Path, document: str = WITH_PEER, *, drained: str | None = None
) -> AsyncIterator[World]:
    async with rig(f"--socket={folder}/speaker.sock") as made:
        await made.node("a", "192.0.2.11")
        await made.node("b", "192.0.2.12")
        await made.service("web", "198.51.100.7")
        await made.config(document)
        it = World(made, folder)
        if drained is not None:
            await it.mark(drained)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(it.routing.run())
            it.routing.look_again()
            yield it
            task.cancel()


async def told(tor: Router) -> None:
    await until(lambda: set(tor.routes) == {ADDRESS} and tor.ends == 2, within_s=20.0)


def is_marked(tor: Router) -> bool:
    attributes = tor.routes[ADDRESS].attributes
    return any(bytes.fromhex("ffff0000") in attribute.value for attribute in attributes)


async def test_nothing_of_bgp_is_there_before_there_is_a_peer(tmp_path: Path) -> None:
    async with router() as tor, world(tmp_path, POOL) as it:
        await until(lambda: it.rig.watch.ready)
        assert it.routing.service is None
        await it.routing.leave()
        await it.configure(WITH_PEER)
        await told(tor)
        assert it.routing.service is not None


async def test_a_restart_says_nothing_and_the_next_life_knows_of_this_one(tmp_path: Path) -> None:
    async with router(back(graceful_restart=True)) as tor:
        async with world(tmp_path) as it:
            await told(tor)
            assert it.sign.is_recent(boot_time())  # a crash would leave it, too
            await it.routing.leave()
            await until(lambda: tor.last.is_over)
            assert tor.last.notices == []
            assert set(tor.routes) == {ADDRESS}
        async with world(tmp_path) as it:
            await until(lambda: len(tor.conversations) == 2, within_s=20.0)
            await until(lambda: tor.last.heard)
            assert "is_restarted=True" in repr(tor.last.heard[0])


async def test_the_sign_is_renewed_while_sessions_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speaker.bgp.service.BEAT_S", 0.02)
    async with router() as tor, world(tmp_path) as it:
        await told(tor)
        it.sign.forget()
        await until(lambda: it.sign.is_recent(boot_time()))


async def test_the_first_life_says_that_it_is(tmp_path: Path) -> None:
    async with router() as tor, world(tmp_path):
        await told(tor)
        assert "is_restarted=False" in repr(tor.last.heard[0])


async def test_a_drained_node_marks_its_routes_withdraws_them_and_says_goodbye(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speaker.bgp.departure.DRAIN_S", 0.3)
    async with router() as tor, world(tmp_path) as it:
        await told(tor)
        await it.mark("maintenance")
        await until(lambda: ADDRESS in tor.routes and is_marked(tor), within_s=20.0)
        await until(lambda: tor.last.is_over, within_s=20.0)
        assert tor.routes == {}
        assert [(n.code, n.subcode) for n in tor.last.notices] == [(Code.CEASE, Cease.SHUTDOWN)]
        await it.mark(None)
        await until(lambda: ADDRESS in tor.routes and not is_marked(tor), within_s=20.0)
        await it.mark("again")
        await until(lambda: ADDRESS in tor.routes and is_marked(tor), within_s=20.0)
        await it.routing.leave()
        assert tor.routes == {}
        assert not it.sign.is_recent(boot_time())


async def test_the_last_node_that_stays_keeps_its_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speaker.bgp.departure.DRAIN_S", 0.05)
    async with router() as tor, world(tmp_path) as it:
        await told(tor)
        body = {"spec": {"taints": [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]}}
        await it.rig.client.merge_patch(NODES.object_path(ObjectKey("", "b")), body)
        await until(lambda: it.rig.watch.nodes.objects[ObjectKey("", "b")].taints)
        await it.mark("maintenance")
        await until(lambda: is_marked(tor), within_s=20.0)
        with pytest.raises(TimeoutError):
            await until(lambda: not tor.routes, within_s=0.3)


async def test_a_speaker_that_begins_on_a_drained_node_tells_no_route_until_the_mark_goes(
    tmp_path: Path,
) -> None:
    async with router() as tor, world(tmp_path, drained="maintenance") as it:
        await until(lambda: it.routing.service and it.routing.service._departure.is_for_good, within_s=20.0)
        with pytest.raises(TimeoutError):
            await until(lambda: tor.routes, within_s=0.3)
        await it.mark(None)
        await told(tor)
        assert not is_marked(tor)


async def test_routes_that_a_router_kept_of_a_former_life_go_when_that_begins_on_a_drained_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speaker.bgp.departure.DRAIN_S", 3.0)
    LifeSign(tmp_path / FILE_NAME).beat(boot_time())
    async with router(back(graceful_restart=True)) as tor, world(tmp_path, drained="maintenance"):
        await until(lambda: tor.ends == 2, within_s=20.0)
        assert tor.routes == {}
        await until(lambda: tor.last.is_over, within_s=20.0)
        assert [(n.code, n.subcode) for n in tor.last.notices] == [(Code.CEASE, Cease.SHUTDOWN)]
