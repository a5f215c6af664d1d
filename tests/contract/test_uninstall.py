"""What was written as our controller writes it is taken away, and nothing is left: on both servers."""

import asyncio
import json
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from apiserver.client import MERGE
from bareway.cli.__main__ import main
from bareway.decide.allocation.requests import quoted
from bareway.model.services import Condition
from bareway.resources.kinds import SERVICES
from bareway.resources.status import assign_patch
from cluster.control_plane import ControlPlane
from cluster.servers import Server, embedded_on, real
from support.furnished import FurnishedApi

FOREIGN = {
    "type": "example.com/Ready",
    "status": "True",
    "reason": "Fine",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def furnished(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Like ``server``, and the embedded one has every kind that is looked at."""
    if request.param == "real":
        async with real(request.getfixturevalue("plane"), "uninstalled") as server:
            yield server
    else:
        async with FurnishedApi() as api, embedded_on(api, tmp_path, "uninstalled") as server:
            yield server


async def serve(
    server: Server, name: str, *addresses: str, annotations: dict[str, str] | None = None
) -> None:
    """A Service that our controller gave addresses to, beside a condition of somebody else."""
    made = await server.client.create(
        server.path("services"),
        {
            "metadata": {"name": name, "annotations": annotations or {}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        },
    )
    assert made.code == 201, made
    path = f"{server.path('services', name)}/status"
    other = await server.client.patch(path, {"status": {"conditions": [FOREIGN]}}, MERGE)
    assert other.code == 200, other
    service = SERVICES.read(json.dumps(other.body).encode()).content
    assert not isinstance(service, tuple)
    given = tuple(map(ip_address, addresses))
    message = f"assigned {quoted(given)} from pool public"
    told = Condition(is_true=True, reason="Assigned", message=message, since="2026-01-01T00:00:00Z")
    patch = assign_patch(service, given, "public", told)
    answer = await server.client.patch(path, dict(patch), MERGE)
    assert answer.code == 200, answer


async def bareway(server: Server, *words: str) -> int:
    flags = ("--kubeconfig", str(server.kubeconfig), "--namespace", server.namespace)
    return await asyncio.to_thread(main, ["uninstall", *words, *flags])


async def left(server: Server, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    code = await bareway(server, "--verify", "-o", "json")
    page: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert page["unknown"] == []
    assert code == (1 if page["leftovers"] else 0)
    return [f"{one['word']} {one['subject']}" for one in page["leftovers"]]


@pytest.mark.slow
async def test_what_was_written_is_taken_away_and_nothing_is_left(
    furnished: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = furnished
    marks = {"bareway.io/announce-from": "node1", "bareway.io/address-pool": "public"}
    await serve(server, "web", "192.0.2.10", annotations=marks)
    await serve(server, "mail", "192.0.2.11")
    node = {"metadata": {"name": "drained", "annotations": {"bareway.io/drain": "new disk"}}}
    assert (await server.client.create("/api/v1/nodes", node)).code == 201
    ours = {"metadata": {"name": "bareway-state", "labels": {"app": "bareway"}}}
    assert (await server.client.create(server.path("configmaps"), ours)).code == 201
    try:
        web, mail = (f"Service {server.namespace}/{name}" for name in ("web", "mail"))
        assert await left(server, capsys) == [
            f"AddressLeft {mail}",
            f"AddressLeft {web}",
            f"ConditionLeft {mail}",
            f"ConditionLeft {web}",
            "DrainMarkLeft Node drained",
            f"MoveMarkLeft {web}",
            f"ObjectLeft ConfigMap {server.namespace}/bareway-state",
            f"PoolNameLeft {mail}",
            f"PoolNameLeft {web}",
        ]
        assert await bareway(server, "--yes") == 0
        assert await left(server, capsys) == [f"ObjectLeft ConfigMap {server.namespace}/bareway-state"]
        read = (await server.client.get(server.path("services", "web"))).body
        assert read["status"] == {"loadBalancer": {}, "conditions": [FOREIGN]}
        assert read["metadata"]["annotations"] == {"bareway.io/address-pool": "public"}
        await server.client.delete(server.path("configmaps", "bareway-state"))
        assert await left(server, capsys) == []
    finally:
        await server.client.delete("/api/v1/nodes/drained")


@pytest.mark.slow
@pytest.mark.real
async def test_rights_and_programs_are_found_on_the_real_one(
    plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    """The embedded one has none of these kinds."""
    async with real(plane, "uninstalled-rights") as server:
        rbac = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        ours = {"metadata": {"name": "bareway-uninstalled", "labels": {"app": "bareway"}}}
        assert (await server.client.create(rbac, ours)).code == 201
        try:
            assert await left(server, capsys) == ["RightsLeft ClusterRole bareway-uninstalled"]
        finally:
            await server.client.delete(f"{rbac}/bareway-uninstalled")
        assert await left(server, capsys) == []
