"""What is so, by the API server's own objects: who shows what, what is in force, and what should be.

The judge of who *should* have an address is ``allocate`` on the whole truth at once; who *may* share one is
judged anew here, by the rule alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.announcer_lists import AnnouncerLists, Shard
from bareway.model.configuration import Configuration, Pool
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ObjectKey, ServiceKey
from bareway.model.objects import ConfigMap
from bareway.model.services import Service, TrafficPolicy
from bareway.resources.announcer_lists import DATA_KEY, read_shard, shard_keys
from bareway.resources.in_force import IN_FORCE_NAME, InForce, read_in_force
from bareway.resources.kinds import CONFIG_MAPS, SERVICES
from bareway.resources.state import STATE_NAME, read_state
from controller.allocation.acceptance import read_once
from controller.writing.plan import Shown, plan, who_shows
from sim.control.api import Api, Place
from sim.control.settings import SETTINGS
from support.written import after, decided

PASSES_MAX = 8
EMPTY = Shard()
NO_MEMORY = AllocationMemory()
IN_FORCE = Place("configmaps", SETTINGS.namespace, IN_FORCE_NAME)
STATE = Place("configmaps", SETTINGS.namespace, STATE_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything that decides, at one moment."""

    services: Mapping[ServiceKey, Service]
    in_force: InForce | None
    memory: AllocationMemory
    lists: AnnouncerLists

    @property
    def configuration(self) -> Configuration:
        return self.in_force.configuration if self.in_force is not None else Configuration()

    def allocation(self, *, unix: int, configuration: Configuration | None = None) -> Allocation:
        """What should be."""
        return allocate(
            AllocationView(
                configuration=configuration or self.configuration,
                services=self.services.values(),
                memory=self.memory,
                now=unix,
            )
        )

    def pool_of(self, address: IPAddress) -> Pool | None:
        """The pool that an address is in."""
        return next((p for p in self.configuration.pools if any(address in one for one in p.ranges)), None)

    def conflicts(self, service: Service, address: IPAddress) -> Iterator[Service]:
        """Who else shows the address and may not share it with the Service."""
        pool = self.pool_of(address)
        for other in self.services.values():
            if other.key == service.key or not other.is_load_balancer or address not in other.ingress:
                continue
            if not may_share(service, other, share_local=pool is not None and pool.share_local):
                yield other

    def end(self, *, unix: int) -> Mapping[ServiceKey, tuple[IPAddress, ...]] | None:
        """What all will show once a controller is done that starts now and that nobody disturbs."""
        if self.in_force is None:
            return None
        shown = Shown(
            services=self.services,
            shown_by=who_shows(self.services.values()),
            configuration_version="1",
            in_force=self.in_force,
            memory=self.memory,
        )
        for _ in range(PASSES_MAX):
            effects = plan(decided(self.in_force, shown, now=unix), shown)
            if not effects:
                return {key: one.ingress for key, one in shown.services.items() if one.is_load_balancer}
            shown = after(shown, effects)
        raise AssertionError("it never ends")


def truth_of(api: Api) -> Truth:
    """As it is now."""
    config_map, state = api.model(CONFIG_MAPS, IN_FORCE), api.model(CONFIG_MAPS, STATE)
    in_force = read_in_force(config_map, read=read_once) if config_map is not None else None
    memory = read_state(state) if state is not None else NO_MEMORY
    assert not isinstance(in_force, list), in_force
    assert isinstance(memory, AllocationMemory), memory
    return Truth(services=api.services(), in_force=in_force, memory=memory, lists=lists_of(api))


def lists_of(api: Api) -> AnnouncerLists:
    """All shards as they are written."""
    places = (Place("configmaps", *key) for key in shard_keys(SETTINGS.namespace))
    found = (api.model(CONFIG_MAPS, place) for place in places)
    return AnnouncerLists(tuple(_shard(one.data[DATA_KEY]) if one is not None else EMPTY for one in found))


@lru_cache(maxsize=256)
def _shard(text: str) -> Shard:
    found = read_shard(ConfigMap(key=ObjectKey("", ""), data={DATA_KEY: text}))
    assert isinstance(found, Shard), found
    return found


def rewound(truth: Truth, api: Api, revision: int) -> Iterator[Truth]:
    """The truth, and each one before it down to ``revision``, as far as Services differ."""
    services = dict(truth.services)
    yield truth
    for change in reversed(api.history):
        if change.revision <= revision:
            return
        if change.place.plural != "services":
            continue
        key = ServiceKey(change.place.namespace, change.place.name)
        if change.before is None:
            services.pop(key, None)
        else:
            content = SERVICES.read(change.before.text).content
            assert isinstance(content, Service)
            services[key] = content
        yield replace(truth, services=dict(services))


def may_share(one: Service, other: Service, *, share_local: bool) -> bool:
    """Same key, no port in common, and with policy Local the same selector unless the pool allows any."""
    key = one.annotation("allow-shared-ip")
    if not key or key != other.annotation("allow-shared-ip"):
        return False
    if one.load_balancer_class is not None or other.load_balancer_class is not None:
        return False
    if {(port.protocol, port.number) for port in one.ports} & {
        (port.protocol, port.number) for port in other.ports
    }:
        return False
    is_local = one.traffic_policy is TrafficPolicy.LOCAL
    if is_local is not (other.traffic_policy is TrafficPolicy.LOCAL):
        return False
    return not is_local or share_local or one.selector == other.selector
