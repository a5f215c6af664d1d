"""One life of both programs on an API server, embedded or real, in which they send all that they ever send.

They start on an empty cluster, make the key, accept a configuration, assign and announce an address; somebody
else takes the Lease; the configuration changes and is broken; both start again beside more objects than fit
on a page, and tell again what they told; an address is released; the history that their watches stand in is
forgotten.

They run as processes in the network namespace of whoever calls, which needs an interface with the address
``NODE_ADDRESS``: a speaker answers ARP on every interface that it finds.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from apiserver.client import Answer
from bareway.resources.kinds import ENDPOINT_SLICES, NODES, SERVICES
from cluster.servers import Server

PROGRAMS: Final = ("controller", "speaker")
SYSTEM: Final = "bareway-system"
NODE: Final = "life-1"
NODE_ADDRESS: Final = "192.0.2.1"
POOL: Final = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.210-192.0.2.211]}]"
GREATER_POOL: Final = POOL.replace("211", "219")
BAD_POOL: Final = POOL.replace("name:", "nmae:")

WITHIN_S: Final = 60.0  # the real server's restart, and the programs' pause before they try again, included
LOOK_EVERY_S: Final = 0.05

PATH_OF_NODES: Final = "/api/v1/nodes"
CONFIG_MAPS: Final = f"/api/v1/namespaces/{SYSTEM}/configmaps"
SECRETS: Final = f"/api/v1/namespaces/{SYSTEM}/secrets"
LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/bareway-controller"
DISCOVERY: Final = "discovery.k8s.io"

Json = dict[str, Any]


class Unlived(Exception):
    """The programs did not do in time what belongs to their life; the message says what, and their logs."""


class Life:
    """``await Life(server, kubeconfigs, logs).live()``; the namespace of our own objects must exist."""

    def __init__(self, server: Server, kubeconfigs: Mapping[str, Path], logs: Path) -> None:
        self._server = server
        self._client = server.client
        self._kubeconfigs = kubeconfigs
        self._logs = logs

    async def live(self) -> None:
        """All of it."""
        await self._make(PATH_OF_NODES, _node(NODE, NODE_ADDRESS))
        try:
            async with self._programs():
                await self._first_steps()
            await self._crowd()
            async with self._programs():
                await self._second_steps()
        finally:
            await self._client.delete(PATH_OF_NODES, labelSelector="life=crowd")
            await self._client.delete(f"{PATH_OF_NODES}/{NODE}")

    async def _first_steps(self) -> None:
        await self._eventually("the key of gossip", lambda: self._has(f"{SECRETS}/memberlist"))
        await self._configure(POOL, generation="1")
        await self._publish("web")
        await self._take_the_lease()
        await self._configure(GREATER_POOL, generation="2")
        await self._client.patch(f"{CONFIG_MAPS}/config", {"data": {"config": BAD_POOL}})
        await self._told("config", "ConfigurationInvalid", SYSTEM)

    async def _second_steps(self) -> None:
        await self._told("config", "ConfigurationInvalid", SYSTEM, times=2)
        await self._told("web", "nodeAssigned", self._server.namespace, times=2)
        await self._publish("late")
        path = self._server.path("services", "web")
        await self._client.patch(path, {"spec": {"type": "ClusterIP"}})
        await self._eventually("the release of an address", lambda: self._released(path))
        await self._server.forget_history()
        await self._publish("later")

    # -- what users do

    async def _configure(self, document: str, *, generation: str) -> None:
        body: Json = {"metadata": {"name": "config"}, "data": {"config": document}}
        if (await self._client.get(f"{CONFIG_MAPS}/config")).code == 200:
            await self._client.patch(f"{CONFIG_MAPS}/config", body)
        else:
            await self._make(CONFIG_MAPS, body)

        async def in_force() -> bool:
            answer = await self._client.get(f"{CONFIG_MAPS}/bareway-config")
            return answer.code == 200 and answer.body["data"]["generation"] == generation

        await self._eventually(f"generation {generation} of the configuration", in_force)

    async def _take_the_lease(self) -> None:
        """As another controller would that thinks ours dead; ours asks, waits, and takes it back."""
        other = "another"
        answer = await self._client.patch(LEASE, {"spec": {"holderIdentity": other}})
        assert answer.code == 200, answer

        async def is_ours() -> bool:
            lease = (await self._client.get(LEASE)).body
            return bool(lease["spec"]["holderIdentity"] != other)

        await self._eventually("the Lease taken back", is_ours)

    async def _publish(self, name: str) -> None:
        """A Service with an endpoint; returns when its address is announced."""
        spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
        await self._make(self._server.path("services"), {"metadata": {"name": name}, "spec": spec})
        await self._make(self._server.path("endpointslices", group=DISCOVERY), _slice(name))
        await self._told(name, "IPAllocated", self._server.namespace)
        await self._told(name, "nodeAssigned", self._server.namespace)

    async def _crowd(self) -> None:
        """More objects of each kind than the programs ask for in one page."""
        services, slices = self._server.path("services"), self._server.path("endpointslices", group=DISCOVERY)
        for number in range(NODES.page_size):
            await self._make(PATH_OF_NODES, _node(f"crowd-{number}"))
        for number in range(ENDPOINT_SLICES.page_size):
            await self._make(slices, _slice(f"crowd-{number}"))
        for number in range(SERVICES.page_size):
            spec = {"clusterIP": "None", "ports": [{"port": 80}]}
            await self._make(services, {"metadata": {"name": f"crowd-{number}"}, "spec": spec})

    async def _make(self, path: str, body: Json) -> None:
        answer = await self._client.create(path, body)
        assert answer.code == 201, answer

    # -- what users see

    async def _told(self, about: str, reason: str, namespace: str, *, times: int = 1) -> None:
        """Return when an Event with this reason was counted so often."""
        selector = f"involvedObject.name={about},reason={reason}"

        async def counted() -> bool:
            path = f"/api/v1/namespaces/{namespace}/events"
            found: Answer = await self._client.get(path, fieldSelector=selector)
            return found.code == 200 and any(event["count"] >= times for event in found.body["items"])

        await self._eventually(f"Event {reason} about {about}, {times} times", counted)

    async def _has(self, path: str) -> bool:
        return (await self._client.get(path)).code == 200

    async def _released(self, path: str) -> bool:
        service = (await self._client.get(path)).body
        return not service["status"]["loadBalancer"] and not service["metadata"].get("annotations")

    async def _eventually(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while not await look():  # noqa: ASYNC110 - what is awaited is in another process
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError as late:
            tails = (f"{program}:\n{self._log(program).read_text()[-2000:]}" for program in PROGRAMS)
            raise Unlived(f"{what} did not come within {WITHIN_S:g} s\n{''.join(tails)}") from late

    # -- the programs

    @asynccontextmanager
    async def _programs(self) -> AsyncIterator[None]:
        """Both; at the end neither may have ended by itself."""
        running = [await self._start(program) for program in PROGRAMS]
        try:
            yield
            assert [process.returncode for process in running] == [None, None]
        finally:
            for process in running:
                with suppress(ProcessLookupError):
                    process.kill()  # a last speaker that is asked to end serves on for ten seconds
                await process.wait()

    async def _start(self, program: str) -> asyncio.subprocess.Process:
        with self._log(program).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name(f"bareway-{program}"),
                *self._flags(program),
                env={"PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=log,
            )

    def _flags(self, program: str) -> Sequence[str]:
        flags = (f"--kubeconfig={self._kubeconfigs[program]}", "--socket=off", "--port=0")
        return (*flags, f"--node-name={NODE}") if program == "speaker" else flags

    def _log(self, program: str) -> Path:
        return self._logs / f"{program}.log"


def _node(name: str, address: str = "") -> Json:
    """A Node; without an address nobody looks for a speaker on it."""
    addresses = [{"type": "InternalIP", "address": address}] if address else []
    labels = {} if address else {"life": "crowd"}
    return {"metadata": {"name": name, "labels": labels}, "status": {"addresses": addresses}}


def _slice(service: str) -> Json:
    return {
        "metadata": {"name": f"{service}-1", "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": NODE}],
        "ports": [{"port": 8080}],
    }
