"""A whole controller in this process, at work on an embedded API server over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from apiserver import EmbeddedApi
from apiserver.kinds import CONFIG_MAPS, EVENTS, SECRETS, SERVICES, Kind
from apiserver.record import unrecorded
from apiserver.store import Key
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.app import serve
from controller.settings import Settings
from support.until import until

NAMESPACE = "bareway-system"
PROGRAM = "controller"
FOUR = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/30]}]"
SETTINGS = Settings(socket=None, http_port=0)
Json = dict[str, Any]


class Cluster:
    """A cluster without nodes: users write into it, controllers come and go."""

    def __init__(self, api: EmbeddedApi, client: KubeClient) -> None:
        self.api = api
        self.client = client
        self.settings = SETTINGS

    # ------------------------------------------------------------ what users do

    async def configure(self, document: str) -> None:
        """Write the ConfigMap."""
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        body: Json = {"metadata": {"name": "config"}, "data": {"config": document}}
        if self.api.store.get(CONFIG_MAPS, Key(NAMESPACE, "config")) is None:
            await self.client.create(path, body)
        else:
            await self.client.merge_patch(f"{path}/config", body)

    async def create(
        self, name: str, *, annotations: Mapping[str, str] | None = None, **spec: object
    ) -> None:
        """Create a Service."""
        body: Json = {
            "metadata": {"name": name, "annotations": dict(annotations or {})},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec},
        }
        await self.client.create("/api/v1/namespaces/default/services", body)

    async def change(self, name: str, body: Json) -> None:
        """Patch a Service."""
        await self.client.merge_patch(f"/api/v1/namespaces/default/services/{name}", body)

    async def show(self, name: str, entry: Json) -> None:
        """Let another load balancer write the status of a Service."""
        path = f"/api/v1/namespaces/default/services/{name}/status"
        await self.client.merge_patch(path, {"status": {"loadBalancer": {"ingress": [entry]}}})

    async def delete(self, name: str) -> None:
        """Delete a Service."""
        await self.client.delete(f"/api/v1/namespaces/default/services/{name}")

    # ------------------------------------------------------------ what users see

    def one(self, kind: Kind, namespace: str, name: str) -> Json:
        """An object as it is stored."""
        return self.api.store.get(kind, Key(namespace, name)) or {}

    def service(self, name: str) -> Json:
        """A Service as it is stored."""
        return self.one(SERVICES, "default", name)

    def ingress(self, name: str) -> list[str]:
        """The external IPs of a Service."""
        entries = self.service(name).get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return [entry["ip"] for entry in entries]

    def shown(self) -> dict[str, list[str]]:
        """The external IPs of all Services that have some."""
        names = (key.name for key, _ in self.api.store.all(SERVICES))
        return {name: found for name in names if (found := self.ingress(name))}

    def pool(self, name: str) -> str | None:
        """The mark of the pool."""
        annotations = self.service(name).get("metadata", {}).get("annotations", {})
        found: str | None = annotations.get("metallb.io/ip-allocated-from-pool")
        return found

    def in_force(self) -> Json:
        """The data of the configuration in force."""
        found: Json = self.one(CONFIG_MAPS, NAMESPACE, "bareway-config").get("data", {})
        return found

    def secret(self) -> Json:
        """The data of the Secret for gossip."""
        found: Json = self.one(SECRETS, NAMESPACE, "memberlist").get("data", {})
        return found

    def events(self, about: str) -> list[tuple[str, str]]:
        """Reasons and messages of the Events about an object, by name."""
        return [
            (event["reason"], event["message"])
            for _, event in self.api.store.all(EVENTS)
            if event["involvedObject"]["name"] == about
        ]

    def writes(self) -> list[str]:
        """Every write that was asked for, without its query, but reviews of rights, Events and Leases."""
        apart = ("selfsubjectaccessreviews", "/events", "/leases")
        return [
            f"{method} {path.partition('?')[0]}"
            for method, path in self.api.requests
            if method != "GET" and not any(part in path for part in apart)
        ]

    def condition(self, name: str) -> tuple[str, str, str]:
        """Status, reason and message of our condition of a Service; empty without it."""
        for one in self.service(name).get("status", {}).get("conditions", []):
            if one["type"] == "bareway.io/AddressAssigned":
                return one["status"], one["reason"], one["message"]
        return "", "", ""

    # ------------------------------------------------------------ controllers

    @asynccontextmanager
    async def controller(self, settings: Settings | None = None) -> AsyncIterator[None]:
        """One that runs within the block, and ends as after SIGTERM."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            source = Fixed(Credentials(server=self.api.url, authorization=f"Bearer {PROGRAM}"))
            group.create_task(serve(settings or self.settings, source, stop))
            try:
                yield
            finally:
                stop.set()

    async def until_settled(self) -> None:
        """Return once everything has been looked at: a Service that comes last is served last."""
        name = "zzz-last"
        await self.create(name, annotations={"metallb.io/address-pool": "there-is-none"})
        await until(lambda: self.events(name))
        await self.delete(name)


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """An API server with our namespace in it, and nothing else."""
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        await client.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        yield Cluster(api, client)
        assert unrecorded(pair for pair in api.asked if pair[0] == PROGRAM) == []
