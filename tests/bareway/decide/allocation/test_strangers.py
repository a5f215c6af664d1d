"""Stations that answer for our addresses: what is exchanged, what is told, and where it ends."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bareway.decide.allocation.strangers import (
    PROXY_MIN,
    QUARANTINE_S,
    SHUNNED_MAX,
    Strangers,
    asks_for,
    reckon,
)
from bareway.gossip.findings import Finding, FindingWord
from bareway.model.mac import MacAddress
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, NodeName
from support.builders import configuration, ips, key, pool, service

ADDRESSES = ips(*(f"192.0.2.{number}" for number in range(40)))
ONE, OTHER = ADDRESSES[:2]
NOW = 10_000
EMPTY = AllocationMemory()


def mac(number: int = 1) -> MacAddress:
    return MacAddress(bytes((2, 0, 0, 0, 0, number)))


def found(
    address: IPAddress = ONE, by: int = 1, *, word: FindingWord = FindingWord.ADDRESS_IN_USE
) -> Finding:
    return Finding(address=address, word=word, mac=mac(by), node=None, by=NodeName("a"))


def look(
    *findings: Finding,
    last: Strangers | None = None,
    memory: AllocationMemory = EMPTY,
    fresh: Iterable[IPAddress] = ADDRESSES,
    held: Iterable[IPAddress] = ADDRESSES,
    asked: Iterable[IPAddress] = (),
    now: int = NOW,
) -> tuple[Strangers, AllocationMemory]:
    return reckon(
        last or Strangers(),
        findings,
        memory=memory,
        fresh=frozenset(fresh),
        is_held=lambda address: address in held,
        is_asked_for=lambda address: address in asked,
        now=now,
    )


def test_a_fresh_address_is_shunned_for_ten_minutes() -> None:
    known, memory = look(found())
    assert memory.quarantine == {ONE: NOW + QUARANTINE_S}
    assert known.in_use == {}
    assert look(found(), last=known, memory=memory, now=NOW + 59)[1] is memory, "its end is not put off"


@pytest.mark.parametrize(
    ("asked", "fresh", "held", "said"),
    [
        pytest.param([ONE], [ONE], [ONE], True, id="asked for by name"),
        pytest.param([], [], [ONE], True, id="in use by clients"),
        pytest.param([], [ONE], [], False, id="nobody's"),
    ],
)
def test_any_other_address_stays_and_is_only_told(
    asked: list[IPAddress], fresh: list[IPAddress], held: list[IPAddress], said: bool
) -> None:
    known, memory = look(found(), asked=asked, fresh=fresh, held=held)
    assert memory is EMPTY
    assert known.in_use == ({ONE: mac()} if said else {})


def test_an_address_in_quarantine_that_is_asked_for_by_name_is_told_too() -> None:
    shunned = AllocationMemory(quarantine={ONE: NOW + 5})
    assert look(found(), memory=shunned, asked=[ONE])[0].in_use == {ONE: mac()}
    assert look(found(), memory=shunned)[0].in_use == {}, "that one is being exchanged"


@pytest.mark.parametrize(
    "word", [FindingWord.STRICT_ARP_MISSING, FindingWord.DOUBLE_ANNOUNCER, FindingWord.PROXY_ARP_SUSPECTED]
)
def test_other_findings_exchange_nothing(word: FindingWord) -> None:
    known, memory = look(found(word=word))
    assert memory is EMPTY
    assert (known.in_use, known.answered) == ({}, {})


def test_of_a_station_that_answers_for_too_many_nothing_is_exchanged_any_more() -> None:
    several = [found(address) for address in ADDRESSES[:PROXY_MIN]]
    known, memory = look(*several)
    assert memory is EMPTY
    assert known.proxies == {mac()}
    assert known.in_use == {}
    known, memory = look(*several[:-1])
    assert (known.proxies, len(memory.quarantine)) == (frozenset(), PROXY_MIN - 1)
    known, after = look(several[-1], last=known, memory=memory, now=NOW + 300)
    assert after is memory, "those that were exchanged before count as well"
    assert known.proxies == {mac()}
    later, _ = look(last=known, memory=memory, now=NOW + QUARANTINE_S)
    assert later.proxies == frozenset(), "what is as old as a quarantine counts no more"


def test_a_station_that_a_member_suspects_is_believed_to_stand_in_for_others_from_the_first_on() -> None:
    suspected = found(OTHER, word=FindingWord.PROXY_ARP_SUSPECTED)
    known, memory = look(found(), suspected)
    assert (known.in_use, memory) == ({}, EMPTY)
    known, memory = look(found(by=2), suspected)
    assert ONE in memory.quarantine, "another station is no part of that"


def test_no_station_empties_a_pool_whatever_addresses_it_makes_up() -> None:
    many = [found(address, by) for by, address in enumerate(ADDRESSES)]
    known, memory = look(*many)
    assert len(memory.quarantine) == SHUNNED_MAX
    assert len(known.in_use) == len(ADDRESSES) - SHUNNED_MAX
    assert look(*many, memory=memory)[1] is memory
    ended = look(*many, last=known, memory=memory, now=NOW + QUARANTINE_S)[1]
    assert len(ended.quarantine) == SHUNNED_MAX, "those whose time is over make room"
    assert set(ended.quarantine.values()) == {NOW + 2 * QUARANTINE_S}


def test_the_order_of_what_is_told_changes_nothing() -> None:
    many = [found(address, by) for by, address in enumerate(ADDRESSES)] + [found(ONE, 200)]
    assert look(*many) == look(*reversed(many))


def test_what_is_remembered_beside_quarantine_stays() -> None:
    before = AllocationMemory(freed={OTHER: 5}, quarantine={OTHER: NOW + 1})
    _, after = look(found(), memory=before)
    assert (after.freed, set(after.quarantine)) == ({OTHER: 5}, {ONE, OTHER})


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        pytest.param({"requested": "192.0.2.0"}, True, id="in its spec"),
        pytest.param({"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.0"}}, True, id="by annotation"),
        pytest.param({"requested": "192.0.2.1"}, False, id="another one"),
        pytest.param({"requested": "no address"}, False, id="a mistake"),
        pytest.param({"annotations": {"metallb.io/address-pool": "a"}}, False, id="its pool"),
        pytest.param({"name": "shop"}, True, id="by a reservation"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_who_asks_for_an_address_by_name(asking: dict[str, object], expected: bool) -> None:
    reserving = replace(pool("a", "192.0.2.0/24"), reserve={key("shop"): (ONE,)})
    made = service(**asking)  # type: ignore[arg-type]  # a builder's own words
    assert asks_for(made, ONE, configuration(reserving)) is expected
