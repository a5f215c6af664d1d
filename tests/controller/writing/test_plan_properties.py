"""Whatever is shown and whenever it is interrupted: it ends in the same state, and is always safe."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service
from bareway.resources.in_force import InForce
from controller.writing.plan import Shown, plan
from support.clusters import clusters, configurations
from support.written import after, decided, showing

pytestmark = pytest.mark.slow

PASSES_MAX = 6  # a chain of Services that wait for each other's addresses is short


def started(configuration: Configuration, services: Mapping[ServiceKey, Service]) -> tuple[InForce, Shown]:
    in_force = InForce(configuration=configuration, document="…", sha256="…", generation=1, source="a test")
    return in_force, showing(*services.values())


def passes(in_force: InForce, shown: Shown) -> Iterator[Shown]:
    """What is shown after each pass, until nothing is planned any more."""
    for _ in range(PASSES_MAX):
        effects = plan(decided(in_force, shown), shown)
        if not effects:
            return
        shown = after(shown, effects)
        yield shown
    raise AssertionError("it never ends")


def settled(in_force: InForce, shown: Shown) -> Shown:
    for then in passes(in_force, shown):
        shown = then
    return shown


def ends_alike(one: Shown, other: Shown) -> bool:
    def content(of: Shown) -> Mapping[ServiceKey, tuple[tuple[IPAddress, ...], Mapping[str, str]]]:
        return {key: (service.ingress, service.annotations) for key, service in of.services.items()}

    return content(one) == content(other) and one.in_force == other.in_force


def holders(shown: Shown) -> Counter[IPAddress]:
    """How many Services of type LoadBalancer show an address."""
    return Counter(
        address
        for service in shown.services.values()
        if service.is_load_balancer
        for address in service.ingress
    )


@given(configurations(), clusters())
def test_after_a_few_passes_nothing_is_missing(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    in_force, shown = started(configuration, services)
    end = settled(in_force, shown)
    assert plan(decided(in_force, end), end) == ()


@given(configurations(), clusters(), st.data())
def test_interrupted_after_any_effect_it_ends_in_the_same_state(
    configuration: Configuration, services: Mapping[ServiceKey, Service], data: st.DataObject
) -> None:
    in_force, shown = started(configuration, services)
    undisturbed = settled(in_force, shown)
    for _ in range(PASSES_MAX):
        effects = plan(decided(in_force, shown), shown)
        order = data.draw(st.permutations(effects))
        done = data.draw(st.integers(0, len(effects)))
        shown = after(shown, order[:done])
    assert ends_alike(settled(in_force, shown), undisturbed)


@given(configurations(), clusters(), st.data())
def test_no_effect_in_any_order_ever_makes_two_services_show_an_address(
    configuration: Configuration, services: Mapping[ServiceKey, Service], data: st.DataObject
) -> None:
    in_force, shown = started(configuration, services)
    before = holders(shown)
    for _ in range(PASSES_MAX):
        for effect in data.draw(st.permutations(plan(decided(in_force, shown), shown))):
            shown = after(shown, [effect])
            now = holders(shown)
            assert all(count <= max(1, before[address]) for address, count in now.items())
            before = now


@given(configurations(), clusters())
def test_doing_an_effect_twice_changes_nothing_more(
    configuration: Configuration, services: Mapping[ServiceKey, Service]
) -> None:
    in_force, shown = started(configuration, services)
    for then in passes(in_force, shown):
        effects = plan(decided(in_force, shown), shown)
        twice = [effect for effect in effects for _ in range(2)]
        assert ends_alike(after(shown, twice), after(shown, effects))
        shown = then
