"""How a node leaves its routers, and how a speaker restarts without that anybody notices.

A node leaves when its Node says so: by a drain mark, a taint, or because it shuts down. Then all routes carry
GRACEFUL_SHUTDOWN first (RFC 8326), routers choose others while packets still find us, and only after that are
routes withdrawn. A node that nobody can stand in for keeps its routes, with that mark. A speaker that begins
on a node that has left announces nothing, not even for that while: at most it tells routers that kept routes
of its former life that there are none. Any other end is a
restart: nothing is said, and who agreed to graceful restart keeps our routes until we are back (RFC 4724).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn, Protocol

from bareway.bgp.events import Stage, StopReason
from bareway.decide.announcement.leaving import LeavingReason
from bareway.runtime.clock import monotonic

logger = logging.getLogger(__name__)

GRACE_S: Final = 30.0  # terminationGracePeriodSeconds of the manifests
SPARE_S: Final = 2.0
DRAIN_S: Final = min(10.0, GRACE_S - SPARE_S)
"""With the mark, before routes are withdrawn: a router's choice, and the last packets of the old one."""
LATE_MARK_S: Final = 0.5
"""A kubelet that shuts its node down says so on the Node and ends us in the same moment."""


class Sessions(Protocol):
    """What is asked of the driver."""

    def drain(self, stage: Stage) -> None:
        """Mark all routes, or none."""

    async def leave(self, reason: StopReason, text: str = "") -> None:
        """End all sessions."""

    def withhold(self, stage: Stage) -> None:
        """Tell nobody any route, or all again what is wanted."""

    def announce_restart(self) -> None:
        """Ask for patience what watches the path, and does not know of graceful restart."""

    def call_off_restart(self) -> None:
        """No patience after all: who is gone from now on is to be missed at once."""

    def stay(self) -> None:
        """Begin them anew."""


class Departure:
    """Follows the marks on our Node; ``run`` it in a task, and ``leave`` at the end of the program."""

    def __init__(
        self,
        driver: Sessions,
        *,
        reason: Callable[[], LeavingReason | None],
        is_alone: Callable[[], bool],
        is_known: Callable[[], bool],
        was_up: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare.

        Args:
            driver: of all sessions.
            reason: why this node leaves; None = it does not.
            is_alone: no other node can stand in for it.
            is_known: ``reason`` and ``is_alone`` can be answered; no session begins before.
            was_up: a former life had sessions a moment ago, of which routers may have kept routes.
            clock: in seconds.
        """
        self._driver = driver
        self._reason = reason
        self._is_alone = is_alone
        self._is_known = is_known
        self._was_up = was_up
        self._clock = clock
        self._has_begun = False
        self._is_withheld = False
        self._changed = asyncio.Event()
        self._drained_at: float | None = None
        self._has_left = False
        self._leaving = asyncio.Lock()

    def look_again(self) -> None:
        """Our Node may say something else now; to be told before sessions follow it."""
        self._begin()
        self._changed.set()

    async def run(self) -> NoReturn:
        """Leave and come back as the marks say, until cancelled."""
        self._begin()
        await self._until(lambda: self._has_begun)
        while True:
            await self._until(self._is_marked)
            self._drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S if self._was_up or not self._is_withheld else 0.0):
                    await self._until(lambda: not self._is_marked())
            await self._until(lambda: self._is_withheld or not (self._is_marked() and self._is_alone()))
            if self._is_marked():
                await self._withdraw()
                await self._until(lambda: not self._is_marked())
            self._return()

    async def leave(self) -> None:
        """The program ends: for good where the node leaves, else to come back."""
        is_patience_asked = not self._is_marked()
        if is_patience_asked:
            self._driver.announce_restart()
        with suppress(TimeoutError):
            async with asyncio.timeout(LATE_MARK_S):
                await self._until(self._is_marked)
        if not self._is_marked():
            logger.info("BGP restarts: sessions end without a word")
            await self._driver.leave(StopReason.RESTART)
            return
        if is_patience_asked:
            self._driver.call_off_restart()
        self._drain()
        if self._drained_at is not None and not (self._has_left or self._is_withheld):
            await asyncio.sleep(max(0.0, self._drained_at + DRAIN_S - self._clock()))
        await self._withdraw()

    @property
    def is_for_good(self) -> bool:
        """Routes were withdrawn on purpose."""
        return self._has_left

    def _begin(self) -> None:
        """What our Node says before there is any session: one that has left is not announced by again."""
        if self._has_begun or not self._is_known():
            return
        self._has_begun = True
        if self._is_marked():
            self._is_withheld = not self._is_alone()
            if self._is_withheld:
                self._driver.withhold(Stage.BEGIN)
            self._drain()

    def _is_marked(self) -> bool:
        return self._reason() is not None

    def _drain(self) -> None:
        if self._drained_at is None:
            self._drained_at = self._clock()
            logger.info("routes are marked: the node leaves", extra={"reason": self._reason()})
            self._driver.drain(Stage.BEGIN)

    async def _withdraw(self) -> None:
        async with self._leaving:  # the mark and the program's end may come together
            if self._has_left:
                return
            self._has_left = True
            reason = self._reason()
            logger.info("routes are withdrawn: the node leaves", extra={"reason": reason})
            await self._driver.leave(
                StopReason.LEAVING, f"node leaves: {reason}" if reason else "node leaves"
            )

    def _return(self) -> None:
        self._drained_at = None
        if self._is_withheld:
            self._is_withheld = False
            self._driver.withhold(Stage.END)
        self._driver.drain(Stage.END)
        logger.info("routes are no longer marked: the node stays")
        if self._has_left:
            self._has_left = False
            self._driver.stay()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
