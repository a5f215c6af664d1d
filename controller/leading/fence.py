"""Lets writes through only while we lead, and in the term in which they were decided.

A write that comes while we lead no more waits a moment: a renewal that is late by a little ends no pass. If
somebody else led in between, it is refused for good; what it was decided by is old. Every write tells the
server its limit, so that it is over by a known time, whatever became of the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from bareway.runtime.kube.errors import ApiError, KubeError


class NotLeading(KubeError):
    """The write was not begun."""


class Api(Protocol):
    """What is needed of ``KubeClient``."""

    async def create(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        """Create an object."""

    async def replace(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        """Write an object whole."""

    async def merge_patch(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        """Change an object."""


class Permit(Protocol):
    """What is needed of ``Elector``."""

    @property
    def term(self) -> int:
        """Counts take-overs."""

    def may_write(self) -> bool:
        """Whether a write may begin now."""

    async def wait(self) -> None:
        """Return once that is so."""


class Fence:
    """A client for the writes of one pass after another."""

    def __init__(self, client: Api, permit: Permit, *, limit_s: float, clock: Callable[[], float]) -> None:
        """``limit_s`` is what a write may take, and what the server may take for one."""
        self._client = client
        self._permit = permit
        self._limit_s = limit_s
        self._clock = clock
        self._term = 0
        self._is_closed = False
        self._in_flight = 0
        self._quiet_at = 0.0
        """By then every write that had no answer has been done, or never will be."""
        self._ended = asyncio.Event()

    @property
    def term(self) -> int:
        """The term in which writes are let through."""
        return self._term

    def enter(self) -> bool:
        """Whether what is decided from here on, by what is known now, may be written."""
        if self._is_closed or not self._permit.may_write():
            return False
        self._term = self._permit.term
        return True

    async def wait(self) -> None:
        """Return once it is worth while to ask again; never, once drained."""
        if self._is_closed:
            await asyncio.Event().wait()
        await self._permit.wait()

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        """Create an object; ``NotLeading`` if we may not."""
        return await self._pass(lambda: self._client.create(path, body, timeout_s=self._limit_s))

    async def replace(self, path: str, body: Mapping[str, object]) -> bytes:
        """Write an object whole; ``NotLeading`` if we may not."""
        return await self._pass(lambda: self._client.replace(path, body, timeout_s=self._limit_s))

    async def merge_patch(self, path: str, body: Mapping[str, object]) -> bytes:
        """Change an object; ``NotLeading`` if we may not."""
        return await self._pass(lambda: self._client.merge_patch(path, body, timeout_s=self._limit_s))

    async def drain(self) -> None:
        """Let no write through any more; return when none of ours can be on its way."""
        self._is_closed = True
        while self._in_flight:
            await self._ended.wait()
        await asyncio.sleep(max(0.0, self._quiet_at - self._clock()))

    async def _pass(self, write: Callable[[], Awaitable[bytes]]) -> bytes:
        await self._admit()
        begun = self._clock()
        self._in_flight += 1
        answered = False
        try:
            answer = await write()
            answered = True
        except ApiError as error:
            answered = error.status < HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            self._in_flight -= 1
            if not answered:
                # For one limit it may have been on its way, for another at work in the server.
                self._quiet_at = begun + 2 * self._limit_s
            self._ended.set()
            self._ended.clear()
        return answer

    async def _admit(self) -> None:
        if not self._permit.may_write() and not self._is_closed:
            try:
                async with asyncio.timeout(self._limit_s):
                    await self._permit.wait()
            except TimeoutError:
                raise NotLeading("another controller leads, or none does") from None
        if self._is_closed or self._permit.term != self._term:
            raise NotLeading("decided before another controller led")
