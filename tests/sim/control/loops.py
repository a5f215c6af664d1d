"""An event loop of asyncio for one simulated process: it has a turn when the world gives it one.

Nothing here waits. The world asks when the next timer is due and calls ``turn``; what is ready then runs
until nothing is, at one moment of the process's own clock. Several loops live side by side in one thread,
and one that gets no turn is a process that is frozen.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop:
    """What tasks, futures, events and timeouts need of a loop, and no more."""

    def __init__(self, clock: Callable[[], float], unix: Callable[[], int]) -> None:
        """``clock`` tells the process's own monotonic seconds, ``unix`` its time of day."""
        self._me = cast("asyncio.AbstractEventLoop", self)  # as far as anybody asks
        self._clock = clock
        self.unix = unix
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = count()
        self.is_stopped: Callable[[], bool] = lambda: False
        """Asked before each step: whether the process was frozen or ended by the one before."""
        self.errors: list[str] = []
        """What nobody caught."""

    # ------------------------------------------------------------ for the world

    def turn(self, first: Callable[[], None] | None = None) -> None:
        """Do ``first``, then all that is ready or due, and what becomes ready by it."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self._me)
        try:
            if first is not None:
                first()
            while not self.is_stopped() and self._has_work():
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(before)

    def next_at(self) -> float | None:
        """When the next timer is due, on the process's own clock; None without one."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _has_work(self) -> bool:
        if not self._ready:
            now = self._clock()
            while self._timers and self._timers[0][0] <= now:
                self._ready.append(heapq.heappop(self._timers)[2])
        return bool(self._ready)

    # ------------------------------------------------------------ for asyncio

    def time(self) -> float:
        return self._clock()

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self._me, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self._me, context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._clock() + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._me)

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self._me, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when it is due."""
