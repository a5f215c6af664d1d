"""A Speaker between the embedded API server on one side and fakes of gossip and the wire on the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Network
from random import Random
from typing import Any

from apiserver.record import unrecorded
from apiserver.server import EmbeddedApi
from bareway.gossip.events import Event, Wanted, Wish
from bareway.gossip.member import LinkFact
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.resources.kinds import CONFIG_MAPS, ENDPOINT_SLICES, NAMESPACES, NODES, SERVICES
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from speaker.loop import Speaker
from speaker.settings import Settings, read_settings
from speaker.watch import Watch

PROGRAM = "speaker"
ETH0 = LinkFact(
    name=InterfaceName("eth0"),
    mac=MacAddress.parse("02:00:00:00:00:0a"),
    networks=(IPv4Network("192.0.2.0/24"),),
)


class FakeGossip:
    """Remembers what it is told; grants are up to the test."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.addresses: Mapping[NodeName, Where] = {}

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def locate(self, addresses: Mapping[NodeName, Where]) -> None:
        self.addresses = addresses

    def last(self, kind: type[Event]) -> Any:
        return next((event for event in reversed(self.told) if isinstance(event, kind)), None)


class FakeWire:
    def __init__(self) -> None:
        self.answered: set[IPAddress] = set()
        self.reconsidered = 0
        self.intervals_s: list[float] = []

    def announce(self, addresses: Sequence[IPAddress]) -> None:
        self.answered |= set(addresses)

    def withdraw(self, addresses: Sequence[IPAddress]) -> None:
        self.answered -= set(addresses)

    def reconsider(self) -> None:
        self.reconsidered += 1

    def repeat_every(self, interval_s: float) -> None:
        self.intervals_s.append(interval_s)


class FakeRecorder:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        self.told.append((str(about.key), reason, message))


class Rig:
    """One speaker's decisions between an API server and fakes."""

    def __init__(self, client: KubeClient, own: KubeClient, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.gossip, self.wire, self.recorder = FakeGossip(), FakeWire(), FakeRecorder()
        self.also: Callable[[], None] | None = None
        """Another part that looks again when anything changed."""
        self.watch = Watch(own, settings, rng=Random("rig"), on_change=self._look_again)
        self.speaker = Speaker(settings, watch=self.watch, wire=self.wire, recorder=self.recorder)

    @property
    def wanted(self) -> Mapping[IPAddress, Wish] | None:
        """What gossip was told last of each group."""
        told = self.gossip.last(Wanted)
        return None if told is None else told.addresses

    def _look_again(self) -> None:
        self.speaker.look_again()
        if self.also is not None:
            self.also()

    async def create(
        self,
        kind: Any,
        name: str,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        **rest: object,
    ) -> None:
        metadata: dict[str, object] = {"name": name, "labels": labels or {}}
        if namespace:
            metadata["namespace"] = namespace
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **rest}
        await self.client.create(kind.path(namespace or None), body)

    async def node(self, name: str, address: str) -> None:
        await self.create(NODES, name)
        status = {"status": {"addresses": [{"type": "InternalIP", "address": address}]}}
        await self.client.merge_patch(NODES.path(None, name, "status"), status)

    async def config(self, document: str) -> None:
        await self.create(CONFIG_MAPS, "config", "bareway-system", data={"config": document})

    async def service(self, name: str, address: str, node: str = "a") -> None:
        await self.create(SERVICES, name, "default", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
        status = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        await self.client.merge_patch(SERVICES.path("default", name, "status"), status)
        await self.create(
            ENDPOINT_SLICES,
            f"{name}-1",
            "default",
            labels={"kubernetes.io/service-name": name},
            addressType="IPv4",
            endpoints=[{"addresses": ["10.244.0.1"], "nodeName": node}],
            ports=[{"port": 8080}],
        )


@asynccontextmanager
async def rig(*flags: str) -> AsyncIterator[Rig]:
    settings = read_settings(["--node-name=a", *flags], {})
    assert isinstance(settings, Settings)
    async with (
        EmbeddedApi() as api,
        KubeClient(Fixed(Credentials(server=api.url))) as client,
        KubeClient(Fixed(Credentials(server=api.url, authorization=f"Bearer {PROGRAM}"))) as own,
    ):
        made = Rig(client, own, settings)
        await made.create(NAMESPACES, "bareway-system")
        async with asyncio.TaskGroup() as group:
            mirrors = (mirror.run() for mirror in made.watch.reflectors)
            parts = [made.speaker.run(), made.watch.documents.run(), made.watch.lists.run(), *mirrors]
            tasks = [group.create_task(part) for part in parts]
            made.speaker.connect(made.gossip)
            made.speaker.links_changed((ETH0,))
            yield made
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        assert unrecorded(pair for pair in api.asked if pair[0] == PROGRAM) == []
