"""What a session tells of its routes over time: next hops that come and go, refreshes, End-of-RIB."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest

from bareway.bgp import updates
from bareway.bgp.capabilities import FourOctetAs, MultiProtocol, RefreshCapability
from bareway.bgp.connection import NEXT_HOP_WAIT_S
from bareway.bgp.events import Output, Readdressed, Want
from bareway.bgp.messages import Open, RouteRefresh, Update
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6, Family
from bareway.bgp.ribout import RibOut, styles
from bareway.bgp.routes import Attributes, RouteSet
from support.bgp import (
    CONNECTION,
    LINK_LOCAL,
    NODE,
    NODE6,
    NODE_ASN,
    ROUTER,
    ROUTER_ASN,
    Bench,
    bench,
    hosts,
    hosts6,
    routes,
    sent,
)

BOTH = (MultiProtocol(IPV4), MultiProtocol(IPV6), RefreshCapability(), FourOctetAs(ROUTER_ASN))
OPEN = Open(asn=ROUTER_ASN, hold_time_s=0, router_id=ROUTER, capabilities=BOTH)
SESSION = Negotiated(families=frozenset({IPV4, IPV6}))
OTHER6 = IPv6Address("2001:db8::12")
DUAL = ("198.51.100.7/32", "2001:db8:1::7/128")


def up(*texts: str) -> tuple[Bench, list[Update]]:
    """A session over IPv4 that has no next hop of IPv6 yet, and what was told of these routes."""
    one = bench()
    one.do(Want(routes=routes(*texts)))
    return one, told(one, one.established(OPEN))


def told(one: Bench, outputs: list[Output]) -> list[Update]:
    """All UPDATEs in it, and those that follow as the connection empties."""
    found: list[Update] = []
    while messages := sent(outputs, SESSION):
        found += [message for message in messages if isinstance(message, Update)]
        outputs = one.clear()
    return found


def ends(messages: list[Update]) -> list[Family]:
    return [message.end_of_rib for message in messages if message.end_of_rib is not None]


def announced(messages: list[Update], family: Family = IPV6) -> list[tuple[object, ...]]:
    return [updates.addresses(m.next_hop) for m in messages if m.announced.get(family)]


def readdress(one: Bench, other: IPv6Address | IPv4Address | None) -> list[Update]:
    return told(one, one.do(Readdressed(connection=CONNECTION, other_family=other)))


# ------------------------------------------------------------ next hops


def test_a_next_hop_that_comes_later_has_its_routes_told() -> None:
    one, _ = up(*DUAL)
    assert one.session.status.held_back == 1
    assert announced(readdress(one, NODE6)) == [(NODE6,)]
    assert one.session.status.held_back == 0


def test_without_its_next_hop_routes_are_taken_back_and_others_stay() -> None:
    one, _ = up(*DUAL)
    readdress(one, NODE6)
    messages = readdress(one, None)
    assert [list(message.withdrawn) for message in messages] == [[IPV6]]
    assert one.session.status.told == {IPV4: 1, IPV6: 0}
    assert announced(readdress(one, NODE6)) == [(NODE6,)]


def test_another_next_hop_is_told_of_all_routes_of_its_family_and_of_no_others() -> None:
    one, _ = up(*DUAL)
    readdress(one, NODE6)
    messages = readdress(one, OTHER6)
    assert announced(messages) == [(OTHER6,)]
    assert announced(messages, IPV4) == []
    assert readdress(one, OTHER6) == []


def test_a_drain_marks_what_is_told_by_a_next_hop_that_came_later() -> None:
    rib = RibOut(styles(SESSION, local_asn=NODE_ASN, local=NODE), limit=10, message_max=4096)
    rib.want(routes(*DUAL), is_complete=True)
    rib.drain(is_leaving=True)
    rib.restyle(styles(SESSION, local_asn=NODE_ASN, local=NODE, other_family=NODE6))
    assert rib.next_chunk(10_000).count(bytes.fromhex("c0 08 04 ffff0000")) == 2


def test_between_link_local_addresses_there_is_no_other_next_hop() -> None:
    link = IPv6Address("fe80::11%eth0")
    told_as = styles(SESSION, local_asn=NODE_ASN, local=link, link_local=LINK_LOCAL, other_family=NODE)
    style = told_as[IPV6]
    assert style is not None
    assert style.next_hop == LINK_LOCAL.packed


# ------------------------------------------------------------ End-of-RIB


def test_end_of_rib_waits_for_the_next_hop_of_a_family_with_routes() -> None:
    one, first = up(*DUAL)
    assert ends(first) == [IPV4]
    later = readdress(one, NODE6)
    assert ends(later) == [IPV6]
    assert later[-1].end_of_rib == IPV6, "after the routes that it ends"


def test_end_of_rib_does_not_wait_for_ever() -> None:
    one, _ = up(*DUAL)
    assert ends(told(one, one.later(NEXT_HOP_WAIT_S - 0.1))) == []
    assert ends(told(one, one.later(0.2))) == [IPV6]
    assert one.session.deadline > one.now


def test_a_family_without_routes_is_ended_at_once() -> None:
    _, first = up("198.51.100.7/32")
    assert ends(first) == [IPV4, IPV6]


# ------------------------------------------------------------ refreshes


def test_who_asks_again_without_end_gets_all_of_it_each_time_and_the_other_family_too() -> None:
    one = bench()
    many = hosts(60_000)  # several turns of the loop
    one.do(Want(routes=RouteSet.of((prefix, Attributes()) for prefix in [*many, *hosts6(3)])))
    one.established(OPEN)
    one.do(Readdressed(connection=CONNECTION, other_family=NODE6))
    found: dict[Family, set[bytes]] = {IPV4: set(), IPV6: set()}
    for _ in range(20):
        one.now += 1.1
        outputs = one.hear(RouteRefresh(family=IPV4)) + one.clear()
        for message in sent(outputs, SESSION):
            assert isinstance(message, Update)
            for family, prefixes in message.announced.items():
                found[family].update(prefixes)
    assert (len(found[IPV4]), len(found[IPV6])) == (60_000, 3)


@pytest.mark.parametrize("kinds", [pytest.param(1, id="one-message"), pytest.param(3, id="three-messages")])
def test_wishes_that_change_on_the_way_pile_up_nothing(kinds: int) -> None:
    rib = RibOut(styles(SESSION, local_asn=NODE_ASN, local=NODE), limit=200_000, message_max=4096)
    prefixes = hosts(10_000)
    for med in marks():
        rib.want(RouteSet.of((prefix, Attributes(med=med)) for prefix in prefixes), is_complete=True)
        for _ in range(kinds):
            assert rib.next_chunk(1)
    assert len(rib._adjacencies[IPV4]._reached().encoded) <= 20


def marks() -> Iterator[int]:
    yield from range(100)
