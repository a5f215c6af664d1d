"""The pool of an address is found as by looking at every range."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcement.layer2_pools import Layer2Pools
from bareway.model.configuration import Protocol
from bareway.model.names import IPAddress
from support.builders import pool

POOLS = (
    pool("b", "192.0.2.16-192.0.2.31", "198.51.100.7/32"),
    pool("a", "192.0.2.0-192.0.2.9", "2001:db8::/64"),
    pool("bgp", "192.0.2.32/28", protocol=Protocol.BGP),
)
EDGES = ["192.0.2.0", "192.0.2.31", "198.51.100.7", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::", "::"]


@given(
    st.sampled_from([ip_address(text) for text in EDGES])
    | st.integers(int(ip_address("192.0.2.0")), int(ip_address("192.0.2.64"))).map(ip_address)
    | st.ip_addresses()
)
def test_an_address_is_found_where_a_range_has_it(address: IPAddress) -> None:
    slow = [n for n, one in enumerate(POOLS) if any(address in found for found in one.ranges)]
    assert Layer2Pools(POOLS).find(address) == (slow[0] if slow else None)


@pytest.mark.parametrize(
    ("place", "on_link"), [pytest.param(0, True, id="layer2"), pytest.param(2, False, id="bgp")]
)
def test_only_pools_of_protocol_layer2_are_announced_on_the_link(place: int, on_link: bool) -> None:
    assert Layer2Pools(POOLS).on_link(place) is on_link


def test_without_pools_nothing_is_found() -> None:
    assert Layer2Pools(()).find(ip_address("192.0.2.1")) is None
