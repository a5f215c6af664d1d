"""Small clusters drawn by Hypothesis: few pools, few addresses, so that Services get in each other's way."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from bareway.model.configuration import Configuration
from bareway.model.names import ServiceKey
from bareway.model.services import Service
from support.builders import configuration, pool, service

POOLS = (
    pool("a", "192.0.2.0/30"),
    pool("b", "192.0.2.254-192.0.3.1", avoid_buggy_ips=True),
    pool("manual", "203.0.113.0/31", auto_assign=False),
    pool("six", "2001:db8::/126"),
    pool("both", "198.51.100.0/31", "2001:db8:1::/127"),
)
ADDRESSES = (
    *("192.0.2.0", "192.0.2.1", "192.0.2.3", "192.0.2.254", "192.0.2.255", "203.0.113.0", "198.51.100.0"),
    *("2001:db8::", "2001:db8:1::1", "10.9.9.9"),
)
FAMILIES = (("10.96.0.1",), ("fd00::1",), ("10.96.0.1", "fd00::1"), ())
MARK = "metallb.io/ip-allocated-from-pool"
SOME = 0.2


def _draw(rng: Random) -> Service:
    """One Service, asking for this or that, showing this or that."""
    annotations = {}
    if rng.random() < SOME:
        annotations["metallb.io/address-pool"] = rng.choice(("a", "manual", "x", ""))
    if rng.random() < SOME:
        annotations[MARK] = rng.choice(("a", "b", "x"))
    return service(
        created_at=rng.choice(("2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z")),
        cluster=rng.choice(FAMILIES),
        requested=rng.choice(("nonsense", *ADDRESSES)) if rng.random() < SOME else "",
        is_load_balancer=rng.random() > SOME,
        load_balancer_class="other" if rng.random() < SOME else None,
        ingress=rng.choices(ADDRESSES, k=rng.choice((0, 0, 1, 1, 1, 2))),
        annotations=annotations,
    )


_RNG = Random("clusters")
KINDS_OF_SERVICE = tuple(_draw(_RNG) for _ in range(600))
"""One draw for a whole Service is ten times quicker than one for each of its fields."""


def _named(name: str, one: Service) -> Service:
    key = ServiceKey("x" if ord(name) % 2 else "y", name)
    return replace(one, key=key, uid=f"uid-{name}")


def clusters() -> st.SearchStrategy[Mapping[ServiceKey, Service]]:
    """Up to nine Services by key."""
    chosen = st.dictionaries(st.sampled_from("abcdefghi"), st.sampled_from(KINDS_OF_SERVICE), max_size=9)
    named = chosen.map(lambda some: [_named(name, one) for name, one in sorted(some.items())])
    return named.map(lambda some: {one.key: one for one in some})


def configurations() -> st.SearchStrategy[Configuration]:
    """Some of POOLS, in any order."""
    chosen = st.lists(st.sampled_from(POOLS), unique_by=lambda one: one.name, min_size=1)
    return chosen.map(lambda some: configuration(*some))
