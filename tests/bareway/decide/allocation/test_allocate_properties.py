"""What holds for ``allocate`` whatever the Services and pools are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.free import FreeAddresses
from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.configuration import Configuration
from bareway.model.names import ServiceKey
from bareway.model.services import Service, is_ours
from support.builders import service
from support.clusters import clusters, configurations

pytestmark = pytest.mark.slow


def decide(configuration: Configuration, services: Iterable[Service]) -> Allocation:
    return allocate(AllocationView(configuration=configuration, services=services))


def after(services: Mapping[ServiceKey, Service], allocation: Allocation) -> dict[ServiceKey, Service]:
    """The Services once all that was decided is written."""
    written = dict(services)
    for key, verdict in allocation.verdicts.items():
        addresses = verdict.addresses if isinstance(verdict, Granted) else ()
        written[key] = replace(services[key], ingress=addresses)
    for key in allocation.released:
        written[key] = replace(services[key], ingress=(), annotations={})
    return written


@given(configurations(), clusters())
def test_no_address_is_given_twice_and_each_is_in_the_pool_it_is_said_to_be_in(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    allocation = decide(configuration, services.values())
    given_away = [
        (address, pool)
        for verdict in allocation.verdicts.values()
        if isinstance(verdict, Granted)
        for address, pool in zip(verdict.addresses, verdict.pools, strict=True)
    ]
    strangers = [
        address
        for one in services.values()
        if one.is_load_balancer and not is_ours(one, None)
        for address in one.ingress
    ]
    counted = Counter(address for address, _ in given_away)
    assert set(counted.values()) <= {1}
    assert set(counted).isdisjoint(strangers)
    free = FreeAddresses(configuration)
    for address, name in given_away:
        found = free.pool_of(address)
        assert found is not None
        assert found.name == name


@given(configurations(), clusters(), st.randoms(use_true_random=False))
def test_the_order_in_which_services_are_given_does_not_matter(
    configuration: Configuration, services: Mapping[ServiceKey, Service], rng: Random
) -> None:
    shuffled = [*services.values()]
    rng.shuffle(shuffled)
    assert decide(configuration, shuffled) == decide(configuration, services.values())


@given(configurations(), clusters())
def test_what_was_decided_is_kept_when_it_is_decided_again(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    first = decide(configuration, services.values())
    second = decide(configuration, after(services, first).values())
    for key, verdict in first.verdicts.items():
        again = second.verdicts[key]
        assert isinstance(again, Granted) == isinstance(verdict, Granted)
        if isinstance(again, Granted) and isinstance(verdict, Granted):
            assert again.kept
            assert again.addresses == verdict.addresses
            assert again.cleared is None
    assert second.released == frozenset()
    assert second.used == first.used


@given(configurations(), clusters())
def test_a_kept_address_stays_when_an_older_service_with_an_earlier_name_arrives(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    before = decide(configuration, services.values())
    newcomer = service("a/a", created_at="2020-01-01T00:00:00Z")
    now = decide(configuration, [newcomer, *services.values()])
    for key, verdict in before.verdicts.items():
        if isinstance(verdict, Granted) and verdict.kept:
            assert now.verdicts[key] == verdict


@given(configurations(), clusters())
def test_nobody_waits_for_an_address_that_a_pool_would_give(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    allocation = decide(configuration, services.values())
    for key, verdict in allocation.verdicts.items():
        one = services[key]
        asks = one.requested_address or one.annotation("address-pool")
        if isinstance(verdict, Granted) or asks or not one.cluster_addresses:
            continue
        version = one.cluster_addresses[0].version
        free = FreeAddresses(configuration)
        for other in services.values():
            if other.is_load_balancer and not is_ours(other, None):
                for address in other.ingress:
                    free.take(address)
        for given_to in allocation.verdicts.values():
            for address in given_to.addresses if isinstance(given_to, Granted) else ():
                free.take(address)
        assert [pool for pool in configuration.pools if pool.auto_assign and free.lowest(pool, version)] == []
