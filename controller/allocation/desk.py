"""What one look at the cluster comes to; kept from look to look so that a change costs what it touches.

Nothing here could not be found out anew: a desk that is made anew begins with what Kubernetes shows, as after
a restart, or where somebody else led in between.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bareway.decide.allocation.verdicts import Allocation
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.configuration import Configuration
from bareway.model.memory import AllocationMemory
from bareway.model.names import ServiceKey
from bareway.model.objects import ConfigMap, ObjectReference
from bareway.resources.in_force import InForce
from bareway.resources.kinds import CONFIG_MAPS
from bareway.runtime.clock import monotonic
from controller.allocation.acceptance import Acceptance
from controller.allocation.assumptions import Memory
from controller.allocation.decider import Circumstances, Decider
from controller.allocation.judge import Judge
from controller.allocation.picture import Picture
from controller.allocation.state import State
from controller.allocation.strangers import StrangerWatch
from controller.announcement.fresh import Decided
from controller.announcement.gossip import Nobody, Sight
from controller.announcement.lists import Lists
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.backlog import WRITES_MAX, Backlog
from controller.writing.corrections import Corrections
from controller.writing.effects import (
    Confirm,
    Effect,
    Notice,
    ServiceWrite,
    Write,
    WriteState,
)
from controller.writing.notices import lacking, of_acceptance, standing
from controller.writing.plan import Desired, Shown, effects_of, missing, was_made

NOBODY: Final[frozenset[ServiceKey]] = frozenset()
STEP: Final = 100  # Services looked at before asking whether these are enough for a pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the last look found."""

    acceptance: Acceptance = field(default_factory=lambda: Acceptance(in_force=None))
    in_force: InForce | None = None
    """As it is written; the one accepted may be still to be written."""
    allocation: Allocation | None = None
    list_generation: int = 0
    """Of the announcer lists as they were wanted by then."""
    lists: AnnouncerLists = field(default_factory=AnnouncerLists)
    memory: AllocationMemory = field(default_factory=AllocationMemory)


class Desk:
    """From what the mirrors show to the effects that are missing."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        memory: Memory,
        sight: Sight | None = None,
        clock: Callable[[], float] = monotonic,
        writes_max: int = WRITES_MAX,
    ) -> None:
        """``clock`` tells how long a decision takes; when things are due is said by ``now_s`` alone.

        ``writes_max``: about so many Services are written in one pass.
        """
        self._writes_max = writes_max
        self._namespace = settings.namespace
        self._watch = watch
        self._memory = memory
        self._picture = Picture(memory.services)
        self._decider = Decider(settings.load_balancer_class)
        self._corrections = Corrections()
        self._backlog = Backlog()
        self._judge = Judge(self._would_decide, clock=clock)
        self._state = State()
        self._strangers = StrangerWatch()
        self._sight = sight or Nobody()
        self._lists = Lists(
            namespace=settings.namespace,
            load_balancer_class=settings.load_balancer_class,
            watch=watch,
            assumptions=memory.lists,
            sight=self._sight,
        )
        self._unix = 0
        self._again: set[ServiceKey] = set()
        """Where something was missing: it may be written by now, or be possible by now."""
        self._told: Mapping[ObjectReference, Notice] = {}
        self._looks_at_all = True
        self.report = Report()
        self.due_s = math.inf
        """When to look again though nothing changes, on the clock of ``now_s``."""

    def look_at_all(self) -> None:
        """Let the next look pass over nothing: heals what was missed."""
        self._looks_at_all = True

    def look(self, *, now_s: float, unix: int, leads: bool = True) -> tuple[Effect, ...]:
        """What is missing at this moment.

        Args:
            now_s: monotonic seconds.
            unix: seconds of Unix time, for what outlives the process and for people.
            leads: what is missing will be done; otherwise others write, and what they write is right.
        """
        self._unix = unix
        keys = self._refresh(leads=leads)
        config_map = self._memory.configurations.shown(self._watch.in_force.objects).get(
            self._watch.in_force_key
        )
        offer = self._watch.source.offer()
        acceptance = self._judge.judge(offer, config_map, has_changed=bool(keys), now_s=now_s)
        in_force = self._judge.in_force(config_map)
        # Whether another one is in force already nobody knows: this one is written once more, to find out.
        is_doubtful = self._memory.configurations.is_doubtful(self._watch.in_force_key)
        is_written = in_force is not None and acceptance.in_force == in_force and not is_doubtful
        if leads and in_force is not None:
            keys |= self._mind_strangers(in_force.configuration, now_s=now_s)
        allocation = self._decide(in_force.configuration, keys) if is_written and in_force else None
        self.report = Report(
            acceptance=acceptance,
            in_force=in_force,
            allocation=self.report.allocation if is_doubtful else allocation,
            list_generation=self._lists.lists.generation,
            lists=self._lists.lists,
            memory=self._state.wanted,
        )
        # What we wrote was listed before: it changes nothing there.
        is_news = any(not self._memory.services.is_ours(key) for key in keys)
        turns = self._backlog.order(keys, self._picture.shown)
        corrected = withheld = NOBODY
        if leads and allocation is not None:
            corrected, withheld = self._settle(turns, allocation, now_s=now_s)
        desired = Desired(
            in_force=acceptance.in_force,
            when_in_force=of_acceptance(acceptance),
            allocation=allocation,
            memory=self._state.wanted,
            is_memory_due=self._state.is_due(now_s=now_s),
            notices=self._notices(acceptance, config_map),
            corrected=corrected,
            withheld=withheld,
            in_use=self._strangers.in_use,
            now=unix,
        )
        shown = self._shown(in_force if not is_doubtful else None, config_map)
        return self._plan(desired, shown, turns, has_changed=is_news, now_s=now_s, leads=leads)

    def _notices(
        self, acceptance: Acceptance, config_map: ConfigMap | None
    ) -> Mapping[ObjectReference, Notice]:
        """What stands and is told when it changes."""
        own = CONFIG_MAPS.reference(
            self._watch.in_force_key, config_map.uid if config_map is not None else ""
        )
        return {
            **standing(acceptance, self._watch.services.problems),
            **lacking(self._watch.refusals, own),
        }

    def _refresh(self, *, leads: bool) -> set[ServiceKey]:
        """Take in what changed; the Services that have to be looked at."""
        watch, memory = self._watch, self._memory
        memory.configurations.prune(watch.in_force.objects)
        memory.secrets.prune(watch.secrets.objects)
        memory.states.prune(watch.state.objects)
        self._state.read(memory.states.shown(watch.state.objects).get(watch.state_key))
        keys = self._again | {key for key in watch.take_changed() if not self._is_echo(key)}
        if self._looks_at_all:
            keys |= watch.services.objects.keys() | self._picture.shown.keys()
            self._looks_at_all = False
        if not leads:
            keys |= self._picture.forget_given()
        self._picture.refresh(keys, watch.services.objects)
        return keys

    def _is_echo(self, key: ServiceKey) -> bool:
        """Whether the watch shows of a Service what we know from having written it: nothing to look at."""
        mirror = self._watch.services
        known = self._picture.known(key, mirror.objects.get(key))
        if known is not None:
            mirror.keep(key, known)
        return known is not None

    def _mind_strangers(self, configuration: Configuration, *, now_s: float) -> frozenset[ServiceKey]:
        """Leave to strangers what is theirs; the Services of which something else is to be said."""
        self._state.wanted, keys = self._strangers.look(
            self._sight.findings(now=now_s),
            configuration=configuration,
            allocation=self.report.allocation,
            services=self._picture.shown,
            fresh=lambda: self._lists.fresh,
            memory=self._state.wanted,
            now=self._unix,
        )
        return keys

    def _decide(self, configuration: Configuration, keys: set[ServiceKey]) -> Allocation:
        """Decide, and add to ``keys`` for whom it is another decision than before."""
        circumstances = self._circumstances(configuration)
        allocation, moved = self._decider.decide(circumstances, self._picture.held, keys)
        keys.update(moved)
        self._state.follow(allocation, configuration, self._picture.held, now=self._unix)
        return allocation

    def _would_decide(self, configuration: Configuration) -> Allocation:
        return self._decider.afresh(self._circumstances(configuration), self._picture.held)

    def _circumstances(self, configuration: Configuration) -> Circumstances:
        return Circumstances(
            configuration=configuration,
            namespaces=self._watch.namespace_labels,
            memory=self._state.wanted,
            now=self._unix,
        )

    def _settle(
        self, keys: Collection[ServiceKey], allocation: Allocation, *, now_s: float
    ) -> tuple[frozenset[ServiceKey], frozenset[ServiceKey]]:
        """Which Services somebody wrote over, and which of them are not put right yet."""
        self._corrections.begin(now_s=now_s)
        for key in keys:
            self._picture.settle(key, allocation.verdicts.get(key))
        corrected = frozenset(key for key in keys if self._picture.is_edited(key))
        withheld = frozenset(key for key in corrected if not self._corrections.may(key, now_s=now_s))
        return corrected, withheld

    def _shown(self, in_force: InForce | None, config_map: ConfigMap | None) -> Shown:
        watch = self._watch
        has_key = watch.secret_key in self._memory.secrets.shown(watch.secrets.objects)
        return Shown(
            services=self._picture.shown,
            shown_by=self._picture.shown_by,
            namespace=self._namespace,
            configuration_version=config_map.resource_version if config_map is not None else "",
            in_force=in_force,
            state_version=self._state.version,
            memory=self._state.stored,
            missing_key=None if has_key else watch.secret_key,
            told=self._told,
        )

    def _plan(
        self,
        desired: Desired,
        shown: Shown,
        turns: Sequence[ServiceKey],
        *,
        has_changed: bool,
        now_s: float,
        leads: bool,
    ) -> tuple[Effect, ...]:
        writes, effects, rest = _enough(desired, shown, turns, writes_max=self._writes_max)
        # Where another configuration is yet to be written, nothing is decided; it may never come into force.
        is_put_off = desired.allocation is None and desired.in_force is not None
        self._again = {*turns} if is_put_off else {*writes}
        if leads and desired.allocation is not None and desired.in_force is not None:
            decided = Decided(
                configuration=desired.in_force.configuration,
                allocation=desired.allocation,
                services=shown.services,
            )
            effects = self._lists.first(effects, decided, has_changed=has_changed, now=now_s)
            effects += tuple(self._strangers.news(CONFIG_MAPS.reference(self._watch.in_force_key)))
        if leads:
            effects = (*self._confirmed(), *effects)
            self._told = desired.notices
            if any(isinstance(effect, WriteState) for effect in effects):
                self._state.asked(desired.memory, now_s=now_s)
        tried = [effect.service.key for effect in effects if leads and isinstance(effect, ServiceWrite)]
        self._backlog.note(rest=rest, missing=writes.keys(), tried=tried)
        self.due_s = self._judge.due_s
        if leads:
            self.due_s = min(self.due_s, self._state.due_s, self._corrections.due_s, self._lists.due_s)
        wake_at = desired.allocation.wake_at if desired.allocation is not None else None
        if wake_at is not None:
            self.due_s = min(self.due_s, now_s + max(0, wake_at - self._unix))
        return effects

    def _confirmed(self) -> Iterator[Confirm]:
        """Writes without an answer, as soon as their Services show what became of them."""
        unanswered = self._memory.unanswered
        for key, write in [*unanswered.items()]:
            shown = self._picture.shown.get(key)
            if shown is not None and shown.resource_version == write.service.resource_version:
                continue
            del unanswered[key]
            if shown is not None and shown.uid == write.service.uid and was_made(write, shown):
                yield Confirm(write=write)


def _enough(
    desired: Desired, shown: Shown, turns: Sequence[ServiceKey], *, writes_max: int
) -> tuple[Mapping[ServiceKey, ServiceWrite], tuple[Effect, ...], Sequence[ServiceKey]]:
    """What the first of ``turns`` lack, the effects that a pass can do, and of whom nothing is known yet."""
    writes: dict[ServiceKey, ServiceWrite] = {}
    enough, step = writes_max, min(STEP, writes_max)
    for first in range(0, len(turns), step):
        writes.update(missing(desired, shown, turns[first : first + step]))
        rest = turns[first + step :]
        if len(writes) >= enough and rest:
            effects = effects_of(writes, desired, shown, is_all=False)
            if any(isinstance(effect, Write) for effect in effects):
                return writes, effects, rest
            enough = 2 * len(writes)  # these wait for others
    return writes, effects_of(writes, desired, shown), ()
