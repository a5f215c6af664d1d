"""What must hold after each write and each turn, and what must be true once all is calm.

Excused is what nobody can know: a Service that somebody else changed later than the writer had looked, and a
write that left a process only after it was frozen. Such a write may show an address twice, or one that is
kept for another; once all is calm nothing of it may be left.
"""

from collections.abc import Collection
from typing import NoReturn

from bareway.decide.allocation.losses import Loss, digest, losses
from bareway.decide.allocation.strangers import asks_for
from bareway.decide.allocation.verdicts import Granted
from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from bareway.resources.announcer_lists import NAME
from controller.allocation.acceptance import ACCEPT_LOSS
from controller.writing.conditions import Reason
from sim.control.api import BORN, Change
from sim.control.keeping import Keeping
from sim.control.listing import ListChecks
from sim.control.owner import Flight
from sim.control.process import Process
from sim.control.truth import IN_FORCE, STATE, Truth, rewound, truth_of
from sim.control.world import USER, World


class Broken(AssertionError):
    """An invariant does not hold; says when and in which run."""


class Checkers:
    """All invariants of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before = truth_of(world.api)
        self._keeping = Keeping()
        self._lists = ListChecks(self.broken)
        self._outside: dict[ServiceKey, int] = {}
        """The revision at which a user, or a write that was stuck, changed a Service last."""
        self._outside_services = 0
        self._outside_state = 0
        self._given: dict[tuple[ServiceKey, IPAddress], Flight] = {}
        """The write that gave an address."""
        self._by_hand: set[ServiceKey] = set()
        """Who shows what somebody wrote over what it was given, which only its controller remembers."""
        self._accepted: dict[str, int] = {}
        """Losses by their digests, and the revision of whoever accepts them."""
        self._generation = 0
        self._configured_at = 0.0
        self.writes = 0
        """Of controllers, but Leases and lists, which are evened out after a minute or more."""
        world.checks = self

    # ------------------------------------------------------------ after everything that happens

    def after_turn(self, process: Process) -> None:
        if process.loop.errors:
            self.broken(f"{process.name}: {process.loop.errors}")
        for task in process.tasks:
            if process.is_alive and task.done() and not process.is_ending:
                self.broken(f"{process.name} failed: {task.exception()!r}")
        leaders = [one.name for one in self._world.processes if one.elector.may_write()]
        if len(leaders) > 1:
            self.broken(f"{leaders} lead at once")

    def on_arrival(self, flight: Flight, process: Process) -> None:
        if flight.is_stuck:
            return
        for begun_at, life, revision in self._world.prepared:
            if life == flight.life and begun_at < flight.begun_at and flight.looked_at < revision:
                self.broken(f"{flight.by} writes, and has not seen what was there at {begun_at:.3f}")
            if life != flight.life and flight.begun_at < begun_at <= self._world.now:
                self.broken(
                    f"a write of {flight.by} of {flight.begun_at:.3f} arrives after another listed"
                    f" at {begun_at:.3f}"
                )

    def after_change(self, change: Change, flight: Flight | None) -> None:
        before, self._before = self._before, truth_of(self._world.api)
        self._keeping.note(before, self._before, unix=self._unix, revision=change.revision)
        if change.place.plural == "services":
            self._after_service(change, flight, before)
        elif change.place.name.startswith(NAME) and flight is not None:
            self._lists.after_shard(before.lists, self._before.lists, flight)
        elif change.place == IN_FORCE:
            self._after_configuration(change, flight, before)
        elif change.place == STATE and self._quarantined(before) != self._quarantined(self._before):
            self._outside_state = change.revision  # a stranger came, or somebody says so
        elif change.by == USER:
            if change.place == STATE:
                self._outside_state = change.revision
            self._note_acceptance(change)
        if flight is not None:
            self.writes += not change.place.name.startswith(NAME)
            self._look_at_the_end(change, flight, before)

    # ------------------------------------------------------------ Services

    def _after_service(self, change: Change, flight: Flight | None, before: Truth) -> None:
        key = ServiceKey(change.place.namespace, change.place.name)
        old, new = before.services.get(key), self._before.services.get(key)
        if flight is None or flight.is_stuck:
            self._outside[key] = self._outside_services = change.revision
        if flight is None:
            self._after_user(key, old, new)
        elif old is not None and new is not None:
            self._after_write(old, new, flight, before)

    def _after_write(self, old: Service, new: Service, flight: Flight, before: Truth) -> None:
        for address in new.ingress:
            if address not in old.ingress:
                self._given[new.key, address] = flight
                if not flight.is_stuck:
                    self._look_at_gift(new, address, flight)
        for address in old.ingress:
            if address not in new.ingress and not flight.is_stuck:
                self._look_at_loss(old, address, flight, before)

    def _after_user(self, key: ServiceKey, old: Service | None, new: Service | None) -> None:
        shown = new.ingress if new is not None else ()
        for address in old.ingress if old is not None else ():
            if address not in shown:
                self._given.pop((key, address), None)
        if new is None or not new.is_load_balancer:
            self._by_hand.discard(key)
        elif old is not None and old.is_load_balancer and old.ingress != new.ingress:
            self._by_hand.add(key)

    def _look_at_gift(self, service: Service, address: IPAddress, flight: Flight) -> None:
        if self._configured_at > flight.begun_at:
            return  # it was decided under the one before
        if not service.is_load_balancer:
            self.broken(f"{service.key} shows {address} and is no LoadBalancer")
        for other in self._before.conflicts(service, address):
            if self._outside.get(other.key, 0) <= flight.looked_at:
                self.broken(f"{service.key} is given {address}, which {other.key} shows")
        if not flight.is_stuck:
            self._lists.look_at_gift(self._before, service, address, flight)
        why = self._keeping.why_not(service, address, self._before, unix=self._unix, seen=flight.state_at)
        if why:
            self.broken(f"{service.key} is given {address}, {why}")

    def _look_at_loss(self, service: Service, address: IPAddress, flight: Flight, before: Truth) -> None:
        given = self._given.pop((service.key, address), None)
        if given is None:
            return  # somebody wrote it there by hand
        seen_all = self._outside_services <= given.looked_at and self._outside_state <= given.state_at
        if seen_all and self._configured_at <= given.begun_at:
            self.broken(f"{address} is taken from {service.key}, though nothing happened since it was given")
        for truth in rewound(before, self._world.api, flight.looked_at):
            verdict = truth.allocation(unix=self._unix).verdicts.get(service.key)
            if verdict is None or verdict.cleared is not None:
                return
        self.broken(f"{address} is taken from {service.key}, which may keep it")

    # ------------------------------------------------------------ configuration

    def _after_configuration(self, change: Change, flight: Flight | None, before: Truth) -> None:
        if change.after is None or flight is None:
            return
        self._configured_at = self._world.now
        in_force = self._before.in_force
        assert in_force is not None
        if in_force == before.in_force:
            return  # written once more, by who got no answer to another
        if in_force.generation <= self._generation:
            self.broken(f"generation {in_force.generation} of the configuration after {self._generation}")
        self._generation = in_force.generation
        if before.in_force is not None and self._outside_services <= flight.looked_at:
            self._look_at_all_losses(before, in_force.configuration)

    def _note_acceptance(self, change: Change) -> None:
        annotations = change.after.body["metadata"].get("annotations", {}) if change.after else {}
        if accepts := annotations.get(ACCEPT_LOSS):
            self._accepted[accepts] = change.revision

    def _look_at_all_losses(self, before: Truth, configuration: Configuration) -> None:
        """What is lost was accepted, if not at this moment then when it was decided, after the acceptance."""
        now = self._lost(before, configuration)
        strangers = {*self._world.speakers.strangers}  # what they answer for is lost anyway
        if not any(one.service not in self._by_hand and {*one.addresses} - strangers for one in now):
            return
        accepted_at = max(self._accepted.values(), default=self._world.api.revision)
        for truth in rewound(before, self._world.api, accepted_at):
            if digest(self._lost(truth, configuration)) in self._accepted:
                return
        self.broken(f"the configuration takes away {[*map(str, now)]}")

    def _lost(self, truth: Truth, configuration: Configuration) -> tuple[Loss, ...]:
        present = truth.allocation(unix=self._unix)
        return losses(present, truth.allocation(unix=self._unix, configuration=configuration))

    # ------------------------------------------------------------ the end of it

    def _look_at_the_end(self, change: Change, flight: Flight, before: Truth) -> None:
        """Whoever goes on from here comes to the same end as if nothing had been done yet."""
        had_by_hand = bool(self._by_hand)
        self._by_hand.discard(ServiceKey(change.place.namespace, change.place.name))
        seen_all = self._outside_services <= flight.looked_at and self._outside_state <= flight.state_at
        if flight.is_stuck or had_by_hand or not seen_all:
            return
        if change.place.plural != "services" or self._configured_at > flight.begun_at:
            return
        key = ServiceKey(change.place.namespace, change.place.name)
        if any(key in before.memory.holders.get(one, ()) for one in self._before.services[key].ingress):
            return  # an earlier try got no answer, and was written down as perhaps done
        unix = self._unix
        one, other = before.end(unix=unix), self._before.end(unix=unix)
        if one != other:
            self.broken(f"after {change.by} wrote {change.place.name}, all ends as {other}, not as {one}")

    def when_calm(self) -> None:
        """Nothing happens any more, and all is as it should be."""
        leader = self._world.leader()
        if leader is None:
            self.broken("nobody leads")
        truth = truth_of(self._world.api)
        if truth.in_force is None:
            return
        self._look_at_all(truth, unix=leader.unix())
        self._look_at_strangers(truth)
        self._lists.when_calm(truth)
        for process in self._world.processes:
            self._look_at_report(process, truth)

    def _look_at_all(self, truth: Truth, *, unix: int) -> None:
        allocation = truth.allocation(unix=unix)
        for key, verdict in allocation.verdicts.items():
            due = verdict.addresses if isinstance(verdict, Granted) else ()
            if truth.services[key].ingress != due:
                self.broken(f"{key} shows {truth.services[key].ingress} and should show {due}")
        for key in allocation.released:
            self.broken(f"{key} was let go of and still shows {truth.services[key].ingress}")
        for service in truth.services.values():
            shown = service.ingress if service.is_load_balancer else ()
            for other in (one for address in shown for one in truth.conflicts(service, address)):
                self.broken(f"{service.key} and {other.key} show one of {shown}")

    def _look_at_strangers(self, truth: Truth) -> None:
        """An address for which somebody else answers is shown by nobody, or it is said."""
        strangers = self._world.speakers.strangers
        for service in truth.services.values():
            if not service.is_load_balancer or service.condition is None:
                continue
            told = service.condition.reason == Reason.ADDRESS_IN_USE
            met = [address for address in service.ingress if address in strangers]
            if told is not bool(met):
                self.broken(f"{service.key} says {service.condition.reason}, and strangers answer for {met}")
            for address in met:
                given = self._given.get((service.key, address))
                holders = [one for one in truth.services.values() if address in one.ingress]
                is_wanted = any(asks_for(one, address, truth.configuration) for one in holders)
                if given is not None and given.begun_at > strangers[address].since and not is_wanted:
                    self.broken(f"{service.key} was given {address}, for which a stranger answered already")

    def _look_at_report(self, process: Process, truth: Truth) -> None:
        """Its own decision, made bit by bit, is the one that is made of everything at once."""
        report = process.control.report
        if report.in_force != truth.in_force:
            self.broken(f"{process.name} takes another configuration to be in force")
        if report.allocation is None:
            return
        verdicts = truth.allocation(unix=process.unix()).verdicts
        differing = [key for key in verdicts if report.allocation.verdicts.get(key) != verdicts[key]]
        if differing or report.allocation.verdicts.keys() != verdicts.keys():
            found = [(report.allocation.verdicts.get(key), verdicts[key]) for key in differing]
            self.broken(f"{process.name} decided otherwise: {found}")

    # ------------------------------------------------------------ words

    def _quarantined(self, truth: Truth) -> Collection[IPAddress]:
        return truth.memory.quarantine.keys()

    @property
    def _unix(self) -> int:
        return int(BORN + self._world.now)

    def broken(self, text: str) -> NoReturn:
        """Say what is wrong and how to see it again."""
        seed = self._world.seed
        raise Broken(f"{self._world.now:.4f} {text}; replay: make sim WORLD=control SEED={seed}")
