"""The gossip port: takes it, lets a bounded number of strangers in at a time, and gives each two seconds.

Everything that is not a gossip WebSocket is dropped and counted, for a bounded share of the loop. A busy port
is reported and tried again for ever: the speaker goes on with the peers that it dials itself. When all places
for strangers are taken, a caller from a member's address takes the place of one who is none.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv6Address, ip_address
from random import Random
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from bareway.model.names import IPAddress
from bareway.runtime.backoff import Backoff
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.report import Drop, GossipCounters, Listening, Notice, PortBusy
from bareway.runtime.gossip.token_bucket import TokenBucket
from bareway.runtime.gossip.wire import CLOSE_S, FRAME_LIMIT, GOSSIP_PATH, Wire, tune

HANDSHAKE_S: Final = 2.0
"""From accept to the proof of the key: eight round trips of 250 ms."""
STRANGERS_MAX: Final = 32
"""Connections at once that have proven nothing; a whole group does not reconnect within one round trip."""
STRANGERS_A_SOURCE_MAX: Final = 8
SOURCE_PER_S: Final = 10
SOURCE_BURST: Final = 40
"""New connections from one address: a peer that restarts again and again needs fewer."""
SOURCES_MAX: Final = 1_024
"""Addresses whose rate is remembered; the one not seen for longest is forgotten."""
ACCEPTS_PER_S: Final = 2_000
ACCEPTS_AT_ONCE: Final = 256
"""Connections accepted from everybody together, at 50 µs each: a flood costs a tenth of a core, and beyond
that it fills the kernel's queue, which costs us nothing. Edges that are open do not notice."""
BACKLOG: Final = 256
"""At that rate a member that comes during a flood waits an eighth of a second."""
HEADER_BYTES_MAX: Final = 2_048
BUSY_CAP_S: Final = 2.0
"""A port that was freed is ours within this time."""
OUT_OF_MEANS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
OUT_OF_MEANS_S: Final = 0.5
"""How long nobody is accepted when the process has no file descriptor left."""

Receive = Callable[[Wire, IPAddress], Awaitable[None]]


class Door:
    """Accepts connections and hands each gossip WebSocket, not yet proven, to ``receive``."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        receive: Receive,
        counters: GossipCounters,
        on_notice: Callable[[Notice], None],
        rng: Random,
    ) -> None:
        self._host = host
        self._port = port
        self._receive = receive
        self._counters = counters
        self._on_notice = on_notice
        self._rng = rng
        self._server: web.Server | None = None
        self._strangers: dict[asyncio.Transport, IPAddress] = {}
        self._rates: dict[IPAddress, TokenBucket] = {}
        self._members: Collection[IPAddress] = frozenset()

    def expect(self, members: Collection[IPAddress]) -> None:
        """Say where members live: these are served first when strangers crowd the door."""
        self._members = members

    def admit(self, wire: Wire) -> bool:
        """The caller has proven the key, it is no stranger any longer; False if its time was up."""
        return self._strangers.pop(wire.transport, None) is not None

    async def serve(self) -> None:
        """Take the port and accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        self._server = server = web.Server(self._visit)
        listener = await self._take_port()
        pace = TokenBucket(rate=ACCEPTS_PER_S, burst=ACCEPTS_AT_ONCE, now=monotonic())
        try:
            while True:
                if (wait_s := pace.take(monotonic())) > 0:
                    await asyncio.sleep(wait_s)
                connection = await self._accept(loop, listener)
                await self._let_in(loop, server, connection)
        finally:
            listener.close()
            await server.shutdown(CLOSE_S)

    async def _take_port(self) -> socket.socket:
        backoff = Backoff(rng=self._rng, cap_s=BUSY_CAP_S)
        reported = ""
        while True:
            try:
                listener = _listen(self._host, self._port)
            except OSError as error:
                why = error.strerror or str(error)
                if why != reported:
                    self._on_notice(PortBusy(host=self._host, port=self._port, why=why))
                reported = why
                await asyncio.sleep(backoff.next_s())
            else:
                self._on_notice(Listening(host=self._host, port=listener.getsockname()[1]))
                return listener

    async def _accept(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> socket.socket:
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                await _readable(loop, listener)
            except ConnectionError:  # it went away while it waited
                continue
            except OSError as error:
                if error.errno not in OUT_OF_MEANS:
                    raise
                await asyncio.sleep(OUT_OF_MEANS_S)
            else:
                return connection

    async def _let_in(
        self, loop: asyncio.AbstractEventLoop, server: web.Server, connection: socket.socket
    ) -> None:
        try:
            source = _source_of(connection)
            tune(connection)
        except OSError:  # it has gone already
            connection.close()
            return
        drop = self._judge(source)
        if drop is not None:
            self._counters.dropped[drop] += 1
            connection.close()
            await asyncio.sleep(0)  # a flood must not keep the loop from everybody else
            return
        transport, _ = await loop.connect_accepted_socket(lambda: self._make_visitor(server), connection)
        self._strangers[transport] = source
        loop.call_later(HANDSHAKE_S, self._lose_patience, transport)

    def _judge(self, source: IPAddress) -> Drop | None:
        """Whether another stranger from there may come in; makes room for a member if need be."""
        if not self._rate_of(source).try_take(monotonic()):
            return Drop.TOO_OFTEN
        self._strangers = {end: where for end, where in self._strangers.items() if not end.is_closing()}
        if sum(where == source for where in self._strangers.values()) >= STRANGERS_A_SOURCE_MAX:
            return Drop.TOO_MANY
        if len(self._strangers) < STRANGERS_MAX:
            return None
        if source not in self._members:
            return Drop.TOO_MANY
        for end, where in self._strangers.items():
            if where not in self._members:
                self._show_out(end, Drop.TOO_MANY)
                return None
        return Drop.TOO_MANY

    def _rate_of(self, source: IPAddress) -> TokenBucket:
        rate = self._rates.pop(source, None)
        if rate is None:
            rate = TokenBucket(rate=SOURCE_PER_S, burst=SOURCE_BURST, now=monotonic())
            if len(self._rates) >= SOURCES_MAX:
                del self._rates[next(iter(self._rates))]
        self._rates[source] = rate
        return rate

    def _lose_patience(self, transport: asyncio.Transport) -> None:
        if transport in self._strangers:
            self._show_out(transport, Drop.TOO_SLOW)

    def _show_out(self, transport: asyncio.Transport, drop: Drop) -> None:
        del self._strangers[transport]
        if not transport.is_closing():
            self._counters.dropped[drop] += 1
            transport.abort()

    def _make_visitor(self, server: web.Server) -> "_Visitor":
        return _Visitor(server, loop=asyncio.get_running_loop(), counters=self._counters)

    async def _visit(self, request: web.BaseRequest) -> web.StreamResponse:
        websocket = web.WebSocketResponse(
            timeout=CLOSE_S, autoping=False, compress=False, max_msg_size=FRAME_LIMIT
        )
        fits = (
            request.method == hdrs.METH_GET
            and request.path == GOSSIP_PATH
            and hdrs.SEC_WEBSOCKET_PROTOCOL not in request.headers
            and all(value.isascii() for value in request.headers.values())  # aiohttp trips over others
            and websocket.can_prepare(request)
        )
        transport = request.transport
        source = self._strangers.get(transport) if transport else None
        if transport is None or source is None:  # gone, or shown out
            return _goodbye(410)
        if not fits:
            self._counters.dropped[Drop.NOT_GOSSIP] += 1
            return _goodbye(404)
        try:
            await websocket.prepare(request)
        except ConnectionError:
            return _goodbye(410)
        await self._receive(Wire(websocket, transport), source)
        return websocket


class _Visitor(web.RequestHandler):
    """Speaks HTTP with one stranger; bytes that are no HTTP are counted, not logged."""

    __slots__ = ("_counters",)

    def __init__(
        self, server: web.Server, *, loop: asyncio.AbstractEventLoop, counters: GossipCounters
    ) -> None:
        self._counters = counters
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes None for "no log", its stub does not say
            keepalive_timeout=0,  # the door itself watches the time
            lingering_time=0,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            auto_decompress=False,
        )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):  # our own mistake: the log shall have its trace
            return super().handle_error(request, status, exc, message)
        self._counters.dropped[Drop.BAD_HTTP] += 1
        return _goodbye(status)


def _goodbye(status: int) -> web.Response:
    answer = web.Response(status=status)
    answer.force_close()
    return answer


def _listen(host: str, port: int) -> socket.socket:
    """Listen on one address, or without a host on all of both families."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    elif socket.has_dualstack_ipv6():
        listener = socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
        )
    else:
        listener = socket.create_server(("", port), backlog=BACKLOG)
    listener.settimeout(0)
    return listener


async def _readable(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    """Wait for a connection; unlike ``loop.sock_accept`` it may be cancelled in the moment when one comes."""
    arrived = asyncio.Event()
    loop.add_reader(listener, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(listener)


def _source_of(connection: socket.socket) -> IPAddress:
    source = ip_address(connection.getpeername()[0].partition("%")[0])
    mapped = source.ipv4_mapped if isinstance(source, IPv6Address) else None
    return mapped or source
