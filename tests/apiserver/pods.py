"""Pods for tests to put up: listed, read, and asked by exec over a WebSocket, as where kubelets run.

They run nothing: what a command prints in one is made by a function. Nothing can be written about them over
HTTP, and they cannot be watched.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from apiserver import refusals, selectors
from apiserver.faults import Request
from apiserver.kinds import Kind
from apiserver.refusals import Reason, Refused
from apiserver.store import JsonObject, Key

PODS: Final = Kind(plural="pods", name="Pod", short_names=("po",), has_status=True)
PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CHUNK_BYTES: Final = 32 * 1024  # as runtimes copy a command's output

_PATH: Final = re.compile(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+)(?:/(exec))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended."""

    output: bytes = b""
    complaint: bytes = b""
    code: int = 0
    failure: str = ""
    """Why it did not even start, in the runtime's words."""


Run = Callable[[Sequence[str]], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One Pod, and what answers in it."""

    body: JsonObject
    run: Run

    @property
    def containers(self) -> Sequence[str]:
        """Their names."""
        return [one["name"] for one in self.body["spec"]["containers"]]


class Pods:
    """All Pods of a test."""

    def __init__(self) -> None:
        self.protocols: Sequence[str] = PROTOCOLS
        """What exec is spoken in; an older server knows v4 alone."""
        self.commands: list[tuple[str, tuple[str, ...]]] = []
        """Pod and command of every exec, in order."""
        self._running: dict[Key, Running] = {}

    def put(self, namespace: str, body: Mapping[str, Any], run: Run) -> None:
        """Have this Pod, in place of one of the same name."""
        self._running[Key(namespace, body["metadata"]["name"])] = Running(body=dict(body), run=run)

    def take(self, namespace: str, name: str) -> None:
        """Have it no longer."""
        del self._running[Key(namespace, name)]

    def request(self, method: str, path: str, *, is_watch: bool) -> Request | None:
        """What a request asks of these Pods; None if it asks for something else, or there are none."""
        found = _PATH.fullmatch(path)
        if found is None or method != "GET" or is_watch or not self._running:
            return None
        namespace, name, subresource = found[1], found[2] or "", found[3] or ""
        verb = "get" if name else "list"
        return Request(verb=verb, kind=PODS, namespace=namespace, name=name, subresource=subresource)

    async def answer(self, request: web.Request, asked: Request, revision: int) -> web.StreamResponse:
        """The list, the Pod, or the conversation with a command in it."""
        if not asked.name:
            return self._list(request, asked.namespace, revision)
        found = self._running.get(Key(asked.namespace, asked.name))
        if found is None:
            raise refusals.not_found(PODS, asked.name)
        if not asked.subresource:
            return web.json_response(found.body)
        return await self._exec(request, found)

    def _list(self, request: web.Request, namespace: str, revision: int) -> web.Response:
        matches = selectors.matcher(
            PODS, labels=request.query.get("labelSelector", ""), fields=request.query.get("fieldSelector", "")
        )
        items = [
            one.body
            for key, one in sorted(self._running.items())
            if key.namespace == namespace and matches(one.body)
        ]
        metadata = {"resourceVersion": str(revision)}
        return web.json_response(
            {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}
        )

    async def _exec(self, request: web.Request, pod: Running) -> web.StreamResponse:
        name = pod.body["metadata"]["name"]
        container = request.query.get("container", "")
        if container not in pod.containers:
            raise Refused(
                code=400,
                reason=Reason.BAD_REQUEST,
                message=f"container {container} is not valid for pod {name}",
            )
        if "*/*" not in request.headers.get("Accept", "*/*"):  # a kubelet has no type to offer, and says so
            return web.Response(status=406, text="406: Not Acceptable\n\nAvailable representations:")
        command = tuple(request.query.getall("command", []))
        self.commands.append((name, command))
        socket = web.WebSocketResponse(protocols=self.protocols)
        await socket.prepare(request)
        for channel in (b"\x01", b"\x02", b"\x03"):
            await socket.send_bytes(channel)  # a kubelet opens each with nothing
        outcome = await pod.run(command)
        for channel, content in ((b"\x01", outcome.output), (b"\x02", outcome.complaint)):
            for start in range(0, len(content), CHUNK_BYTES):
                await socket.send_bytes(channel + content[start : start + CHUNK_BYTES])
        await socket.send_bytes(b"\x03" + msgspec.json.encode(end_of(outcome)))
        await socket.close()
        return socket


def end_of(outcome: Outcome) -> JsonObject:
    """The Status on the channel of errors."""
    status: JsonObject = {"metadata": {}, "status": "Success"}
    if outcome.failure:
        status = {
            "metadata": {},
            "status": "Failure",
            "reason": "InternalError",
            "message": f"Internal error occurred: {outcome.failure}",
            "details": {"causes": [{"message": outcome.failure}]},
            "code": 500,
        }
    elif outcome.code:
        status = {
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: exit status {outcome.code}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(outcome.code)}]},
        }
    return status
