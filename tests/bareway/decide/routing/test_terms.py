from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.bgp.routes import Attributes, LargeCommunity, community
from bareway.decide.routing.terms import ENDPOINTS_MAX, Terms, attributes_of, merged, weighted
from bareway.model.configuration import Advertisement


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("198.51.100.7", "198.51.100.4/30", id="IPv4"),
        pytest.param("2001:db8::7", "2001:db8::4/126", id="IPv6"),
    ],
)
def test_an_address_becomes_the_prefix_around_it(address: str, expected: str) -> None:
    terms = Terms(length=30, length_v6=126, attributes=Attributes(), audiences=frozenset())
    assert str(terms.prefix(ip_address(address))) == expected


@pytest.mark.parametrize("length", [0, 32])
def test_the_shortest_and_the_longest_prefix(length: int) -> None:
    terms = Terms(length=length, length_v6=length, attributes=Attributes(), audiences=frozenset())
    assert terms.prefix(ip_address("198.51.100.7")).prefixlen == length
    assert terms.prefix(ip_address("2001:db8::7")).prefixlen == length


def test_an_advertisement_says_what_its_routes_carry() -> None:
    advertisement = Advertisement(
        local_preference=250,
        med=7,
        prepend=2,
        communities=("64512:10", "64512:9", "65535:0"),
        large_communities=("64512:1:2",),
    )
    assert attributes_of(advertisement) == Attributes(
        local_preference=250,
        med=7,
        prepend=2,
        communities=(community("64512:9"), community("64512:10"), community("65535:0")),
        large_communities=(LargeCommunity(64512, 1, 2),),
    )


def test_a_preference_that_is_not_set_is_none() -> None:
    assert attributes_of(Advertisement()).local_preference is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(Attributes(local_preference=50), Attributes(), 100, id="none counts as the usual one"),
        pytest.param(Attributes(local_preference=250), Attributes(), 250, id="the greater"),
        pytest.param(Attributes(med=1), Attributes(), None, id="of both none"),
    ],
)
def test_the_greatest_preference_wins(one: Attributes, other: Attributes, expected: int | None) -> None:
    assert merged(one, other).local_preference == expected


def test_the_least_med_and_the_shortest_path_win() -> None:
    both = merged(Attributes(med=5, prepend=1), Attributes(med=7, prepend=3))
    assert (both.med, both.prepend) == (5, 1)
    assert merged(Attributes(med=5), Attributes()).med is None


ATTRIBUTES = st.builds(
    Attributes,
    local_preference=st.none() | st.integers(1, 300),
    med=st.none() | st.integers(0, 3),
    prepend=st.integers(0, 3),
    communities=st.lists(st.integers(0, 5), max_size=3).map(tuple),
)


@given(ATTRIBUTES, ATTRIBUTES, ATTRIBUTES)
def test_the_order_in_which_reasons_are_met_does_not_count(
    one: Attributes, other: Attributes, third: Attributes
) -> None:
    assert merged(one, other) == merged(other, one)
    assert merged(merged(one, other), third) == merged(one, merged(other, third))
    assert merged(one, one) == one


def test_shares_are_in_proportion_to_endpoints() -> None:
    three, one = weighted(Attributes(), 3).link_bandwidth, weighted(Attributes(), 1).link_bandwidth
    assert three is not None
    assert one is not None
    assert three / one == 3
    assert weighted(Attributes(med=1), None) == Attributes(med=1)


def test_no_endpoint_counts_as_one_and_the_sum_stays_within_32_bits() -> None:
    assert weighted(Attributes(), 0) == weighted(Attributes(), 1)
    most = weighted(Attributes(), 10 * ENDPOINTS_MAX).link_bandwidth
    assert most is not None
    assert most < 2**32
