"""What is remembered of frees, holds and quarantine, and what becomes of it."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.decide.allocation import remember as limits
from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.remember import remember
from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused
from bareway.model.configuration import Pool, Reuse
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import FamilyPolicy, Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
OLDEST = replace(A, reuse=Reuse.OLDEST)
HOLDING = replace(A, hold_after_delete_s=60.0)
NOTHING = AllocationMemory()


def ip(text: str) -> IPAddress:
    return ip_address(text)


class History:
    """A controller that remembers: looks at Services from time to time, and writes what it decided."""

    def __init__(self, *pools: Pool, memory: AllocationMemory = NOTHING) -> None:
        self.configuration = configuration(*pools)
        self.memory = memory
        self.services: dict[ServiceKey, Service] = {}
        self.now = 1000

    def look(self, *created: Service, gone: tuple[str, ...] = (), after_s: int = 0) -> Allocation:
        self.now += after_s
        self.services |= {one.key: one for one in created}
        for one in gone:
            del self.services[key(one)]
        view = AllocationView(
            configuration=self.configuration,
            services=self.services.values(),
            memory=self.memory,
            now=self.now,
        )
        allocation = allocate(view)
        self.memory = remember(
            self.memory, allocation=allocation, configuration=self.configuration, now=self.now
        )
        for name, verdict in allocation.verdicts.items():
            shown = verdict.addresses if isinstance(verdict, Granted) else ()
            self.services[name] = replace(self.services[name], ingress=shown)
        return allocation

    def address(self, name: str) -> str:
        return " ".join(str(address) for address in self.services[key(name)].ingress)


def test_nothing_is_remembered_where_no_pool_asks_for_it() -> None:
    history = History(A)
    history.look(service("a"))
    history.look(gone=("a",))
    assert history.memory == NOTHING


# ------------------------------------------------------------ reuse: oldest


def test_the_address_that_is_free_for_longest_is_given_and_one_never_given_before_it() -> None:
    history = History(OLDEST)
    history.look(*(service(name) for name in "abc"))
    history.look(gone=("b",), after_s=10)
    history.look(gone=("a",), after_s=10)
    history.look(service("d"), after_s=10)
    history.look(service("e"), after_s=10)
    history.look(service("f"), after_s=10)
    assert [history.address(name) for name in "def"] == ["192.0.2.3", "192.0.2.1", "192.0.2.0"]


def test_of_addresses_that_were_freed_at_once_the_lowest_is_given_first() -> None:
    history = History(OLDEST)
    history.look(*(service(name) for name in "abcd"))
    history.look(gone=("a", "b", "c", "d"), after_s=10)
    history.look(service("e"), service("f"))
    assert [history.address(name) for name in "ef"] == ["192.0.2.0", "192.0.2.1"]


def test_an_address_that_was_freed_and_is_asked_for_is_given_at_once() -> None:
    history = History(OLDEST)
    history.look(service("a"))
    history.look(service("b", requested="192.0.2.0"), gone=("a",))
    assert history.address("b") == "192.0.2.0"
    assert history.memory.freed == {}


def test_a_release_while_no_controller_ran_is_noticed_in_the_same_look() -> None:
    memory = AllocationMemory(holders={ip("192.0.2.0"): (key("a"),)})
    history = History(OLDEST, memory=memory)
    history.look(service("b"))
    assert history.address("b") == "192.0.2.1"
    assert history.memory.freed == {ip("192.0.2.0"): 1000}
    assert history.memory.holders == {ip("192.0.2.1"): (key("b"),)}


def test_a_pool_that_gives_the_lowest_forgets_when_its_addresses_were_freed() -> None:
    memory = AllocationMemory(freed={ip("192.0.2.0"): 5, ip("192.0.2.1"): 6})
    assert (
        remember(memory, allocation=Allocation(verdicts={}), configuration=configuration(A), now=9) == NOTHING
    )
    history = History(A, memory=memory)
    history.look(service("a"))
    assert history.address("a") == "192.0.2.0"


# ------------------------------------------------------------ hold-after-delete


def test_an_address_waits_for_a_service_of_the_same_name() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    history.look(service("b"), gone=("a",), after_s=10)
    assert history.address("b") == "192.0.2.1"
    assert history.memory.holds == {ip("192.0.2.0"): Hold(service=key("a"), until=1070)}
    history.look(service("c"), service("a"), after_s=10)
    assert history.address("a") == "192.0.2.0"
    assert history.address("c") == "192.0.2.2"
    assert history.memory.holds == {}


def test_an_address_waits_no_longer_than_it_is_told_to() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    history.look(gone=("a",))
    history.look(service("b"), after_s=59)
    history.look(service("c"), after_s=1)
    assert [history.address(name) for name in "bc"] == ["192.0.2.1", "192.0.2.0"]


def test_who_waits_for_a_held_address_is_told_when_it_is_free() -> None:
    one = replace(HOLDING, ranges=pool("a", "192.0.2.0/32").ranges)
    history = History(one)
    history.look(service("a"))
    allocation = history.look(service("b"), gone=("a",))
    assert isinstance(allocation.verdicts[key("b")], Refused)
    assert allocation.wake_at == 1060
    asked = history.look(service("b", requested="192.0.2.0"), after_s=10)
    refused = asked.verdicts[key("b")]
    assert isinstance(refused, Refused)
    assert (refused.reason.word, refused.reason.message) == (
        Refusal.ON_HOLD,
        '"192.0.2.0" waits for default/a, which held it last',
    )
    assert asked.wake_at == 1060
    served = history.look(after_s=50)
    assert history.address("b") == "192.0.2.0"
    assert served.wake_at is None


# ------------------------------------------------------------ a clock that was wrong

A_YEAR_S = 365 * 86_400


def test_what_a_clock_that_was_a_year_ahead_shut_away_waits_no_longer_than_if_it_began_now() -> None:
    history = History(replace(HOLDING, reuse=Reuse.OLDEST))
    history.now += A_YEAR_S
    history.look(service("a"), service("b"))
    history.look(gone=("a", "b"))
    history.memory = replace(history.memory, quarantine={ip("192.0.2.3"): history.now + 600})
    history.look(after_s=-A_YEAR_S)
    assert history.memory.holds[ip("192.0.2.0")] == Hold(service=key("a"), until=1060)
    assert history.memory.quarantine == {ip("192.0.2.3"): 1600}
    assert history.memory.freed == {ip("192.0.2.0"): 1000, ip("192.0.2.1"): 1000}
    history.look(after_s=59)
    assert history.memory.holds[ip("192.0.2.0")].until == 1060
    history.look(after_s=541)
    assert (history.memory.holds, history.memory.quarantine) == ({}, {})


def test_who_shortens_the_wait_of_a_pool_shortens_it_for_what_waits_already() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    history.look(gone=("a",))
    history.configuration = configuration(replace(A, hold_after_delete_s=10.0))
    history.look(after_s=1)
    assert history.memory.holds == {ip("192.0.2.0"): Hold(service=key("a"), until=1011)}


def test_nobody_is_woken_who_does_not_wait() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    assert history.look(service("b"), gone=("a",)).wake_at is None


def test_an_address_waits_for_nobody_who_moved_to_another_one() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    history.look(service("a", ingress=["192.0.2.0"], requested="192.0.2.3"))
    assert history.address("a") == "192.0.2.3"
    assert history.memory.holds == {}


def test_an_address_of_another_family_does_not_count_as_another_one() -> None:
    six = replace(pool("six", "2001:db8::/126"), hold_after_delete_s=60)
    history = History(HOLDING, six)
    dual = service("a", cluster=["10.96.0.1", "fd00::1"], families=FamilyPolicy.PREFER_DUAL_STACK)
    history.look(dual)
    history.look(replace(dual, ingress=ips("192.0.2.0")))
    assert history.address("a") == "192.0.2.0 2001:db8::"


def test_a_shared_address_waits_for_the_oldest_of_those_that_held_it() -> None:
    history = History(HOLDING)
    shared = {"metallb.io/allow-shared-ip": "k"}
    history.look(
        service("a", annotations=shared, created_at="2026-02-02T00:00:00Z"),
        service("b", annotations=shared, ports=[443]),
    )
    assert history.memory.holders == {ip("192.0.2.0"): (key("b"), key("a"))}
    history.look(gone=("a", "b"))
    assert history.memory.holds[ip("192.0.2.0")].service == key("b")


def test_a_service_that_is_load_balanced_no_more_leaves_its_address_on_hold() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    history.look(service("a", is_load_balancer=False, ingress=["192.0.2.0"]), service("b"))
    assert history.address("b") == "192.0.2.1"


def test_a_hold_in_a_pool_that_assigns_nothing_by_itself_is_for_who_asks_for_the_pool() -> None:
    manual = replace(HOLDING, auto_assign=False)
    memory = AllocationMemory(holds={ip("192.0.2.2"): Hold(service=key("a"), until=2000)})
    unasked = History(manual, memory=memory)
    unasked.look(service("a"))
    assert unasked.address("a") == ""
    asked = History(manual, memory=memory)
    asked.look(service("a", annotations={"metallb.io/address-pool": "a"}))
    assert asked.address("a") == "192.0.2.2"


# ------------------------------------------------------------ quarantine


def test_an_address_that_something_else_answers_for_is_exchanged_unless_it_is_wanted_by_name() -> None:
    memory = AllocationMemory(quarantine={ip("192.0.2.0"): 1600})
    history = History(A, memory=memory)
    allocation = history.look(service("a", ingress=["192.0.2.0"]))
    lost = allocation.verdicts[key("a")].cleared
    assert lost is not None
    assert (lost.reason.word, lost.reason.message) == (
        Refusal.QUARANTINED,
        'something else answers for "192.0.2.0"',
    )
    assert history.address("a") == "192.0.2.1"
    history.look(service("b", requested="192.0.2.0"))
    assert history.address("b") == "192.0.2.0"
    kept = history.look().verdicts[key("b")]
    assert isinstance(kept, Granted)
    assert kept.kept
    assert history.memory.quarantine == {ip("192.0.2.0"): 1600}


def test_a_reserved_address_is_kept_in_quarantine() -> None:
    reserving = replace(A, reserve={key("a"): ips("192.0.2.0")})
    history = History(reserving, memory=AllocationMemory(quarantine={ip("192.0.2.0"): 1600}))
    history.look(service("a"))
    kept = history.look().verdicts[key("a")]
    assert isinstance(kept, Granted)
    assert (kept.kept, history.address("a")) == (True, "192.0.2.0")


def test_a_quarantine_ends() -> None:
    history = History(replace(A, ranges=pool("a", "192.0.2.0/32").ranges))
    history.memory = AllocationMemory(quarantine={ip("192.0.2.0"): 1600})
    assert history.look(service("a")).wake_at == 1600
    history.look(after_s=599)
    assert history.address("a") == ""
    history.look(after_s=1)
    assert history.address("a") == "192.0.2.0"
    assert history.memory == NOTHING


def test_nobody_joins_who_holds_an_address_in_quarantine() -> None:
    shared = {"metallb.io/allow-shared-ip": "k"}
    history = History(A, memory=AllocationMemory(quarantine={ip("192.0.2.0"): 1600}))
    history.look(service("a", annotations=shared, requested="192.0.2.0"))
    history.look(service("b", annotations=shared, ports=[443]))
    assert history.address("b") == "192.0.2.1"


# ------------------------------------------------------------ bounds


@pytest.mark.parametrize("field", ["holders", "holds", "freed", "quarantine"])
def test_what_is_remembered_fits_into_a_config_map(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, f"{field.upper()}_BYTES_MAX", 100)
    great = replace(pool("a", "10.0.0.0/8"), reuse=Reuse.OLDEST, hold_after_delete_s=9000)
    some = [ip(f"10.0.0.{n}") for n in range(9)]
    memory = AllocationMemory(
        holds={address: Hold(service=key("a"), until=9000 + n) for n, address in enumerate(some)},
        freed={address: 100 + n for n, address in enumerate(some)},
        quarantine={address: 1500 + n for n, address in enumerate(some)},
    )
    held = {ip(f"10.1.0.{n}"): (key("web"),) for n in range(9)}
    found = remember(
        memory,
        allocation=Allocation(verdicts={}, holders=held),
        configuration=configuration(great),
        now=1000,
    )
    kept = {name: len(getattr(found, name)) for name in ("holders", "holds", "freed", "quarantine")}
    assert kept.pop(field) in {2, 3}
    assert set(kept.values()) == {9}
    newest = {"holds": found.holds, "freed": found.freed, "quarantine": found.quarantine}.get(field, {})
    assert [*newest] == some[9 - len(newest) :], "the newest, in the order of addresses"


@pytest.mark.parametrize(
    ("field", "cost"),
    [
        pytest.param("holders", 2 * len("default/web") + 2 * 8, id="each holder's name"),
        pytest.param("holds", len("default/a") + 12 + 8, id="a name and a time"),
        pytest.param("freed", 12, id="a time"),
        pytest.param("quarantine", 12, id="a time that ends"),
    ],
)
def test_what_fits_to_the_byte_is_kept(field: str, cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = ip("10.0.0.1")
    great = replace(pool("a", "10.0.0.0/8"), reuse=Reuse.OLDEST, hold_after_delete_s=9000)
    memory = AllocationMemory(
        holds={one: Hold(service=key("a"), until=9000)}, freed={one: 100}, quarantine={one: 9000}
    )
    held = {ip("10.1.0.1"): (key("web"), key("web"))}
    fitting = len("10.0.0.1") + cost + 8
    for limit, count in ((fitting, 1), (fitting - 1, 0)):
        monkeypatch.setattr(limits, f"{field.upper()}_BYTES_MAX", limit)
        allocation = Allocation(verdicts={}, holders=held)
        found = remember(memory, allocation=allocation, configuration=configuration(great), now=1000)
        assert len(getattr(found, field)) == count


def test_equal_memories_are_told_from_equal_decisions() -> None:
    history = History(HOLDING)
    history.look(service("a"))
    before = history.memory
    history.look(after_s=5)
    assert history.memory == before
