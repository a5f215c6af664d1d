"""Deciding again and again: what it costs, and who is named as changed."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import Allocations, AllocationView
from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.ledger import Ledger
from bareway.decide.allocation.verdicts import Granted
from bareway.model.memory import AllocationMemory
from bareway.model.services import Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/24")


class Count:
    """How often addresses were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given = 0
        add = Ledger.add

        def counted(*args: object) -> None:
            self.given += 1
            add(*args)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(Ledger, "add", counted)


def waiting(count: int) -> list[Service]:
    return [
        service(f"s{n:03d}", created_at=f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z") for n in range(count)
    ]


def fed(*services: Service) -> Allocator:
    allocator = Allocator(configuration(A), namespaces={})
    for one in services:
        allocator.put(one)
    allocator.settle(now=0)
    return allocator


def shown(allocator: Allocator, one: Service) -> Service:
    verdict = allocator.allocation.verdicts[one.key]
    assert isinstance(verdict, Granted)
    return replace(one, ingress=verdict.addresses)


def test_one_more_costs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    allocator = fed(*waiting(100))
    count = Count(monkeypatch)
    allocator.put(service("new", created_at="2026-02-02T00:00:00Z"))
    assert allocator.settle(now=0) == {key("new")}
    assert count.given == 1


def test_an_older_one_is_served_before_those_that_came_before_it() -> None:
    allocator = fed(*waiting(3))
    allocator.put(service("old", created_at="2025-01-01T00:00:00Z"))
    assert allocator.settle(now=0) == {key("old"), key("s000"), key("s001"), key("s002")}
    old = allocator.allocation.verdicts[key("old")]
    assert isinstance(old, Granted)
    assert old.addresses == ips("192.0.2.0")


def test_what_is_written_as_it_was_decided_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = waiting(100)
    allocator = fed(*services)
    count = Count(monkeypatch)
    for one in services[10:20]:
        allocator.put(shown(allocator, one))
    assert allocator.settle(now=0) == {one.key for one in services[10:20]}
    assert count.given == 10


def test_one_that_is_not_plain_makes_the_others_be_looked_at_as_long_as_it_is_in_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = waiting(10)
    sharing = service("z", annotations={"metallb.io/allow-shared-ip": "k"}, created_at="2027-01-01T00:00:00Z")
    allocator = fed(*services, sharing)
    count = Count(monkeypatch)
    allocator.put(shown(allocator, services[0]))
    allocator.settle(now=0)
    assert count.given == 1 + len(services)
    allocator.remove(sharing.key)
    allocator.settle(now=0)
    count.given = 0
    allocator.put(shown(allocator, services[1]))
    allocator.settle(now=0)
    assert count.given == 1


def test_what_changes_nothing_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = waiting(10)
    allocator = fed(*services)
    written = [shown(allocator, one) for one in services]
    for one in written:
        allocator.put(one)
    allocator.settle(now=0)
    count = Count(monkeypatch)
    allocator.put(written[3])
    allocator.put(replace(written[3]))
    assert allocator.settle(now=9) == frozenset()
    assert count.given == 0
    allocator.put(replace(written[3], resource_version="2"))
    assert allocator.settle(now=9) == frozenset()
    assert count.given == 1


def test_a_freed_address_goes_to_the_first_in_line() -> None:
    held = [service(f"h{n}", ingress=[f"192.0.2.{n}"]) for n in range(4)]
    allocator = Allocator(configuration(pool("a", "192.0.2.0/30")), namespaces={})
    for one in (*held, *waiting(3)):
        allocator.put(one)
    allocator.settle(now=0)
    allocator.remove(key("h2"))
    assert allocator.settle(now=0) == {key("h2"), key("s000")}
    served = allocator.allocation.verdicts[key("s000")]
    assert isinstance(served, Granted)
    assert served.addresses == ips("192.0.2.2")


def test_a_shown_address_comes_before_one_that_was_only_given() -> None:
    first = service("a")
    allocator = fed(first)
    allocator.put(service("b", created_at="2026-02-02T00:00:00Z", ingress=["192.0.2.0"]))
    assert allocator.settle(now=0) == {key("a"), key("b")}
    moved = allocator.allocation.verdicts[key("a")]
    assert isinstance(moved, Granted)
    assert moved.addresses == ips("192.0.2.1")


def test_who_joins_or_leaves_is_told_to_those_that_share() -> None:
    shared = {"metallb.io/allow-shared-ip": "k"}
    one = service("a", annotations=shared, ingress=["192.0.2.0"])
    allocator = fed(one)
    allocator.put(service("b", annotations=shared, ports=[443]))
    assert allocator.settle(now=0) == {key("a"), key("b")}
    verdict = allocator.allocation.verdicts[key("a")]
    assert isinstance(verdict, Granted)
    assert verdict.shares_with == (key("b"),)
    allocator.remove(key("b"))
    assert allocator.settle(now=0) == {key("a"), key("b")}
    verdict = allocator.allocation.verdicts[key("a")]
    assert isinstance(verdict, Granted)
    assert verdict.shares_with == ()


def test_who_is_released_is_named() -> None:
    allocator = fed(service("a", ingress=["192.0.2.0"]))
    allocator.put(service("a", is_load_balancer=False, ingress=["192.0.2.0"]))
    assert allocator.settle(now=0) == {key("a")}
    assert allocator.allocation.released == {key("a")}
    allocator.put(service("a", is_load_balancer=False))
    assert allocator.settle(now=0) == {key("a")}
    assert allocator.allocation.released == frozenset()


def test_what_was_never_there_may_go() -> None:
    allocator = fed(service("a"))
    allocator.remove(key("b"))
    assert allocator.settle(now=0) == frozenset()


def test_the_memory_stays_until_another_one_is_given() -> None:
    memory = AllocationMemory(quarantine={ips("192.0.2.0")[0]: 50})
    allocator = Allocator(configuration(A), namespaces={})
    allocator.put(service("a"))
    allocator.settle(now=0, memory=memory)
    allocator.put(service("b", created_at="2026-02-02T00:00:00Z"))
    allocator.settle(now=10)
    verdicts = allocator.allocation.verdicts.values()
    assert [str(one.addresses[0]) for one in verdicts if isinstance(one, Granted)] == [
        "192.0.2.1",
        "192.0.2.2",
    ]


def test_a_view_of_the_same_objects_costs_nothing_and_another_configuration_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allocations = Allocations()
    services = tuple(waiting(20))
    view = AllocationView(configuration=configuration(A), services=services)
    allocations.decide(view)
    assert allocations.changed == {one.key for one in services}
    count = Count(monkeypatch)
    allocations.decide(replace(view, namespaces={"shop": {}}))
    assert (count.given, allocations.changed) == (0, frozenset())
    allocations.decide(replace(view, services=services[1:]))
    assert services[0].key in allocations.changed
    other = configuration(pool("b", "198.51.100.0/24"))
    allocations.decide(replace(view, configuration=other))
    assert {str(next(iter(one.pools))) for one in _granted(allocations, view, other)} == {"b"}


def _granted(allocations: Allocations, view: AllocationView, other: object) -> list[Granted]:
    allocation = allocations.decide(replace(view, configuration=other))  # type: ignore[arg-type]  # as it is
    return [one for one in allocation.verdicts.values() if isinstance(one, Granted)]


def test_thousands_that_all_want_the_same_port_of_one_key_are_served_without_walking_over_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    conflict = Ledger.conflict

    def counted(*args: object) -> object:
        nonlocal asked
        asked += 1
        return conflict(*args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Ledger, "conflict", counted)
    shared = {"metallb.io/allow-shared-ip": "k"}
    allocator = Allocator(configuration(pool("a", "10.0.0.0/8")), namespaces={})
    for one in waiting(600):
        allocator.put(replace(one, annotations=shared))
    allocator.settle(now=0)
    assert len(allocator.allocation.holders) == 600
    assert asked < 3 * 600


def test_addresses_in_use_are_counted_by_family_each_once() -> None:
    both = pool("both", "192.0.2.0/30", "2001:db8::/126")
    allocator = Allocator(configuration(both), namespaces={})
    shared = {"metallb.io/allow-shared-ip": "k"}
    six = [service(name, cluster=["fd00::1"], annotations=shared) for name in ("six", "more")]
    for one in (service("four"), six[0], replace(six[1], ports=())):
        allocator.put(one)
    allocator.settle(now=0)
    assert allocator.allocation.used == {both.name: 2}
    assert allocator.allocation.used_ipv6 == {both.name: 1}
    for one in six:
        allocator.remove(one.key)
    allocator.settle(now=1)
    assert (allocator.allocation.used, allocator.allocation.used_ipv6) == ({both.name: 1}, {both.name: 0})
