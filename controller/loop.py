"""Looks at everything, decides, does what is missing, and looks again: on every change, and now and then.

An event only means "look again"; nothing is remembered that could not be found out anew, but what was
written a moment ago (Assumptions) and what was told already. A failed write ends no pass and no program: the
next plan holds it again, after a growing pause or with the next change, whichever comes first.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final, NoReturn, Protocol

from bareway.decide.allocate import AllocationView, allocate
from bareway.decide.verdicts import Allocation
from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.resources.in_force import GENERATION, NUMBER, InForce, read_in_force
from bareway.resources.kinds import CONFIG_MAPS
from bareway.runtime.backoff import Backoff
from controller.acceptance import Acceptance, accept, renewed
from controller.apply import Outcome
from controller.assumptions import Memory
from controller.effects import Effect, Notice
from controller.journal import Journal
from controller.notices import lacking, standing
from controller.plan import Desired, Shown, plan
from controller.settings import Settings
from controller.watch import Watch

RESYNC_S: Final = 300.0  # heals what was missed, by us or by a watch
PAUSE_S: Final = 0.1  # between two passes: 1,000 Services created at once are some ten passes, not 1,000
RETRY_CAP_S: Final = 10.0  # how late a Service may be served after the API server recovered
FAILED_PAUSE_S: Final = 1.0  # what cannot be written delays no change by more, nor do changes rush it


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the last pass found."""

    acceptance: Acceptance = field(default_factory=lambda: Acceptance(in_force=None))
    allocation: Allocation | None = None


class Doer(Protocol):
    """What is needed of ``Applier``."""

    async def apply(self, effects: Iterable[Effect]) -> Outcome:
        """Do all of them."""


class Loop:
    """The controller's one loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        applier: Doer,
        memory: Memory,
        changed: asyncio.Event,
        rng: Random,
    ) -> None:
        """``changed`` is set by the mirrors."""
        self._settings = settings
        self._watch = watch
        self._applier = applier
        self._memory = memory
        self._journal = Journal(watch)
        self._changed = changed
        self._backoff = Backoff(rng=rng, cap_s=RETRY_CAP_S)
        self._told: dict[ObjectReference, Notice] = {}
        self._remembered: InForce | None = None
        self._read: tuple[ConfigMap | None, InForce | None] = (None, None)
        self.report = Report()

    async def run(self) -> NoReturn:
        """Look and act until cancelled; nothing is decided before everything was listed once."""
        while self._watch.unsynced:
            await self._changed.wait()
            self._changed.clear()
            self._journal.write_api()
        while True:
            self._changed.clear()
            outcome = await self._pass()
            await self._pause(outcome)

    async def _pause(self, outcome: Outcome) -> None:
        """Until there is something to look at; not at all while passes change things."""
        if outcome.failed:
            await self._pause_after_failure(self._backoff.next_s())
        elif outcome.outdated:
            await self._change_within(self._backoff.next_s())
        elif not outcome.done:
            self._backoff.reset()
            await self._change_within(RESYNC_S)

    async def _pause_after_failure(self, limit_s: float) -> None:
        """Until ``limit_s`` passed, or a moment if something changes: it may be another Service."""
        least_s = min(limit_s, FAILED_PAUSE_S)
        await asyncio.sleep(least_s)
        if not self._changed.is_set():
            await self._change_within(limit_s - least_s)

    async def _change_within(self, limit_s: float) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            async with asyncio.timeout(limit_s):
                await self._changed.wait()
        except TimeoutError:
            return
        # A lone change is served at once; those of a burst are gathered.
        if clock() - begun < PAUSE_S:
            await asyncio.sleep(PAUSE_S)

    async def _pass(self) -> Outcome:
        desired, shown = self._look()
        outcome = await self._applier.apply(plan(desired, shown))
        self._told = dict(desired.notices)
        return outcome

    def _look(self) -> tuple[Desired, Shown]:
        """What should be and what is shown, at this moment; also reported and, where it changed, logged."""
        watch, memory = self._watch, self._memory
        memory.services.prune(watch.services.objects)
        memory.configurations.prune(watch.in_force.objects)
        memory.secrets.prune(watch.secrets.objects)
        services = memory.services.shown(watch.services.objects)
        holding = memory.services.held(watch.services.objects)
        config_map = memory.configurations.shown(watch.in_force.objects).get(watch.in_force_key)
        in_force = self._in_force(config_map)

        def decide(configuration: Configuration) -> Allocation:
            view = AllocationView(
                configuration=configuration,
                services=holding.values(),
                load_balancer_class=self._settings.load_balancer_class,
            )
            return allocate(view)

        acceptance = self._accept(in_force, config_map, decide)
        is_written = acceptance.in_force is not None and acceptance.in_force == in_force
        allocation = decide(acceptance.in_force.configuration) if is_written and acceptance.in_force else None
        self.report = Report(acceptance=acceptance, allocation=allocation)
        self._journal.write_api()
        self._journal.write_configuration(acceptance, in_force)
        uid = config_map.uid if config_map is not None else ""
        own = ObjectReference(kind=CONFIG_MAPS.name, key=watch.in_force_key, uid=uid)
        notices = {**standing(acceptance, allocation, services), **lacking(watch.refusals, own)}
        has_key = watch.secret_key in memory.secrets.shown(watch.secrets.objects)
        return Desired(in_force=acceptance.in_force, allocation=allocation, notices=notices), Shown(
            services=services,
            configuration_key=watch.in_force_key,
            configuration_version=config_map.resource_version if config_map is not None else "",
            in_force=in_force,
            missing_key=None if has_key else watch.secret_key,
            told=self._told,
        )

    def _in_force(self, config_map: ConfigMap | None) -> InForce | None:
        """What can be read in the ConfigMap; read once for each version of it."""
        if self._read[0] is not config_map:
            content = read_in_force(config_map) if config_map is not None else None
            in_force = content if isinstance(content, InForce) else None
            self._read = (config_map, in_force)
            self._remembered = in_force or self._remembered
        return self._read[1]

    def _accept(
        self,
        in_force: InForce | None,
        config_map: ConfigMap | None,
        decide: Callable[[Configuration], Allocation],
    ) -> Acceptance:
        """Judge the newest document against what is in force, or was before somebody took it away."""
        generation = last_generation(config_map)
        if in_force is None and self._remembered is not None:
            in_force = renewed(self._remembered, generation)
            generation = in_force.generation
        return accept(self._watch.source.offer(), present=in_force, generation=generation, decide=decide)


def last_generation(config_map: ConfigMap | None) -> int:
    """As far as it can be read, also in a ConfigMap that somebody damaged: none is given twice."""
    text = config_map.data.get(GENERATION, "") if config_map is not None else ""
    return int(text) if NUMBER.fullmatch(text) else 0
