"""Stations that are no members: one that has an address, and one that answers for everything."""

from ipaddress import ip_address
from math import inf

from bareway.gossip.findings import Findings, FindingWord
from bareway.gossip.strangers import ADDRESSES_MAX, FORGET_S, JUDGE_S, PROXY_FROM, STATIONS_MAX, Strangers
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName

MAC = MacAddress(bytes([2, 0, 0, 0, 0, 1]))
ADDRESSES = [ip_address(f"192.0.2.{number}") for number in range(20)]


def strangers() -> Strangers:
    return Strangers(findings=Findings(me=NodeName("m")))


def words(of: Strangers) -> list[tuple[str, FindingWord]]:
    return [(str(each.address), each.word) for each in of.findings.take_found()]


def test_one_address_is_reported_a_moment_later_as_in_use() -> None:
    made = strangers()
    made.seen(MAC, ADDRESSES[0], now=10.0)
    assert made.deadline == 10.0 + JUDGE_S
    made.judge(now=10.0 + JUDGE_S - 0.01)
    assert words(made) == []
    made.judge(now=10.0 + JUDGE_S)
    assert words(made) == [("192.0.2.0", FindingWord.ADDRESS_IN_USE)]
    assert made.deadline == inf
    assert not made.is_proxy(MAC)


def test_three_addresses_of_one_station_are_each_in_use() -> None:
    made = strangers()
    for address in ADDRESSES[: PROXY_FROM - 1]:
        made.seen(MAC, address, now=10.0)
    made.judge(now=11.0)
    assert {word for _, word in words(made)} == {FindingWord.ADDRESS_IN_USE}
    assert not made.is_proxy(MAC)


def test_more_than_three_are_a_proxy_and_none_of_them_is_in_use() -> None:
    made = strangers()
    for number, address in enumerate(ADDRESSES[:PROXY_FROM]):
        made.seen(MAC, address, now=10.0 + 0.01 * number)
    assert made.is_proxy(MAC)
    made.judge(now=11.0)
    assert {word for _, word in words(made)} == {FindingWord.PROXY_ARP_SUSPECTED}


def test_what_was_said_of_a_station_before_it_was_known_as_a_proxy_is_taken_back() -> None:
    made = strangers()
    made.seen(MAC, ADDRESSES[0], now=10.0)
    made.judge(now=11.0)
    for address in ADDRESSES[1:PROXY_FROM]:
        made.seen(MAC, address, now=12.0)
    made.judge(now=13.0)
    words(made)
    repeated = made.findings.repeat(now=23.0)
    assert {each.word for each in repeated} == {FindingWord.PROXY_ARP_SUSPECTED}


def test_one_seen_again_is_found_again_so_that_it_lasts() -> None:
    made = strangers()
    made.seen(MAC, ADDRESSES[0], now=10.0)
    made.judge(now=11.0)
    made.seen(MAC, ADDRESSES[0], now=20.0)
    words(made)
    assert len(made.findings.repeat(now=20.0)) == 1
    made.judge(now=20.0 + JUDGE_S)
    made.findings.repeat(now=22.0)
    assert len(words(made)) == 1


def test_frames_in_quick_succession_do_not_put_the_judgement_off() -> None:
    made = strangers()
    for tick in range(100):
        made.seen(MAC, ADDRESSES[0], now=10.0 + tick / 100)
    assert made.deadline == 10.0 + JUDGE_S


def test_several_stations_are_proxies_only_together() -> None:
    made = strangers()
    other = MacAddress(bytes([2, 0, 0, 0, 0, 2]))
    for address in ADDRESSES[:PROXY_FROM]:
        made.seen(MAC, address, now=10.0)
    assert made.are_proxies([MAC])
    assert not made.are_proxies([MAC, other])


def test_one_not_seen_for_a_minute_is_forgotten() -> None:
    made = strangers()
    for address in ADDRESSES[:PROXY_FROM]:
        made.seen(MAC, address, now=10.0)
    made.judge(now=10.0 + FORGET_S)
    assert made.is_proxy(MAC)
    made.judge(now=10.1 + FORGET_S)
    assert not made.is_proxy(MAC)


def test_memory_is_bounded_in_stations_and_in_addresses_of_each() -> None:
    made = strangers()
    for number in range(2 * STATIONS_MAX):
        made.seen(MacAddress(bytes([2, 0, 0, 0, 1, number])), ADDRESSES[0], now=10.0)
    assert len(made._stations) == STATIONS_MAX
    made = strangers()
    for address in ADDRESSES:
        made.seen(MAC, address, now=10.0)
    assert len(made._stations[MAC].addresses) == ADDRESSES_MAX
