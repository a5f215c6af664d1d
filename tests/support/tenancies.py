"""Clusters drawn by Hypothesis in which everything about allocation meets: sharing, families, quotas, memory.

Few names, few addresses, few words: so that Services get in each other's way in every way there is.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from random import Random

from hypothesis import strategies as st

from bareway.decide.allocation.allocate import AllocationView
from bareway.model.addresses import parse_range
from bareway.model.configuration import Configuration, Pool, Reuse
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import PoolName, ServiceKey
from bareway.model.selectors import Selector
from bareway.model.services import Condition, FamilyPolicy, Port, Service, TrafficPolicy
from support.builders import ips

NAMES = tuple(ServiceKey(namespace, name) for namespace in ("x", "y") for name in ("a", "b", "c", "d"))
RANGES = ("192.0.2.0/30", "192.0.2.254-192.0.3.1", "2001:db8::/126", "198.51.100.0/31")
SECOND_RANGES = ("2001:db8:1::/127", "198.51.100.8/31")
FOUR = (
    "192.0.2.0",
    "192.0.2.0",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.254",
    "192.0.2.255",
    "198.51.100.0",
    "10.9.9.9",
)
SIX = ("2001:db8::", "2001:db8::", "2001:db8::1", "2001:db8:1::")
ADDRESSES = (*dict.fromkeys((*FOUR, *SIX)), "198.51.100.1", "198.51.100.8", "192.0.2.3")
NAMESPACES: tuple[Mapping[str, Mapping[str, str]], ...] = (
    {},
    {"x": {"team": "red"}},
    {"x": {"team": "red"}, "y": {"team": "blue"}},
)
TIMES = (100, 110, 120, 150)
SOME = 0.25
FEW = 0.1


def draw_service(rng: Random, key: ServiceKey) -> Service:
    """One Service, asking for this or that, showing this or that."""
    annotations = {}
    if rng.random() < SOME:
        annotations["metallb.io/address-pool"] = rng.choice(("p0", "p1", "p0", "p1", "p2", "nowhere"))
    if rng.random() < 2 * SOME:
        annotations["metallb.io/allow-shared-ip"] = rng.choice(("k", "k", "l"))
    if rng.random() < FEW:
        annotations["metallb.io/loadBalancerIPs"] = ",".join((rng.choice(FOUR), rng.choice(SIX + FOUR)))
    policy, cluster = rng.choice(
        (
            (FamilyPolicy.SINGLE_STACK, ("10.96.0.1",)),
            (FamilyPolicy.SINGLE_STACK, ("10.96.0.1",)),
            (FamilyPolicy.SINGLE_STACK, ("fd00::1",)),
            (FamilyPolicy.PREFER_DUAL_STACK, ("10.96.0.1", "fd00::1")),
            (FamilyPolicy.PREFER_DUAL_STACK, ("fd00::1", "10.96.0.1")),
            (FamilyPolicy.PREFER_DUAL_STACK, ("10.96.0.1",)),
            (FamilyPolicy.REQUIRE_DUAL_STACK, ("10.96.0.1", "fd00::1")),
            (
                FamilyPolicy.REQUIRE_DUAL_STACK,
                ("10.96.0.1",) if rng.random() < SOME else ("fd00::1", "10.96.0.1"),
            ),
            (FamilyPolicy.SINGLE_STACK, ("10.96.0.1", "fd00::1")),
            (FamilyPolicy.SINGLE_STACK, () if rng.random() < SOME else ("10.96.0.1",)),
        )
    )
    is_marked = rng.random() < FEW
    return Service(
        key=key,
        created_at=rng.choice(("2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-03-03T00:00:00Z")),
        is_load_balancer=rng.random() > FEW,
        load_balancer_class="other" if rng.random() < FEW else None,
        requested_address=rng.choice(("nonsense", *ADDRESSES)) if rng.random() < FEW else "",
        cluster_addresses=ips(*cluster),
        family_policy=policy,
        selector=rng.choice(((("app", "a"),), (("app", "b"),), ())),
        labels=rng.choice(({}, {"tier": "web"})),
        traffic_policy=rng.choice((TrafficPolicy.CLUSTER, TrafficPolicy.CLUSTER, TrafficPolicy.LOCAL)),
        ports=tuple(Port(number=number) for number in rng.sample((80, 443, 53), k=rng.choice((1, 1, 2)))),
        annotations=annotations,
        ingress=ips(*_draw_shown(rng, cluster)),
        condition=Condition(is_true=True, reason="Assigned", message="") if is_marked else None,
    )


def _draw_shown(rng: Random, cluster: tuple[str, ...]) -> list[str]:
    """Mostly nothing, or of each family one; sometimes anything."""
    chance = rng.random()
    if chance < 2 * SOME:
        return []
    if chance < 2 * SOME + FEW:
        return rng.choices(ADDRESSES, k=2)
    return [rng.choice(FOUR if "." in one else SIX) for one in cluster]


def draw_configuration(rng: Random) -> Configuration:
    """Up to four pools with all that one may say."""
    ranges = rng.sample(RANGES, k=rng.choice((2, 3, 4, 4)))
    pools = [_draw_pool(rng, f"p{index}", one) for index, one in enumerate(ranges)]
    for extra in SECOND_RANGES:
        if rng.random() < SOME:
            index = rng.randrange(len(pools))
            pools[index] = replace(pools[index], ranges=(*pools[index].ranges, parse_range(extra)))
    return Configuration(pools=tuple(pools))


def _draw_pool(rng: Random, name: str, one: str) -> Pool:
    selector = Selector(labels={"team": "red"})
    reserved = rng.choice(NAMES)
    address = parse_range(one).first
    return Pool(
        name=PoolName(name),
        ranges=(parse_range(one),),
        auto_assign=rng.random() > FEW,
        avoid_buggy_ips=rng.random() < SOME,
        priority=rng.choice((0, 0, 0, 1, 2)),
        namespaces=("x",) if rng.random() < FEW else (),
        namespace_selectors=(selector,) if rng.random() < FEW else (),
        service_selectors=(Selector(labels={"tier": "web"}),) if rng.random() < FEW else (),
        quota=rng.choice(({}, {}, {"x": 1}, {"*": 2}, {"x": 0, "*": 1})),
        reuse=rng.choice((Reuse.LOWEST, Reuse.LOWEST, Reuse.OLDEST)),
        hold_after_delete_s=rng.choice((0, 0, 15)),
        reserve={reserved: (address,)} if rng.random() < SOME else {},
        share_local=rng.random() < SOME,
    )


def draw_memory(rng: Random) -> AllocationMemory:
    """Of some addresses something is remembered, mostly of none."""
    if rng.random() < 2 * SOME:
        return AllocationMemory()
    some = [ip_address(text) for text in rng.sample(ADDRESSES, k=rng.randrange(6))]
    return AllocationMemory(
        holders={address: (rng.choice(NAMES),) for address in some if rng.random() < SOME},
        freed={address: rng.choice(TIMES) for address in some if rng.random() < 2 * SOME},
        holds={
            address: Hold(service=rng.choice(NAMES), until=rng.choice(TIMES))
            for address in some
            if rng.random() < SOME
        },
        quarantine={address: rng.choice(TIMES) for address in some if rng.random() < SOME},
    )


def rngs() -> st.SearchStrategy[Random]:
    """One draw for everything: Hypothesis shrinks by the seed only, but is a hundred times quicker."""
    return st.integers(0, 2**32).map(Random)


def draw_cluster(rng: Random) -> Mapping[ServiceKey, Service]:
    """Some of NAMES."""
    return {key: draw_service(rng, key) for key in rng.sample(NAMES, k=rng.randrange(len(NAMES) + 1))}


def draw_view(rng: Random) -> AllocationView:
    """All of it at one moment."""
    return AllocationView(
        configuration=draw_configuration(rng),
        services=tuple(draw_cluster(rng).values()),
        namespaces=rng.choice(NAMESPACES),
        memory=draw_memory(rng),
        now=100,
    )
