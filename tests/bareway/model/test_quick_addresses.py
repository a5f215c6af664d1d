"""Addresses that remember their hash are those of ``ipaddress`` in all else."""

import copy
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.claims import Claim
from bareway.gossip.parts import claim_from_wire, claim_to_wire
from bareway.model.addresses import to_address
from bareway.model.names import IPAddress, NodeName
from bareway.model.quick_addresses import QuickIPv4Address, QuickIPv6Address

QUICK = (QuickIPv4Address, QuickIPv6Address)


def quick(address: IPAddress) -> IPAddress:
    return QuickIPv4Address(int(address)) if address.version == 4 else QuickIPv6Address(int(address))


@given(address=st.ip_addresses())
def test_either_kind_is_found_where_the_other_one_is_kept(address: IPAddress) -> None:
    ours = quick(address)
    for _ in range(2):  # it is worked out the first time, and remembered the second
        assert hash(ours) == hash(address)
    assert ours == address
    assert address == ours
    assert {address: True}.get(ours)
    assert {ours: True}.get(address)


@given(one=st.ip_addresses(v=4), other=st.ip_addresses(v=4))
def test_they_stand_in_the_same_order(one: IPv4Address, other: IPv4Address) -> None:
    ours, theirs = QuickIPv4Address(int(one)), QuickIPv4Address(int(other))
    assert (ours < other, ours <= theirs) == (one < other, one <= other)


@given(one=st.ip_addresses(v=4), other=st.ip_addresses(v=6))
def test_a_number_is_another_address_in_the_other_family(one: IPv4Address, other: IPv6Address) -> None:
    assert quick(one) != quick(other)
    assert len({quick(one), quick(IPv6Address(int(one)))}) == 2


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:db8::7"])
def test_they_are_written_and_counted_alike(text: str) -> None:
    plain, ours = ip_address(text), to_address(text)
    assert isinstance(ours, QUICK)
    assert (str(ours), ours.packed, int(ours), ours.version) == (
        text,
        plain.packed,
        int(plain),
        plain.version,
    )
    assert ours in ip_network(f"{text}/{plain.max_prefixlen}")
    assert hash(copy.copy(ours)) == hash(ours + 1 - 1) == hash(plain)


@pytest.mark.parametrize("text", ["192.0.2.7", "2001:db8::7"])
def test_what_claims_speak_of_is_hashed_once(text: str) -> None:
    claim = Claim(address=ip_address(text), generation=1, count=1, node=NodeName("a"))
    heard = claim_from_wire(claim_to_wire(claim))
    assert isinstance(heard.address, QUICK)
    assert heard == claim
