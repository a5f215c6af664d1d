"""A mirror of one kind of object in memory: list, then watch, for ever.

Lists come in pages, a watch asks for bookmarks and lasts about five minutes; when it ends it goes on where it
was, and when that place is forgotten (410), or somebody wants to know (``relist``), a new list begins.
Whatever goes wrong, the objects stay as they were last seen, and no failure is repeated without a growing,
jittered pause: short to the end for a server that cannot be connected to, long for one that is there and says
no, or nothing. The only failure that ends ``run`` is a right that is missing from the start.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing, suppress
from random import Random
from typing import Generic, NoReturn, Protocol, TypeVar

from bareway.model.names import ObjectKey
from bareway.model.problems import Problem
from bareway.resources.kinds import Bookmark, Failed, Kind, Unreadable
from bareway.runtime.backoff import Backoff
from bareway.runtime.kube.errors import (
    ApiError,
    BadAnswer,
    Forbidden,
    Gone,
    KubeError,
    Unreachable,
    api_error,
)
from bareway.runtime.kube.store import Store

T = TypeVar("T")

PAGES_MAX = 10_000  # 5,000,000 objects: a server that always has one more page is none
PAGE_TIMEOUT_S = 30.0  # a first page may have to be read from etcd
STEP = 50  # objects read between two looks at the event loop: about one millisecond
WATCH_S = (240.0, 360.0)  # five minutes, spread so that 500 speakers do not come back together
WATCH_GRACE_S = 10.0  # for the server to end the watch itself
HEALTHY_S = 10.0  # a watch that lived so long was no failure
RETRY_CAP_S = 15.0
"""For a server that is there and fails, is not believed, or does not answer in time.

500 speakers with six mirrors ask it 270 times a second.
"""
AWAY_CAP_S = 2.5
"""How late we may notice that a server is back to which nobody could connect (``Unreachable.is_away``).

The same speakers try 1,600 connections a second then, which cost a machine that refuses them next to nothing.
When it is back each mirror asks once, as it would after any pause; what is too much at once it queues, or
answers 429, and then ``RETRY_CAP_S`` holds.
"""
RETRY_AFTER_MAX_S = 60.0  # how long a server may ask us to wait


def ignore(changed: Collection[ObjectKey]) -> None:
    """For those who look at everything anyway."""


class Api(Protocol):
    """What a reflector needs of ``KubeClient``."""

    async def get(self, path: str, query: Mapping[str, str], *, timeout_s: float) -> bytes:
        """One page."""

    def watch(
        self, path: str, query: Mapping[str, str], *, timeout_s: float
    ) -> AsyncGenerator[list[bytes], None]:
        """An empty batch once the watch is open, then lines."""


class Reflector(Generic[T]):
    """All objects of one kind, in one namespace or in all, kept up to date while ``run`` runs."""

    def __init__(
        self,
        client: Api,
        kind: Kind[T],
        *,
        namespace: str | None = None,
        field_selector: str = "",
        label_selector: str = "",
        rng: Random,
        on_change: Callable[[], None],
        on_objects: Callable[[Collection[ObjectKey]], None] = ignore,
    ) -> None:
        """Both callbacks must not wait; ``on_objects`` is called first, with what changed."""
        self._client = client
        self._kind = kind
        self._path = kind.path(namespace)
        selectors = {"fieldSelector": field_selector, "labelSelector": label_selector}
        self._selector = {name: selector for name, selector in selectors.items() if selector}
        self._rng = rng
        self._on_change = on_change
        self._on_objects = on_objects
        self._pauses_away = Backoff(rng=rng, cap_s=AWAY_CAP_S)
        self._pauses = Backoff(rng=rng, cap_s=RETRY_CAP_S)
        self._store: Store[T] = Store()
        self._synced = asyncio.Event()
        self._wishes = 0
        """Calls of ``relist``; a list answers those that came before it began."""
        self._answered = 0
        self._wished = asyncio.Event()
        self._listed = asyncio.Event()
        self._watching: asyncio.Timeout | None = None
        self._opened_at = math.inf
        self.connected = False
        """The last attempt succeeded: objects are fresh."""
        self.trouble = ""
        """Why not connected, as one sentence."""
        self.refused = False
        """The trouble is a right that is missing; the API server itself is well."""
        self.updates = 0
        """Objects received that were new or different, and deletions."""
        self.errors = 0
        """Failed requests, broken watches and unreadable answers."""
        self.lists = 0
        """Complete lists; more than one = relists."""

    @property
    def kind(self) -> Kind[T]:
        """What is mirrored."""
        return self._kind

    @property
    def objects(self) -> Mapping[ObjectKey, T]:
        """The objects as last seen; ask again rather than keep it."""
        return self._store.objects

    def keep(self, key: ObjectKey, content: T) -> None:
        """Have one object in memory where a reader had another that is equal."""
        self._store.keep(key, content)

    @property
    def problems(self) -> Mapping[ObjectKey, tuple[Problem, ...]]:
        """What is wrong with objects that cannot be read; ``objects`` has their last good form, if any."""
        return self._store.problems

    @property
    def synced(self) -> bool:
        """Whether a first list is complete; never false again."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once a first list is complete."""
        await self._synced.wait()

    async def relist(self) -> None:
        """Return once a list that began after this call is complete; ``run`` makes it, at once."""
        self._wishes += 1
        wish = self._wishes
        self._wished.set()
        if self._watching is not None:
            self._watching.reschedule(asyncio.get_running_loop().time())
        while self._answered < wish:
            await self._listed.wait()

    async def run(self) -> NoReturn:
        """Mirror until cancelled.

        Raises:
            Forbidden: before the first list was complete; a right taken away later is only trouble.
            CredentialsUnusable: there is no way to speak to the API server.
        """
        clock = asyncio.get_running_loop().time
        while True:
            self._opened_at = math.inf
            failure: KubeError | None = None
            try:
                await self._list_and_watch()
            except KubeError as error:
                if isinstance(error, Forbidden) and not self.synced:
                    raise
                failure = error
                self._fail(error)
            healthy = clock() - self._opened_at >= HEALTHY_S
            if healthy:
                self._pauses_away.reset()
                self._pauses.reset()
            if failure is not None or not healthy:
                await self._pause(self._pause_s(failure))

    async def _pause(self, limit_s: float) -> None:
        """For so long, or until somebody wants a list."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._wished.wait()

    def _pause_s(self, failure: KubeError | None) -> float:
        """Before the next attempt, after one that failed or opened a watch that ended soon."""
        if isinstance(failure, Unreachable) and failure.is_away and self._opened_at == math.inf:
            self._pauses.reset()  # who comes back may refuse at first, while its caches fill
            return self._pauses_away.next_s()
        asked_s = failure.retry_after_s if isinstance(failure, ApiError) else 0.0
        return max(min(asked_s, RETRY_AFTER_MAX_S), self._pauses.next_s())

    async def _list_and_watch(self) -> None:
        try:
            resumes = bool(self._store.resource_version)
            is_over = False
            while not is_over:
                while not self._store.resource_version or self._answered < self._wishes:
                    await self._list()
                    resumes = False
                is_over = await (self._go_on() if resumes else self._watch())
        except (Gone, BadAnswer):  # what came last is unknown: only a list tells
            self._store.expire()
            raise
        except Unreadable as error:
            self._store.expire()
            raise BadAnswer(f"GET {self._path}: {error}") from error
        self._on_change()  # the five-minute resync: look again, even if nothing seems to have changed

    async def _go_on(self) -> bool:
        """Watch from where we were; False also if the server has forgotten that place, as after a restart."""
        try:
            return await self._watch()
        except Gone:
            self._store.expire()
            return False

    def _fail(self, error: KubeError) -> None:
        self.errors += 1
        told = self.trouble
        self.connected, self.trouble = False, str(error)
        self.refused = isinstance(error, Forbidden)
        if told != self.trouble:
            self._on_change()

    def _succeed(self) -> None:
        if not self.connected:
            self.connected, self.trouble, self.refused = True, "", False
            self._on_change()

    async def _list(self) -> None:
        wishes = self._wishes
        self._wished.clear()
        self._store.begin_list()
        query = {"limit": str(self._kind.page_size), **self._selector}
        for _ in range(PAGES_MAX):
            page = self._kind.read_page(await self._client.get(self._path, query, timeout_s=PAGE_TIMEOUT_S))
            for count, reading in enumerate(page.readings, start=1):
                self._store.add(reading)
                if count % STEP == 0:
                    await asyncio.sleep(0)
            if not page.continue_token:
                break
            query["continue"] = page.continue_token
        else:
            raise BadAnswer(f"GET {self._path}: more than {PAGES_MAX} pages")
        changed = self._store.end_list(page.resource_version)
        self.lists += 1
        self._answered = wishes
        self._listed.set()
        self._listed.clear()
        self._synced.set()
        if changed or self.lists == 1:
            self.updates += 1
            self._on_objects(changed)
            self._on_change()

    async def _watch(self) -> bool:
        """Until the watch ends; whether it ended by itself, not by a wish."""
        lasts_s = self._rng.uniform(*WATCH_S)
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._store.resource_version,
            "timeoutSeconds": str(int(lasts_s)),
            **self._selector,
        }
        clock = asyncio.get_running_loop().time
        watch = self._client.watch(self._path, query, timeout_s=lasts_s + WATCH_GRACE_S)
        try:
            async with asyncio.timeout(None) as self._watching, aclosing(watch) as batches:
                async for lines in batches:
                    self._opened_at = min(self._opened_at, clock())
                    self._succeed()
                    self._take(lines)
        except TimeoutError:
            return False
        finally:
            self._watching = None
        return True

    def _take(self, lines: list[bytes]) -> None:
        """One batch, one call of ``on_change``: many events that come together are one change."""
        before = self.updates
        try:
            for line in lines:
                self._take_line(line)
        finally:
            if self.updates != before:
                self._on_change()

    def _take_line(self, line: bytes) -> None:
        event = self._kind.read_event(line)
        if isinstance(event, Failed):
            raise api_error(f"GET {self._path}", event.status, event.reason, event.message)
        if self._store.apply(event):
            self.updates += 1
            if not isinstance(event, Bookmark):
                self._on_objects((event.key,))
