"""Looks at everything, decides, does what is missing, and looks again: on every change, and now and then.

An event only means "look again"; nothing is remembered that could not be found out anew, but what was
written a moment ago (Assumptions) and what was told already. A failed write ends no pass and no program: the
next plan holds it again, after a growing pause or with the next change, whichever comes first.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NoReturn, Protocol

from bareway.runtime.backoff import Backoff
from controller.allocation.assumptions import Memory
from controller.allocation.desk import Desk, Report
from controller.allocation.long_documents import LongDocuments
from controller.announcement.gossip import Sight
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.apply import Outcome
from controller.writing.effects import Effect
from controller.writing.journal import Journal
from controller.writing.stopwatch import Stopwatch

RESYNC_S: Final = 300.0  # heals what was missed, by us or by a watch
PAUSE_S: Final = 0.05  # between two passes: 1,000 Services created at once are some ten passes, not 1,000
AT_ONCE: Final = 4  # so many changes wait for nothing after a quiet while: each has an echo, or two
RETRY_CAP_S: Final = 10.0  # how late a Service may be served after the API server recovered
STANDBY_PAUSE_S: Final = 1.0  # before a look without a pass
FAILED_PAUSE_S: Final = 1.0  # what cannot be written delays no change by more, nor do changes rush it


class Doer(Protocol):
    """What is needed of ``Applier``."""

    async def apply(self, effects: Iterable[Effect]) -> Outcome:
        """Do all of them."""


class Turn(Protocol):
    """What is needed of ``Fence``: whose turn it is to write."""

    @property
    def term(self) -> int:
        """Another number than before: others led meanwhile."""

    def enter(self) -> bool:
        """Whether what is decided from here on may be written."""

    async def wait(self) -> None:
        """Return once it is worth while to ask again."""


class Pace:
    """Lets AT_ONCE changes through, and then one each PAUSE_S: those of a burst are gathered."""

    def __init__(self) -> None:
        self._due = -math.inf

    def wait_s(self, *, now: float) -> float:
        """How long to wait before the next look, which counts as done."""
        due = max(self._due, now - (AT_ONCE - 1) * PAUSE_S)
        self._due = due + PAUSE_S
        return max(0.0, due - now)


class Loop:
    """The controller's one loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        applier: Doer,
        memory: Memory,
        turn: Turn,
        sight: Sight | None = None,
        stopwatch: Stopwatch | None = None,
        changed: asyncio.Event,
        unix_time: Callable[[], int],
        rng: Random,
    ) -> None:
        """``changed`` is set by the mirrors; ``unix_time`` is for what outlives us, and for people.

        ``sight`` is what is seen of the speakers; without it announcer lists go by the Nodes.
        """
        self._settings = settings
        self._watch = watch
        self._applier = applier
        self._memory = memory
        self._turn = turn
        self._sight = sight
        self._stopwatch = stopwatch or Stopwatch()
        self._term = 0
        self._journal = Journal(watch)
        self._changed = changed
        self._backoff = Backoff(rng=rng, cap_s=RETRY_CAP_S)
        self._pace = Pace()
        self._unix_time = unix_time
        self._desk = Desk(settings, watch=watch, memory=memory, sight=self._sight)

    @property
    def report(self) -> Report:
        """What the last look found."""
        return self._desk.report

    async def run(self) -> NoReturn:
        """Look and act until cancelled; nothing is decided before everything was listed once."""
        while self._watch.unsynced:
            await self._changed.wait()
            self._changed.clear()
            self._journal.write_api()
        documents = LongDocuments(
            self._watch.source.offer, lambda: self._watch.in_force.objects.get(self._watch.in_force_key)
        )
        while True:
            self._changed.clear()
            await documents.prepare()
            if self._turn.enter():
                self._begin_term(self._turn.term)
                outcome = await self._pass()
                await self._pause(outcome)
            elif not await self._turn_comes():
                self._look(leads=False)  # so that what we say about ourselves is true
                await self._change_or_due()

    def _begin_term(self, term: int) -> None:
        """Forget what was known from having written it; the mirrors were listed afresh before a new term."""
        if term != self._term:
            self._term = term
            self._memory.forget()
            self._desk = Desk(self._settings, watch=self._watch, memory=self._memory, sight=self._sight)

    async def _turn_comes(self) -> bool:
        """Whether it is our turn within a moment, as at most starts; a look before would be in vain."""
        try:
            async with asyncio.timeout(STANDBY_PAUSE_S):
                await self._turn.wait()
        except TimeoutError:
            return False
        return True

    async def _pause(self, outcome: Outcome) -> None:
        """Until there is something to look at; not at all while passes change things."""
        if outcome.failed:
            await self._pause_after_failure(self._backoff.next_s())
        elif outcome.outdated:
            await self._change_within(self._backoff.next_s())
        elif not outcome.done:
            self._backoff.reset()
            await self._change_or_due()

    async def _pause_after_failure(self, limit_s: float) -> None:
        """Until ``limit_s`` passed, or a moment if something changes: it may be another Service."""
        least_s = min(limit_s, FAILED_PAUSE_S)
        await asyncio.sleep(least_s)
        if not self._changed.is_set():
            await self._change_within(limit_s - least_s)

    async def _change_or_due(self) -> None:
        """Until something changed, or the desk wants another look, or it is time to look at all."""
        due_s = self._desk.due_s - asyncio.get_running_loop().time()
        if due_s < RESYNC_S:
            await self._change_within(max(PAUSE_S, due_s))
        elif not await self._change_within(RESYNC_S):
            self._desk.look_at_all()

    async def _change_within(self, limit_s: float) -> bool:
        """Whether something changed within ``limit_s``."""
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(limit_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        if (wait_s := self._pace.wait_s(now=clock())) > 0:
            await asyncio.sleep(wait_s)
        return True

    async def _pass(self) -> Outcome:
        return await self._applier.apply(self._look(leads=True))

    def _look(self, *, leads: bool) -> tuple[Effect, ...]:
        """What is missing; what changed of it is logged."""
        now_s = asyncio.get_running_loop().time()
        effects = self._desk.look(now_s=now_s, unix=self._unix_time(), leads=leads)
        self._stopwatch.decided(self.report.allocation)
        self._journal.write_api()
        self._journal.write_configuration(self.report.acceptance, self.report.in_force)
        return effects
