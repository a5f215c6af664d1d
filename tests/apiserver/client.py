"""A plain client for an API server, embedded or real: it hides nothing and repairs nothing.

The tests use it to look at an API server from outside, so it shares no code with the programs under test.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from aiohttp import ClientSession, ClientTimeout

from apiserver.record import Asked, asked

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
AS_TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io"
ANSWER_WITHIN_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    code: int
    body: Any
    headers: Mapping[str, str]

    @property
    def reason(self) -> str:
        """The reason of a Status."""
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        """The message of a Status."""
        return str(self.body.get("message", ""))

    @property
    def version(self) -> str:
        """The resourceVersion of an object or a list."""
        return str(self.body["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        """The names of the items of a list."""
        return [item["metadata"]["name"] for item in self.body["items"]]


class Client:
    """A connection to one API server."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        certificate_authority: Path | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        """``answer_within_s`` is for a whole answer, a watch being one."""
        self._url = url
        self._timeout = ClientTimeout(total=answer_within_s)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._tls: ssl.SSLContext | bool = True
        if certificate_authority is not None:
            self._tls = ssl.create_default_context(cafile=certificate_authority)
        self._session: ClientSession | None = None
        self.asked: list[Asked] = []
        """What it was told to send, as it would stand on record."""

    async def __aenter__(self) -> Self:
        self._session = ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # connections under TLS are only aborted by then, and end with this turn

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: Any,
    ) -> Answer:
        """Ask and read the whole answer; ``body`` is sent as JSON unless it is bytes."""
        assert self._session is not None
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": accept}
        params = {name: str(value) for name, value in query.items()}
        self.asked.append(asked(method, f"{path}?{urlencode(params)}", content_type))
        async with self._session.request(
            method, self._url + path, data=data, headers=headers, params=params, ssl=self._tls
        ) as response:
            text = await response.text()
            content = json.loads(text) if response.content_type == "application/json" and text else text
            return Answer(code=response.status, body=content, headers=response.headers)

    async def get(self, path: str, **query: Any) -> Answer:
        """Read an object or a list."""
        return await self.request("GET", path, **query)

    async def create(self, path: str, body: Any, **query: Any) -> Answer:
        """Make an object."""
        return await self.request("POST", path, body, **query)

    async def update(self, path: str, body: Any, **query: Any) -> Answer:
        """Replace an object."""
        return await self.request("PUT", path, body, **query)

    async def patch(self, path: str, body: Any, content_type: str = MERGE, **query: Any) -> Answer:
        """Change an object."""
        return await self.request("PATCH", path, body, content_type=content_type, **query)

    async def delete(self, path: str, body: Any = None, **query: Any) -> Answer:
        """Remove an object."""
        return await self.request("DELETE", path, body, **query)

    async def events(self, path: str, *, accept: str = "application/json", **query: Any) -> list[Any]:
        """Everything that a watch says until the server ends it."""
        async with self.watch(path, accept=accept, **query) as stream:
            return [event async for event in stream]

    @asynccontextmanager
    async def watch(
        self, path: str, *, accept: str = "application/json", **query: Any
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """An open watch, event by event."""
        assert self._session is not None
        params = {name: str(value) for name, value in {"watch": "true", **query}.items()}
        self.asked.append(asked("GET", f"{path}?{urlencode(params)}"))
        async with self._session.get(
            self._url + path, params=params, headers={"Accept": accept}, ssl=self._tls
        ) as response:
            assert response.status == 200, await response.text()
            try:
                yield (json.loads(line) async for line in response.content)
            finally:
                # Left half-way, TLS would say goodbye and wait for an answer beyond the life of the loop.
                if response.connection is not None and response.connection.transport is not None:
                    response.connection.transport.abort()
