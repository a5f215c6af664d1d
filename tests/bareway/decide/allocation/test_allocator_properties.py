"""Whatever happened before: what is decided step by step is what is decided at once."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings

from bareway.decide.allocation.allocate import Allocations, AllocationView, allocate
from bareway.decide.allocation.remember import remember
from bareway.decide.allocation.verdicts import Allocation, Granted, Verdict
from bareway.model.names import ServiceKey
from bareway.model.services import Service
from support.tenancies import (
    NAMES,
    NAMESPACES,
    draw_configuration,
    draw_memory,
    draw_service,
    draw_view,
    rngs,
)

pytestmark = pytest.mark.slow
STEPS = 12


def shown(service: Service, allocation: Allocation) -> Service:
    """The Service once its verdict is written."""
    verdict = allocation.verdicts.get(service.key)
    if verdict is None:
        return replace(service, ingress=(), condition=None) if service.key in allocation.released else service
    return replace(service, ingress=verdict.addresses if isinstance(verdict, Granted) else ())


def other_services(rng: Random, view: AllocationView, allocation: Allocation) -> AllocationView:
    """Some are written, some are edited or created, one is deleted."""
    services = {service.key: service for service in view.services}
    chance = rng.random()
    if chance < 0.4 and services:
        key = rng.choice(sorted(services))
        services[key] = shown(services[key], allocation)
    elif chance < 0.5:
        services = {key: shown(service, allocation) for key, service in services.items()}
    elif chance < 0.85 or not services:
        for key in rng.sample(NAMES, k=rng.choice((1, 1, 3))):
            services[key] = draw_service(rng, key)
    else:
        del services[rng.choice(sorted(services))]
    return replace(view, services=tuple(services.values()))


def other_circumstances(rng: Random, view: AllocationView, allocation: Allocation) -> AllocationView:
    """The memory, the time, the labels of Namespaces, or the configuration."""
    chance = rng.random()
    if chance < 0.25:
        return replace(view, memory=draw_memory(rng))
    if chance < 0.5:
        return replace(view, now=view.now + rng.choice((1, 10)))
    if chance < 0.8:
        configuration = view.configuration
        memory = remember(view.memory, allocation=allocation, configuration=configuration, now=view.now)
        return replace(view, memory=memory)
    if chance < 0.9:
        return replace(view, namespaces=rng.choice(NAMESPACES))
    return replace(view, configuration=draw_configuration(rng))


def changed(rng: Random, view: AllocationView, allocation: Allocation) -> AllocationView:
    """One thing happens."""
    change = other_services if rng.random() < 0.6 else other_circumstances
    return change(rng, view, allocation)


def told(allocation: Allocation) -> Mapping[ServiceKey, Verdict | None]:
    """What is told about each Service."""
    return {**allocation.verdicts, **dict.fromkeys(allocation.released)}


@settings(deadline=None)
@given(rngs())
def test_a_history_of_changes_ends_as_if_all_were_decided_at_once(rng: Random) -> None:
    history(rng)


def history(rng: Random) -> None:
    """One change after the other, and after each a comparison."""
    allocations = Allocations()
    view = draw_view(rng)
    former: Mapping[ServiceKey, Verdict | None] = {}
    for _ in range(STEPS):
        allocation = allocations.decide(view)
        assert allocation == allocate(view)
        now = told(allocation)
        others = {key for key in now if key not in former or former[key] != now[key]}
        assert others <= allocations.changed, "who has another verdict is named"
        former = now
        view = changed(rng, view, allocation)


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(104431, id="reasons of a family that is kept"),
        pytest.param(22223, id="a quota that filled up after a pool was found exhausted"),
        pytest.param(297, id="a hold that another was given meanwhile"),
        pytest.param(75, id="a shown address that another was given before"),
    ],
)
def test_histories_that_once_ended_otherwise_do_so_no_more(seed: int) -> None:
    history(Random(seed))
