"""A mirror that lags, answers that get lost, writes that arrive late: no address is ever shown twice.

A small API server in memory with resourceVersions, a mirror that has seen a part of its history, and the
controller's decisions in between, as its loop takes them. One seed is one story; a failing one names itself.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from bareway.resources.in_force import InForce
from controller.allocation.assumptions import Assumptions
from controller.writing.effects import ClearIngress, ServiceWrite, SetCondition, SetIngress
from controller.writing.plan import Desired, plan
from support.builders import configuration, pool, service
from support.written import after, showing

pytestmark = pytest.mark.slow

CONFIGURATION = configuration(pool("a", "192.0.2.0/31"), pool("b", "192.0.2.8/31", auto_assign=False))
IN_FORCE = InForce(configuration=CONFIGURATION, document="…", sha256="…", generation=1, source="a test")
STEPS = 60


class Story:
    """The API server, the mirror and the controller of one seed."""

    def __init__(self, seed: str) -> None:
        self.rng = Random(seed)
        self.version = 0
        self.stored: dict[ServiceKey, Service] = {}
        self.history: list[tuple[ServiceKey, Service | None]] = []
        self.mirror: dict[ServiceKey, Service] = {}
        self.seen = 0
        self.on_the_way: list[ServiceWrite] = []
        self.assumptions: Assumptions[Service] = Assumptions()

    def step(self) -> None:
        """One thing happens."""
        self.rng.choice((self.user, self.catch_up, self.controller, self.controller, self.late))()

    def user(self) -> None:
        """Somebody creates, deletes or changes a Service; a new one may be the oldest of all."""
        key = ServiceKey("default", self.rng.choice("abcde"))
        present = self.stored.get(key)
        if present is None:
            born = f"2026-01-0{self.rng.randint(1, 9)}T00:00:00Z"
            self.store(key, service(str(key), created_at=born))
        elif self.rng.random() < 0.5:
            self.store(key, None)
        else:
            asked = {**present.annotations, "metallb.io/address-pool": self.rng.choice("ab")}
            flipped = replace(present, is_load_balancer=not present.is_load_balancer)
            self.store(key, self.rng.choice((flipped, replace(present, annotations=asked))))

    def catch_up(self) -> None:
        """The mirror sees a part of what it has not seen."""
        until = self.rng.randint(self.seen, len(self.history))
        for key, value in self.history[self.seen : until]:
            if value is None:
                self.mirror.pop(key, None)
            else:
                self.mirror[key] = value
        self.seen = until

    def controller(self) -> None:
        """One pass."""
        self.assumptions.prune(self.mirror)
        holding = self.assumptions.held(self.mirror)
        shown = showing(*self.assumptions.shown(self.mirror).values(), in_force=IN_FORCE)
        allocation = allocate(AllocationView(configuration=CONFIGURATION, services=holding.values()))
        for effect in plan(Desired(in_force=IN_FORCE, allocation=allocation), shown):
            assert isinstance(effect, SetIngress | ClearIngress | SetCondition)
            self.write(effect)

    def write(self, effect: ServiceWrite) -> None:
        """It is done; or not, or later; or it is done and nobody says so."""
        fate = self.rng.choice(("done", "done", "unanswered", "lost", "late"))
        if fate == "late":
            self.on_the_way.append(effect)
        elif fate != "lost":
            self.arrive(effect, answered=fate == "done")
        if fate != "done" and isinstance(effect, SetIngress):
            assumed = replace(effect.service, ingress=effect.addresses)
            self.assumptions.note(assumed, over=effect.service.resource_version, is_certain=False)

    def late(self) -> None:
        """A write arrives after all."""
        if self.on_the_way:
            self.arrive(self.on_the_way.pop(self.rng.randrange(len(self.on_the_way))), answered=False)

    def arrive(self, effect: ServiceWrite, *, answered: bool) -> None:
        """The API server does it, if nobody wrote the Service since it was read."""
        key, read = effect.service.key, effect.service.resource_version
        present = self.stored.get(key)
        if present is None or present.resource_version != read:
            return
        before = showing(present)
        self.store(key, after(before, [replace(effect, service=present)]).services[key])
        if answered:
            self.assumptions.note(self.stored[key], over=read)

    def store(self, key: ServiceKey, value: Service | None) -> None:
        self.version += 1
        if value is None:
            self.stored.pop(key)
        else:
            value = replace(value, resource_version=str(self.version))
            self.stored[key] = value
        self.history.append((key, value))

    def shown_twice(self) -> list[IPAddress]:
        """Addresses that more than one Service of type LoadBalancer shows."""
        counted = Counter(ip for one in self.stored.values() if one.is_load_balancer for ip in one.ingress)
        return [ip for ip, count in counted.items() if count > 1]


@pytest.mark.parametrize("seed", range(150))
def test_no_address_is_ever_shown_twice(seed: int) -> None:
    story = Story(f"lag/{seed}")
    for _ in range(STEPS):
        story.step()
        assert story.shown_twice() == []
