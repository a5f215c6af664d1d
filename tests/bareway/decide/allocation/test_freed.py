"""What there is to know of one free address, and that there is mostly nothing."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bareway.decide.allocation.freed import Rest, remembers, rest
from bareway.model.configuration import Pool, Reuse
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey
from support.builders import ips, key, pool

A = pool("a")
OLDEST = replace(A, reuse=Reuse.OLDEST)
HOLDING = replace(A, hold_after_delete_s=60.0)
BOTH = replace(HOLDING, reuse=Reuse.OLDEST)
(ONE,) = ips("192.0.2.1")
NOW = 1000
HELD: Mapping[IPAddress, tuple[ServiceKey, ...]] = {ONE: (key("old"), key("young"))}


def of(of_pool: Pool, memory: AllocationMemory, *others: str, now: int = NOW) -> Rest | None:
    """What is known, if ``others`` hold another address."""
    elsewhere = {key(name) for name in others}
    return rest(ONE, of_pool, memory=memory, now=now, has_another=lambda one: one in elsewhere)


@pytest.mark.parametrize(
    "of_pool",
    [pytest.param(A, id="plain"), pytest.param(OLDEST, id="oldest"), pytest.param(HOLDING, id="holding")],
)
@pytest.mark.parametrize("now", [0, NOW])
def test_of_an_address_that_was_never_held_there_is_nothing_to_know(of_pool: Pool, now: int) -> None:
    assert of(of_pool, AllocationMemory(), now=now) is None


def test_of_an_address_that_was_held_in_a_pool_that_remembers_nothing_there_is_nothing_to_know() -> None:
    assert of(A, AllocationMemory(holders=HELD), now=0) is None


def test_a_release_begins_a_hold_for_the_oldest_and_a_time_of_being_free() -> None:
    hold = Hold(service=key("old"), until=NOW + 60)
    assert of(BOTH, AllocationMemory(holders=HELD)) == Rest(hold=hold, freed_at=NOW)
    assert of(HOLDING, AllocationMemory(holders=HELD)) == Rest(hold=hold)
    assert of(OLDEST, AllocationMemory(holders=HELD)) == Rest(freed_at=NOW)


def test_a_hold_may_be_as_short_as_a_second() -> None:
    short = replace(A, hold_after_delete_s=1.0)
    assert remembers(short)
    assert of(short, AllocationMemory(holders=HELD)) == Rest(hold=Hold(service=key("old"), until=NOW + 1))


def test_a_newer_release_counts_before_what_was_remembered() -> None:
    memory = AllocationMemory(
        holders=HELD, freed={ONE: 5}, holds={ONE: Hold(service=key("former"), until=5000)}
    )
    assert of(BOTH, memory) == Rest(hold=Hold(service=key("old"), until=NOW + 60), freed_at=NOW)


def test_nothing_waits_for_who_has_another_address() -> None:
    assert of(HOLDING, AllocationMemory(holders=HELD), "old") is None
    assert of(HOLDING, AllocationMemory(holders=HELD), "young") is not None


@pytest.mark.parametrize(
    ("until", "lasts"),
    [
        pytest.param(NOW - 1, False, id="ended"),
        pytest.param(NOW, False, id="ends now"),
        pytest.param(NOW + 1, True, id="lasts"),
    ],
)
def test_holds_and_quarantines_last_until_their_time(until: int, *, lasts: bool) -> None:
    hold = Hold(service=key("old"), until=until)
    assert of(HOLDING, AllocationMemory(holds={ONE: hold})) == (Rest(hold=hold) if lasts else None)
    shunned = of(A, AllocationMemory(quarantine={ONE: until}))
    assert shunned == (Rest(quarantined_until=until) if lasts else None)


def test_both_ends_are_told() -> None:
    hold = Hold(service=key("old"), until=7)
    assert Rest().ends == ()
    assert Rest(hold=hold).ends == (7,)
    assert Rest(quarantined_until=9, freed_at=1).ends == (9,)
    assert Rest(hold=hold, quarantined_until=9).ends == (7, 9)


def test_only_pools_that_ask_for_it_are_remembered() -> None:
    assert [remembers(one) for one in (A, OLDEST, HOLDING, BOTH)] == [False, True, True, True]
