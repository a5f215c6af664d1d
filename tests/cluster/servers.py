"""An API server for one test, embedded or real, behind one face: so that one suite runs against both."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from apiserver import EmbeddedApi, Fault
from apiserver.client import Client
from apiserver.kubeconfigs import kubeconfig
from cluster.control_plane import ADMIN, NOBODY, ControlPlane


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An API server with an empty namespace for one test."""

    client: Client
    namespace: str
    kubeconfig: Path
    forget_history: Callable[[], Awaitable[None]]
    """Makes every older resourceVersion and continue token expire."""
    halted: Callable[[], AbstractAsyncContextManager[None]]
    """Within it the server stands still: connections stay open, nothing is answered or told."""
    stranger: Callable[[int], AbstractAsyncContextManager[Client]]
    """Somebody whose every request is refused with this code: 401 who is that, 403 who may do nothing."""
    is_real: bool

    def path(self, plural: str, name: str = "", *, group: str = "") -> str:
        """Where a kind, or an object of it, is in the namespace."""
        root = f"/apis/{group}/v1" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def kubectl(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """Run stock kubectl in the namespace; returns what it printed."""
        process = await self.start_kubectl(*arguments)
        output, _ = await process.communicate(stdin.encode())
        assert process.returncode == code, output.decode()
        return output.decode()

    async def start_kubectl(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start stock kubectl in the namespace; who starts it ends it."""
        return await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "kubectl",
            f"--kubeconfig={self.kubeconfig}",
            f"--namespace={self.namespace}",
            *arguments,
            env=dict(os.environ) | {"KUBECACHEDIR": str(self.kubeconfig.parent / "kubectl-cache")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


@asynccontextmanager
async def embedded(directory: Path, namespace: str) -> AsyncIterator[Server]:
    """The embedded one, of the test's own."""
    async with EmbeddedApi() as api, embedded_on(api, directory, namespace) as server:
        yield server


@asynccontextmanager
async def embedded_on(api: EmbeddedApi, directory: Path, namespace: str) -> AsyncIterator[Server]:
    """One that is there already."""
    async with Client(api.url) as client:
        path = directory / "kubeconfig"
        path.write_text(kubeconfig(api.url))

        async def forget_history() -> None:
            api.store.compact()

        @asynccontextmanager
        async def halted() -> AsyncIterator[None]:
            for verb in ("", "watch"):  # requests that come, and watches that are open
                api.faults.add(Fault.STALL, verb=verb, times=None)
            try:
                yield
            finally:
                api.faults.clear()

        @asynccontextmanager
        async def stranger(code: int) -> AsyncIterator[Client]:
            api.faults.add({401: Fault.UNAUTHORIZED, 403: Fault.FORBIDDEN}[code], times=None)
            try:
                yield client
            finally:
                api.faults.clear()

        await _make(client, namespace)
        yield Server(
            client=client,
            namespace=namespace,
            kubeconfig=path,
            forget_history=forget_history,
            halted=halted,
            stranger=stranger,
            is_real=False,
        )


@asynccontextmanager
async def real(plane: ControlPlane, namespace: str) -> AsyncIterator[Server]:
    """The real one, with a namespace of the test's own."""
    token, authority = plane.token_of(ADMIN), plane.certificate_authority
    async with Client(plane.url, token=token, certificate_authority=authority) as client:

        async def forget_history() -> None:
            # etcd forgets, and a new API server has no cache from before.
            plane.compact((await client.get("/api/v1/namespaces")).version)
            plane.api_server.kill()
            plane.api_server.start()
            await asyncio.to_thread(plane.wait_ready)  # meanwhile the client sees its connections end

        @asynccontextmanager
        async def halted() -> AsyncIterator[None]:
            plane.api_server.freeze()
            try:
                yield
            finally:
                plane.api_server.thaw()

        @asynccontextmanager
        async def stranger(code: int) -> AsyncIterator[Client]:
            token = {401: "nobody has this token", 403: plane.token_of(NOBODY)}[code]
            async with Client(plane.url, token=token, certificate_authority=authority) as refused:
                yield refused

        await _make(client, namespace)
        yield Server(
            client=client,
            namespace=namespace,
            kubeconfig=plane.kubeconfig,
            forget_history=forget_history,
            halted=halted,
            stranger=stranger,
            is_real=True,
        )
        await client.delete(f"/api/v1/namespaces/{namespace}")


async def _make(client: Client, namespace: str) -> None:
    answer = await client.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    assert answer.code == 201, answer
