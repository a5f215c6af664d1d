"""What is wrong on the link: told, repeated, passed on, and forgotten."""

from dataclasses import replace
from ipaddress import ip_address
from math import inf

import pytest

from bareway.gossip.findings import (
    CONFIRM_S,
    FRESH_S,
    HEARD_MAX,
    KEPT_S,
    LASTS_S,
    OF_ONE_MAX,
    OWN_MAX,
    REPEAT_S,
    Finding,
    Findings,
    FindingWord,
    Heard,
)
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName

ME, A = NodeName("m"), NodeName("a")
ADDRESS = ip_address("192.0.2.1")
MAC = MacAddress(b"\x02" + bytes(5))
IN_USE = FindingWord.ADDRESS_IN_USE
MINE = Finding(address=ADDRESS, word=IN_USE, mac=MAC, node=None, by=ME)
THEIRS = replace(MINE, by=A)


def noted(now: float = 10.0) -> Findings:
    made = Findings(me=ME)
    made.note(ADDRESS, IN_USE, MAC, None, now=now)
    return made


def test_what_is_found_is_told_once_to_our_program_and_to_everybody() -> None:
    made = noted()
    made.note(ADDRESS, IN_USE, MAC, None, now=10.1)
    assert (made.take_found(), made.take_news()) == ([MINE], [MINE])
    assert (made.take_found(), made.take_news()) == ([], [])


def test_what_lasts_is_repeated() -> None:
    made = noted()
    made.take_found(), made.take_news()
    for told_at in (10.0, 10.0 + REPEAT_S):
        asked_at = told_at + REPEAT_S - CONFIRM_S
        assert made.deadline == asked_at
        assert made.repeat(now=asked_at - 0.1) == []
        assert made.repeat(now=asked_at) == [MINE], "the link is to be asked"
        made.note(ADDRESS, IN_USE, MAC, None, now=asked_at + 0.1)
        assert (made.take_found(), made.take_news()) == ([], [])
        assert made.deadline == told_at + REPEAT_S
        assert made.repeat(now=told_at + REPEAT_S) == []
        assert (made.take_found(), made.take_news()) == ([MINE], [MINE])


def test_what_was_asked_for_late_waits_for_the_answer() -> None:
    made = noted()
    made.take_found(), made.take_news()
    assert made.repeat(now=30.0) == [MINE]
    assert made.deadline == 30.0 + CONFIRM_S
    assert made.take_found() == []


def test_what_was_not_seen_again_is_over_and_may_begin_anew() -> None:
    made = noted()
    made.take_found(), made.take_news()
    made.note(ADDRESS, IN_USE, MAC, None, now=10.0 + REPEAT_S - LASTS_S - 0.1)
    made.repeat(now=10.0 + REPEAT_S - CONFIRM_S)
    made.repeat(now=10.0 + REPEAT_S)
    assert (made.take_found(), made.take_news(), made.take_over()) == ([], [], [MINE])
    assert made.deadline == inf
    made.note(ADDRESS, IN_USE, MAC, None, now=50.0)
    assert (made.take_found(), made.take_over()) == ([MINE], [])


def test_what_we_no_longer_say_is_dropped() -> None:
    made = noted()
    made.drop(FindingWord.STRICT_ARP_MISSING, MAC)
    made.drop(IN_USE, MacAddress(bytes([2, 0, 0, 0, 0, 9])))
    assert made.deadline < inf
    assert made.take_over() == []
    made.drop(IN_USE, MAC)
    assert made.deadline == inf
    assert made.take_over() == [MINE]


def test_what_is_dropped_and_found_again_in_one_moment_goes_on() -> None:
    made = noted()
    made.drop(IN_USE, MAC)
    made.note(ADDRESS, IN_USE, MAC, None, now=10.0)
    assert (made.take_found(), made.take_over()) == ([MINE, MINE], [])


def test_of_one_station_a_few_addresses_are_enough_and_of_all_some() -> None:
    made = Findings(me=ME)
    for number in range(2 * OWN_MAX):
        made.note(ip_address(f"192.0.2.{number}"), IN_USE, MAC, None, now=10.0)
    assert len(made.take_found()) == OF_ONE_MAX
    made.note(ADDRESS, FindingWord.DOUBLE_ANNOUNCER, MAC, None, now=10.0)
    assert len(made.take_found()) == 1, "another word"
    for number in range(2 * OWN_MAX):
        made.note(ADDRESS, IN_USE, MacAddress(bytes([2, 0, 0, 0, 1, number])), None, now=10.0)
    assert len(made.take_found()) == OWN_MAX - OF_ONE_MAX - 1


def test_what_others_found_is_passed_on_but_not_round_in_circles() -> None:
    made = Findings(me=ME)
    made.hear([THEIRS], passes_on=True, now=10.0)
    made.hear([THEIRS], passes_on=True, now=10.1)
    assert made.take_news() == [THEIRS]
    made.hear([THEIRS], passes_on=True, now=10.0 + FRESH_S)
    assert made.take_news() == [THEIRS], "it was repeated"
    assert made.take_found() == []


def test_what_we_found_ourselves_is_not_passed_on_when_it_comes_back() -> None:
    made = Findings(me=ME)
    made.hear([MINE], passes_on=True, now=10.0)
    assert made.take_news() == []


def test_what_everybody_heard_is_kept_apart_for_observers() -> None:
    made = Findings(me=ME)
    made.hear([THEIRS], passes_on=False, now=10.0)
    assert made.take_news() == []
    assert made.take_overheard() == [THEIRS]
    assert made.take_overheard() == []


def test_memory_of_what_was_passed_on_is_bounded_and_the_oldest_is_forgotten_when_it_is_stale() -> None:
    made = Findings(me=ME)
    many = [replace(THEIRS, by=NodeName(f"n{number}")) for number in range(HEARD_MAX + 10)]
    made.hear(many, passes_on=True, now=10.0)
    assert made.take_news() == many[:HEARD_MAX]
    made.hear(many, passes_on=True, now=10.1)
    assert made.take_news() == []
    made.hear(many[-10:], passes_on=True, now=10.0 + FRESH_S)
    assert made.take_news() == many[-10:]
    assert len(made._heard) == HEARD_MAX


def test_what_is_over_for_who_found_it_is_so_within_a_minute_for_those_who_heard_it() -> None:
    assert REPEAT_S + LASTS_S + KEPT_S <= 60.0


def test_an_observer_keeps_what_it_heard_for_a_while() -> None:
    made = Heard()
    assert made.hear([THEIRS], now=10.0)
    assert not made.hear([THEIRS], now=20.0)
    assert made.all == (THEIRS,)
    assert not made.forget(now=20.0 + KEPT_S - 0.1)
    assert made.forget(now=20.0 + KEPT_S)
    assert not made.all


@pytest.mark.parametrize("words", [list(FindingWord), list(reversed(FindingWord))])
def test_an_observer_tells_findings_in_one_order(words: list[FindingWord]) -> None:
    made = Heard()
    addresses = [ip_address("192.0.2.9"), ip_address("10.0.0.1"), ip_address("2001:db8::1")]
    made.hear([replace(THEIRS, word=word, address=each) for word in words for each in addresses], now=10.0)
    told = [(str(each.address), each.word) for each in made.all]
    assert told == [
        (str(address), word)
        for address in (addresses[1], addresses[0], addresses[2])
        for word in sorted(FindingWord)
    ]


def test_an_observers_memory_is_bounded() -> None:
    made = Heard()
    made.hear([replace(THEIRS, by=NodeName(f"n{number}")) for number in range(HEARD_MAX + 10)], now=10.0)
    assert len(made.all) == HEARD_MAX


def test_who_finds_things_without_end_floods_nobody() -> None:
    made = Findings(me=ME)
    told = 0
    for step in range(10):
        many = [
            replace(THEIRS, mac=MacAddress(bytes([2, step, 0, 0, n % 256, n // 256]))) for n in range(1000)
        ]
        made.hear(many, passes_on=True, now=10.0 + step / 10)
        told += len(made.take_news())
    assert told == HEARD_MAX
