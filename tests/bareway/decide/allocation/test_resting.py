"""What is remembered of free addresses while Services come and go under one configuration."""

from collections.abc import Iterable
from dataclasses import replace

from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.verdicts import Granted
from bareway.model.configuration import Pool, Reuse
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress
from bareway.model.services import Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
OLDEST = replace(A, reuse=Reuse.OLDEST)
HOLDING = replace(A, hold_after_delete_s=60.0)
ZERO, ONE, TWO, THREE = ips("192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3")


def held_by(name: str, *addresses: IPAddress) -> AllocationMemory:
    return AllocationMemory(holders={address: (key(name),) for address in addresses})


class Desk:
    """Settles again and again."""

    def __init__(self, of: Pool, *services: Service, memory: AllocationMemory, now: int = 1000) -> None:
        self.allocator = Allocator(configuration(of), namespaces={})
        self.settle(*services, memory=memory, now=now)

    def settle(
        self,
        *services: Service,
        gone: Iterable[str] = (),
        memory: AllocationMemory | None = None,
        now: int = 1000,
    ) -> set[str]:
        for one in services:
            self.allocator.put(one)
        for name in gone:
            self.allocator.remove(key(name))
        return {one.name for one in self.allocator.settle(now=now, memory=memory)}

    def address(self, name: str) -> str:
        verdict = self.allocator.allocation.verdicts[key(name)]
        return " ".join(map(str, verdict.addresses)) if isinstance(verdict, Granted) else ""

    @property
    def wake_at(self) -> int | None:
        return self.allocator.allocation.wake_at


def test_nothing_waits_for_a_service_that_has_another_address() -> None:
    desk = Desk(HOLDING, service("a", ingress=["192.0.2.1"]), service("b"), memory=held_by("a", ZERO))
    assert desk.address("b") == "192.0.2.0"


def test_what_waits_for_a_service_is_free_as_soon_as_it_shows_another_address() -> None:
    desk = Desk(HOLDING, service("b"), memory=held_by("a", ZERO))
    assert desk.address("b") == "192.0.2.1"
    desk.settle(service("a", ingress=["192.0.2.3"]))
    assert desk.address("b") == "192.0.2.0"
    desk.settle(gone=["a"])
    assert desk.address("b") == "192.0.2.1", "and waits again once it is gone"


def test_an_address_of_the_other_family_is_not_another_address() -> None:
    six = service("a", ingress=["2001:db8::1"], cluster=["fd00::1"])
    both = replace(HOLDING, ranges=(*HOLDING.ranges, *pool("six", "2001:db8::/126").ranges))
    desk = Desk(both, six, service("b"), memory=held_by("a", ZERO))
    assert desk.address("b") == "192.0.2.1"


def test_an_address_that_is_shown_waits_for_nobody() -> None:
    shown = [service(f"h{n}", ingress=[f"192.0.2.{n}"]) for n in range(4)]
    desk = Desk(HOLDING, *shown, service("a"), memory=held_by("a", ZERO))
    assert desk.address("a") == ""
    assert desk.wake_at is None, "no time gives it back"
    desk.settle(service("b", requested="192.0.2.0"))
    assert desk.wake_at is None


def test_an_address_shown_again_is_on_hold_no_longer() -> None:
    hold = AllocationMemory(holds={ZERO: Hold(service=key("a"), until=1060)})
    desk = Desk(HOLDING, service("a"), memory=hold)
    assert desk.address("a") == "192.0.2.0", "it waited for it"
    desk.settle(service("a", ingress=["192.0.2.0"]))
    desk.settle(service("b", requested="192.0.2.0"))
    assert (desk.address("b"), desk.wake_at) == ("", None)


def test_time_alone_ends_a_hold_and_names_who_is_served() -> None:
    one = replace(HOLDING, ranges=pool("a", "192.0.2.0/32").ranges)
    desk = Desk(one, service("b"), memory=AllocationMemory(holds={ZERO: Hold(service=key("a"), until=1060)}))
    assert (desk.address("b"), desk.wake_at) == ("", 1060)
    assert desk.settle(now=1059) == set()
    assert desk.settle(now=1060) == {"b"}
    assert (desk.address("b"), desk.wake_at) == ("192.0.2.0", None)


def test_time_alone_ends_a_quarantine_and_names_who_is_served() -> None:
    one = replace(A, ranges=pool("a", "192.0.2.0/32").ranges)
    desk = Desk(one, service("b"), memory=AllocationMemory(quarantine={ZERO: 1060}))
    assert desk.settle(now=1059) == set()
    assert desk.settle(now=1060) == {"b"}


def test_a_quarantine_that_begins_exchanges_what_is_shown() -> None:
    desk = Desk(A, service("a", ingress=["192.0.2.0"]), memory=AllocationMemory())
    assert desk.settle(memory=AllocationMemory(quarantine={ZERO: 1600, TWO: 1600})) == {"a"}
    assert desk.address("a") == "192.0.2.1"
    assert desk.settle(memory=AllocationMemory(quarantine={ZERO: 1600, ONE: 1600})) == {"a"}
    assert desk.address("a") == "192.0.2.2"
    assert desk.settle(now=1600) == {"a"}, "and back when nothing has been written yet"
    assert desk.address("a") == "192.0.2.0"


def test_a_hold_is_counted_from_the_moment_that_the_release_is_noticed() -> None:
    desk = Desk(HOLDING, service("b"), memory=held_by("a", ZERO, ONE, TWO, THREE))
    assert desk.wake_at == 1060
    desk.settle(now=1030)
    assert desk.wake_at == 1090, "the memory has not noted it yet"


def test_an_address_that_was_freed_goes_last_until_it_is_forgotten() -> None:
    desk = Desk(OLDEST, service("b"), memory=AllocationMemory(freed={ZERO: 10, ONE: 20}))
    assert desk.address("b") == "192.0.2.2"
    desk.settle(memory=AllocationMemory(freed={ONE: 20}))
    assert desk.address("b") == "192.0.2.0"


def test_of_addresses_freed_at_different_times_the_first_freed_is_given_first() -> None:
    freed = AllocationMemory(freed={ZERO: 30, ONE: 10, TWO: 20, THREE: 40})
    desk = Desk(OLDEST, *(service(name) for name in "bcde"), memory=freed)
    assert [desk.address(name) for name in "bcde"] == ["192.0.2.1", "192.0.2.2", "192.0.2.0", "192.0.2.3"]
    later = AllocationMemory(freed={ZERO: 30, ONE: 50, TWO: 20, THREE: 40})
    desk.settle(memory=later)
    assert [desk.address(name) for name in "bcde"] == ["192.0.2.2", "192.0.2.0", "192.0.2.3", "192.0.2.1"]


def test_what_is_remembered_of_addresses_in_no_pool_matters_to_nobody() -> None:
    (elsewhere,) = ips("10.9.9.9")
    memory = AllocationMemory(
        holders={elsewhere: (key("a"),)},
        holds={elsewhere: Hold(service=key("a"), until=1060)},
        freed={elsewhere: 10},
        quarantine={elsewhere: 1600},
    )
    desk = Desk(HOLDING, service("a"), memory=memory)
    assert (desk.address("a"), desk.wake_at) == ("192.0.2.0", None)
    assert desk.settle(now=1700) == set()
    assert desk.settle(memory=AllocationMemory(), now=1700) == set()


def test_an_address_waits_for_the_one_that_the_newest_memory_names() -> None:
    desk = Desk(HOLDING, service("b"), memory=held_by("a", ZERO))
    desk.settle(memory=held_by("c", ZERO))
    desk.settle(service("a", ingress=["192.0.2.3"]))
    assert desk.address("b") == "192.0.2.1", "it is not for a any more"
    desk.settle(service("c", ingress=["192.0.2.2"]))
    assert desk.address("b") == "192.0.2.0"


def test_of_several_addresses_that_wait_for_a_service_it_gets_the_lowest_that_is_fit() -> None:
    holds = {address: Hold(service=key("a"), until=2000) for address in (THREE, TWO, ZERO)}
    desk = Desk(HOLDING, service("a"), memory=AllocationMemory(holds=holds))
    assert desk.address("a") == "192.0.2.0"
    shunned = AllocationMemory(holds=holds, quarantine={ZERO: 2000})
    assert Desk(HOLDING, service("a"), memory=shunned).address("a") == "192.0.2.2"
    red = service("a", annotations={"metallb.io/address-pool": "none"})
    assert Desk(HOLDING, red, memory=AllocationMemory(holds=holds)).address("a") == ""


def test_an_address_that_waits_for_one_and_is_reserved_for_another_goes_to_the_other() -> None:
    reserving = replace(HOLDING, reserve={key("b"): (ZERO,)})
    hold = AllocationMemory(holds={ZERO: Hold(service=key("a"), until=2000)})
    desk = Desk(reserving, service("a"), service("b"), memory=hold)
    assert (desk.address("a"), desk.address("b")) == ("192.0.2.1", "192.0.2.0")
