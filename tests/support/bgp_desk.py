"""A BGP desk between the embedded API server and a driver that remembers what it was told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random

from apiserver.record import unrecorded
from apiserver.server import EmbeddedApi
from bareway.bgp.peers import PeerSettings
from bareway.bgp.routes import Attributes, RouteSet
from bareway.model.configuration import BfdProfile
from bareway.model.names import ObjectKey
from bareway.resources.kinds import CONFIG_MAPS, ENDPOINT_SLICES, NAMESPACES, NODES, SECRETS, SERVICES
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from speaker.bgp.desk import BgpDesk
from speaker.bgp.passwords import Passwords
from speaker.settings import Settings, read_settings
from speaker.watch import Watch
from support.rig import PROGRAM, FakeRecorder
from support.until import until

SYSTEM = "bareway-system"
POOL = "address-pools: [{name: p, protocol: bgp, addresses: [198.51.100.0/24]}]\n"
PEER = "{name: peer1, my-asn: 64601, peer-asn: 64512, peer-address: 10.9.0.1}"
DOCUMENT = f"peers: [{PEER}]\n{POOL}"


class FakeDriver:
    """Does what a driver does, but for speaking with routers."""

    def __init__(self) -> None:
        self.peers: Mapping[str, PeerSettings] = {}
        self.profiles: Mapping[str, BfdProfile] = {}
        self.routes: Mapping[str, RouteSet] = {}
        self.is_complete: bool | None = None
        """None = nothing was ever wanted."""
        self.configured = 0
        self.wanted = 0

    def configure(self, peers: Mapping[str, PeerSettings], profiles: Mapping[str, BfdProfile]) -> None:
        self.peers, self.profiles = dict(peers), dict(profiles)
        self.configured += 1

    def want(self, routes: Mapping[str, RouteSet], *, is_complete: bool) -> None:
        self.routes, self.is_complete = dict(routes), is_complete
        self.wanted += 1

    def told(self, peer: str = "peer1") -> dict[str, Attributes]:
        """The routes of a peer, by prefix."""
        return {str(prefix): attributes for prefix, attributes in self.routes.get(peer, {}).items()}


class Desk:
    """The desk of node a, and hands to change its cluster."""

    def __init__(self, api: EmbeddedApi, client: KubeClient, own: KubeClient, settings: Settings) -> None:
        self.api = api
        self.client = client
        self.settings = settings
        self.driver, self.recorder = FakeDriver(), FakeRecorder()
        self.watch = Watch(own, settings, rng=Random("desk"), on_change=self._look_again)
        self.passwords = Passwords(own, SYSTEM, rng=Random("keys"), on_change=self._look_again)
        self.desk = BgpDesk(
            settings,
            watch=self.watch,
            driver=self.driver,
            passwords=self.passwords,
            recorder=self.recorder,
        )

    def _look_again(self) -> None:
        self.desk.look_again()

    async def node(self, name: str = "a", address: str = "10.9.0.11", **labels: str) -> None:
        metadata = {"name": name, "labels": labels}
        await self.client.create(NODES.path(), {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        await self.node_status(name, {"addresses": [{"type": "InternalIP", "address": address}]})

    async def node_status(self, name: str, status: Mapping[str, object]) -> None:
        await self.client.merge_patch(NODES.path(None, name, "status"), {"status": status})

    async def label(self, name: str, **labels: str) -> None:
        await self.client.merge_patch(NODES.path(None, name), {"metadata": {"labels": labels}})

    async def config(self, document: str = DOCUMENT) -> None:
        data = {"data": {"config": document}}
        if ObjectKey(SYSTEM, "config") in self.watch._written.objects:
            await self.client.merge_patch(CONFIG_MAPS.path(SYSTEM, "config"), data)
            return
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": SYSTEM}}
        await self.client.create(CONFIG_MAPS.path(SYSTEM), {**body, **data})

    async def secret(self, name: str, data: Mapping[str, str]) -> None:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": SYSTEM}}
        await self.client.create(SECRETS.path(SYSTEM), {**body, "stringData": data})

    async def service(self, name: str, address: str, *nodes: str, policy: str = "Cluster") -> None:
        metadata = {"name": name, "namespace": "default"}
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "externalTrafficPolicy": policy}
        body = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        await self.client.create(SERVICES.path("default"), body)
        if nodes:
            await self.serve(name, *nodes)
        await self.assign(name, address)

    async def assign(self, name: str, *addresses: str) -> None:
        ingress = [{"ip": address} for address in addresses]
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        await self.client.merge_patch(SERVICES.path("default", name, "status"), status)

    async def serve(self, name: str, *nodes: str) -> None:
        """Endpoints on these nodes, in a slice of the Service's name."""
        endpoints = [
            {"addresses": [f"10.244.0.{number}"], "nodeName": node} for number, node in enumerate(nodes, 1)
        ]
        if ObjectKey("default", name) in self.watch.slices.objects:
            await self.client.merge_patch(ENDPOINT_SLICES.path("default", name), {"endpoints": endpoints})
            return
        metadata = {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}}
        await self.client.create(
            ENDPOINT_SLICES.path("default"),
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata,
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": [{"port": 8080}],
            },
        )

    async def routes(self, *prefixes: str, peer: str = "peer1") -> None:
        """Until just these are wanted."""
        await until(lambda: self.driver.is_complete is True and set(self.driver.told(peer)) == set(prefixes))

    def events(self, reason: str) -> list[tuple[str, str]]:
        """What was told with this reason: about whom, and what."""
        return [(about, message) for about, one, message in self.recorder.told if one == reason]


@asynccontextmanager
async def bgp_desk(*flags: str) -> AsyncIterator[Desk]:
    """The desk at work; its mirrors have seen an empty cluster with a namespace of ours."""
    settings = read_settings(["--node-name=a", *flags], {})
    assert isinstance(settings, Settings)
    async with (
        EmbeddedApi() as api,
        KubeClient(Fixed(Credentials(server=api.url))) as client,
        KubeClient(Fixed(Credentials(server=api.url, authorization=f"Bearer {PROGRAM}"))) as own,
    ):
        made = Desk(api, client, own, settings)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}
        await client.create(NAMESPACES.path(), namespace)
        async with asyncio.TaskGroup() as group:
            parts = [made.desk.run(), made.passwords.run(), made.watch.documents.run()]
            mirrors = (mirror.run() for mirror in made.watch.reflectors)
            tasks = [group.create_task(part) for part in (*parts, *mirrors)]
            await until(lambda: made.watch.synced)
            yield made
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        assert unrecorded(pair for pair in api.asked if pair[0] == PROGRAM) == []
