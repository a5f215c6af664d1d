"""Opens WebSockets to peers, and tells a port that nobody serves from a peer that does not answer."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Final, Literal, NamedTuple, Self

from aiohttp import (
    AddrInfoType,
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    DummyCookieJar,
    TCPConnector,
)

from bareway.runtime.gossip.report import Drop
from bareway.runtime.gossip.wire import CLOSE_S, FRAME_LIMIT, GOSSIP_PATH, Ended, Wire, tune

CONNECT_S: Final = 0.5
"""For TCP alone. A lost SYN is repeated after 1 s only; a new attempt from another port is quicker."""


class Where(NamedTuple):
    """Where a member listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """What to ask for there."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{GOSSIP_PATH}"


class NoAnswer(Exception):
    """No WebSocket came of it; ``refused`` if the node answered that nobody listens."""

    def __init__(self, *, refused: bool) -> None:
        super().__init__("refused" if refused else "no answer")
        self.refused = refused


class Dialler:
    """The calling side of gossip, with a client session of its own: never shared with API traffic."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = TCPConnector(limit=0, force_close=True, socket_factory=_open_socket)
        self._session = ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_S),
            cookie_jar=DummyCookieJar(),
            ws_response_class=_DialledSocket,
            middlewares=(_refuse_all_but_upgrades,),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def dial(self, where: Where) -> Wire:
        """Open a WebSocket; the caller bounds the time of it all.

        aiohttp tries once more by itself when the connection ends before the answer: so a process that was
        just ending counts as refused, whatever the first attempt met.

        Raises:
            NoAnswer: Nobody is there.
            Ended: Something else answered.
        """
        if self._session is None:
            raise RuntimeError("enter the dialler before you dial")
        try:
            websocket = await self._session.ws_connect(
                where.url,
                timeout=ClientWSTimeout(ws_close=CLOSE_S),
                autoping=False,
                compress=0,
                max_msg_size=FRAME_LIMIT,
            )
        except ClientConnectorError as error:
            raise NoAnswer(refused=isinstance(error.os_error, ConnectionRefusedError)) from None
        except (ClientConnectionError, OSError):
            raise NoAnswer(refused=False) from None
        except ClientError:
            raise Ended(Drop.NOT_GOSSIP) from None
        if not isinstance(websocket, _DialledSocket):  # what we asked the session for
            raise TypeError(type(websocket))
        return Wire(websocket, websocket.transport, websocket.release)


class _DialledSocket(ClientWebSocketResponse[Literal[True]]):
    """Shows the transport, whose buffer tells what the other end has not taken, and ends without waiting."""

    @property
    def transport(self) -> asyncio.Transport:
        return self._writer.transport

    def release(self) -> None:
        """Give the connection back to its pool, which closes it; ``close`` would wait for the other end."""
        self._response.close()


async def _refuse_all_but_upgrades(
    request: ClientRequest, handler: Callable[[ClientRequest], Awaitable[ClientResponse]]
) -> ClientResponse:
    """Whoever sits at a peer's port must not send us elsewhere by a redirect."""
    response = await handler(request)
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        response.close()
        raise ClientError(f"answered {response.status}")
    return response


def _open_socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    tune(opened)
    return opened
