"""Serves ``/metrics``, ``/healthz`` and ``/readyz``: plain text for Prometheus and the kubelet.

``/healthz`` says that the loop turns; ``/readyz`` names what is missing until the program is ready. A busy
port is retried for ever and reported, never fatal: announcing goes on without a page. Who only
holds connections keeps nobody out, nor does it use up the program's file descriptors. Left out: TLS.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from aiohttp import web

from bareway.runtime.backoff import Backoff
from bareway.runtime.metrics import CONTENT_TYPE, Exposition, Family

REQUEST_BODY_MAX: Final = 1_024  # bytes; nobody needs to send us any
KEEPALIVE_S: Final = 75.0  # longer than a scrape interval, so that a scraper keeps its connection
CONNECTIONS_MAX: Final = 64  # a kubelet and some scrapers need ten
BACKLOG: Final = 32  # so many may be accepted in one turn, beyond the limit
SHUTDOWN_S: Final = 1.0  # for a scrape under way; the program has more important things to end
BUSY_CAP_S: Final = 2.0  # to ask for a port costs nothing, and one that was freed is ours within this time


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The port is ours."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The port could not be taken; it is tried again after ``retry_s``."""

    port: int
    reason: str
    retry_s: float


HttpChange: TypeAlias = Serving | Busy


class HttpServer:
    """One port with three pages."""

    def __init__(
        self,
        *,
        address: str,
        port: int,
        families: Callable[[], Iterable[Family]],
        not_ready: Callable[[], Iterable[str]],
        on_change: Callable[[HttpChange], None],
        rng: Random,
    ) -> None:
        """Port 0 serves nothing. ``not_ready`` gives the sentences that stand between us and readiness."""
        self._address = address
        self._port = port
        self._families = families
        self._not_ready = not_ready
        self._on_change = on_change
        self._backoff = Backoff(rng=rng, cap_s=BUSY_CAP_S)
        self._exposition = Exposition()
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Serve until cancelled."""
        if not self._port:
            return
        application = web.Application(client_max_size=REQUEST_BODY_MAX)
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        runner = web.AppRunner(
            application, access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=SHUTDOWN_S
        )
        await runner.setup()
        assert runner.server is not None, "set up just now"  # noqa: S101 - our mistake
        listener: asyncio.Server | None = None
        try:
            listener = await self._listen(runner.server)
            await asyncio.Event().wait()
        finally:
            if listener is not None:
                listener.close()
            await runner.cleanup()

    async def _listen(self, server: web.Server) -> asyncio.Server:
        reported = ""
        loop = asyncio.get_running_loop()
        while True:
            try:
                listener = await loop.create_server(
                    lambda: _visitor(server), self._address or None, self._port, backlog=BACKLOG
                )
            except OSError as error:
                delay_s = self._backoff.next_s()
                if str(error) != reported:
                    reported = str(error)
                    self._on_change(Busy(port=self._port, reason=reported, retry_s=delay_s))
                await asyncio.sleep(delay_s)
            else:
                self._on_change(Serving(port=self._port))
                return listener

    async def _metrics(self, _request: web.Request) -> web.Response:
        async with self._one_at_a_time:  # many scrapers wait for each other, not ARP for them
            page = await self._exposition.text(self._families())
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        missing = list(self._not_ready())
        if missing:
            return web.Response(status=503, text="".join(f"{sentence}\n" for sentence in missing))
        return web.Response(text="ok\n")


def _visitor(server: web.Server) -> asyncio.Protocol:
    """Speaks HTTP with one more client; when all places are taken, in place of who came first."""
    crowd = [handler for handler in server.connections if handler.transport is not None]
    for handler in crowd[: max(0, len(crowd) + 1 - CONNECTIONS_MAX)]:
        handler.force_close()
    return server()
