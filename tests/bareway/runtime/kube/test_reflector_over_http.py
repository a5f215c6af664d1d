"""Reflector and KubeClient together against a server that misbehaves, over real HTTP and in real time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from apiserver import EmbeddedApi, Fault
from bareway.model.services import Service
from bareway.resources.kinds import SERVICES, Kind
from bareway.resources.services import WireService, read_service
from bareway.runtime.kube.client import KubeClient, NotFound
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.kube.reflector import Reflector
from support.builders import key

SMALL_PAGES: Kind[Service] = Kind("Service", "services", WireService, read_service, page_size=2)
PATIENCE_S = 10.0

pytestmark = pytest.mark.slow  # pauses between attempts are real here


class Cluster:
    """A server, a client, a reflector of the Services in ``default``, and a wait for what it should see."""

    def __init__(self, api: EmbeddedApi, client: KubeClient) -> None:
        self.api = api
        self.client = client
        self._changed = asyncio.Event()
        self.reflector = Reflector(
            client, SMALL_PAGES, namespace="default", rng=Random("http"), on_change=self._changed.set
        )

    async def create(self, name: str) -> None:
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
        body: dict[str, Any] = {"metadata": {"name": name}, "spec": spec}
        await self.client.create(SERVICES.path("default"), {"apiVersion": "v1", "kind": "Service", **body})

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self._changed.wait()
                self._changed.clear()

    async def until_names(self, *names: str) -> None:
        await self.until(lambda: {key.name for key in self.reflector.objects} == {"kubernetes", *names})


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        made = Cluster(api, client)
        await made.create("a")
        await made.create("b")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.reflector.run())
            await made.until_names("a", "b")
            await made.until(lambda: made.reflector.connected)
            try:
                yield made
            finally:
                task.cancel()


async def test_what_happens_is_seen() -> None:
    async with cluster() as made:
        await made.create("c")
        await made.client.delete(SERVICES.object_path(key("default/a")))
        await made.until_names("b", "c")


@pytest.mark.parametrize("fault", [Fault.EXPIRE, Fault.CLOSE, Fault.DROP, Fault.GARBAGE], ids=str)
async def test_a_watch_that_ends_in_any_way_loses_nothing(fault: Fault) -> None:
    async with cluster() as made:
        made.api.faults.add(fault, verb="watch", resource="services")
        await made.create("c")
        await made.until_names("a", "b", "c")
        await made.until(lambda: made.reflector.connected)


@pytest.mark.parametrize(
    "fault", [Fault.EXPIRE, Fault.ERROR, Fault.DROP, Fault.GARBAGE, Fault.FORBIDDEN], ids=str
)
async def test_lists_that_fail_are_repeated(fault: Fault) -> None:
    async with cluster() as made:
        made.api.faults.add(fault, verb="list", resource="services")
        made.api.faults.add(Fault.EXPIRE, verb="watch", resource="services")
        await made.create("c")
        await made.until_names("a", "b", "c")


async def test_a_server_that_was_away_is_found_again_and_what_happened_meanwhile_is_seen() -> None:
    async with cluster() as made:
        await made.api.stop()
        await made.until(lambda: not made.reflector.connected)
        assert {key.name for key in made.reflector.objects} == {"kubernetes", "a", "b"}
        await made.api.start()
        await made.create("c")
        await made.until_names("a", "b", "c")
        with pytest.raises(NotFound):
            await made.client.read(SERVICES, key("default/never"))
