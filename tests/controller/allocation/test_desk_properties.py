"""Histories of users, edits by hand, lagging mirrors, late writes and restarts, as the desk sees them.

A small API server in memory with resourceVersions, mirrors that have seen a part of its history, and the
controller's own desk, which looks only at what changed. One seed is one story; a failing one names itself.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from bareway.model.names import IPAddress, ObjectKey, ServiceKey
from bareway.model.objects import ConfigMap, Secret
from bareway.model.services import Service
from bareway.resources.announcer_lists import write_shard
from bareway.resources.in_force import write_in_force
from bareway.resources.kinds import Deleted, Reading
from bareway.resources.state import write_state
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.assumptions import Memory
from controller.allocation.desk import Desk
from controller.announcement.gossip import Nobody
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.backlog import WRITES_MAX
from controller.writing.effects import (
    ClearIngress,
    Effect,
    Emit,
    ServiceWrite,
    SetCondition,
    SetIngress,
    WriteShard,
    WriteState,
)
from support.builders import ips, service
from support.written import after, showing

pytestmark = pytest.mark.slow

SETTINGS = Settings(socket=None)
DOCUMENT = """
address-pools:
- {name: a, protocol: layer2, addresses: [192.0.2.0/31], hold-after-delete: 30s}
- {name: b, protocol: layer2, addresses: [192.0.2.8/31], auto-assign: false, reuse: oldest}
- {name: c, protocol: layer2, addresses: [192.0.2.16/32]}
"""
ADDRESSES = ips("192.0.2.0", "192.0.2.1", "192.0.2.8", "192.0.2.9", "192.0.2.16", "10.9.9.9")
SHARES = {"metallb.io/allow-shared-ip": "x"}
STEPS = 50
PASSES_MAX = 24


class Story:
    """The API server, the mirrors and the controller of one seed."""

    def __init__(self, seed: str, *, writes_max: int = WRITES_MAX) -> None:
        self.rng = Random(seed)
        self.writes_max = writes_max
        self.version = 0
        self.second = 1_000_000
        self.stored: dict[ServiceKey, Service] = {}
        self.history: list[tuple[ServiceKey, Service | None]] = []
        self.seen = 0
        self.on_the_way: list[ServiceWrite] = []
        self.by_hand: set[tuple[ServiceKey, IPAddress]] = set()
        self.own: dict[ObjectKey, ConfigMap] = {}
        self.start()

    def start(self) -> None:
        """A controller begins, with mirrors that are fresh."""
        client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
        self.watch = Watch(client, SETTINGS, rng=Random("story"), on_change=lambda: None)
        self.memory = Memory()
        self.desk = Desk(
            SETTINGS, watch=self.watch, memory=self.memory, sight=Nobody(), writes_max=self.writes_max
        )
        in_force = self.watch.in_force_key
        data = write_in_force(DOCUMENT, generation=1, source="a test")
        config_map = ConfigMap(key=in_force, resource_version="1", data=data)
        self.watch.in_force._store.apply(Reading(in_force, "1", config_map))
        secret = Secret(key=self.watch.secret_key, resource_version="1")
        self.watch.secrets._store.apply(Reading(secret.key, "1", secret))
        self.show_own()
        for key, value in self.stored.items():
            self.mirror(key, value)
        self.seen = len(self.history)
        self.on_the_way.clear()

    def mirror(self, key: ServiceKey, value: Service | None) -> None:
        event = Deleted(key, "1") if value is None else Reading(key, value.resource_version, value)
        self.watch.services._store.apply(event)
        self.watch._changed.add(key)

    def show_own(self) -> None:
        """The mirrors of what the controller writes for itself catch up."""
        for key, stored in self.own.items():
            mirror = self.watch.state if key == self.watch.state_key else self.watch.lists
            mirror._store.apply(Reading(key, stored.resource_version, stored))

    # ------------------------------------------------------------ what happens

    def step(self) -> None:
        """One thing happens."""
        acts = (self.user, self.user, self.edit, self.catch_up, self.look, self.look, self.late, self.wait)
        self.rng.choice(acts)()
        if self.rng.random() < 0.02:
            self.start()

    def user(self) -> None:
        """Somebody creates, deletes or changes a Service; a new one may be the oldest of all."""
        key = ServiceKey("default", self.rng.choice("abcde"))
        present = self.stored.get(key)
        if present is None:
            born = f"2026-01-0{self.rng.randint(1, 9)}T00:00:00Z"
            new = service(str(key), created_at=born, ports=[self.rng.choice((80, 443))])
            shares = SHARES if self.rng.random() < 0.4 else {}
            self.store(key, replace(new, uid=str(self.version), annotations=shares))
        elif self.rng.random() < 0.4:
            self.store(key, None)
        elif self.rng.random() < 0.3:
            flipped = not present.is_load_balancer
            shown = present.ingress if flipped else ()  # the API server takes the status away with the type
            self.store(key, replace(present, is_load_balancer=flipped, ingress=shown))
        else:
            asked = {**present.annotations, "metallb.io/address-pool": self.rng.choice("abcd")}
            self.store(key, replace(present, annotations=asked))

    def edit(self) -> None:
        """Somebody writes over a status."""
        if self.stored and self.rng.random() < 0.3:
            key, present = self.rng.choice(sorted(self.stored.items()))
            if present.is_load_balancer:
                shown = tuple(self.rng.sample(ADDRESSES, self.rng.choice((0, 1, 1, 2))))
                self.by_hand |= {(key, address) for address in shown}
                self.store(key, replace(present, ingress=shown))

    def wait(self) -> None:
        """Time passes."""
        self.second += self.rng.choice((1, 5, 40))

    def catch_up(self, *, fully: bool = False) -> None:
        """The mirror sees a part of what it has not seen."""
        until = len(self.history) if fully else self.rng.randint(self.seen, len(self.history))
        for key, value in self.history[self.seen : until]:
            self.mirror(key, value)
        self.seen = until
        if fully or self.rng.random() < 0.5:
            self.show_own()

    def look(self, *, is_faultless: bool = False) -> tuple[Effect, ...]:
        """One pass."""
        effects = self.desk.look(now_s=self.second, unix=self.second)
        for effect in effects:
            match effect:
                case Emit():
                    pass
                case WriteState() | WriteShard():
                    self.write_own(effect, is_lost=not is_faultless and self.rng.random() < 0.3)
                case SetIngress() | ClearIngress() | SetCondition():
                    self.write(effect, is_faultless=is_faultless)
                case _:
                    raise AssertionError(f"{effect} is not missing")
        return effects

    def write_own(self, write: WriteState | WriteShard, *, is_lost: bool) -> None:
        """What it writes for itself is done, or lost."""
        present = self.own.get(write.key)
        if is_lost or write.over != (present.resource_version if present is not None else ""):
            return
        self.version += 1
        is_state = isinstance(write, WriteState)
        data = write_state(write.memory) if isinstance(write, WriteState) else write_shard(write.shard)
        stored = ConfigMap(key=write.key, resource_version=str(self.version), data=data)
        self.own[write.key] = stored
        (self.memory.states if is_state else self.memory.lists).note(stored, over=write.over)

    def write(self, effect: ServiceWrite, *, is_faultless: bool) -> None:
        """It is done; or not, or later; or it is done and nobody says so."""
        fate = "done" if is_faultless else self.rng.choice(("done", "done", "unanswered", "lost", "late"))
        if fate == "late":
            self.on_the_way.append(effect)
        elif fate != "lost":
            self.arrive(effect, answered=fate == "done")
        if fate != "done" and isinstance(effect, SetIngress):
            assumed = replace(effect.service, ingress=effect.addresses, condition=effect.condition)
            self.memory.services.note(assumed, over=effect.service.resource_version, is_certain=False)

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
        written = after(showing(present), [replace(effect, service=present)]).services[key]
        self.check_fresh(present, written)
        self.by_hand = {(other, address) for other, address in self.by_hand if other != key}
        self.store(key, written)
        if answered:
            self.memory.services.note(self.stored[key], over=read)

    def check_fresh(self, before: Service, written: Service) -> None:
        """What we give is shown by nobody, but by who shares it, or by an edit that we could not know of."""
        for address in set(written.ingress) - set(before.ingress):
            for other in self.stored.values():
                excused = (other.key, address) in self.by_hand or not other.is_load_balancer
                if other.key != written.key and address in other.ingress and not excused:
                    assert may_share(other, written), f"{address} is {other.key}'s and given to {written.key}"

    def store(self, key: ServiceKey, value: Service | None) -> None:
        self.version += 1
        if value is None:
            self.stored.pop(key)
            self.by_hand = {(other, address) for other, address in self.by_hand if other != key}
        else:
            value = replace(value, resource_version=str(self.version))
            self.stored[key] = value
        self.history.append((key, value))

    # ------------------------------------------------------------ how it ends

    def settle(self) -> None:
        """No faults any more: it comes to an end."""
        self.on_the_way.clear()
        for _ in range(PASSES_MAX):
            self.catch_up(fully=True)
            self.second += 100  # so that what is gathered is due, and holds are over
            if not self.look(is_faultless=True):
                return
        raise AssertionError("it never ends")

    def check_settled(self) -> None:
        """Everybody has an address or a reason, nobody has another's, and a restart finds nothing to do."""
        counted = Counter(ip for one in self.stored.values() for ip in one.ingress)
        for address, count in counted.items():
            if count > 1:
                holders = [one for one in self.stored.values() if address in one.ingress]
                assert all(may_share(one, other) for one in holders for other in holders if one is not other)
        for one in self.stored.values():
            if one.is_load_balancer:
                assert one.condition is not None
                assert one.condition.is_true is bool(one.ingress)
            else:
                assert (one.condition, one.ingress) == (None, ())
        self.start()
        assert self.look(is_faultless=True) == ()


def may_share(one: Service, other: Service) -> bool:
    """The rule of MetalLB, as far as these Services need it."""
    is_keyed = bool(one.annotation("allow-shared-ip")) and bool(other.annotation("allow-shared-ip"))
    return is_keyed and not set(one.ports) & set(other.ports)


@pytest.mark.parametrize("writes_max", [1, WRITES_MAX], ids=["one in a pass", "all in one pass"])
@pytest.mark.parametrize("seed", range(100))
async def test_whatever_happens_nobody_gets_anothers_address_and_all_comes_to_rest(
    seed: int, writes_max: int
) -> None:
    story = Story(f"desk/{seed}", writes_max=writes_max)
    for _ in range(STEPS):
        story.step()
    story.settle()
    story.check_settled()
