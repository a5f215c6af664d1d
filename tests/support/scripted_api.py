"""An HTTP server that answers like an API server what a test wrote down, and 404 to everything else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from apiserver.pods import Pods
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed

MANY: Final = 64 * 2**20
Json = Mapping[str, Any]


class ScriptedApi:
    """``answers`` by path, ``codes`` for refusals, ``denied`` rights as ``(verb, resource)``; Pods run."""

    def __init__(self) -> None:
        self.answers: dict[str, Json] = {}
        self.codes: dict[str, int] = {}
        self.denied: set[tuple[str, str]] = set()
        self.pods = Pods()
        self.asked: list[str] = []
        self.url = ""

    def items(self, path: str, *items: Json) -> None:
        """A list of these objects."""
        self.answers[path] = {"metadata": {"resourceVersion": "1"}, "items": list(items)}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        code = self.codes.get(request.path)
        if code is not None:
            reason = "Forbidden" if code == 403 else "InternalError"
            return web.json_response(
                {"kind": "Status", "reason": reason, "message": f"no {request.path}"}, status=code
            )
        if request.path.endswith("subjectaccessreviews"):
            return await self._review(request)
        asked = self.pods.request(request.method, request.path, is_watch=False)
        if asked is not None and request.path not in self.answers:
            return await self.pods.answer(request, asked, 1)
        answer = self.answers.get(request.path)
        if answer is None:
            return web.json_response({"kind": "Status", "reason": "NotFound"}, status=404)
        return web.json_response(answer)

    async def _review(self, request: web.Request) -> web.Response:
        spec = (await request.json())["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (spec["resource"], spec.get("subresource"))))
        allowed = (spec["verb"], resource) not in self.denied
        return web.json_response({"status": {"allowed": allowed}}, status=201)


@asynccontextmanager
async def scripted() -> AsyncIterator[tuple[ScriptedApi, KubeClient]]:
    """One that listens, and a client of it."""
    api = ScriptedApi()
    app = web.Application(client_max_size=MANY)
    app.router.add_route("*", "/{tail:.*}", api.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with KubeClient(Fixed(Credentials(server=api.url))) as client:
            yield api, client
    finally:
        await runner.cleanup()
