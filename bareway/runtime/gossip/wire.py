"""One WebSocket of gossip, whichever end dialled (RFC 6455 section 5): binary frames in and out, and its end.

It hides what aiohttp's two WebSocket classes do differently, sets the TCP options that gossip needs, and runs
a handshake over the wire. WebSocket pings are not used: gossip has its own heartbeats.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Literal

from aiohttp import ClientWebSocketResponse, WebSocketError, WSCloseCode, WSMsgType, web

from bareway.gossip.sealing import FRAME_BYTES_MAX, Handshake, Refusal, Session
from bareway.runtime.gossip.report import Drop

GOSSIP_PATH: Final = "/v1/gossip"
FRAME_LIMIT: Final = FRAME_BYTES_MAX + 1
"""aiohttp ends a WebSocket whose frame has this many bytes or more; ours never have."""
CLOSE_S: Final = 0.1
"""How long a WebSocket may take over its goodbye; nobody waits for it."""

USER_TIMEOUT_MS: Final = 5_000
"""Reaps sockets into a black hole. Longer than any profile: heartbeats decide about life, not this."""
TCP_RTO_MIN_US: Final = 45
"""Linux's number of the option, which Python does not name."""
RTO_MIN_US: Final = 20_000
"""A lone lost segment then costs about 30 ms instead of 205: Linux's floor suits the wide Internet."""


class Ended(Exception):
    """The wire is no more; with a reason if something was wrong with what came over it."""

    def __init__(self, reason: StrEnum | None = None) -> None:
        super().__init__(reason or "closed by the other end")
        self.reason = reason


class Wire:
    """Frames over one WebSocket."""

    __slots__ = ("_release", "_socket", "transport")

    def __init__(
        self,
        websocket: web.WebSocketResponse | ClientWebSocketResponse[Literal[True]],
        transport: asyncio.Transport,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """Take a WebSocket with the transport under it; ``release`` frees what else belongs to it."""
        self._socket = websocket
        self._release = release
        self.transport = transport

    async def read(self) -> bytes:
        """Wait for the next frame.

        Raises:
            Ended: There will be none.
        """
        message = await self._socket.receive()
        if message.type is WSMsgType.BINARY and isinstance(message.data, bytes):
            return message.data
        if message.type in {WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG}:
            raise Ended(Drop.BAD_FRAME)
        if isinstance(message.data, WebSocketError):
            raise Ended(_reason_of(message.data))
        raise Ended

    async def write(self, frame: bytes) -> None:
        """Send a frame; waits while the other end takes nothing.

        Raises:
            Ended: The wire was closed meanwhile.
        """
        try:
            await self._socket.send_bytes(frame)
        except ConnectionError:
            raise Ended from None

    def backlog(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self.transport.get_write_buffer_size()

    def close(self) -> None:
        """End the wire after what was written; at once if the other end takes nothing."""
        if self.backlog():
            self.transport.abort()
        else:
            self.transport.close()

    def abort(self) -> None:
        """End the wire now, and for good; every wire's last call."""
        self.transport.abort()
        self._release()


def _reason_of(error: WebSocketError) -> StrEnum:
    return Refusal.TOO_LARGE if error.code == WSCloseCode.MESSAGE_TOO_BIG else Drop.BAD_FRAME


async def shake_hands(wire: Wire, handshake: Handshake) -> Session:
    """Prove the key to the other end, and have it proven; the wire is aborted if that fails.

    Raises:
        Refused: The other end may not have an edge.
        Ended: It went away.
    """
    session: Session | None = None
    try:
        await wire.write(handshake.hello)
        while session is None:
            step = handshake.receive(await wire.read())
            if step.send is not None:
                await wire.write(step.send)
            session = step.session
        return session
    finally:
        if session is None:
            wire.abort()


def tune(connection: socket.socket) -> None:
    """Set the TCP options of an edge; those that this kernel lacks are left out."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    with contextlib.suppress(OSError):  # Linux before 6.15 does not know it
        connection.setsockopt(socket.IPPROTO_TCP, TCP_RTO_MIN_US, RTO_MIN_US)
