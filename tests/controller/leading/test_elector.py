"""controller.leading.elector: one candidate on an embedded API server, as it reads and writes the Lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from apiserver import Fault
from apiserver.kinds import LEASES
from bareway.runtime.clock import boot_time
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.kube.errors import KubeError, Unreachable
from controller.leading.elector import Elector
from support.controllers import NAMESPACE, Cluster, Json
from support.until import until

pytestmark = pytest.mark.slow

PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


class Rig:
    """A candidate, and how often it was asked to prepare and said that something changed."""

    def __init__(self, cluster: Cluster, *, is_new: bool = True) -> None:
        self.cluster = cluster
        self.prepared = 0
        self.changes = 0
        self.is_warm = asyncio.Event()
        self.is_warm.set()
        self._is_new = is_new
        self.is_first: bool | KubeError = True
        self.client = KubeClient(Fixed(Credentials(server=cluster.api.url)))
        self.elector = Elector(
            self.client,
            me="me_1",
            namespace=NAMESPACE,
            rng=Random("me"),
            clock=boot_time,
            warm_up=self._warm_up,
            mark=self._mark,
            prepare=self._prepare,
            on_change=self._count,
        )

    async def _warm_up(self) -> bool:
        await self.is_warm.wait()
        return self._is_new

    async def _mark(self) -> bool:
        if isinstance(self.is_first, KubeError):
            raise self.is_first
        return self.is_first

    async def _prepare(self) -> None:
        self.prepared += 1

    def _count(self) -> None:
        self.changes += 1

    @property
    def lease(self) -> Json:
        return self.cluster.one(LEASES, NAMESPACE, "bareway-controller")

    def puts(self) -> int:
        return sum(
            method in {"POST", "PATCH"} and "/leases" in path for method, path in self.cluster.api.requests
        )


@asynccontextmanager
async def standing(rig: Rig) -> AsyncIterator[Elector]:
    async with rig.client, asyncio.TaskGroup() as group:
        task = group.create_task(rig.elector.run())
        try:
            yield rig.elector
        finally:
            task.cancel()


async def test_the_first_one_creates_the_lease_and_leads_by_the_lists_it_has(cluster: Cluster) -> None:
    rig = Rig(cluster)
    async with standing(rig) as elector:
        await until(elector.may_write)
        assert (elector.holder, elector.term, rig.prepared, rig.changes) == ("me_1", 1, 0, 1)
        spec = rig.lease["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
            "me_1",
            3,
            0,
        )
        assert spec["acquireTime"] == spec["renewTime"]
        await until(lambda: rig.lease["spec"]["renewTime"] > spec["renewTime"])
        assert rig.lease["spec"]["acquireTime"] == spec["acquireTime"]
        await elector.resign()
        assert not elector.may_write()
    assert rig.lease["spec"]["holderIdentity"] == ""


async def test_nobody_stands_before_it_is_warm(cluster: Cluster) -> None:
    rig = Rig(cluster)
    rig.is_warm.clear()
    async with standing(rig) as elector:
        await until(lambda: any("/leases" in path for _, path in cluster.api.requests))
        assert rig.puts() == 0
        rig.is_warm.set()
        await until(elector.may_write)


async def test_what_others_wrote_beside_the_lease_stays(cluster: Cluster) -> None:
    rig = Rig(cluster)
    body = {"metadata": {"name": "bareway-controller", "annotations": {"team": "x"}}, "spec": {}}
    await cluster.client.create(PATH, body)
    async with standing(rig) as elector:
        await until(elector.may_write)
        assert rig.prepared == 1
        assert rig.lease["metadata"]["annotations"] == {"team": "x"}


async def test_who_waits_is_told_as_soon_as_we_lead(cluster: Cluster) -> None:
    rig = Rig(cluster)
    async with standing(rig) as elector, asyncio.timeout(5):
        await elector.wait()
        assert elector.may_write()


async def test_a_lease_that_cannot_be_written_is_told_once(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(cluster)
    cluster.api.faults.add(Fault.FORBIDDEN, verb="create", resource="leases", times=3)
    async with standing(rig) as elector:
        await until(lambda: rig.puts() >= 2)
        assert "forbidden" in elector.trouble
        assert not elector.may_write()
        await until(elector.may_write)
        assert elector.trouble == ""
    told = [text for text in caplog.messages if text == "the Lease is out of reach; trying again"]
    assert len(told) == 1


async def test_a_namespace_that_is_not_there_is_trouble_and_no_race(cluster: Cluster) -> None:
    rig = Rig(cluster)
    rig.elector._key = rig.elector._key._replace(namespace="nowhere")
    async with standing(rig) as elector:
        await until(lambda: "nowhere" in elector.trouble)


async def test_an_answer_that_is_lost_is_looked_for(cluster: Cluster) -> None:
    rig = Rig(cluster)
    async with standing(rig) as elector:
        await until(elector.may_write)
        cluster.api.faults.add(Fault.DROP, verb="patch", resource="leases", times=1)
        await until(lambda: elector.trouble)
        await until(lambda: not elector.trouble and elector.may_write())
        assert elector.term == 1


async def test_a_lease_that_was_deleted_is_created_again_and_waited_for(cluster: Cluster) -> None:
    rig = Rig(cluster)
    async with standing(rig) as elector:
        await until(elector.may_write)
        first = rig.lease["metadata"]["uid"]
        await cluster.client.delete(f"{PATH}/bareway-controller")
        await until(lambda: rig.lease and rig.lease["metadata"]["uid"] != first)
        await until(lambda: elector.holder == "me_1")
        assert not elector.may_write()
        await until(elector.may_write, within_s=10.0)
        assert (elector.term, rig.prepared) == (2, 1)


@pytest.mark.parametrize(
    ("mark", "leads"),
    [
        pytest.param(True, True, id="who leaves the mark is the first"),
        pytest.param(False, False, id="who finds it waits for another to end"),
        pytest.param(Unreachable("lost"), False, id="who cannot tell waits too"),
    ],
)
async def test_where_there_is_no_lease_the_mark_tells_whether_there_never_was_one(
    cluster: Cluster, mark: bool | KubeError, leads: bool
) -> None:
    rig = Rig(cluster)
    rig.is_first = mark
    async with standing(rig):
        await until(lambda: rig.lease.get("spec", {}).get("holderIdentity") == "me_1" and rig.elector.term)
        assert rig.elector.may_write() is leads
