"""Routes in few bytes: they read as they were written, and change without a look at the rest."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.bgp.digest import digest
from bareway.bgp.prefixes import IPV4, BadPrefix, family_of, network, nlri, split
from bareway.bgp.routes import (
    SETS_KEPT_MIN,
    Attributes,
    LargeCommunity,
    RouteSet,
    community,
    community_text,
    large_community,
)
from bareway.model.names import IPNetwork
from support.bgp import hosts, routes

four = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))
six = st.tuples(st.integers(2**32, 2**128 - 1), st.integers(0, 128))
prefixes = st.one_of(four, six).map(lambda pair: ip_network(pair, strict=False))
attributes = st.builds(Attributes, med=st.integers(0, 3), communities=st.lists(st.integers(0, 3)).map(tuple))


@given(prefixes)
def test_a_prefix_reads_as_it_was_written(prefix: IPNetwork) -> None:
    assert network(nlri(prefix), family_of(prefix)) == prefix
    assert split(nlri(prefix) * 3, family_of(prefix).bits) == (nlri(prefix),) * 3


@pytest.mark.parametrize("data", [b"\x21\0\0\0\0\0", b"\x18\1\2"], ids=["33 bits", "cut off"])
def test_a_prefix_that_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(BadPrefix):
        split(data, IPV4.bits)


@given(st.dictionaries(prefixes, attributes, max_size=20))
def test_a_set_is_the_mapping_that_it_was_made_of(wanted: dict[IPNetwork, Attributes]) -> None:
    made = RouteSet.of(wanted)
    assert dict(made) == wanted
    assert RouteSet.of(made) is made
    assert RouteSet.of(wanted.items()) == wanted


@given(
    st.dictionaries(prefixes, attributes, max_size=10),
    st.dictionaries(prefixes, st.none() | attributes, max_size=10),
)
def test_a_change_is_what_a_new_set_would_be(
    wanted: dict[IPNetwork, Attributes], changes: dict[IPNetwork, Attributes | None]
) -> None:
    made = RouteSet.of(wanted)
    expected = {**wanted, **changes}
    assert dict(made.changed(changes)) == {p: a for p, a in expected.items() if a is not None}
    assert dict(made) == wanted


def test_attributes_that_nobody_has_any_more_are_forgotten() -> None:
    made = routes("198.51.100.7/32")
    for place in range(5 * SETS_KEPT_MIN):
        made = made.changed({ip_network("198.51.100.7/32"): Attributes(med=place)})
    assert len(made.sets) <= 2 * SETS_KEPT_MIN
    assert made[ip_network("198.51.100.7/32")].med == 5 * SETS_KEPT_MIN - 1


def test_attributes_are_alike_in_whatever_order_they_were_given() -> None:
    one = Attributes(communities=(3, 1, 3), extended_communities=(b"b" * 8, b"a" * 8))
    assert one == Attributes(communities=(1, 3), extended_communities=(b"a" * 8, b"b" * 8))


def test_communities_are_read_as_they_are_written() -> None:
    assert community("64512:100") == 64512 << 16 | 100
    assert community_text(community("65535:0")) == "65535:0"
    assert large_community("64512:1:2") == LargeCommunity(64512, 1, 2)
    assert str(LargeCommunity(64512, 1, 2)) == "64512:1:2"


def test_a_digest_tells_what_routers_compare_and_nothing_else() -> None:
    one = RouteSet.of((prefix, Attributes(link_bandwidth=1.0)) for prefix in hosts(5))
    other = RouteSet.of((prefix, Attributes(link_bandwidth=9.0)) for prefix in reversed(hosts(5)))
    assert digest(one) == digest(other)
    assert digest(one) != digest(one, is_leaving=True)
    assert digest(one) != digest(one.changed({hosts(1)[0]: Attributes(med=1)}))
    assert digest(one) != digest(one.changed({hosts(1)[0]: None}))
