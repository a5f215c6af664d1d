"""One TCP connection as asyncio sees it: bytes in small portions, a buffer that is seen to empty, an end.

What the session's rules ask of a driver (`bareway.bgp.events`): `Writable` when what was sent has left our
buffer, a flush of one second at most, and silence after the end.
"""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Final, Protocol

from bareway.bgp.events import ConnectionId, How
from speaker.bgp.sockets import HasOptions, reset_on_close

READ_BYTES: Final = 16 * 1024
"""Read in one turn of the loop: four full messages."""
BUSY_S: Final = 0.005
"""After so much work for a peer it is not heard for four times as long: a router that sends a million routes
gets a fifth of our time, and the others the rest."""
PAUSE_FACTOR: Final = 4.0
FLUSH_S: Final = 1.0
"""For the last word to get out, and for the peer to close."""


class Owner(Protocol):
    """Whose connection it is."""

    def received(self, connection: ConnectionId, data: bytes) -> None:
        """Bytes came."""

    def closed(self, connection: ConnectionId) -> None:
        """The peer or the kernel ended it."""

    def writable(self, connection: ConnectionId) -> None:
        """What was sent has left our buffer."""

    def gone(self, wire: "Wire") -> None:
        """Its socket is closed, whoever ended it."""


class Stage(StrEnum):
    """Of a connection's life here."""

    OPEN = "open"
    ENDING = "ending"
    """We have said our last word; nothing is heard any more."""
    OVER = "over"


class Wire(asyncio.BufferedProtocol):
    """One connection, from the moment that it is there."""

    def __init__(self, connection: ConnectionId, owner: Owner) -> None:
        self.connection = connection
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(READ_BYTES)
        self._transport: asyncio.Transport | None = None
        self._stage = Stage.OPEN
        self._is_full = False
        self._worked_s = 0.0
        self._resuming: asyncio.TimerHandle | None = None
        self._abort_timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ what the owner calls

    @property
    def options(self) -> HasOptions | None:
        """The options of its socket; None once it is closed."""
        if self._transport is None or self._stage is Stage.OVER:
            return None
        found: HasOptions | None = self._transport.get_extra_info("socket")
        return found

    def send(self, data: bytes) -> None:
        """Whole messages; ``writable`` follows, perhaps in the next turn of the loop."""
        if self._transport is None or self._stage is not Stage.OPEN:
            return
        self._transport.write(data)
        if not self._is_full:
            self._loop.call_soon(self._tell_writable)

    def close(self, how: How) -> None:
        """The owner hears no more of it but ``gone``."""
        if self._stage is not Stage.OPEN:
            return
        self._stage = Stage.ENDING
        if self._transport is None or self._transport.is_closing():
            return
        if how is How.ABORT:
            self.abort()
            return
        # Not closed yet: with unread bytes the kernel would send RST, and the last word might be lost.
        self._hear()
        with suppress(OSError):  # the peer was faster
            self._transport.write_eof()
        self._abort_timer = self._loop.call_later(FLUSH_S, self._give_up)

    def abort(self) -> None:
        """At once, with what waits."""
        transport, it = self._transport, self.options
        if transport is None or it is None:
            return
        with suppress(OSError):
            reset_on_close(it)
        transport.abort()

    # ------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins; the buffer counts as full as soon as there is anything in it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream
        self._transport = transport
        transport.set_write_buffer_limits(high=0)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came, and see how long that took."""
        if self._stage is not Stage.OPEN:
            return
        began = self._loop.time()
        self._owner.received(self.connection, bytes(memoryview(self._buffer)[:nbytes]))
        self._worked_s += self._loop.time() - began
        if self._worked_s >= BUSY_S and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._resuming = self._loop.call_later(PAUSE_FACTOR * self._worked_s, self._hear)
            self._worked_s = 0.0

    def eof_received(self) -> bool:
        """The peer sends no more: for BGP that is the end."""
        self._end()
        if self._transport is not None:
            self._transport.abort()
        return False

    def pause_writing(self) -> None:
        """Something waits in the buffer."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Nothing does any more."""
        self._is_full = False
        self._tell_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        del exc
        self._end()
        self._stage = Stage.OVER
        for timer in (self._resuming, self._abort_timer):
            if timer is not None:
                timer.cancel()
        self._owner.gone(self)

    # ------------------------------------------------------------ inside

    def _end(self) -> None:
        if self._stage is Stage.OPEN:
            self._stage = Stage.ENDING
            self._owner.closed(self.connection)

    def _give_up(self) -> None:
        """The peer does not close; if it does not even read, what waits is dropped."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self.abort()
        elif self._transport is not None:
            self._transport.close()

    def _hear(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def _tell_writable(self) -> None:
        if self._stage is Stage.OPEN and not self._is_full:
            self._owner.writable(self.connection)
