"""Requests with a body to one API server, on connections of our own: a controller makes thousands in a row.

Such a request costs two thirds of the CPU of one of aiohttp, which counts twice where the API server
shares the machine. Left out, and done by aiohttp: proxies, watches, lists. Nothing is tried again here.
"""

import asyncio
import ssl
from typing import Final, NamedTuple

from bareway.runtime.kube.responses import BadResponse, Response, ResponseReader

IDLE_S: Final = 15.0
"""A connection that nobody used for so long may have been forgotten on the way: it is closed."""
STAGGER_S: Final = 0.25
"""Before another address of the same name is tried beside the first (RFC 8305 section 5)."""


class Place(NamedTuple):
    """Whom a connection leads to."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str
    """In the certificate; empty without TLS."""


class NotConnected(OSError):
    """Nothing was sent; its cause says why."""


class Lost(OSError):
    """The connection ended before the answer: the request may have been done."""


class Wire:
    """Connections that are kept for the next request."""

    def __init__(self, *, body_max_bytes: int, socket_options: tuple[tuple[int, int, int], ...] = ()) -> None:
        self._body_max = body_max_bytes
        self._options = socket_options
        self._idle: dict[Place, list[_Connection]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(self, place: Place, request: bytes) -> Response:
        """The answer to a whole request.

        Raises:
            NotConnected: there was nobody to send it to.
            Lost: no answer.
            BadResponse: what came is no HTTP.
        """
        connection = self._kept(place) or await self._open(place)
        keeps = False
        try:
            response = await connection.send(request, ResponseReader(self._body_max))
            keeps = response.keeps and connection.is_open
            return response
        finally:
            if keeps:
                self._keep(place, connection)
            else:  # also where nobody waits any more: what comes now answers an old question
                connection.abort()

    def close(self) -> None:
        """Give all connections up; what is on its way fails."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    def _kept(self, place: Place) -> "_Connection | None":
        """The one that was used last: the others may grow old."""
        connections = self._idle.get(place, [])
        while connections:
            connection = connections.pop()
            if connection.is_open:
                return connection
        return None

    def _keep(self, place: Place, connection: "_Connection") -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(place, []).append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(IDLE_S, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody used; so none is ever used again that was idle for twice as long."""
        loop = asyncio.get_running_loop()
        for place, connections in [*self._idle.items()]:
            fresh = [one for one in connections if one.is_open and one.idle_since > loop.time() - IDLE_S]
            for connection in connections:
                if connection not in fresh:
                    connection.abort()
            if fresh:
                self._idle[place] = fresh
            else:
                del self._idle[place]
        self._sweeper = loop.call_later(IDLE_S, self._sweep) if self._idle else None

    async def _open(self, place: Place) -> "_Connection":
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection,
                place.host,
                place.port,
                ssl=place.tls,
                server_hostname=place.server_name or None,
                happy_eyeballs_delay=STAGGER_S,
            )
        except OSError as error:
            raise NotConnected(str(error) or type(error).__name__) from error
        connection.set_options(self._options)
        return connection


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._answer: asyncio.Future[Response] | None = None
        self.idle_since = 0.0
        self.is_open = False

    async def send(self, request: bytes, reader: ResponseReader) -> Response:
        assert self._transport is not None  # noqa: S101 - it is open
        self._reader = reader
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def set_options(self, options: tuple[tuple[int, int, int], ...]) -> None:
        assert self._transport is not None  # noqa: S101 - it is open
        opened = self._transport.get_extra_info("socket")
        for option in options:
            opened.setsockopt(*option)

    def abort(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        if self._reader is None:  # nobody asked: the server takes its leave in words
            self.abort()
            return
        try:
            response = self._reader.feed(data)
        except BadResponse as error:
            self._finish(error)
        else:
            if response is not None:
                self._finish(response)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._reader is None:
            return
        try:
            self._finish(self._reader.end())
        except BadResponse as bad:
            self._finish(Lost(str(error) if error is not None and str(error) else str(bad)))

    def _finish(self, result: Response | Exception) -> None:
        answer, self._answer, self._reader = self._answer, None, None
        if answer is None or answer.done():
            return
        if isinstance(result, Response):
            answer.set_result(result)
        else:
            answer.set_exception(result)
