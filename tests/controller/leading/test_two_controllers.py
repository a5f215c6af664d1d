"""Two whole controllers on the embedded API server: one writes, the other takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from apiserver import Fault
from apiserver.kinds import LEASES
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.app import serve
from controller.settings import Settings
from support.controllers import FOUR, NAMESPACE, Cluster, Json
from support.until import until

pytestmark = pytest.mark.slow

TAKE_OVER_S = 20.0  # far more than it takes, on a busy machine; how long it takes is shown in the simulation


def settings(name: str) -> Settings:
    return Settings(socket=None, http_port=0, pod_name=name)


def lease(cluster: Cluster) -> Json:
    found: Json = cluster.one(LEASES, NAMESPACE, "bareway-controller").get("spec", {})
    return found


def leader(cluster: Cluster) -> str:
    """The Pod that holds the Lease."""
    return str(lease(cluster).get("holderIdentity", "")).rpartition("_")[0]


@asynccontextmanager
async def crashing(cluster: Cluster, name: str) -> AsyncIterator[asyncio.Task[None]]:
    """A controller that is cut off in the middle of everything when its task is cancelled."""
    async with asyncio.TaskGroup() as group:
        source = Fixed(Credentials(server=cluster.api.url))
        task = group.create_task(serve(settings(name), source, asyncio.Event()))
        try:
            yield task
        finally:
            task.cancel()


async def test_one_of_two_writes_and_the_other_takes_over_at_once_when_it_ends(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller(settings("second")):
        await until(lambda: leader(cluster) == "second")
        async with cluster.controller(settings("first")):
            await cluster.create("a")
            await until(lambda: cluster.ingress("a"))
            assert leader(cluster) == "second"
        assert leader(cluster) == "second", "who only stood by leaves no trace"
        async with crashing(cluster, "third"):
            await cluster.until_settled()
            transitions = lease(cluster)["leaseTransitions"]
            acquired = lease(cluster)["acquireTime"]
    async with cluster.controller(settings("fourth")):
        await until(lambda: leader(cluster) == "fourth", within_s=2.0)
        assert lease(cluster)["leaseTransitions"] == transitions + 1
        assert lease(cluster)["acquireTime"] > acquired


async def test_after_a_clean_end_nothing_is_waited_for(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller(settings("first")):
        await until(lambda: leader(cluster) == "first")
        async with crashing(cluster, "second"):
            await cluster.until_settled()
        await cluster.create("a")
        await until(lambda: cluster.ingress("a"))
    assert leader(cluster) == ""
    async with cluster.controller(settings("third")):
        await cluster.create("b")
        await until(lambda: cluster.ingress("b"), within_s=2.5)


async def test_after_a_crash_the_other_goes_on_where_it_ended(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with crashing(cluster, "first") as first:
        await until(lambda: leader(cluster) == "first")
        async with cluster.controller(settings("second")):
            await cluster.create("a")
            await until(lambda: cluster.ingress("a"))
            first.cancel()
            await cluster.create("b")
            await until(lambda: cluster.ingress("b"), within_s=TAKE_OVER_S)
            assert leader(cluster) == "second"
    assert cluster.shown() == {"a": ["192.0.2.0"], "b": ["192.0.2.1"]}


async def test_who_loses_the_lease_writes_no_more(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with cluster.controller(settings("first")):
        await until(lambda: leader(cluster) == "first")
        await cluster.until_settled()
        path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/bareway-controller"
        await cluster.client.merge_patch(path, {"spec": {"holderIdentity": "somebody-else"}})
        await asyncio.sleep(0.5)
        await cluster.create("a")
        await asyncio.sleep(0.5)
        assert cluster.shown() == {}
        await until(lambda: cluster.ingress("a"), within_s=TAKE_OVER_S)


async def test_a_takeover_sees_what_its_mirrors_have_not_shown(cluster: Cluster) -> None:
    await cluster.configure(FOUR)
    async with crashing(cluster, "first") as first:
        await until(lambda: leader(cluster) == "first")
        async with cluster.controller(settings("second")):
            await asyncio.sleep(0.5)
            # The watches of both see nothing any more; the first one counts what it writes itself.
            cluster.api.faults.add(Fault.STALL, verb="watch", resource="services", times=None)
            await cluster.create("a")
            cluster.api.faults.clear()
            await until(lambda: cluster.ingress("a"))
            first.cancel()
            await cluster.create("b")
            await until(lambda: cluster.ingress("b"), within_s=TAKE_OVER_S)
    assert sorted(cluster.shown().values()) == [["192.0.2.0"], ["192.0.2.1"]]
