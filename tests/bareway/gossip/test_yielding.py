"""Of thousands that were yielded: which are asked for each second, and how soon they are taken back."""

from collections.abc import Callable, Collection
from ipaddress import IPv4Address, ip_address
from math import inf

import pytest

from bareway.gossip.yielding import ASK_EACH_S, ASKED_MAX, STATES_MAX, Yielding
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

STAYS, GOES = (MacAddress(bytes([2, 0, 0, 0, 0, number])) for number in (1, 2))
BEGIN = 10.0
HALF = STATES_MAX // 2


def yielded(*to: tuple[MacAddress, int]) -> Yielding:
    """So many addresses to each, those of the first station first."""
    made = Yielding()
    address = ip_address("10.0.0.0")
    for mac, count in to:
        for _ in range(count):
            made.add(address, mac, now=BEGIN)
            address += 1
    assert made.is_full is (sum(count for _, count in to) == STATES_MAX)
    return made


def rounds(made: Yielding, is_gone: Callable[[IPAddress], bool], count: int) -> list[list[IPAddress]]:
    """What is asked for in each second, if some are found to be gone."""
    asked: list[list[IPAddress]] = []
    for second in range(1, count + 1):
        now = BEGIN + second * ASK_EACH_S
        assert made.deadline == now
        asked.append(made.due(now, lambda _: True))
        for address in asked[-1]:
            if is_gone(address):
                made.is_gone_from(address)
        assert made.due(now + ASK_EACH_S / 2, lambda _: True) == [], "the second has had its share"
    return asked


def left(made: Yielding, mac: MacAddress) -> int:
    return sum(to == mac for _, to in made.all)


def test_what_one_station_has_no_more_does_not_wait_for_what_another_still_has() -> None:
    made = yielded((STAYS, HALF), (GOES, HALF))
    of = dict(made.all)
    asked = rounds(made, lambda address: of[address] == GOES, 5)
    assert (left(made, STAYS), left(made, GOES)) == (HALF, 0)
    kept = [sum(of[address] == STAYS for address in some) for some in asked]
    assert min(kept) >= ASKED_MAX / 2, "it is not forgotten meanwhile"
    assert max(kept) <= ASKED_MAX


def test_of_one_station_that_has_every_second_one_no_more_all_of_these_come_back_within_five_seconds() -> (
    None
):
    made = yielded((GOES, STATES_MAX))
    asked = rounds(made, lambda address: int(address) % 2 == 0, 5)
    assert left(made, GOES) == HALF
    assert [len(some) for some in asked[:4]] == [ASKED_MAX * 2**n for n in range(4)]


def test_an_overloaded_link_that_loses_four_of_ten_answers_is_asked_no_more_than_before() -> None:
    made = yielded((STAYS, STATES_MAX))
    asked = rounds(made, lambda address: int(address) % 10 < 4, 6)
    assert [len(some) for some in asked] == [ASKED_MAX] * 6


def test_when_no_more_are_found_to_be_gone_it_is_as_few_as_ever() -> None:
    made = yielded((STAYS, STATES_MAX))
    first = int(IPv4Address("10.0.0.0"))
    asked = rounds(made, lambda address: int(address) < first + ASKED_MAX, 4)
    assert [len(some) for some in asked] == [ASKED_MAX, 2 * ASKED_MAX, ASKED_MAX, ASKED_MAX]


def test_stations_beyond_a_round_s_room_are_next_in_the_following_one() -> None:
    made = Yielding()
    addresses = [ip_address("10.0.0.0") + number for number in range(2 * ASKED_MAX)]
    for number, address in enumerate(addresses):
        made.add(address, MacAddress(bytes([2, 0, 0, 0, 1, number])), now=BEGIN)
    asked = rounds(made, lambda _: False, 2)
    assert asked == [addresses[:ASKED_MAX], addresses[ASKED_MAX:]]


@pytest.mark.parametrize("lost", [range(ASKED_MAX), range(0, 2 * ASKED_MAX, 2)])
def test_what_is_no_longer_ours_is_dropped_and_takes_no_room(lost: Collection[int]) -> None:
    made = yielded((STAYS, 2 * ASKED_MAX))
    addresses = [address for address, _ in made.all]
    gone = {addresses[number] for number in lost}
    assert made.due(BEGIN + ASK_EACH_S, lambda address: address not in gone) == [
        address for address in addresses if address not in gone
    ]
    assert not any(address in made for address in gone)


def test_what_is_yielded_anew_is_left_to_the_last_that_spoke_for_it() -> None:
    made = yielded((STAYS, 1))
    ((address, _),) = made.all
    made.add(address, GOES, now=BEGIN + 0.5)
    assert made.all == ((address, GOES),)
    assert made.deadline == BEGIN + 0.5 + ASK_EACH_S
    made.drop(address)
    made.drop(address)
    assert (made.deadline, made.to(address)) == (inf, None)
