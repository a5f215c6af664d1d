"""The ConfigMap becomes an offer: both documents, what it is called, and whom Events are about."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from apiserver.server import EmbeddedApi
from bareway.model.names import ObjectKey
from bareway.resources.kinds import CONFIG_MAPS, NAMESPACES
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.acceptance import Offer
from controller.allocation.sources import ConfigMapSource
from support.until import until

KEY = ObjectKey("bareway-system", "config")


@asynccontextmanager
async def running(source: ConfigMapSource) -> AsyncIterator[None]:
    """Its mirrors run and have listed once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(mirror.run()) for mirror in source.mirrors]
        await until(lambda: all(mirror.synced for mirror in source.mirrors))
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def offered(data: Mapping[str, str] | None) -> Offer | None:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        await client.create(NAMESPACES.path(), {"metadata": {"name": KEY.namespace}})
        if data is not None:
            body = {"metadata": {"name": KEY.name, "namespace": KEY.namespace}, "data": data}
            await client.create(CONFIG_MAPS.path(KEY.namespace), body)
        source = ConfigMapSource(client, KEY, rng=Random("source"), on_change=lambda: None)
        async with running(source):
            return source.offer()


@pytest.mark.parametrize(
    ("data", "document", "extension"),
    [
        pytest.param({"config": "peers: []"}, "peers: []", "", id="MetalLB's key alone"),
        pytest.param({"config": "a", "bareway": "b", "other": "c"}, "a", "b", id="both keys and a stranger"),
        pytest.param({"bareway": "b"}, "", "b", id="ours alone"),
        pytest.param({}, "", "", id="neither"),
    ],
)
async def test_both_documents_are_offered(data: Mapping[str, str], document: str, extension: str) -> None:
    offer = await offered(data)
    assert offer is not None
    assert (offer.document, offer.extension) == (document, extension)
    assert offer.source == "ConfigMap bareway-system/config"
    assert (offer.about.kind, offer.about.key) == ("ConfigMap", KEY)
    assert offer.about.uid


async def test_without_a_config_map_there_is_no_offer() -> None:
    assert await offered(None) is None
