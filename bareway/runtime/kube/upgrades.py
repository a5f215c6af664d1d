"""Asks the API server for a WebSocket; a refusal is a Status as ever, which aiohttp alone throws away."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout, ClientWebSocketResponse, ClientWSTimeout
from aiohttp.connector import Connection

from bareway.runtime.kube.credentials import Credentials
from bareway.runtime.kube.errors import BadAnswer, refusal

REFUSAL_MAX_BYTES: Final = 64 * 1024  # a sentence; whoever says more is no API server
GOODBYE: Final = ClientWSTimeout(ws_close=0.5)  # for the peer's word at the end; nothing is lost without


class _Upgrade(ClientResponse):
    """The answer to a request for a WebSocket: agreed, or raised as what the API server says against it."""

    async def start(self, connection: Connection) -> ClientResponse:
        await super().start(connection)
        if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return self
        told = await self.content.read(REFUSAL_MAX_BYTES)
        request = f"{self.method} {self.url.path}"
        if self.status < HTTPStatus.BAD_REQUEST:
            raise BadAnswer(f"{request}: {self.status}: no WebSocket is spoken there")
        raise refusal(request, self.status, told)


@dataclass(frozen=True, slots=True)
class Upgrading:
    """A place where a WebSocket is asked for, over the connections of ``session``."""

    session: ClientSession
    path: str
    query: Sequence[tuple[str, str]]
    protocols: Sequence[str]

    async def open(self, credentials: Credentials, tls: SSLContext | bool) -> ClientWebSocketResponse[bool]:  # noqa: FBT001 - as aiohttp takes it
        """The WebSocket; raises ``KubeError`` with what the API server says, or what aiohttp does."""
        # A kubelet, to which it is passed on, has no JSON to offer: 406 where nothing else is accepted.
        headers = {**self.session.headers, "Accept": "*/*"}
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        async with ClientSession(
            connector=self.session.connector,
            connector_owner=False,
            timeout=ClientTimeout(total=None),  # the caller's is around it
            response_class=_Upgrade,
        ) as asking:
            return await asking.ws_connect(
                credentials.server + self.path,
                params=self.query,
                protocols=self.protocols,
                headers=headers,
                timeout=GOODBYE,
                ssl=tls,
                server_hostname=credentials.server_name or None,
                proxy=credentials.proxy or None,
            )
