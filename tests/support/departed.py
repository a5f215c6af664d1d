"""A cluster in which Bareway was: Services as our controller served them, marks, and objects of all kinds."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from apiserver.kubeconfigs import kubeconfig
from bareway.cli.__main__ import main
from bareway.decide.allocation.requests import quoted
from bareway.model.names import ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.model.services import Condition
from bareway.resources.kinds import CONFIG_MAPS, LEASES, NAMESPACES, NODES, SECRETS, SERVICES
from bareway.resources.status import assign_patch
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.furnished import FurnishedApi

OURS = "bareway-system"
POOL = "metallb.io/ip-allocated-from-pool"
MOVE = "bareway.io/announce-from"
FOREIGN = {
    "type": "example.com/Ready",
    "status": "True",
    "reason": "Fine",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
"""A condition that somebody else keeps on each Service."""


class Cluster:
    """An API server in which Bareway was, and somebody who may do anything on it."""

    def __init__(self, api: FurnishedApi, client: KubeClient, folder: Path) -> None:
        self.api = api
        self.client = client
        self._folder = folder
        (folder / "kubeconfig").write_text(kubeconfig(api.url))

    async def create(self, kind: Any, name: str, namespace: str = "", **rest: Any) -> None:
        metadata = {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            **rest.pop("metadata", {}),
        }
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **rest}
        await self.client.create(kind.path(namespace or None), body)

    async def service(
        self, name: str, *addresses: str, annotations: dict[str, str] | None = None, foreign: bool = False
    ) -> None:
        """One that our controller served; ``foreign``: somebody else did."""
        await self.create(
            SERVICES,
            name,
            "default",
            metadata={"annotations": annotations or {}},
            spec={"type": "LoadBalancer", "ports": [{"port": 80}]},
        )
        path = SERVICES.path("default", name, "status")
        status: dict[str, Any] = {"conditions": [FOREIGN]}
        if foreign:
            status["loadBalancer"] = {"ingress": [{"ip": one} for one in addresses]}
        await self.client.merge_patch(path, {"status": status})
        if not foreign:
            read = await self.client.read(SERVICES, ObjectKey("default", name))
            shown = list(map(ip_address, addresses))
            told = Condition(
                is_true=True,
                reason="Assigned",
                message=f"assigned {quoted(tuple(shown))} from pool public",
                since="2026-01-01T00:00:00Z",
            )
            await self.client.merge_patch(path, assign_patch(read, shown, "public", told))

    async def raw(self, name: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(await self.client.get(SERVICES.path("default", name)))
        return body

    async def mark(self, name: str) -> None:
        body = {"metadata": {"annotations": {DRAIN_ANNOTATION: "new disk"}}}
        await self.client.merge_patch(NODES.path(None, name), body)

    async def own_objects(self) -> None:
        """What `kubectl delete -k` takes away."""
        await self.create(NAMESPACES, OURS, metadata={"labels": {"app": "bareway"}})
        ours = {"metadata": {"labels": {"app": "bareway"}}}
        for name in ("bareway-config", "bareway-state", "bareway-announcers-0"):
            await self.create(CONFIG_MAPS, name, OURS, **ours)
        await self.create(SECRETS, "memberlist", OURS, **ours)
        await self.create(LEASES, "bareway-controller", OURS, **ours)
        for name in ("bareway-controller", "bareway-speaker"):
            self.api.put("ServiceAccount", name, OURS)
            self.api.put("ClusterRole", name)
            self.api.put("ClusterRoleBinding", name)
            self.api.put("Role", name, OURS)
            self.api.put("RoleBinding", name, OURS)
            self.api.put("Role", name, "metallb-system")
        self.deployment()
        self.api.put("DaemonSet", "bareway-speaker", OURS, spec={})

    def deployment(self, replicas: int = 2) -> None:
        labels = {"app": "bareway", "component": "controller"}
        self.api.put("Deployment", "bareway-controller", OURS, labels=labels, spec={"replicas": replicas})

    async def delete_our_objects(self) -> None:
        """`kubectl delete -k manifests/`."""
        self.api.furniture.clear()
        await self.client.delete(NAMESPACES.path(None, OURS))

    async def bareway(self, *words: str) -> int:
        return await asyncio.to_thread(
            main, ["uninstall", *words, "--kubeconfig", str(self._folder / "kubeconfig")]
        )


async def words_left(made: Cluster, capsys: pytest.CaptureFixture[str], *flags: str) -> list[str]:
    """What --verify names, with the exit code held against it."""
    capsys.readouterr()
    code = await made.bareway("--verify", "-o", "json", *flags)
    page = json.loads(capsys.readouterr().out)
    found = [one["word"] for one in page["leftovers"]]
    assert code == (1 if found else 2 if page["unknown"] else 0)
    assert all(one["remedy"] for one in page["leftovers"])
    return sorted(found)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    async with FurnishedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        made = Cluster(api, client, folder)
        for name in ("node1", "node2"):
            await made.create(NODES, name)
        yield made


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Cluster]:
    """A cluster that Bareway serves, with marks of operators, and Services of others."""
    async with cluster(folder) as made:
        await made.own_objects()
        await made.service(
            "web", "192.0.2.10", "2001:db8::10", annotations={MOVE: "node2", "a.example/b": "c"}
        )
        await made.service("mail", "192.0.2.11", annotations={"bareway.io/address-pool": "public"})
        await made.service("theirs", "198.51.100.1", foreign=True)
        await made.mark("node2")
        await made.create(NAMESPACES, "metallb-system")
        accepted = {"annotations": {"bareway.io/accept-loss": "0123"}}
        await made.create(CONFIG_MAPS, "config", "metallb-system", metadata=accepted)
        yield made
