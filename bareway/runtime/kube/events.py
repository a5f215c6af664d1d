"""Events about objects, for ``kubectl describe``: queued, told on change only, and never in anybody's way.

``emit`` returns at once and never fails: what cannot be told is dropped and counted. Events trail behind the
work that they tell of: a bounded number a second, and none while the work is busy. The same news later is the
same Event with a greater count, also after a restart, since its name is a digest of what it says.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from random import Random
from typing import NoReturn, Protocol

import msgspec

from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType, Note, WireEvent, again_patch, event_body, event_key
from bareway.runtime.backoff import Backoff
from bareway.runtime.clock import utc_now
from bareway.runtime.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    KubeError,
    TooManyRequests,
    Unreachable,
)
from bareway.runtime.kube.novelty import Novelty

QUEUE_MAX = 8192  # a first start with 5,000 Services tells of each; beyond it the newest is dropped
ATTEMPTS_MAX = 5  # about four seconds; news older than that is in the status and the log
PAUSE_MAX_S = 4.0  # what the last of five attempts waits for
SERVER_ERRORS = 500
PACE_S = 0.02  # 50 a second: an API server has better things to do
BURST = 10  # so many at once and then a pause: to wake up for each costs three times as much CPU
PATIENCE_S = 2.0  # work that never ends does not keep news back for longer


class Api(Protocol):
    """What a recorder needs of ``KubeClient``."""

    async def get(self, path: str) -> bytes:
        """One object."""

    async def create(self, path: str, body: Mapping[str, object]) -> bytes:
        """Create an object."""

    async def merge_patch(self, path: str, body: Mapping[str, object]) -> bytes:
        """Change an object."""


def never() -> bool:
    """For programs whose work does not go through the API."""
    return False


class Recorder:
    """Writes Events in the name of one component."""

    def __init__(
        self,
        client: Api,
        component: str,
        *,
        instance: str = "",
        rng: Random,
        is_busy: Callable[[], bool] = never,
    ) -> None:
        """``is_busy``: whether there are more important writes just now."""
        self._client = client
        self._component = component
        self._instance = instance
        self._rng = rng
        self._is_busy = is_busy
        self._queue: deque[Note] = deque()
        self._filled = asyncio.Event()
        self._novelty = Novelty()
        self.sent = 0
        self.dropped = 0

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        """Tell ``message`` about an object, unless that is no news."""
        note = Note(about, type_, reason, message)
        if not self._novelty.is_news(note, now=asyncio.get_running_loop().time()):
            return
        if len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return
        self._queue.append(note)
        self._filled.set()

    async def run(self) -> NoReturn:
        """Send what is queued, some at once and then a pause, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._filled.wait()
            while self._queue:
                await self._wait_for_the_work(clock() + PATIENCE_S)
                begun_s = clock()
                count = await self._send_some(1 if self._is_busy() else BURST)
                await asyncio.sleep(begun_s + count * PACE_S - clock())
            self._filled.clear()

    async def flush(self, limit_s: float) -> None:
        """Send what is queued without pauses, and leave what takes longer than ``limit_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._queue:
                    await self._send_some(BURST)

    async def _send_some(self, most: int) -> int:
        """Send side by side, but one after the other what is about one object; returns how many."""
        count = min(most, len(self._queue))
        by_object: dict[ObjectReference, list[Note]] = {}
        for _ in range(count):
            note = self._queue.popleft()
            by_object.setdefault(note.about, []).append(note)
        async with asyncio.TaskGroup() as group:
            for notes in by_object.values():
                group.create_task(self._send_all(notes))
        return count

    async def _send_all(self, notes: Iterable[Note]) -> None:
        for note in notes:
            if await self._deliver(note):
                self.sent += 1
            else:
                self.dropped += 1

    async def _wait_for_the_work(self, until_s: float) -> None:
        clock = asyncio.get_running_loop().time
        while self._is_busy() and clock() < until_s:  # noqa: ASYNC110 - who works need not know us
            await asyncio.sleep(PACE_S)

    async def _deliver(self, note: Note) -> bool:
        backoff = Backoff(rng=self._rng, cap_s=PAUSE_MAX_S)
        for _ in range(ATTEMPTS_MAX):
            try:
                await self._send(note)
            except KubeError as error:
                if not _is_worth_another(error):
                    return False
            else:
                return True
            await asyncio.sleep(backoff.next_s())
        return False

    async def _send(self, note: Note) -> None:
        at = utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
        key = event_key(note, self._component, self._instance)
        collection = f"/api/v1/namespaces/{key.namespace}/events"
        try:
            await self._client.create(collection, event_body(note, self._component, self._instance, at))
        except AlreadyExists:
            path = f"{collection}/{key.name}"
            present = msgspec.json.decode(await self._client.get(path), type=WireEvent)
            await self._client.merge_patch(path, again_patch(present, at))


def _is_worth_another(error: KubeError) -> bool:
    """A server that is away or overloaded, or an Event that was counted by somebody else in between."""
    if isinstance(error, ApiError) and error.status >= SERVER_ERRORS:
        return True
    return isinstance(error, Unreachable | TooManyRequests | Conflict)
