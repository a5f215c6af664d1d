"""Announcer lists on a desk: the mirrors around them, an API server that takes what is written, a sight."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from random import Random

from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.verdicts import Granted
from bareway.decide.announcement.members import Member, Observed
from bareway.gossip.claims import Claim
from bareway.gossip.findings import Finding
from bareway.model.announcer_lists import Shard, shard_of
from bareway.model.endpoints import Endpoint, EndpointSlice
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap
from bareway.model.services import Condition, Service
from bareway.resources.announcer_lists import DATA_KEY, read_shard, write_shard
from bareway.resources.configurations import read_configuration
from bareway.resources.kinds import Reading
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.assumptions import Assumptions
from controller.announcement.fresh import Decided
from controller.announcement.gossip import Nobody, Sight
from controller.announcement.lists import Lists
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.effects import Effect, Emit, SetCondition, SetIngress, WriteShard
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
        self.found: tuple[Finding, ...] = ()

    def observed(self, *, now: float) -> Observed | None:
        return self.seen

    def findings(self, *, now: float) -> Iterable[Finding] | None:
        return self.found

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

    def put(self, name: str) -> None:
        """A Service appears, and waits until ``needed`` is asked."""
        made = replace(service(f"default/{name}"), uid=name, resource_version="1")
        self.services[made.key] = made
        self.allocator.put(made)

    def needed(self) -> list[SetIngress]:
        """The writes that all need which show nothing yet, but the last one that appeared."""
        verdicts = self.allocator.allocation.verdicts
        return [
            SetIngress(service=one, addresses=verdict.addresses, pool="p", condition=CONDITION)
            for one in [*self.services.values()][:-1]
            if not one.ingress and isinstance(verdict := verdicts[one.key], Granted)
        ]

    def mark(self, node: Node) -> None:
        """A Node is another one now."""
        self.watch.nodes._store.apply(Reading(ObjectKey("", node.name), "2", node))
        self.watch.nodes.updates += 1

    def annotate(self, name: str, annotations: Mapping[str, str]) -> None:
        """A Service has other annotations now."""
        key = ObjectKey("default", name)
        self.services[key] = replace(self.services[key], annotations=annotations)

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

    def tell(self) -> list[tuple[str, str]]:
        """What Events are told until nothing is due: reason and message of each."""
        told: list[tuple[str, str]] = []
        effects = self.look(SetCondition(service=service("default/x"), condition=None))
        for _ in range(20):
            told += [(one.notice.reason, one.notice.message) for one in effects if isinstance(one, Emit)]
            if self.lists.due_s > self.now + 30:
                return told
            effects = self.look(after_s=max(0.1, self.lists.due_s - self.now))
        raise AssertionError("it never ends")

    def listed(self) -> set[IPAddress]:
        """All that have an entry in a ConfigMap."""
        found = [read_shard(one) for one in self.watch.lists.objects.values()]
        return {address for shard in found if isinstance(shard, Shard) for address in shard.entries}

    def stored(self, address: IPAddress) -> tuple[int, tuple[NodeName, ...]]:
        """The entry of an address in the ConfigMap."""
        key = ObjectKey(SETTINGS.namespace, f"bareway-announcers-{shard_of(address):x}")
        found = read_shard(self.watch.lists.objects[key])
        assert isinstance(found, Shard)
        return found.entries[address].generation, found.entries[address].nodes


def place(table: Table, name: str, **spec: object) -> IPAddress:
    """A Service that shows its address."""
    write = table.add(name, **spec)
    if table.look(write) != (write,):
        assert table.look(write) == (write,), "once its shard is stored, it waits for nothing"
    table.show(write)
    table.look()
    return write.addresses[0]
