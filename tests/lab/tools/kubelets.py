"""The embedded API server with our Pods in it, as kubelets would tell of them.

    python -m lab.tools.kubelets --listen 192.0.2.2:6443 --kubeconfig-out FILE --folder FOLDER

In FOLDER stand ``*.pod``, each a ``Charge``: a process of the lab that is a Pod to whoever asks. Whether it
runs and is ready is looked for when somebody asks, by its process and its ``/readyz``; exec runs ``bareway``
in its machine (``lab.tools.container``). ``daemonsets.json`` has what else there is. A machine that cannot be
reached keeps its Pod as it was: Kubernetes notices forty seconds later.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from apiserver import EmbeddedApi
from apiserver.kubeconfigs import kubeconfig
from apiserver.pods import Outcome
from apiserver.store import JsonObject
from lab.tools.container import Ended
from support.pods import NAMESPACE, pod_body

REACHED_WITHIN_S = 0.5
"""A connection on the lab's wire takes a fraction of a millisecond."""
READY_WITHIN_S = 2.0  # as the manifests say
LAST_WORDS = 2048
"""Bytes of a log that a kubelet keeps of a container that ended (``FallbackToLogsOnError``)."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A Pod, and what stands for it in the lab."""

    name: str
    component: str
    node: str
    host: str
    port: int
    pid: int
    log: str
    socket: str
    """Of our program."""
    container: str
    """The socket on which commands are run beside it."""
    arguments: tuple[str, ...] = ()


class KubeletApi(EmbeddedApi):
    """Knows of the folder what it says when somebody asks."""

    def __init__(self, *, host: str, port: int, folder: Path) -> None:
        super().__init__(host=host, port=port, seed=os.urandom(8).hex(), first_revision=int(time.time()))
        self._folder = folder
        self._names: set[str] = set()

    async def _aside(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith(f"/api/v1/namespaces/{NAMESPACE}/pods"):
            await self._look()
        if request.path.endswith("/daemonsets"):
            file = self._folder / "daemonsets.json"
            self.others["daemonsets"] = msgspec.json.decode(file.read_bytes()) if file.exists() else []
        return await super()._aside(request)

    async def _look(self) -> None:
        files = sorted(self._folder.glob("*.pod"))
        charges = [msgspec.json.decode(file.read_bytes(), type=Charge) for file in files]
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(body_of(charge), name=charge.name) for charge in charges]
        for name in self._names:
            self.pods.take(NAMESPACE, name)
        self._names = {charge.name for charge in charges}
        for charge, look in zip(charges, looks, strict=True):
            self.pods.put(NAMESPACE, look.result(), partial(execute, charge))


async def body_of(charge: Charge) -> JsonObject:
    """The Pod as its kubelet tells of it."""
    if not runs(charge.pid):
        body = pod_body(
            charge.name,
            charge.component,
            charge.node,
            ready=False,
            state="waiting",
            reason="CrashLoopBackOff",
            arguments=charge.arguments,
            restarts=1,
        )
        said = last_words(charge)
        body["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"message": said}}
        return body
    ready = not await is_reached(charge.host, charge.port) or await is_ready(charge)
    return pod_body(charge.name, charge.component, charge.node, ready=ready, arguments=charge.arguments)


def last_words(charge: Charge) -> str:
    """The end of what it wrote to standard error."""
    return Path(charge.log).read_bytes()[-LAST_WORDS:].decode(errors="replace")


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


async def is_reached(host: str, port: int) -> bool:
    """Whether the machine is there; one that refuses is."""
    try:
        async with asyncio.timeout(REACHED_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def is_ready(charge: Charge) -> bool:
    """What the readiness probe finds."""
    url = f"http://{charge.host}:{charge.port}/readyz"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(READY_WITHIN_S)) as session,
            session.get(url) as response,
        ):
            return response.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


async def execute(charge: Charge, words: Sequence[str]) -> Outcome:
    """A command in the Pod, whose program listens elsewhere than in a container."""
    if not await is_reached(charge.host, charge.port):
        return Outcome(failure=f"error dialing backend: dial tcp {charge.host}:10250: i/o timeout")
    reader, writer = await asyncio.open_unix_connection(charge.container)
    writer.write(msgspec.json.encode([*words[1:], "--socket", charge.socket]))
    writer.write_eof()
    ended = msgspec.msgpack.decode(await reader.read(), type=Ended)
    writer.close()
    return Outcome(output=ended.output, complaint=ended.complaint, code=ended.code)


async def serve(host: str, port: int, kubeconfig_out: Path, folder: Path) -> None:
    """Serve until a signal comes."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    api = KubeletApi(host=host, port=port, folder=folder)
    async with api:
        kubeconfig_out.write_text(kubeconfig(api.url))  # noqa: ASYNC240 - nobody is served yet
        print(api.url, flush=True)
        await end.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--kubeconfig-out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    asyncio.run(serve(host, int(port), given.kubeconfig_out, given.folder))


if __name__ == "__main__":
    main()
