"""Who is on an address, while Services come, share it, and go again."""

from collections.abc import Iterable
from dataclasses import replace

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.judgement import SHARERS_TOLD_MAX
from bareway.decide.allocation.ledger import BOOKMARKS_MAX, Ledger
from bareway.decide.allocation.sharing import tenant
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Granted, Refusal
from bareway.model.configuration import Pool
from bareway.model.services import FamilyPolicy, Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
ZERO, ONE, TWO, THREE = ips("192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3")


def sharing(name: str, *ports: int, of: str = "k", created_at: str = "2026-01-01T00:00:00Z") -> Service:
    annotations = {"metallb.io/allow-shared-ip": of}
    return service(name, annotations=annotations, ports=ports, created_at=created_at)


class Desk:
    """Settles again and again."""

    def __init__(self, of: Pool, *services: Service) -> None:
        self.allocator = Allocator(configuration(of), namespaces={})
        self.settle(*services)

    def settle(self, *services: Service, gone: Iterable[str] = ()) -> None:
        for one in services:
            self.allocator.put(one)
        for name in gone:
            self.allocator.remove(key(name))
        self.allocator.settle(now=0)

    def address(self, name: str) -> str:
        verdict = self.allocator.allocation.verdicts[key(name)]
        return " ".join(map(str, verdict.addresses)) if isinstance(verdict, Granted) else ""


def shown(one: Service, address: str) -> Service:
    return replace(one, ingress=ips(address))


# ------------------------------------------------------------ joining and leaving


def test_the_port_of_one_that_left_is_free_for_the_next() -> None:
    stays, leaves = shown(sharing("stays", 80), "192.0.2.3"), shown(sharing("leaves", 443), "192.0.2.3")
    desk = Desk(A, stays, leaves, *(service(f"h{n}", ingress=[f"192.0.2.{n}"]) for n in range(3)))
    desk.settle(sharing("early", 443))
    assert desk.address("early") == ""
    desk.settle(gone=["leaves"])
    assert desk.address("early") == "192.0.2.3"
    desk.settle(sharing("late", 80))
    assert desk.address("late") == "", "the other one's is not"


def test_an_address_that_all_left_has_no_ports_any_more() -> None:
    desk = Desk(A, shown(sharing("a", 80), "192.0.2.3"))
    desk.settle(gone=["a"])
    desk.settle(replace(sharing("b", 80), requested_address="192.0.2.3"))
    desk.settle(replace(sharing("c", 443), requested_address="192.0.2.3"))
    assert (desk.address("b"), desk.address("c")) == ("192.0.2.3", "192.0.2.3")


def test_an_address_is_of_the_class_of_those_that_hold_it_now() -> None:
    desk = Desk(replace(A, ranges=pool("a", "192.0.2.0/32").ranges), shown(sharing("a", 80), "192.0.2.0"))
    desk.settle(gone=["a"])
    desk.settle(shown(sharing("b", 80, of="l"), "192.0.2.0"), sharing("c", 443))
    assert desk.address("c") == ""
    desk.settle(sharing("d", 443, of="l"))
    assert desk.address("d") == "192.0.2.0"


def test_an_address_that_became_of_use_again_is_found_although_it_was_passed_over() -> None:
    holders = [shown(sharing(f"h{n}", 80), f"192.0.2.{n}") for n in range(4)]
    extra = [shown(sharing(f"x{n}", 443), f"192.0.2.{n}") for n in range(3)]
    desk = Desk(A, *holders, *extra)
    desk.settle(sharing("first", 443))
    assert desk.address("first") == "192.0.2.3"
    desk.settle(gone=["x1"])
    desk.settle(sharing("second", 443, created_at="2027-01-01T00:00:00Z"))
    assert {desk.address("first"), desk.address("second")} == {"192.0.2.1", "192.0.2.3"}


def test_holders_are_told_oldest_first_whoever_came_first() -> None:
    young = shown(sharing("young", 80, created_at="2026-03-03T00:00:00Z"), "192.0.2.0")
    desk = Desk(A, young)
    desk.settle(shown(sharing("old", 443), "192.0.2.0"))
    desk.settle(shown(sharing("middle", 53, created_at="2026-02-02T00:00:00Z"), "192.0.2.0"))
    told = [one.name for one in desk.allocator.allocation.holders[ZERO]]
    assert told == ["old", "middle", "young"]
    desk.settle(gone=["middle"])
    assert [one.name for one in desk.allocator.allocation.holders[ZERO]] == ["old", "young"]


def test_one_that_leaves_takes_nobody_else_along() -> None:
    three = [sharing(name, port) for name, port in (("a", 80), ("b", 443), ("c", 53))]
    ledger = ledger_with(*((one, "192.0.2.0") for one in three))
    ledger.remove(tenant(three[1]), ZERO, A)
    assert ledger.holders[ZERO] == (key("a"), key("c"))
    assert [one.key for one in ledger.tenants(ZERO)] == [key("a"), key("c")]
    assert ledger.used == {"a": 1}
    ledger.remove(tenant(three[0]), ZERO, A)
    ledger.remove(tenant(three[2]), ZERO, A)
    assert (ledger.holders, ledger.tenants(ZERO), ledger.used) == ({}, (), {"a": 0})


def test_of_very_many_that_share_only_the_first_are_told() -> None:
    count = SHARERS_TOLD_MAX + 44
    services = [shown(sharing(f"s{n:03d}", 1000 + n), "192.0.2.0") for n in range(count)]
    verdicts = allocate(AllocationView(configuration=configuration(A), services=services)).verdicts
    for number in (0, 100, SHARERS_TOLD_MAX, count - 1):
        told = verdicts[services[number].key]
        assert isinstance(told, Granted)
        others = [one.key for one in services if one is not services[number]]
        assert list(told.shares_with) == others[:SHARERS_TOLD_MAX]


def test_who_waits_for_a_second_family_is_told_with_whom_it_shares_the_first_each_time() -> None:
    both = replace(
        shown(sharing("a", 80), "192.0.2.0"),
        family_policy=FamilyPolicy.PREFER_DUAL_STACK,
        cluster_addresses=ips("10.96.0.1", "fd00::1"),
    )
    desk = Desk(A, both, shown(sharing("b", 443), "192.0.2.0"))
    for _ in range(2):
        verdict = desk.allocator.allocation.verdicts[key("a")]
        assert isinstance(verdict, Granted)
        assert (verdict.addresses, verdict.shares_with) == (ips("192.0.2.0"), (key("b"),))
        desk.settle(service("older", created_at="2020-01-01T00:00:00Z"))


# ------------------------------------------------------------ counting


def test_an_address_shared_inside_a_namespace_costs_its_quota_once_until_the_last_leaves() -> None:
    one_each = replace(A, quota={"*": 1})
    desk = Desk(
        one_each, shown(sharing("shop/a", 80), "192.0.2.0"), shown(sharing("shop/b", 443), "192.0.2.0")
    )
    desk.settle(service("shop/c"))
    desk.settle(gone=["shop/a"])
    assert desk.address("shop/c") == ""
    desk.settle(gone=["shop/b"])
    assert desk.address("shop/c") == "192.0.2.0"


def test_who_is_above_the_quota_is_told_of_which_pool() -> None:
    view = AllocationView(
        configuration=configuration(replace(A, quota={"*": 0})), services=[service("shop/c")]
    )
    (reason,) = allocate(view).verdicts[key("shop/c")].reasons
    assert (reason.word, reason.pool, reason.address) == (Refusal.QUOTA_EXHAUSTED, "a", None)


def test_each_namespace_on_a_shared_address_pays_for_it() -> None:
    one_each = replace(A, quota={"*": 1})
    desk = Desk(
        one_each, shown(sharing("shop/a", 80), "192.0.2.0"), shown(sharing("mail/b", 443), "192.0.2.0")
    )
    desk.settle(service("shop/c"), service("mail/d"), service("other/e"))
    assert [desk.address(name) for name in ("shop/c", "mail/d", "other/e")] == ["", "", "192.0.2.1"]


def test_an_address_that_waits_or_is_reserved_may_be_joined_within_the_quota() -> None:
    reserving = replace(A, quota={"*": 1}, reserve={key("shop/b"): (TWO,), key("shop/a"): (TWO,)})
    desk = Desk(reserving, shown(sharing("shop/a", 80), "192.0.2.2"), sharing("shop/b", 443))
    assert desk.address("shop/b") == "192.0.2.2"
    others = Desk(reserving, service("shop/x", ingress=["192.0.2.0"]), service("shop/b"))
    assert others.address("shop/b") == "", "but it costs where nobody of the namespace holds it"


# ------------------------------------------------------------ searching


def ledger_with(*held: tuple[Service, str]) -> Ledger:
    stock = Stock(configuration(A))
    ledger = Ledger(configuration(A), stock)
    for one, address in held:
        ledger.add(tenant(one), ips(address)[0], A)
    return ledger


def joinable(ledger: Ledger, one: Service) -> list[str]:
    return [str(address) for _, address in ledger.joinable(tenant(one), A, 4)]


def test_what_may_be_joined_comes_in_the_order_of_the_pool() -> None:
    held = [(sharing(f"h{n}", 80), f"192.0.2.{n}") for n in (2, 0, 3, 1)]
    ledger = ledger_with(*held)
    assert joinable(ledger, sharing("x", 443)) == ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert joinable(ledger, sharing("x", 80)) == []
    assert joinable(ledger, service("x")) == []
    assert joinable(ledger, sharing("x", 443, of="l")) == []


def test_a_search_goes_on_where_the_last_one_for_the_same_ports_found_something() -> None:
    held = [(sharing(f"h{n}", 80 if n < 2 else 443), f"192.0.2.{n}") for n in range(4)]
    ledger = ledger_with(*held)
    for _ in range(2):
        assert joinable(ledger, sharing("x", 80)) == ["192.0.2.2", "192.0.2.3"]
        assert joinable(ledger, sharing("x", 443)) == ["192.0.2.0", "192.0.2.1"]
        assert joinable(ledger, sharing("x", 80, 443)) == []
    ledger.remove(tenant(held[1][0]), ONE, A)
    assert joinable(ledger, sharing("x", 80)) == ["192.0.2.2", "192.0.2.3"], (
        "it is nobody's: not to be joined"
    )
    ledger.add(tenant(sharing("y", 53)), ONE, A)
    assert joinable(ledger, sharing("x", 80)) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert joinable(ledger, sharing("x", 80, 443)) == ["192.0.2.1"]


def test_who_leaves_makes_its_address_fit_again_for_those_that_were_turned_away() -> None:
    both = sharing("both", 80, 443)
    ledger = ledger_with(*((sharing(f"h{n}", 80), f"192.0.2.{n}") for n in range(3)))
    ledger.add(tenant(sharing("x", 443)), ONE, A)
    ledger.add(tenant(sharing("z", 22)), ONE, A)
    assert joinable(ledger, sharing("y", 443)) == ["192.0.2.0", "192.0.2.2"]
    assert joinable(ledger, both) == []
    ledger.remove(tenant(sharing("x", 443)), ONE, A)
    assert joinable(ledger, sharing("y", 443)) == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
    ledger.remove(tenant(sharing("h1", 80)), ONE, A)
    assert joinable(ledger, both) == ["192.0.2.1"]


def test_more_kinds_of_ports_than_there_are_bookmarks_find_the_same() -> None:
    ledger = ledger_with(*((sharing(f"h{n}", 80 + n), f"192.0.2.{n}") for n in range(4)))
    for port in [*range(1000, 1000 + 2 * BOOKMARKS_MAX), 81]:
        expected = [f"192.0.2.{n}" for n in range(4) if port != 80 + n]
        assert joinable(ledger, sharing("x", port)) == expected


def test_a_lone_holder_is_in_nobodys_way_but_its_own_ports_are_known() -> None:
    ledger = ledger_with((sharing("a", 80), "192.0.2.0"))
    assert ledger.conflict(tenant(sharing("a", 80, 443)), ZERO, A) is None, "it is itself"
    refused = ledger.conflict(tenant(sharing("b", 80)), ZERO, A)
    assert refused is not None
    assert refused.word is Refusal.PORT_IN_USE
    assert ledger.conflict(tenant(sharing("b", 80)), ONE, A) is None, "nobody is there"
