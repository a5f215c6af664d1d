"""What every measure begins with: an API server with a configuration, people who write, one who looks on."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from apiserver.client import Answer, Client
from bench.controller.onlooker import Onlooker
from bench.controller.program import Program
from bench.controller.servers import Request, Server
from lab.commands import LabError
from lab.waiting import TimedOut

NAMESPACE = "bareway-system"
OURS = "/api/v1/namespaces/default/services"
CONFIGURATION = "address-pools: [{name: bench, protocol: layer2, addresses: [172.16.0.0/16]}]"
CREATORS = 6
NODES = 3
QUIET_S = 1.5
"""Nothing was written for as long: a controller that still had something to do writes 50 Events a second."""
POLL_S = 0.5

Open = Callable[[Path], AbstractAsyncContextManager[Server]]


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """Services that were created by some creators at once; times are those of ``time.monotonic``."""

    begun_at: float
    answered_at: dict[str, float]
    """When each creation was answered."""

    @property
    def ended_at(self) -> float:
        """When the last creation was answered."""
        return max(self.answered_at.values())

    @property
    def rate(self) -> float:
        """Creations a second."""
        return round(len(self.answered_at) / (self.ended_at - self.begun_at), 1)


class Stage:
    """One cluster, whose nodes are objects only."""

    def __init__(self, server: Server, client: Client, onlooker: Onlooker, folder: Path) -> None:
        self.client = client
        self.onlooker = onlooker
        self._server = server
        self._folder = folder

    @asynccontextmanager
    async def controller(self, name: str = "first") -> AsyncIterator[Program]:
        """A controller that runs from now until the block ends, or it was ended before."""
        program = Program(name, self._server.launch, self._folder)
        try:
            yield program
        finally:
            await program.kill()

    async def create(self, names: Sequence[str]) -> Created:
        """Let the creators make these Services, each Service by one of them."""
        answered_at: dict[str, float] = {}

        async def make(name: str) -> None:
            _expect(await self.client.create(OURS, service(name)), 201)
            answered_at[name] = time.monotonic()

        begun_at = time.monotonic()
        await _share(names, make)
        return Created(begun_at=begun_at, answered_at=answered_at)

    async def create_unserved(self, name: str) -> None:
        """A Service of another load balancer."""
        body = service(name)
        body["spec"]["loadBalancerClass"] = "example.com/other"
        _expect(await self.client.create(OURS, body), 201)

    async def delete(self, names: Iterable[str]) -> None:
        """Let the creators take these away."""

        async def remove(name: str) -> None:
            _expect(await self.client.delete(f"{OURS}/{name}"), 200)

        await _share(names, remove)

    async def writes(self) -> Counter[Request]:
        """What was written so far, by whomever."""
        return await self._server.writes()

    async def quiet(self, *, within_s: float) -> tuple[Counter[Request], float]:
        """Once nobody writes any more: what was written so far, and since when nothing was.

        Leases are renewed for ever.
        """
        ends_at = time.monotonic() + within_s
        former, since = await self.writes(), time.monotonic()
        while time.monotonic() - since < QUIET_S:
            if time.monotonic() > ends_at:
                raise TimedOut(f"still writing after {within_s:g} s")
            await asyncio.sleep(POLL_S)
            now = await self.writes()
            if _without_leases(now) != _without_leases(former):
                former, since = now, time.monotonic()
        return former, since

    async def leader(self) -> str:
        """The name of the program that holds the Lease."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/bareway-controller"
        answer = await self.client.get(path)
        holder = str(answer.body.get("spec", {}).get("holderIdentity") or "")
        return holder.rpartition("_")[0]


@asynccontextmanager
async def stage(open_server: Open) -> AsyncIterator[Stage]:
    """A new API server with a configuration and some nodes; all of it is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="bareway-bench-") as name:
        folder = Path(name)
        async with open_server(folder) as server, server.client() as client, asyncio.TaskGroup() as group:
            _expect(await client.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}), 201)
            body = {"metadata": {"name": "config"}, "data": {"config": CONFIGURATION}}
            _expect(await client.create(f"/api/v1/namespaces/{NAMESPACE}/configmaps", body), 201)
            for number in range(1, NODES + 1):
                _expect(await client.create("/api/v1/nodes", node(number)), 201)
            onlooker = Onlooker(client)
            await onlooker.begin()
            looking = group.create_task(onlooker.run())
            yield Stage(server, client, onlooker, folder)
            looking.cancel()


def names(count: int, prefix: str = "web") -> list[str]:
    """Names of so many Services."""
    return [f"{prefix}-{number}" for number in range(count)]


def service(name: str) -> dict[str, Any]:
    """As people write it; without node ports, of which a cluster has but 2,768."""
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "type": "LoadBalancer",
            "allocateLoadBalancerNodePorts": False,
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    }


def node(number: int) -> dict[str, Any]:
    """One on which nobody listens: who looks for speakers is refused at once."""
    addresses = [{"type": "InternalIP", "address": f"127.0.7.{number}"}]
    return {"metadata": {"name": f"node-{number}"}, "status": {"addresses": addresses}}


async def _share(names: Iterable[str], do: Callable[[str], Awaitable[None]]) -> None:
    queue = iter(names)

    async def work(queue: Iterator[str]) -> None:
        for name in queue:
            await do(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(CREATORS):
            group.create_task(work(queue))


def _expect(answer: Answer, code: int) -> None:
    if answer.code != code:
        raise LabError(f"the API server answered {answer.code}: {answer.body}")


def _without_leases(writes: Counter[Request]) -> dict[Request, int]:
    return {request: count for request, count in writes.items() if request.resource != "leases"}
