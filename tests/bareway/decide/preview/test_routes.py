from collections.abc import Iterable
from dataclasses import replace

import pytest

from bareway.decide.preview.routes import Route, RouteView, routes, sessions
from bareway.model.configuration import Advertisement, Configuration, Peer, Pool, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selectors import Selector
from bareway.model.services import Service, TrafficPolicy
from support.builders import endpoint_slice, ips, node, pool, service

ROUTER = Peer(name="peer1", my_asn=64512, peer_asn=64512, address=ips("192.0.2.254")[0])
UPSTREAM = replace(ROUTER, name="peer2", peer_asn=64513, address=ips("192.0.2.253")[0])
NODES = (node("a", labels={"rack": "1"}), node("b", labels={"rack": "2"}))
RACK_1 = (Selector(labels={"rack": "1"}),)
WEB = service("web", ingress=["198.51.100.7"])


def bgp_pool(*advertisements: Advertisement) -> Pool:
    return replace(
        pool("office", "198.51.100.0/24", "2001:db8::/120", protocol=Protocol.BGP),
        advertisements=advertisements or (Advertisement(),),
    )


def found(
    *services: Service,
    of: Pool | None = None,
    peers: Iterable[Peer] = (ROUTER,),
    nodes: Iterable[Node] = NODES,
    slices: Iterable[EndpointSlice] | None = None,
) -> tuple[Route, ...]:
    configuration = Configuration(pools=(of or bgp_pool(),), peers=tuple(peers))
    view = RouteView(
        configuration=configuration, services=services or (WEB,), nodes=tuple(nodes), slices=slices
    )
    return routes(view)


def told(route: Route) -> tuple[str, str, str]:
    return route.peer.name, route.node, str(route.prefix)


def test_every_node_sends_the_address_to_every_peer() -> None:
    assert [told(route) for route in found(peers=(ROUTER, UPSTREAM))] == [
        ("peer1", "a", "198.51.100.7/32"),
        ("peer1", "b", "198.51.100.7/32"),
        ("peer2", "a", "198.51.100.7/32"),
        ("peer2", "b", "198.51.100.7/32"),
    ]


def test_both_families_have_their_own_length() -> None:
    both = service("web", ingress=["198.51.100.7", "2001:db8::7"], cluster=["10.96.0.10", "fd00::10"])
    wide = bgp_pool(Advertisement(aggregation_length=30, aggregation_length_v6=126))
    prefixes = {str(route.prefix) for route in found(both, of=wide)}
    assert prefixes == {"198.51.100.4/30", "2001:db8::4/126"}


def test_services_of_one_prefix_share_the_route() -> None:
    other = service("mail", ingress=["198.51.100.6"])
    (route, _) = found(WEB, other, of=bgp_pool(Advertisement(aggregation_length=30)))
    assert route.services == (other.key, WEB.key)


@pytest.mark.parametrize(
    ("peer", "configured", "expected"),
    [
        pytest.param(ROUTER, 0, 100, id="iBGP without one: what routers take"),
        pytest.param(ROUTER, 250, 250, id="iBGP"),
        pytest.param(UPSTREAM, 250, 0, id="eBGP sends none"),
    ],
)
def test_local_preference_stays_in_our_own_as(peer: Peer, configured: int, expected: int) -> None:
    (route, _) = found(of=bgp_pool(Advertisement(local_preference=configured)), peers=(peer,))
    assert route.local_preference == expected


def test_two_advertisements_of_one_length_are_one_route_with_all_communities() -> None:
    first = Advertisement(communities=("64512:10", "64512:9"), local_preference=10)
    second = Advertisement(communities=("64512:1",), large_communities=("64512:1:2",), local_preference=20)
    (route, _) = found(of=bgp_pool(first, second))
    assert route.communities == ("64512:1", "64512:9", "64512:10")
    assert route.large_communities == ("64512:1:2",)
    assert route.local_preference == 20


def test_selectors_of_pool_advertisement_and_peer_all_hold() -> None:
    by_pool = replace(bgp_pool(), node_selectors=RACK_1)
    by_advertisement = bgp_pool(Advertisement(node_selectors=RACK_1))
    by_peer = replace(ROUTER, node_selectors=RACK_1)
    assert {route.node for route in found(of=by_pool)} == {"a"}
    assert {route.node for route in found(of=by_advertisement)} == {"a"}
    assert {route.node for route in found(peers=(by_peer,))} == {"a"}


def test_communities_are_in_the_order_of_their_numbers() -> None:
    one = Advertisement(communities=("64512:10", "64512:9"), large_communities=("64512:10:1", "64512:9:1"))
    (route, _) = found(of=bgp_pool(one))
    assert route.communities == ("64512:9", "64512:10")
    assert route.large_communities == ("64512:9:1", "64512:10:1")
    (merged, _) = found(of=bgp_pool(one, Advertisement(large_communities=("64512:11:1",))))
    assert merged.large_communities == ("64512:9:1", "64512:10:1", "64512:11:1")


def test_a_route_of_two_advertisements_goes_where_each_of_them_would() -> None:
    both = bgp_pool(Advertisement(local_preference=1), Advertisement(local_preference=2))
    assert [(told(one), one.peer) for one in found(of=both)] == [
        (("peer1", "a", "198.51.100.7/32"), ROUTER),
        (("peer1", "b", "198.51.100.7/32"), ROUTER),
    ]


def test_an_advertisement_for_other_nodes_does_not_hide_the_next() -> None:
    elsewhere = Advertisement(node_selectors=(Selector(labels={"rack": "2"}),), aggregation_length=24)
    everywhere = Advertisement()
    assert [told(one) for one in found(of=bgp_pool(elsewhere, everywhere), nodes=NODES[:1])] == [
        ("peer1", "a", "198.51.100.7/32")
    ]


def test_policy_local_without_any_endpoint_is_sent_nowhere() -> None:
    assert found(replace(WEB, traffic_policy=TrafficPolicy.LOCAL), slices=[]) == ()


def test_an_advertisement_may_name_its_peers() -> None:
    of = bgp_pool(Advertisement(peers=("peer2",)))
    assert {route.peer.name for route in found(of=of, peers=(ROUTER, UPSTREAM))} == {"peer2"}


def test_policy_local_is_sent_where_an_endpoint_serves() -> None:
    local = replace(WEB, traffic_policy=TrafficPolicy.LOCAL)
    assert {route.node for route in found(local, slices=[endpoint_slice("web", "b")])} == {"b"}
    assert {route.node for route in found(WEB, slices=[endpoint_slice("web", "b")])} == {"a", "b"}


def test_without_an_endpoint_nothing_is_sent() -> None:
    assert found(slices=[]) == ()
    assert found(slices=[endpoint_slice("web", "a", serving=False)]) == ()


@pytest.mark.parametrize(
    "unfit",
    [
        pytest.param(node("a", network_unavailable=True), id="no network"),
        pytest.param(node("a", labels={EXCLUDE_LABEL: ""}), id="excluded by label"),
    ],
)
def test_a_node_that_may_announce_nothing_sends_nothing(unfit: Node) -> None:
    assert {route.node for route in found(nodes=(unfit, node("b")))} == {"b"}


def test_layer2_pools_and_strangers_services_are_no_routes() -> None:
    assert found(of=replace(bgp_pool(), protocol=Protocol.LAYER2, advertisements=())) == ()
    assert found(replace(WEB, load_balancer_class="example.com/other")) == ()


def test_a_session_is_opened_from_every_node_that_the_peer_selects() -> None:
    configuration = Configuration(peers=(replace(ROUTER, node_selectors=RACK_1), UPSTREAM))
    opened = [(session.peer.name, session.node) for session in sessions(configuration, reversed(NODES))]
    assert opened == [("peer1", "a"), ("peer2", "a"), ("peer2", "b")]
