"""The Kubernetes API over HTTP: requests and watches; its refusals are exceptions.

Every request has a deadline, every body and line a limit. Nothing is retried here but a 401, once, with fresh
credentials: what a refusal means is for the caller to decide. Patches are JSON merge patches (RFC 7396).
"""

import asyncio
import asyncio.sslproto
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import bareway.runtime.lean  # before anything that imports aiohttp

# isort: split
import aiohttp
import msgspec
from aiohttp import (
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    StreamReader,
    TCPConnector,
)

import bareway
from bareway.model.names import ObjectKey
from bareway.resources.kinds import Kind, Unreadable
from bareway.runtime.clock import monotonic
from bareway.runtime.kube.credentials import Credentials, CredentialSource, CredentialsUnusable, tls_context
from bareway.runtime.kube.errors import (
    AlreadyExists,
    ApiError,
    BadAnswer,
    Conflict,
    Forbidden,
    Gone,
    KubeError,
    NotFound,
    Unauthorized,
    Unreachable,
    refusal,
)
from bareway.runtime.kube.framing import LineSplitter, LineTooLong
from bareway.runtime.kube.responses import BadResponse, Response
from bareway.runtime.kube.upgrades import Upgrading
from bareway.runtime.kube.wire import NotConnected, Place, Wire

__all__ = [
    "AlreadyExists",
    "ApiError",
    "BadAnswer",
    "Conflict",
    "Forbidden",
    "Gone",
    "KubeClient",
    "KubeError",
    "NotFound",
    "Unauthorized",
    "Unreachable",
]

T = TypeVar("T")

USER_AGENT = f"bareway/{bareway.__version__}"
REQUEST_TIMEOUT_S = 10.0  # an API server that needs longer for one request is as good as away
BODY_MAX_BYTES = 64 * 2**20  # a page is 1 MB as a rule: a limit, not an expectation
CHUNK_BYTES = 2**16
SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 8),
    (socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1),
)
"""For a server that lost its power.

A silent watch on it ends after 31 s, not after the kernel's two hours, or 2 s after the server is back. An
attempt to connect asks twice and fails after 3 s: more questions would be ever further apart.
"""

PATH_SAFE = "/:@!$&'()*+,;=~"  # RFC 3986 section 3.3
# Each connection under TLS has a buffer of that size as long as it lives, 256 KiB by default; a controller
# has thirty connections.
asyncio.sslproto.SSLProtocol.max_size = CHUNK_BYTES

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

Body = Mapping[str, object]
Query = Mapping[str, str]
NO_QUERY: Query = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Body | None = None
    content_type: str = JSON

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class KubeClient:
    """A connection to one API server: ``async with KubeClient(source) as client``.

    All methods raise ``KubeError``; paths come from ``Kind.path`` and ``Kind.object_path``. A write with a
    ``timeout_s`` tells the server too, which then ends it itself within that time of its arrival.
    """

    def __init__(
        self,
        source: CredentialSource,
        *,
        timeout_s: float = REQUEST_TIMEOUT_S,
        body_max_bytes: int = BODY_MAX_BYTES,
    ) -> None:
        self._source = source
        self._timeout_s = timeout_s
        self._body_max_bytes = body_max_bytes
        self._session: ClientSession | None = None
        self._tls: tuple[Credentials, ssl.SSLContext] | None = None
        self._wire = Wire(body_max_bytes=body_max_bytes, socket_options=SOCKET_OPTIONS)

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=TCPConnector(limit=0, socket_factory=_open_socket),
            timeout=ClientTimeout(total=None),  # ours are tighter, and around everything
            # Compressing costs both ends more than the local network does.
            headers={"User-Agent": USER_AGENT, "Accept": JSON, "Accept-Encoding": "identity"},
            read_bufsize=CHUNK_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # connections under TLS are only aborted by then, and end with this turn

    async def get(self, path: str, query: Query = NO_QUERY, *, timeout_s: float | None = None) -> bytes:
        """The body at ``path``."""
        return await self._answer(_Request(method="GET", path=path, query=query), timeout_s)

    async def read(self, kind: Kind[T], key: ObjectKey, *, timeout_s: float | None = None) -> T:
        """One object as it is now; ``BadAnswer`` if it cannot be read."""
        path = kind.object_path(key)
        body = await self.get(path, timeout_s=timeout_s)
        try:
            content = kind.read(body).content
        except Unreadable as error:
            raise BadAnswer(f"GET {path}: {error}") from error
        if isinstance(content, tuple):
            raise BadAnswer(f"GET {path}: {'; '.join(map(str, content))}")
        return content

    async def create(self, path: str, body: Body, *, timeout_s: float | None = None) -> bytes:
        """Create an object in the collection at ``path``; ``AlreadyExists`` if its name is taken."""
        query = _told(timeout_s)
        return await self._answer(_Request(method="POST", path=path, query=query, body=body), timeout_s)

    async def replace(self, path: str, body: Body, *, timeout_s: float | None = None) -> bytes:
        """Write an object whole; ``Conflict`` if it carries a resourceVersion other than the present one."""
        query = _told(timeout_s)
        return await self._answer(_Request(method="PUT", path=path, query=query, body=body), timeout_s)

    async def merge_patch(self, path: str, body: Body, *, timeout_s: float | None = None) -> bytes:
        """Change some fields; None removes one; ``Conflict`` as for ``replace``."""
        query = _told(timeout_s)
        request = _Request(method="PATCH", path=path, query=query, body=body, content_type=MERGE_PATCH)
        return await self._answer(request, timeout_s)

    async def delete(self, path: str) -> bytes:
        """Delete an object; ``NotFound`` if there is none."""
        return await self._answer(_Request(method="DELETE", path=path))

    async def watch(self, path: str, query: Query, *, timeout_s: float) -> AsyncGenerator[list[bytes], None]:
        """The lines of a watch in batches, as they come in; first an empty one, once the server agreed.

        Ends when the server ends it, or after ``timeout_s``. Close it (``contextlib.aclosing``).
        """
        request = _Request(method="GET", path=path, query=query)
        ends_at = asyncio.get_running_loop().time() + timeout_s
        async with _deadline(request, self._timeout_s):
            response = await self._open(request)
        async with response:
            try:
                yield []
                async for lines in _lines(request, response.content, ends_at):
                    yield lines
            finally:
                _abort(response)

    @asynccontextmanager
    async def websocket(
        self, path: str, query: Sequence[tuple[str, str]], *, protocols: Sequence[str]
    ) -> AsyncIterator[ClientWebSocketResponse[bool]]:
        """A WebSocket at ``path`` in one of ``protocols``, with the same credentials; closed at the end."""
        assert self._session is not None, "use the client as an async context manager"  # noqa: S101 - our mistake
        request = _Request(method="GET", path=path)
        async with _deadline(request, self._timeout_s):
            credentials = await self._source.current(now=monotonic())
            place = Upgrading(self._session, path, query, protocols)
            try:
                opened = await place.open(credentials, self._tls_for(credentials))
            except Unauthorized:
                credentials = await self._source.renew(now=monotonic())
                opened = await place.open(credentials, self._tls_for(credentials))
        try:
            yield opened
        finally:
            await opened.close()

    async def _answer(self, request: _Request, timeout_s: float | None = None) -> bytes:
        async with _deadline(request, timeout_s or self._timeout_s):
            if request.body is not None:
                credentials = await self._source.current(now=monotonic())
                if not credentials.proxy:
                    return await self._write(request, credentials)
            async with await self._open(request) as response:
                return await _whole(request, response.content, self._body_max_bytes)

    async def _write(self, request: _Request, credentials: Credentials) -> bytes:
        """By ourselves: the controller makes thousands of writes in a row."""
        response = await self._exchange(request, credentials)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response = await self._exchange(request, await self._source.renew(now=monotonic()))
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response.body
        raise refusal(str(request), response.status, response.body, response.retry_after)

    async def _exchange(self, request: _Request, credentials: Credentials) -> Response:
        tls = self._tls_for(credentials)
        place, prefix = _place(credentials, tls if isinstance(tls, ssl.SSLContext) else None)
        try:
            return await self._wire.send(place, _written(request, credentials, prefix))
        except BadResponse as error:
            raise BadAnswer(f"{request}: {error}") from error

    async def _open(self, request: _Request) -> ClientResponse:
        """A response with a good status, its body still to come."""
        response = await self._send(request, await self._source.current(now=monotonic()))
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.release()
            response = await self._send(request, await self._source.renew(now=monotonic()))
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response
        async with response:
            told = await _whole(request, response.content, self._body_max_bytes)
            raise refusal(str(request), response.status, told, response.headers.get("Retry-After", ""))

    async def _send(self, request: _Request, credentials: Credentials) -> ClientResponse:
        assert self._session is not None, "use the client as an async context manager"  # noqa: S101 - our mistake
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        return await self._session.request(
            request.method,
            credentials.server + request.path,
            params=request.query,
            data=None if request.body is None else msgspec.json.encode(request.body),
            headers=headers,
            allow_redirects=False,
            ssl=self._tls_for(credentials),
            server_hostname=credentials.server_name or None,
            proxy=credentials.proxy or None,
        )

    def _tls_for(self, credentials: Credentials) -> ssl.SSLContext | bool:
        """One context as long as the certificates stay: aiohttp reuses connections by it."""
        if not credentials.server.startswith("https:"):
            return True
        if self._tls is None or _certificates(self._tls[0]) != _certificates(credentials):
            self._tls = credentials, tls_context(credentials)
        return self._tls[1]


def _told(timeout_s: float | None) -> Query:
    """The query that makes a server end a write in time, also one that nobody waits for any more."""
    return {"timeout": f"{timeout_s * 1000:.0f}ms"} if timeout_s is not None else NO_QUERY


def _place(credentials: Credentials, tls: ssl.SSLContext | None) -> tuple[Place, str]:
    """Whom to connect to, and what comes before each path."""
    url = urlsplit(credentials.server)
    host = url.hostname or ""
    port = url.port or (80 if tls is None else 443)
    name = "" if tls is None else credentials.server_name or host
    return Place(host, port, tls, name), url.path


def _written(request: _Request, credentials: Credentials, prefix: str) -> bytes:
    """The request as it goes on the wire (RFC 9112 section 3)."""
    body = msgspec.json.encode(request.body)
    target = quote(prefix + request.path, safe=PATH_SAFE)
    if request.query:
        target += f"?{urlencode(request.query)}"
    if not credentials.authorization.isprintable():
        raise CredentialsUnusable("the token holds a character that no HTTP header may")
    authorization = f"Authorization: {credentials.authorization}\r\n" if credentials.authorization else ""
    head = (
        f"{request.method} {target} HTTP/1.1\r\nHost: {urlsplit(credentials.server).netloc}\r\n"
        f"User-Agent: {USER_AGENT}\r\nAccept: {JSON}\r\nAccept-Encoding: identity\r\n{authorization}"
        f"Content-Type: {request.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _certificates(credentials: Credentials) -> tuple[str, str, str, bool]:
    return credentials.ca, credentials.certificate, credentials.key, credentials.verify


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    for level, option, value in SOCKET_OPTIONS:
        opened.setsockopt(level, option, value)
    return opened


@asynccontextmanager
async def _deadline(request: _Request, limit_s: float) -> AsyncIterator[None]:
    """What aiohttp and the clock have to say about the request, as ``Unreachable``."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise Unreachable(f"{request}: no answer within {limit_s:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{request}: {_reason(error)}", is_away=_is_away(error)) from error


def _is_away(error: aiohttp.ClientError | OSError) -> bool:
    """Refused, no route, no such host, no answer to a SYN; not what comes later: TLS, and a reset in it."""
    if isinstance(error, NotConnected):
        return not isinstance(error.__cause__, ssl.SSLError | ConnectionResetError | ConnectionAbortedError)
    return (
        isinstance(error, aiohttp.ClientConnectorError)
        and not isinstance(error, aiohttp.ClientSSLError)
        and not isinstance(error.os_error, ConnectionResetError | ConnectionAbortedError)
    )


def _reason(error: aiohttp.ClientError | OSError) -> str:
    """A lost connection has no words of its own."""
    return str(error) or type(error).__name__


def _abort(response: ClientResponse) -> None:
    """End a connection that was left half-way: under TLS it would say goodbye and wait for an answer."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


async def _whole(request: _Request, content: StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise BadAnswer(f"{request}: more than {limit} bytes")
    return b"".join(parts)


async def _lines(request: _Request, content: StreamReader, ends_at: float) -> AsyncIterator[list[bytes]]:
    splitter = LineSplitter()
    while True:
        try:
            async with asyncio.timeout_at(ends_at):
                chunk = await content.readany()
        except TimeoutError:
            return
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{request}: {_reason(error)}") from error
        if not chunk:
            return
        try:
            lines = splitter.feed(chunk)
        except LineTooLong as error:
            raise BadAnswer(f"{request}: {error}") from error
        if lines:
            yield lines
