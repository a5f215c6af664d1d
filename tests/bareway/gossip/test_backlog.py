"""Addresses to look at, in turns."""

from ipaddress import IPv4Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.backlog import TURN_MAX, Backlog, in_order

MANY = [IPv4Address("10.0.0.0") + number for number in range(2 * TURN_MAX + 5)]


def test_few_are_taken_at_once_in_order_and_only_once() -> None:
    made = Backlog()
    made.add([ip_address("10.0.0.2"), ip_address("10.0.0.1")])
    made.add([ip_address("10.0.0.2")])
    assert made
    assert made.take() == (ip_address("10.0.0.1"), ip_address("10.0.0.2"))
    assert not made
    assert made.take() == ()


def test_many_take_several_turns_in_their_order() -> None:
    made = Backlog()
    made.add(reversed(MANY))
    turns = [made.take() for _ in range(3)]
    assert [len(turn) for turn in turns] == [TURN_MAX, TURN_MAX, 5]
    assert [address for turn in turns for address in turn] == MANY
    assert not made


def test_what_just_happened_comes_before_what_waits() -> None:
    made = Backlog()
    made.add(MANY)
    made.take()
    made.add([ip_address("192.0.2.1"), MANY[-1]])
    turn = made.take()
    assert {ip_address("192.0.2.1"), MANY[-1]} <= set(turn)
    assert len(turn) == TURN_MAX
    rest = made.take()
    assert MANY[-1] not in rest, "it was taken"
    assert len(turn) + len(rest) == len(MANY) - TURN_MAX + 1


@given(st.lists(st.ip_addresses()))
def test_order_is_v4_before_v6_and_ascending(addresses: list[IPv4Address]) -> None:
    assert list(in_order(addresses)) == sorted(addresses, key=lambda each: (each.version, int(each)))
