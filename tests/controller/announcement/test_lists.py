"""Announcer lists on the controller's desk: what is written when, by what is stored, decided and seen."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from math import inf
from random import Random

import pytest

from bareway.decide.allocation.allocator import Allocator
from bareway.decide.announcement.members import Member, Observed
from bareway.gossip.claims import Claim
from bareway.gossip.events import Event, Output, Tick
from bareway.gossip.observer import Observer, Picture, Seen
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.model.announcer_lists import SHARDS, Shard, shard_of
from bareway.model.endpoints import Endpoint, EndpointSlice
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap
from bareway.model.rank import ranked
from bareway.model.services import Condition, FamilyPolicy, Service, TrafficPolicy
from bareway.resources.announcer_lists import DATA_KEY, read_shard, write_shard
from bareway.resources.configurations import read_configuration
from bareway.resources.kinds import Deleted, Reading
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.assumptions import Assumptions
from controller.announcement.gossip import MEET_S, Gossip, Nobody, Sight, _Watched
from controller.announcement.lists import Decided, Lists
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.effects import Effect, SetCondition, SetIngress, WriteShard
from support.builders import service

SETTINGS = Settings(socket=None)
NAMES = tuple(NodeName(name) for name in ("a", "b", "c"))
POOL = "address-pools: [{name: p, protocol: layer2, addresses: [192.0.2.0/24]}]"
CONDITION = Condition(is_true=True, reason="Assigned", message="assigned")
CALM_S = 0.75


class Eyes:
    """What gossip shows, as a test says."""

    def __init__(self) -> None:
        self.version = 0
        self.seen: Observed | None = None
        self.generation = 0
        self.wanted: frozenset[IPAddress] = frozenset()

    def observed(self, *, now: float) -> Observed | None:
        return self.seen

    def tell(self, *, generation: int, wanted: Iterable[IPAddress] | None = None) -> None:
        self.generation = generation
        if wanted is not None:
            self.wanted = frozenset(wanted)

    def show(self, *claims: Claim, dead: Iterable[str] = (), generation: int = 0) -> None:
        members = {name: Member(name=name, alive=name not in dead) for name in NAMES}
        by_address = {claim.address: claim for claim in claims}
        self.seen = Observed(
            members=members,
            claims=by_address,
            joined=frozenset(NAMES),
            changed_at=0.0,
            calm_s=CALM_S,
            generation=generation,
        )
        self.version += 1


class Table:
    """Lists, the mirrors around them, and an API server that takes what is written."""

    def __init__(self, sight: Sight | None = None, document: str = POOL) -> None:
        client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
        self.watch = Watch(client, SETTINGS, rng=Random("lists"), on_change=lambda: None)
        for name in NAMES:
            self.watch.nodes._store.apply(Reading(ObjectKey("", name), "1", Node(name=name)))
        reading = read_configuration(document)
        assert reading.configuration is not None
        self.configuration = reading.configuration
        self.allocator = Allocator(self.configuration, namespaces={}, load_balancer_class=None)
        self.services: dict[ObjectKey, Service] = {}
        self.now = 1000.0
        self.version = 1
        self.written: list[WriteShard] = []
        self.sight = sight or Nobody()
        self.lists = self.begin()

    def begin(self) -> Lists:
        """A controller that starts, or leads anew."""
        self.lists = Lists(
            namespace=SETTINGS.namespace,
            load_balancer_class=None,
            watch=self.watch,
            assumptions=Assumptions(),
            sight=self.sight,
        )
        return self.lists

    def add(self, name: str, **spec: object) -> SetIngress:
        """A Service appears; the write that it needs."""
        made = replace(service(f"default/{name}"), uid=name, resource_version="1", **spec)  # type: ignore[arg-type]  # fields of Service
        self.services[made.key] = made
        self.allocator.put(made)
        self.allocator.settle(now=0)
        verdict = self.allocator.allocation.verdicts[made.key]
        return SetIngress(service=made, addresses=verdict.addresses, pool="p", condition=CONDITION)  # type: ignore[union-attr]  # it is granted

    def serve(self, name: str, *nodes: str) -> None:
        """Endpoints of a Service."""
        endpoints = tuple(
            Endpoint(addresses=(ip_address("10.244.0.1"),), node=NodeName(node), can_serve=True)
            for node in nodes
        )
        key = ObjectKey("default", f"{name}-1")
        made = EndpointSlice(key=key, service=ObjectKey("default", name), endpoints=endpoints)
        self.watch.slices._store.apply(Reading(key, "1", made))
        self.watch.slices.updates += 1

    def show(self, write: SetIngress) -> None:
        """The write was made."""
        shown = replace(write.service, ingress=write.addresses)
        self.services[shown.key] = shown
        self.allocator.put(shown)
        self.allocator.settle(now=0)

    def look(self, *effects: Effect, after_s: float = 0.1, is_lost: bool = False) -> tuple[Effect, ...]:
        """One pass; the effects that are left, after the shards."""
        self.now += after_s
        decided = Decided(
            configuration=self.configuration, allocation=self.allocator.allocation, services=self.services
        )
        done = self.lists.first(effects, decided, has_changed=bool(effects), now=self.now)
        shards = [effect for effect in done if isinstance(effect, WriteShard)]
        self.written += shards
        for write in shards if not is_lost else ():
            self.store(write.key, write_shard(write.shard)[DATA_KEY], over=write.over)
        return tuple(effect for effect in done if not isinstance(effect, WriteShard))

    def store(self, key: ObjectKey, text: str, *, over: str | None = None) -> None:
        """Somebody writes a shard."""
        present = self.watch.lists.objects.get(key)
        assert over is None or over == (present.resource_version if present else "")
        self.version += 1
        made = ConfigMap(key=key, resource_version=str(self.version), data={DATA_KEY: text})
        self.watch.lists._store.apply(Reading(key, made.resource_version, made))

    def settle(self) -> None:
        """Look until nothing is due any more."""
        for _ in range(20):
            self.look(after_s=max(0.1, min(self.lists.due_s - self.now, 60.0)))
            if self.lists.due_s > self.now + 30:
                return
        raise AssertionError("it never ends")

    def stored(self, address: IPAddress) -> tuple[int, tuple[NodeName, ...]]:
        """The entry of an address in the ConfigMap."""
        key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
        found = read_shard(self.watch.lists.objects[key])
        assert isinstance(found, Shard)
        return found.entries[address].generation, found.entries[address].nodes


def place(table: Table, name: str, **spec: object) -> IPAddress:
    """A Service that shows its address."""
    write = table.add(name, **spec)
    assert table.look(write) == ()
    assert table.look(write) == (write,)
    table.show(write)
    table.look()
    return write.addresses[0]


# ------------------------------------------------------------ before an address is shown


def test_a_fresh_address_waits_until_its_shard_is_stored_and_nothing_else_does() -> None:
    table = Table()
    fresh = table.add("web")
    other = SetCondition(service=service("default/old"), condition=CONDITION)
    assert table.look(fresh, other, is_lost=True) == (other,)
    assert table.look(fresh, other) == (other,)
    assert table.look(fresh, other) == (fresh, other)
    assert table.stored(fresh.addresses[0]) == (1, ranked(NAMES, fresh.addresses[0]))


def test_what_is_shown_already_waits_for_nothing() -> None:
    table = Table()
    write = table.add("web")
    table.show(write)
    again = replace(write, service=table.services[write.service.key])
    assert table.look(again) == (again,)


def test_the_lists_know_where_a_service_of_policy_local_is_served() -> None:
    table = Table()
    table.serve("web", "b")
    table.serve("else", "a", "c")
    address = place(table, "web", traffic_policy=TrafficPolicy.LOCAL)
    assert table.stored(address)[1] == ("b",)


def test_all_that_share_an_address_are_looked_at_together() -> None:
    table = Table(document=POOL.replace("192.0.2.0/24", "192.0.2.0/24, 2001:db8::/120"))
    both, six = (ip_address("10.96.0.10"), ip_address("fd00::10")), (ip_address("fd00::11"),)
    keyed = {"metallb.io/allow-shared-ip": "key"}
    policy = FamilyPolicy.REQUIRE_DUAL_STACK
    write = table.add("one", annotations=keyed, cluster_addresses=both, family_policy=policy)
    table.look(write)
    table.show(write)
    _, address = write.addresses
    asking = {**keyed, "metallb.io/loadBalancerIPs": str(address)}
    second = table.add("two", annotations=asking, cluster_addresses=six, ports=())
    assert second.addresses == (address,)
    assert table.look(second) == (second,), "it is listed with the other one's IPv4 address"


def test_a_burst_is_listed_ahead_with_its_first() -> None:
    table = Table()
    first = [table.add(f"web-{number}") for number in range(10)]
    table.look(*first)
    count = len(table.written)
    assert count <= SHARDS
    assert table.look(*first) == tuple(first)
    for write in first:
        table.show(write)
    following = [table.add(f"web-{number}") for number in range(10, 20)]
    listed = {address for write in table.written for address in write.shard.entries}
    at_once = [write for write in following if write.addresses[0] in listed]
    assert len(at_once) >= 5, "but those whose shard had nothing to write with the first"
    assert [write for write in table.look(*following) if write in at_once] == at_once


# ------------------------------------------------------------ afterwards


def test_a_restart_finds_nothing_to_write() -> None:
    table = Table()
    place(table, "web")
    table.settle()
    table.written.clear()
    table.begin()
    table.settle()
    assert table.written == []


def test_addresses_that_are_gone_go_from_the_lists_gathered() -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    key = ObjectKey("default", "web")
    del table.services[key]
    table.allocator.remove(key)
    table.allocator.settle(now=0)
    table.look(SetCondition(service=service("default/x"), condition=None))
    table.settle()
    with pytest.raises(KeyError):
        table.stored(address)


def test_what_somebody_else_wrote_is_the_present_list() -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    last = ranked(NAMES, address)[-1]
    shard = table.lists.lists.shards[shard_of(address)]
    entry = replace(shard.entries[address], generation=40, nodes=(last,))
    theirs = replace(shard, generation=40, entries={address: entry})
    key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
    table.store(key, write_shard(theirs)[DATA_KEY])
    table.settle()
    assert table.stored(address) == (40, (last,))
    assert table.lists.lists.generation >= 40


@pytest.mark.parametrize("text", [pytest.param("{", id="broken"), pytest.param(None, id="deleted")])
def test_a_shard_that_is_lost_is_written_anew(text: str | None, caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    address = place(table, "web")
    table.settle()
    key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
    if text is None:
        table.watch.lists._store.apply(Deleted(key, "9"))
    else:
        table.store(key, text)
    table.settle()
    assert table.stored(address)[1] == ranked(NAMES, address)
    assert bool(caplog.records) is (text is not None)


def test_what_gossip_moved_is_listed_within_ten_seconds() -> None:
    eyes = Eyes()
    eyes.show()
    table = Table(eyes)
    address = place(table, "web")
    table.serve("web", *NAMES)
    table.settle()
    first, second, _ = table.stored(address)[1]
    eyes.show(Claim(address=address, generation=9, count=2, node=second), dead=[first], generation=9)
    began = table.now
    table.look()
    while table.stored(address)[1][0] == first:
        assert table.now < began + 10
        table.look(after_s=max(0.1, table.lists.due_s - table.now))
    assert table.stored(address)[1][0] == second
    assert table.stored(address)[0] == 10, "above all that was heard"
    assert eyes.generation == 10
    assert eyes.wanted == {address}


# ------------------------------------------------------------ what is seen


def picture(*, now: float) -> Picture:
    seen = Seen(name=NAMES[0], alive=True, eligible=False, leaving=True)
    return Picture(
        members={NAMES[0]: seen},
        claims={},
        joined=frozenset(NAMES[:2]),
        generation=3,
        stable_since=now,
        calm_s=CALM_S,
    )


def test_who_never_saw_anybody_waits_a_moment_and_who_did_is_sure_of_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = Table()
    gossip = Gossip(SETTINGS, watch=table.watch, name="pod", rng=Random(1), on_change=lambda: None)
    began = gossip._began_at
    waiting = gossip.observed(now=began + 1)
    assert waiting is not None
    assert (set(waiting.members), waiting.changed_at) == (set(NAMES), began + MEET_S)
    assert gossip.observed(now=began + MEET_S) is None
    monkeypatch.setattr(gossip, "picture", picture)
    seen = gossip.observed(now=began + 9)
    assert seen is not None
    assert seen.members == {NAMES[0]: Member(name=NAMES[0], eligible=False, draining=True)}
    assert (seen.joined, seen.generation, seen.changed_at) == (frozenset(NAMES[:2]), 3, began + 9)
    monkeypatch.setattr(gossip, "picture", lambda now: None)
    blind = gossip.observed(now=began + 10)
    assert blind is not None
    assert (set(blind.members), blind.changed_at) == (set(NAMES), inf)


def test_the_program_hears_of_a_change_and_of_nothing_else() -> None:
    calls: list[int] = []

    class Changing(Observer):
        def handle(self, event: Event, *, now: float) -> list[Output]:
            self.version += now > 1
            return []

    observer = Changing(
        me=observer_name("pod"), profile=PROFILES[ProfileName.DEFAULT], rng=Random(1), now=0.0
    )
    watched = _Watched(observer=observer, on_change=lambda: calls.append(1))
    watched.handle(Tick(), now=1.0)
    assert calls == []
    watched.handle(Tick(), now=2.0)
    assert calls == [1]
