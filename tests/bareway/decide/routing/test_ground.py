from dataclasses import replace
from ipaddress import ip_address

from bareway.model.configuration import Advertisement
from bareway.model.selectors import Selector
from support.builders import pool
from support.routing import ME, OTHER, ROUTER, bgp_pool, ground

HERE = ip_address("198.51.100.7")
RACK_2 = (Selector(labels={"rack": "2"}),)


def test_peers_that_get_the_same_are_one_audience() -> None:
    found = ground(peers=(ROUTER, OTHER))
    assert [audience.peers for audience in found.audiences] == [("peer1", "peer2")]
    assert found.audience_of == {"peer1": 0, "peer2": 0}


def test_peers_that_an_advertisement_tells_apart_are_two() -> None:
    found = ground(bgp_pool(Advertisement(), Advertisement(peers=("peer2",))), peers=(ROUTER, OTHER))
    assert [audience.peers for audience in found.audiences] == [("peer1",), ("peer2",)]
    terms = found.terms(HERE)
    assert terms is not None
    assert [one.audiences for one in terms] == [{0, 1}, {1}]


def test_weights_tell_peers_apart() -> None:
    found = ground(peers=(ROUTER, replace(OTHER, weighted=True)))
    assert [(audience.peers, audience.is_weighted) for audience in found.audiences] == [
        (("peer1",), False),
        (("peer2",), True),
    ]


def test_an_address_outside_bgp_pools_is_none_of_ours() -> None:
    found = ground(bgp_pool(), pool("link", "192.0.2.0/24"))
    assert found.terms(ip_address("192.0.2.7")) is None
    assert found.terms(ip_address("203.0.113.7")) is None
    assert found.terms(HERE)


def test_a_pool_or_an_advertisement_for_other_nodes_is_announced_to_nobody() -> None:
    assert ground(replace(bgp_pool(), node_selectors=RACK_2)).terms(HERE) == ()
    assert ground(bgp_pool(Advertisement(node_selectors=RACK_2))).terms(HERE) == ()
    assert ground(bgp_pool(Advertisement(peers=("nobody",)))).terms(HERE) == ()
    assert ground(peers=(replace(ROUTER, node_selectors=RACK_2),)).terms(HERE) == ()


def test_a_node_that_is_not_known_announces_to_nobody() -> None:
    assert ground(on=None).audiences == ()
    assert ground(on=None).terms(HERE) == ()
    assert ground(on=ME).terms(HERE) != ()
