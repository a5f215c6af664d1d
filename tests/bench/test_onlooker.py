"""bench.controller.onlooker: who looks on misses nothing, whatever becomes of his watch."""

import asyncio

import pytest

from apiserver import EmbeddedApi, Fault
from apiserver.client import MERGE, Client
from bench.controller.onlooker import Onlooker
from bench.controller.stage import OURS, service


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.DROP, Fault.EXPIRE])
async def test_an_address_is_seen_though_the_server_ended_the_watch(fault: Fault) -> None:
    async with EmbeddedApi() as api, Client(api.url) as client, asyncio.TaskGroup() as group:
        onlooker = Onlooker(client)
        await onlooker.begin()
        looking = group.create_task(onlooker.run())
        for name in ("one", "two"):
            await client.create(OURS, service(name))
            patch = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
            await client.patch(f"{OURS}/{name}/status", patch, MERGE)
            await onlooker.served([name], within_s=10)
            api.faults.add(fault, verb="watch", times=1)
            await client.patch(f"{OURS}/{name}", {"metadata": {"labels": {"a": "b"}}}, MERGE)
        assert onlooker.watches > 1
        looking.cancel()
