from dataclasses import replace
from ipaddress import ip_network
from typing import Final

import pytest

from bareway.bgp.routes import community
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.routing.terms import ENDPOINT_BANDWIDTH
from bareway.decide.routing.weights import SETTLE_S
from bareway.model.configuration import Advertisement
from bareway.model.selectors import Selector
from bareway.model.services import Service, TrafficPolicy
from support.builders import endpoint_slice, key, pool, service
from support.routing import OTHER, ROUTER, Cluster, bgp_pool, ground, prefixes

WEB: Final = service("web", ingress=["198.51.100.7"])
MAIL: Final = service("mail", ingress=["198.51.100.6"])
LOCAL: Final = replace(WEB, traffic_policy=TrafficPolicy.LOCAL)
WEIGHTED: Final = replace(ROUTER, weighted=True)
ROUTE: Final = "198.51.100.7/32"


def test_a_service_with_an_endpoint_is_announced() -> None:
    cluster = Cluster()
    cluster.put(WEB)
    assert cluster.told() == {}
    assert cluster.routing.withheld == {WEB.key: Refusal.NO_ENDPOINTS}
    cluster.serve(endpoint_slice("web", "b"))
    assert set(cluster.told()) == {ROUTE}
    assert cluster.routing.withheld == {}
    assert cluster.routing.announced == {WEB.key: WEB.ingress}


def test_a_look_says_which_services_begin() -> None:
    cluster = Cluster()
    cluster.serve(endpoint_slice("web", "b"))
    cluster.services[WEB.key] = WEB
    first = cluster.routing.look(cluster.services, cluster.endpoints, [WEB.key], now=0.0)
    again = cluster.routing.look(cluster.services, cluster.endpoints, [WEB.key], now=0.0)
    assert (first.began, first.prefixes) == ((WEB.key,), 1)
    assert (again.began, again.prefixes) == ((), 0)


def test_what_does_not_change_keeps_its_set() -> None:
    cluster = Cluster()
    cluster.put(WEB)
    cluster.serve(endpoint_slice("web", "b"))
    before = cluster.routing.routes["peer1"]
    cluster.serve(endpoint_slice("web", "b", "c"))
    assert cluster.routing.routes["peer1"] is before


def test_policy_local_follows_the_endpoints_of_this_node() -> None:
    cluster = Cluster()
    cluster.put(LOCAL)
    cluster.serve(endpoint_slice("web", "b"))
    assert cluster.routing.withheld == {WEB.key: Refusal.NO_LOCAL_ENDPOINTS}
    cluster.serve(endpoint_slice("web", "a", "b"))
    assert set(cluster.told()) == {ROUTE}
    cluster.serve(endpoint_slice("web", "b"))
    assert cluster.told() == {}
    cluster.empty(endpoint_slice("web"))
    assert cluster.routing.withheld == {WEB.key: Refusal.NO_ENDPOINTS}


def test_a_service_that_is_gone_takes_its_route_along() -> None:
    cluster = Cluster()
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    cluster.remove(WEB)
    assert (cluster.told(), cluster.routing.announced, cluster.routing.withheld) == ({}, {}, {})


def test_another_address_is_another_route() -> None:
    cluster = Cluster()
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    cluster.put(service("web", ingress=["198.51.100.9", "2001:db8::9"]))
    assert set(cluster.told()) == {"198.51.100.9/32", "2001:db8::9/128"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(WEB, is_load_balancer=False), id="another type"),
        pytest.param(replace(WEB, load_balancer_class="theirs"), id="another class"),
        pytest.param(service("web", ingress=["192.0.2.7"]), id="an address of a layer2 pool"),
        pytest.param(service("web"), id="no address"),
    ],
)
def test_what_is_none_of_bgp_is_neither_announced_nor_withheld(other: Service) -> None:
    cluster = Cluster(ground(bgp_pool(), pool("link", "192.0.2.0/24")))
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    cluster.put(other)
    assert (cluster.told(), cluster.routing.withheld) == ({}, {})


@pytest.mark.parametrize(
    "refusal", [Refusal.NODE_NETWORK_UNAVAILABLE, Refusal.NODE_LABELED_EXCLUDE_BALANCERS]
)
def test_a_node_that_may_announce_nothing_announces_nothing(refusal: Refusal) -> None:
    cluster = Cluster(ground(refusal=refusal))
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    assert (cluster.told(), cluster.routing.withheld) == ({}, {WEB.key: refusal})


def test_a_node_that_is_not_selected_says_so() -> None:
    elsewhere = replace(bgp_pool(), node_selectors=(Selector(labels={"rack": "2"}),))
    cluster = Cluster(ground(elsewhere))
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    assert cluster.routing.withheld == {WEB.key: Refusal.NO_MATCHING_ADVERTISEMENT}


def test_services_of_one_prefix_share_its_route_until_the_last_is_gone() -> None:
    cluster = Cluster(ground(bgp_pool(Advertisement(aggregation_length=30))))
    cluster.serve(endpoint_slice("web", "b"), endpoint_slice("mail", "b"))
    cluster.put(WEB, MAIL)
    assert set(cluster.told()) == {"198.51.100.4/30"}
    prefix = ip_network("198.51.100.4/30")
    assert list(cluster.routing.services_behind(prefix, 0)) == [MAIL.key, WEB.key]
    cluster.remove(WEB)
    assert set(cluster.told()) == {"198.51.100.4/30"}
    cluster.remove(MAIL)
    assert cluster.told() == {}
    assert list(cluster.routing.services_behind(prefix, 0)) == []


def test_each_peer_gets_what_is_meant_for_it() -> None:
    both = bgp_pool(
        Advertisement(communities=("64512:1",)),
        Advertisement(communities=("64512:2",), peers=("peer2",)),
        Advertisement(aggregation_length=24, peers=("peer2",)),
    )
    cluster = Cluster(ground(both, peers=(ROUTER, OTHER)))
    cluster.serve(endpoint_slice("web", "b"))
    cluster.put(WEB)
    one, two = cluster.told("peer1"), cluster.told("peer2")
    assert set(one) == {ROUTE}
    assert one[ROUTE].communities == (community("64512:1"),)
    assert set(two) == {ROUTE, "198.51.100.0/24"}
    assert two[ROUTE].communities == (community("64512:1"), community("64512:2"))
    assert two["198.51.100.0/24"].communities == ()
    assert list(cluster.routing.services_behind(ip_network("198.51.100.0/24"), 0)) == []


def share(cluster: Cluster, route: str = ROUTE) -> float | None:
    told = cluster.told()[route].link_bandwidth
    return None if told is None else told / ENDPOINT_BANDWIDTH


def test_a_weighted_peer_hears_how_many_endpoints_are_here() -> None:
    cluster = Cluster(ground(peers=(WEIGHTED, OTHER)))
    cluster.serve(endpoint_slice("web", "a", "b", "a", "a"))
    cluster.put(LOCAL)
    assert share(cluster) == 3
    assert cluster.told("peer2")[ROUTE].link_bandwidth is None


def test_with_policy_cluster_all_nodes_say_the_same() -> None:
    cluster = Cluster(ground(peers=(WEIGHTED,)))
    cluster.serve(endpoint_slice("web", "a", "b", "a"))
    cluster.put(WEB)
    assert share(cluster) is None


def test_endpoints_behind_one_prefix_are_added() -> None:
    cluster = Cluster(ground(bgp_pool(Advertisement(aggregation_length=30)), peers=(WEIGHTED,)))
    cluster.serve(endpoint_slice("web", "a", "a"), endpoint_slice("mail", "a"))
    cluster.put(LOCAL, replace(MAIL, traffic_policy=TrafficPolicy.LOCAL))
    assert share(cluster, "198.51.100.4/30") == 3
    cluster.put(MAIL)
    assert share(cluster, "198.51.100.4/30") is None


def test_a_change_of_endpoints_is_told_once_it_has_stood() -> None:
    cluster = Cluster(ground(peers=(WEIGHTED,)))
    cluster.serve(endpoint_slice("web", "a", "a"))
    cluster.put(LOCAL)
    cluster.now = 100.0
    cluster.serve(endpoint_slice("web", "a"))
    assert share(cluster) == 2
    cluster.now = cluster.routing.weights.deadline
    assert cluster.now == 100.0 + SETTLE_S
    due = cluster.routing.weights.due(now=cluster.now)
    cluster.routing.look(cluster.services, cluster.endpoints, due, now=cluster.now)
    assert share(cluster) == 1


def test_a_service_that_comes_back_is_told_with_its_count_at_once() -> None:
    cluster = Cluster(ground(peers=(WEIGHTED,)))
    cluster.put(LOCAL)
    cluster.serve(endpoint_slice("web", "a", "a"))
    cluster.empty(endpoint_slice("web"))
    cluster.serve(endpoint_slice("web", "a"))
    assert share(cluster) == 1


def test_without_peers_nothing_is_kept_for_any() -> None:
    cluster = Cluster(ground(peers=()))
    cluster.serve(endpoint_slice("web", "a"))
    cluster.put(WEB)
    assert cluster.routing.routes == {}
    assert cluster.routing.withheld == {key("web"): Refusal.NO_MATCHING_ADVERTISEMENT}


def test_peers_of_one_audience_share_their_routes() -> None:
    cluster = Cluster(ground(peers=(ROUTER, OTHER)))
    cluster.serve(endpoint_slice("web", "a"))
    cluster.put(WEB)
    routes = cluster.routing.routes
    assert prefixes(routes["peer1"]) == {ROUTE}
    assert routes["peer1"] is routes["peer2"]
