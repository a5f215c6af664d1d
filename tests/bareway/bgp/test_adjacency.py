"""What a peer is told of one family: only differences, packed, withdrawals first, whatever comes between."""

from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.bgp import codec
from bareway.bgp.messages import Update
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6, Family, Nlri, network
from bareway.bgp.ribout import RibOut, styles
from bareway.bgp.routes import Attributes, Origin, RouteSet
from bareway.model.names import IPNetwork
from support.bgp import NODE, NODE6, NODE_ASN, hosts, hosts6, routes

SESSION = Negotiated(families=frozenset({IPV4, IPV6}))
PLAIN = Attributes()
MARKED = Attributes(communities=(1,))


def rib(*, limit: int = 200_000, session: Negotiated = SESSION) -> RibOut:
    told_as = styles(session, local_asn=NODE_ASN, local=NODE, other_family=NODE6)
    return RibOut(told_as, limit=limit, message_max=4096)


def drained(one: RibOut, session: Negotiated = SESSION) -> list[Update]:
    found = []
    while data := one.next_chunk(10_000):
        reader = codec.Reader()
        reader.session = session
        for message in reader.feed(data):
            assert isinstance(message, Update)
            assert message.faults == ()
            found.append(message)
    assert one.is_settled
    return found


def count(messages: list[Update], family: Family = IPV4) -> tuple[int, int]:
    gone = sum(len(message.withdrawn.get(family, ())) for message in messages)
    return gone, sum(len(message.announced.get(family, ())) for message in messages)


@pytest.mark.parametrize(
    ("family", "most"), [pytest.param(IPV4, 810, id="ipv4"), pytest.param(IPV6, 230, id="ipv6")]
)
def test_a_message_is_full_and_never_longer_than_allowed(family: Family, most: int) -> None:
    one = rib()
    prefixes = hosts(5000) if family == IPV4 else hosts6(5000)
    one.want(RouteSet.of((prefix, PLAIN) for prefix in prefixes), is_complete=False)
    lengths = []
    while data := one.next_chunk(1):
        assert len(data) <= 4096
        message = codec.decode(data, SESSION)
        assert isinstance(message, Update)
        lengths.append(len(message.announced[family]))
    assert sum(lengths) == 5000
    assert min(lengths[:-1]) >= most
    one.want(RouteSet(), is_complete=False)
    sizes = []
    while data := one.next_chunk(1):
        sizes.append(len(data))
    assert max(sizes) <= 4096
    assert len(sizes) <= len(lengths)


def test_only_differences_are_told_and_withdrawals_come_first() -> None:
    one = rib()
    one.want(RouteSet.of((p, PLAIN) for p in (*hosts(100), *hosts6(100))), is_complete=False)
    assert count(drained(one)) == (0, 100)
    one.want(RouteSet.of((p, PLAIN) for p in (*hosts(101)[3:], *hosts6(101)[2:])), is_complete=False)
    messages = drained(one)
    assert (count(messages), count(messages, IPV6)) == ((3, 1), (2, 1))
    assert [bool(message.withdrawn) for message in messages] == [True, True, False, False]
    one.want(RouteSet.of((p, PLAIN) for p in (*hosts(101)[3:], *hosts6(101)[2:])), is_complete=False)
    assert drained(one) == []


def test_what_a_router_cannot_see_is_no_difference() -> None:
    one = rib()
    one.want(routes("198.51.100.7/32", local_preference=50), is_complete=False)
    drained(one)
    one.want(routes("198.51.100.7/32", local_preference=60), is_complete=False)
    assert drained(one) == []


def test_routes_with_equal_attributes_share_messages_even_if_they_came_as_several_sets() -> None:
    one = rib()
    alternating = [Attributes(local_preference=place % 3) for place in range(300)]
    one.want(RouteSet.of(zip(hosts(300), alternating, strict=True)), is_complete=False)
    assert len(drained(one)) == 1


def test_a_route_that_changes_its_attributes_is_told_once_and_not_withdrawn() -> None:
    one = rib()
    one.want(routes("198.51.100.7/32", "198.51.100.8/32"), is_complete=False)
    drained(one)
    one.want(
        RouteSet.of([(ip_network("198.51.100.7/32"), MARKED), (ip_network("198.51.100.8/32"), PLAIN)]),
        is_complete=False,
    )
    assert count(drained(one)) == (0, 1)


def test_a_refresh_tells_all_again_and_withdraws_nothing() -> None:
    one = rib()
    one.want(RouteSet.of((p, PLAIN) for p in hosts(2000)), is_complete=False)
    one.next_chunk(1)
    one.refresh(IPV4)
    assert count(drained(one)) == (0, 2000)
    one.refresh(IPV4)
    one.next_chunk(1)
    one.want(RouteSet.of((p, PLAIN) for p in hosts(1999)), is_complete=False)
    gone, told = count(drained(one))
    assert gone == 1
    assert told >= 1999 - 815


def test_attributes_that_fill_a_message_hold_their_routes_back_and_no_others() -> None:
    one = rib()
    huge = Attributes(communities=tuple(range(1100)))
    one.want(
        RouteSet.of([(ip_network("198.51.100.7/32"), huge), (ip_network("198.51.100.8/32"), PLAIN)]),
        is_complete=True,
    )
    assert count(drained(one)) == (0, 1)
    assert one.held_back == 1


def test_end_of_rib_comes_once_for_each_family_even_without_routes() -> None:
    one = rib()
    one.want(RouteSet(), is_complete=True)
    assert [message.end_of_rib for message in drained(one)] == [IPV4, IPV6]
    one.want(RouteSet(), is_complete=True)
    assert drained(one) == []


def learn(told: dict[Nlri, str], data: bytes) -> None:
    """Take messages as a router does that has no patience with withdrawals of what it does not have."""
    reader = codec.Reader()
    reader.session = SESSION
    for message in reader.feed(data):
        assert isinstance(message, Update)
        for prefix in message.withdrawn.get(IPV4, ()):
            told.pop(prefix)
        told |= dict.fromkeys(message.announced.get(IPV4, ()), str(message.attributes))


wishes = st.lists(
    st.tuples(
        st.dictionaries(
            st.integers(0, 30), st.sampled_from([PLAIN, MARKED, Attributes(origin=Origin.EGP)]), max_size=20
        ),
        st.integers(0, 3),
        st.sampled_from(["want", "refresh", "drain", "undrain", "limit"]),
    ),
    min_size=1,
    max_size=12,
)


@given(wishes)
def test_a_router_always_ends_with_exactly_what_is_wanted(
    steps: list[tuple[dict[int, Attributes], int, str]],
) -> None:
    one = RibOut(styles(SESSION, local_asn=NODE_ASN, local=NODE), limit=1000, message_max=70)
    pool = [IPv4Network((0x0A000000 + (place << 8), 24 + place % 9)) for place in range(31)]
    told: dict[Nlri, str] = {}
    final: dict[IPNetwork, Attributes] = {}
    for wanted, portions, word in steps:
        match word:
            case "refresh":
                one.refresh(IPV4)
            case "drain" | "undrain":
                one.drain(is_leaving=word == "drain")
            case "limit":
                one.limit(1000)
            case _:
                final = {pool[place]: attributes for place, attributes in wanted.items()}
                one.want(RouteSet.of(final), is_complete=False)
        for _ in range(portions):
            learn(told, one.next_chunk(1))
    one.drain(is_leaving=False)
    while data := one.next_chunk(1000):
        learn(told, data)
    assert {network(prefix, IPV4) for prefix in told} == set(final)
    assert len(set(told.values())) == len(set(final.values()))
