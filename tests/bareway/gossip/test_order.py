"""The order of members for an address: what decides before what."""

from ipaddress import ip_address, ip_network
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.events import ANYBODY, Wish
from bareway.gossip.member import Facts, LinkFact
from bareway.gossip.order import Order, tier
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, NodeName
from bareway.model.rank import ranked

ADDRESS = ip_address("192.168.10.0")  # MetalLB's order: node2, node1, node3
SIX = ip_address("2001:db8::1")
FIRST, SECOND, THIRD = NodeName("node2"), NodeName("node1"), NodeName("node3")
GONE = NodeName("gone")
NODES = (FIRST, SECOND, THIRD)


def facts(*, leaving: bool = False, subnets: str | None = None) -> Facts:
    """Started and able; ``subnets`` None: it publishes no links."""
    links: tuple[LinkFact, ...] = ()
    if subnets is not None:
        networks = tuple(ip_network(text) for text in subnets.split())
        links = (LinkFact(name=InterfaceName("eth0"), mac=MacAddress(b"\x02" + bytes(5)), networks=networks),)
    return Facts(started=True, able=True, leaving=leaving, links=links)


HERE, ELSEWHERE, BOTH = "192.168.10.0/24", "10.0.0.0/8", "10.0.0.0/8 192.168.0.0/16"


@pytest.mark.parametrize(
    ("standings", "wish", "order"),
    [
        pytest.param({}, ANYBODY, [FIRST, SECOND, THIRD], id="metallb's rank"),
        pytest.param({FIRST: facts(leaving=True)}, ANYBODY, [SECOND, THIRD, FIRST], id="who leaves is last"),
        pytest.param({}, Wish(nodes=(THIRD,)), [THIRD, FIRST, SECOND], id="a list comes before rank"),
        pytest.param({}, Wish(nodes=(THIRD, SECOND, FIRST)), [THIRD, SECOND, FIRST], id="a list in full"),
        pytest.param({}, Wish(nodes=(GONE, SECOND)), [SECOND, FIRST, THIRD], id="a list names a stranger"),
        pytest.param(
            {THIRD: facts(leaving=True)},
            Wish(nodes=(THIRD,)),
            [FIRST, SECOND, THIRD],
            id="leaving comes before a list",
        ),
        pytest.param(
            {node: facts(leaving=True) for node in NODES}, ANYBODY, [FIRST, SECOND, THIRD], id="all leave"
        ),
        pytest.param(
            {},
            Wish(tiers=(frozenset({THIRD}), frozenset({FIRST, SECOND})), nodes=(SECOND,)),
            [THIRD, SECOND, FIRST],
            id="a better tier comes before a list",
        ),
        pytest.param(
            {THIRD: facts(leaving=True)},
            Wish(tiers=(frozenset({THIRD}), frozenset({FIRST, SECOND}))),
            [FIRST, SECOND, THIRD],
            id="leaving comes before a better tier",
        ),
        pytest.param(
            {FIRST: facts(subnets=ELSEWHERE), SECOND: facts(subnets=HERE)},
            ANYBODY,
            [SECOND, THIRD, FIRST],
            id="without an address in the subnet after those with one, and with those that say nothing",
        ),
        pytest.param(
            {FIRST: facts(subnets=ELSEWHERE), SECOND: facts(subnets=BOTH), THIRD: facts(subnets="")},
            Wish(nodes=(FIRST,)),
            [SECOND, FIRST, THIRD],
            id="the subnet comes before a list; a link without addresses is in none",
        ),
        pytest.param(
            {FIRST: facts(subnets=ELSEWHERE), SECOND: facts(subnets=HERE)},
            Wish(tiers=(frozenset({FIRST}), frozenset({SECOND, THIRD}))),
            [FIRST, SECOND, THIRD],
            id="a better tier comes before the subnet",
        ),
        pytest.param(
            {node: facts(subnets=ELSEWHERE) for node in NODES},
            ANYBODY,
            [FIRST, SECOND, THIRD],
            id="nobody is in the subnet: nobody is excluded",
        ),
        pytest.param(
            {FIRST: facts(subnets=HERE), SECOND: facts(subnets=f"{ELSEWHERE} fe80::/64")},
            Wish(has_both=True, nodes=(FIRST, SECOND)),
            [THIRD, SECOND, FIRST],
            id="of both families, IPv4 alone comes after both, whatever the subnet and the list say",
        ),
        pytest.param(
            {FIRST: facts(subnets=HERE)},
            Wish(has_both=True, tiers=(frozenset({FIRST}), frozenset({SECOND, THIRD}))),
            [FIRST, SECOND, THIRD],
            id="a better tier comes before both families",
        ),
        pytest.param(
            {node: facts(subnets=HERE) for node in NODES},
            Wish(has_both=True),
            [FIRST, SECOND, THIRD],
            id="nobody speaks both families: nobody is excluded",
        ),
        pytest.param(
            {FIRST: facts(subnets="2001:db8::/32")}, ANYBODY, [SECOND, THIRD, FIRST], id="the other family"
        ),
    ],
)
def test_members_stand_in_one_order_and_each_knows_its_place(
    standings: dict[NodeName, Facts], wish: Wish, order: list[NodeName]
) -> None:
    for nodes in permutations(NODES):
        made = Order({node: standings.get(node, facts()) for node in nodes})
        assert made.in_order(nodes, ADDRESS, wish) == tuple(order)
        assert [made.place(node, nodes, ADDRESS, wish) for node in order] == [0, 1, 2]


def test_an_address_of_ipv6_is_looked_for_among_the_networks_of_its_family() -> None:
    address = ip_address("2001:db8::1")
    made = Order({FIRST: facts(subnets="10.0.0.0/8"), SECOND: facts(subnets="2001:db8::/64 10.0.0.0/8")})
    assert made.in_order([FIRST, SECOND], address)[0] == SECOND


NAMES = st.sets(st.sampled_from([NodeName(f"node{number}") for number in range(8)]), min_size=1)


@given(NAMES, st.ip_addresses())
def test_without_anything_else_the_order_is_metallbs(names: set[NodeName], address: object) -> None:
    assert isinstance(address, type(ADDRESS) | type(ip_address("::")))
    made = Order({name: facts() for name in names})
    assert made.in_order(names, address) == ranked(names, address)


@pytest.mark.parametrize(
    ("standing", "started", "eligible"),
    [
        pytest.param(facts(), True, True, id="started and able"),
        pytest.param(facts(leaving=True), True, True, id="leaving"),
        pytest.param(Facts(started=True), True, False, id="not able"),
        pytest.param(Facts(able=True), True, False, id="not started"),
        pytest.param(Facts(able=True), False, True, id="about to start"),
        pytest.param(None, True, False, id="not there"),
    ],
)
def test_who_is_eligible(standing: Facts | None, *, started: bool, eligible: bool) -> None:
    made = Order({FIRST: standing} if standing is not None else {})
    assert made.eligible(FIRST, ADDRESS, ANYBODY, started=started) is eligible
    assert list(made.candidates(ADDRESS, ANYBODY, started=started)) == [FIRST] * eligible


def test_a_tier_is_found_by_its_place_and_who_is_in_none_may_not() -> None:
    wish = Wish(tiers=(frozenset({FIRST}), frozenset({SECOND})))
    assert [tier(node, wish) for node in NODES] == [0, 1, None]
    assert tier(THIRD, ANYBODY) == 0
    assert not Order({THIRD: facts()}).eligible(THIRD, ADDRESS, wish)


@pytest.mark.parametrize(
    ("subnets", "eligible"),
    [
        pytest.param("10.0.0.0/8", False, id="IPv4 alone"),
        pytest.param("10.0.0.0/8 fe80::/64", True, id="only link-local addresses"),
        pytest.param("2001:db8::/64", True, id="another subnet"),
        pytest.param(None, True, id="it publishes no links"),
    ],
)
def test_who_speaks_ipv6_on_no_link_may_not_announce_by_ipv6(subnets: str | None, *, eligible: bool) -> None:
    made = Order({FIRST: facts(subnets=subnets)})
    assert made.eligible(FIRST, SIX, ANYBODY) is eligible
    assert list(made.candidates(SIX, ANYBODY)) == [FIRST] * eligible
    assert made.eligible(FIRST, ADDRESS, ANYBODY), "IPv4 needs no subnet"


def test_who_has_only_link_local_addresses_comes_after_those_in_the_subnet() -> None:
    here, local = facts(subnets="2001:db8::/64"), facts(subnets="fe80::/64")
    for first, second in permutations((FIRST, SECOND)):
        made = Order({first: local, second: here})
        assert made.in_order((first, second), SIX) == (second, first)
