"""What MetalLB's users write into a Service and get for it, row by row: inputs, classes, pools, sharing.

Where we decide otherwise on purpose the row says so. Its Events have their rows beside the controller's
notices, its sharing rule beside ours.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.free import usable_count
from bareway.decide.allocation.requests import Request, read_request
from bareway.decide.allocation.verdicts import Granted, Refused, Verdict
from bareway.model.configuration import Pool
from bareway.model.names import PoolName
from bareway.model.services import ANNOTATION_PREFIXES, FamilyPolicy, Service
from support.builders import configuration, ips, pool, service

OFFICE = pool("office", "192.0.2.0/30")
PUBLIC = pool("public", "198.51.100.0/30")
MANUAL = pool("manual", "203.0.113.0/30", auto_assign=False)
SIX = pool("six", "2001:db8::/126")
BOTH = pool("both", "192.0.2.8/30", "2001:db8:1::/126")
ALL = (OFFICE, PUBLIC, MANUAL, SIX)
DUAL = ("10.96.0.10", "fd00::10")


def decide(*services: Service, pools: tuple[Pool, ...] = ALL, lb_class: str | None = None) -> Verdict | None:
    """On the first of the Services."""
    view = AllocationView(
        configuration=configuration(*pools), services=services, load_balancer_class=lb_class
    )
    return allocate(view).verdicts.get(services[0].key)


def given(verdict: Verdict | None) -> tuple[str, ...]:
    assert isinstance(verdict, Granted), verdict
    return tuple(map(str, verdict.addresses))


def told(verdict: Verdict | None) -> str:
    assert isinstance(verdict, Refused), verdict
    return verdict.reason.message


# ------------------------------------------------------------ 3.1 inputs


@pytest.mark.parametrize("prefix", ANNOTATION_PREFIXES)
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("address-pool", "manual", ("203.0.113.0",), id="3.1 address-pool"),
        pytest.param("loadBalancerIPs", "203.0.113.2", ("203.0.113.2",), id="3.1 loadBalancerIPs"),
        pytest.param("allow-shared-ip", "k", ("192.0.2.0",), id="3.1 allow-shared-ip"),
        pytest.param("ip-allocated-from-pool", "public", ("192.0.2.0",), id="3.1 output, it asks nothing"),
    ],
)
def test_an_annotation_counts_under_each_prefix(
    prefix: str, name: str, value: str, expected: tuple[str, ...]
) -> None:
    asking = service("web", annotations={prefix + name: value}, ports=[443])
    sharer = service(
        "old", annotations={"metallb.io/allow-shared-ip": "k"}, created_at="2025-01-01T00:00:00Z"
    )
    others = [sharer] if name == "allow-shared-ip" else []
    assert given(decide(asking, *others)) == expected


@pytest.mark.parametrize(
    ("annotations", "pool_asked_for"),
    [
        pytest.param({"metallb.universe.tf/address-pool": "public"}, "public", id="3.1 the old prefix alone"),
        pytest.param(
            {"metallb.io/address-pool": "office", "metallb.universe.tf/address-pool": "public"},
            "office",
            id="3.1 the new prefix wins",
        ),
        pytest.param(
            {"metallb.io/address-pool": "", "metallb.universe.tf/address-pool": "public"},
            None,
            id="3.1 it wins even if it is empty",
        ),
    ],
)
def test_the_first_prefix_that_is_there_counts(
    annotations: Mapping[str, str], pool_asked_for: str | None
) -> None:
    request = read_request(service(annotations=annotations))
    assert isinstance(request, Request)
    assert request.pool == (None if pool_asked_for is None else PoolName(pool_asked_for))


@pytest.mark.parametrize(
    ("of_service", "of_flag", "is_served"),
    [
        pytest.param(None, None, True, id="3.1 no class, no flag"),
        pytest.param(None, "x", False, id="3.1 no class, a flag"),
        pytest.param("x", None, False, id="3.1 a class, no flag"),
        pytest.param("x", "x", True, id="3.1 a class, the same flag"),
        pytest.param("x", "y", False, id="3.1 a class, another flag"),
    ],
)
def test_the_truth_table_of_the_load_balancer_class(
    of_service: str | None, of_flag: str | None, is_served: bool
) -> None:
    verdict = decide(service(load_balancer_class=of_service), lb_class=of_flag)
    assert (verdict is not None) is is_served


# ------------------------------------------------------------ 3.3 the allocator


@pytest.mark.parametrize(
    ("pools", "count", "last"),
    [
        pytest.param((OFFICE,), 1, "192.0.2.0", id="3.3 the network's own address first"),
        pytest.param((OFFICE,), 4, "192.0.2.3", id="3.3 the broadcast address last"),
        pytest.param((replace(OFFICE, avoid_buggy_ips=True),), 1, "192.0.2.1", id="3.3 but not a buggy one"),
        pytest.param(
            (pool("a", "198.51.100.0/31", "192.0.2.0/31"),),
            3,
            "192.0.2.0",
            id="3.3 entries in the order of the document, not of numbers",
        ),
        pytest.param((OFFICE, PUBLIC), 5, "198.51.100.0", id="3.3 pools in a fixed order: better"),
        pytest.param((MANUAL, PUBLIC), 1, "198.51.100.0", id="3.3 not from a pool without auto-assign"),
    ],
)
def test_which_address_is_next(pools: tuple[Pool, ...], count: int, last: str) -> None:
    many = [service(f"s{number}") for number in range(count)]
    assert given(decide(*reversed(many), pools=pools)) == (last,)


def test_an_address_that_was_given_back_is_given_at_once_again() -> None:
    """3.3 no memory of freed addresses, unless a pool asks for it."""
    assert given(decide(service("new"), service("other", ingress=["192.0.2.1"]))) == ("192.0.2.0",)


@pytest.mark.parametrize(
    ("policy", "pools", "expected"),
    [
        pytest.param(FamilyPolicy.REQUIRE_DUAL_STACK, (BOTH,), ("192.0.2.8", "2001:db8:1::"), id="3.3 dual"),
        pytest.param(
            FamilyPolicy.REQUIRE_DUAL_STACK,
            (OFFICE, SIX),
            ("192.0.2.0", "2001:db8::"),
            id="3.3 from two pools: better",
        ),
        pytest.param(FamilyPolicy.PREFER_DUAL_STACK, (SIX,), ("2001:db8::",), id="3.3 prefer, one to be had"),
        pytest.param(
            FamilyPolicy.PREFER_DUAL_STACK,
            (OFFICE, BOTH),
            ("192.0.2.8", "2001:db8:1::"),
            id="3.3 both",
        ),
    ],
)
def test_both_families_ipv4_first(
    policy: FamilyPolicy, pools: tuple[Pool, ...], expected: tuple[str, ...]
) -> None:
    assert given(decide(service(cluster=DUAL, families=policy), pools=pools)) == expected


ASKED = "requested loadBalancer IP(s)"


@pytest.mark.parametrize(
    ("asking", "message"),
    [
        pytest.param(
            {"annotations": {"metallb.io/address-pool": "x"}}, 'unknown pool "x"', id="3.3 unknown pool"
        ),
        pytest.param(
            {"requested": "10.9.9.9"}, '["10.9.9.9"] is not allowed in config', id="3.3 outside of all pools"
        ),
        pytest.param(
            {"requested": "2001:db8::1"},
            f'{ASKED} ["2001:db8::1"] does not match the ipFamily of the service',
            id="3.3 another family",
        ),
        pytest.param(
            {"requested": "192.0.2.1", "annotations": {"metallb.io/address-pool": "public"}},
            f'{ASKED} ["192.0.2.1"] is not compatible with requested address pool public',
            id="3.3 not in the pool asked for",
        ),
        pytest.param(
            {"requested": "x"}, 'invalid spec.loadBalancerIP "x"', id="3.3 invalid spec.loadBalancerIP"
        ),
        pytest.param(
            {"annotations": {"metallb.io/loadBalancerIPs": "x"}},
            'invalid metallb.io/loadBalancerIPs: "x"',
            id="3.3 invalid loadBalancerIPs",
        ),
        pytest.param(
            {"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.1,192.0.2.2"}},
            '"192.0.2.1" "192.0.2.2" has the same family',
            id="3.3 two of one family",
        ),
        pytest.param(
            {"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.1,2001:db8::1,192.0.2.2"}},
            'invalid metallb.io/loadBalancerIPs: "192.0.2.1,2001:db8::1,192.0.2.2"',
            id="3.3 more than two",
        ),
        pytest.param(
            {"annotations": {"metallb.io/address-pool": "six"}},
            "no available IPs in pool six: it has no IPv4 addresses",
            id="3.3 a pool of the other family, without MetalLB's <nil>",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_in_metallbs_words(asking: Mapping[str, object], message: str) -> None:
    assert told(decide(service(**asking))) == message  # type: ignore[arg-type]  # a builder's own words


def test_what_is_exhausted_is_told_in_metallbs_words() -> None:
    """3.3 no available IPs, of a pool and of all."""
    held = [service(f"h{number}", ingress=[f"192.0.2.{number}"]) for number in range(4)]
    one = service("one", annotations={"metallb.io/address-pool": "office"})
    assert told(decide(one, *held)) == "no available IPs in pool office"
    assert told(decide(service("two"), *held, pools=(OFFICE,))) == "no available IPs"


@pytest.mark.parametrize(
    ("ranges", "count"),
    [
        pytest.param(("2001:db8::/48",), 2**80, id="3.3 poolCount: a /48 is counted"),
        pytest.param(("2001:db8::/64", "2001:db8:1::/64"), 2**65, id="3.3 poolCount: no overflow"),
        pytest.param(("10.0.0.0/8",), 2**24, id="3.3 poolCount: an IPv4 /8"),
    ],
)
def test_great_pools_are_counted_without_overflow(ranges: tuple[str, ...], count: int) -> None:
    assert usable_count(pool("great", *ranges)) == count
    first = ranges[0].partition("/")[0]
    asking = service(cluster=["fd00::1"] if ":" in first else ["10.96.0.1"])
    assert given(decide(asking, pools=(pool("great", *ranges),))) == (str(ips(first)[0]),)
