"""All decisions at once: what becomes of each Service, who announces what, how full the pools are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from bareway.decide.allocation.verdicts import Refusal as AllocationRefusal
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.preview.preview import Action, Cluster, PlannedAddress, PlannedService, Preview, preview
from bareway.model.configuration import (
    Configuration,
    Layer2Settings,
    OnCordon,
    Peer,
    PreferredNodes,
    Protocol,
    Reuse,
)
from bareway.model.endpoints import EndpointSlice
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import ServiceKey
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.rank import ranked
from bareway.model.selectors import Selector
from bareway.model.services import Condition, FamilyPolicy, Service, TrafficPolicy
from support.builders import configuration, endpoint_slice, ips, key, node, pool, service

OFFICE = pool("office", "192.0.2.0/30")
ROUTER = Peer(name="peer1", my_asn=64512, peer_asn=64513, address=ips("203.0.113.1")[0])
SHARED = {"metallb.io/allow-shared-ip": "k"}
A, B, C = (node(name) for name in "abc")
OF_US = Condition(is_true=True, reason="Assigned", message="")


def cluster(
    *services: Service,
    nodes: Iterable[Node] = (A, B, C),
    slices: Iterable[EndpointSlice] | None = None,
    namespaces: Mapping[str, Mapping[str, str]] | None = None,
) -> Cluster:
    return Cluster(
        services={one.key: one for one in services},
        nodes=tuple(nodes),
        slices=None if slices is None else tuple(slices),
        namespaces=namespaces or {},
    )


def planned(of: Cluster, config: Configuration | None = None) -> dict[str, PlannedService]:
    decided = preview(config or configuration(OFFICE), of)
    return {one.service.name: one for one in decided.services}


def announced(of: Cluster, config: Configuration | None = None) -> dict[str, PlannedAddress]:
    decided = preview(config or configuration(OFFICE), of)
    return {str(one.address): one for one in decided.announcers}


# ------------------------------------------------------------ Services


def test_a_service_keeps_what_it_shows_and_another_is_given_the_next() -> None:
    found = planned(cluster(service("new"), service("old", ingress=["192.0.2.1"])))
    assert found["old"] == PlannedService(
        service=key("old"), addresses=ips("192.0.2.1"), pool="office", action=Action.KEEP
    )
    assert found["new"] == PlannedService(
        service=key("new"), addresses=ips("192.0.2.0"), pool="office", action=Action.ASSIGN
    )


def test_services_come_in_the_order_of_their_names() -> None:
    assert list(planned(cluster(service("b"), service("c"), service("a")))) == ["a", "b", "c"]


def test_a_service_that_loses_its_address_for_another_is_told_why() -> None:
    one = planned(cluster(service(ingress=["198.51.100.1"])))["web"]
    assert (one.action, one.addresses) == (Action.ASSIGN, ips("192.0.2.0"))
    assert one.reason == AllocationRefusal.NOT_IN_ANY_POOL
    assert one.message == '["198.51.100.1"] is not allowed in config'


def test_a_service_that_loses_its_address_for_nothing_gives_it_back_and_is_told_each_reason() -> None:
    empty = configuration(pool("office", auto_assign=False))
    shown = planned(cluster(service(ingress=["198.51.100.1"])), empty)["web"]
    assert (shown.action, shown.addresses, shown.pool) == (Action.RELEASE, (), None)
    assert shown.reason == AllocationRefusal.NO_FREE_ADDRESS
    assert shown.message == "no available IPs; pool office assigns no address by itself"
    assert planned(cluster(service()), empty)["web"].action is Action.NONE


def test_who_shares_is_told() -> None:
    both = cluster(service("a", annotations=SHARED), service("b", annotations=SHARED, ports=[443]))
    assert planned(both)["a"].shares_with == (key("b"),)


def test_what_asks_us_no_more_is_released_and_what_never_did_is_left_alone() -> None:
    found = planned(
        cluster(
            service("was", is_load_balancer=False, ingress=["192.0.2.1"], condition=OF_US),
            service("other", load_balancer_class="example.com/other", ingress=["192.0.2.2"]),
            service("inside", is_load_balancer=False),
        )
    )
    assert found["was"] == PlannedService(service=key("was"), action=Action.RELEASE)
    assert found["other"] == PlannedService(service=key("other"), action=Action.NONE)
    assert "inside" not in found


def test_the_class_of_the_flag_is_ours() -> None:
    ours = service(load_balancer_class="example.com/ours")
    of_class = replace(cluster(ours), load_balancer_class="example.com/ours")
    assert planned(of_class)["web"].action is Action.ASSIGN
    assert set(announced(of_class)) == {"192.0.2.0"}


def test_labels_of_namespaces_count() -> None:
    red = replace(OFFICE, namespace_selectors=(Selector(labels={"team": "red"}),))
    of_red = cluster(service(), namespaces={"default": {"team": "red"}})
    assert planned(of_red, configuration(red))["web"].action is Action.ASSIGN
    assert planned(cluster(service()), configuration(red))["web"].action is Action.NONE


def test_the_memory_counts_as_of_now() -> None:
    holding = replace(OFFICE, hold_after_delete_s=60.0, reuse=Reuse.OLDEST)
    memory = AllocationMemory(holds={ips("192.0.2.0")[0]: Hold(service=key("gone"), until=50)})
    early = replace(cluster(service()), memory=memory, now=49)
    assert planned(early, configuration(holding))["web"].addresses == ips("192.0.2.1")
    assert planned(replace(early, now=50), configuration(holding))["web"].addresses == ips("192.0.2.0")


# ------------------------------------------------------------ pools


def test_pools_count_what_may_be_given_and_what_will_be_held() -> None:
    office = pool("office", "192.0.2.0/24", avoid_buggy_ips=True)
    decided = preview(configuration(office, pool("empty", "198.51.100.0/30")), cluster(service()))
    counted = [(one.name, one.total, one.used) for one in decided.pools]
    assert counted == [("office", 254, 1), ("empty", 4, 0)]


# ------------------------------------------------------------ announcers


def test_an_address_is_announced_by_the_first_in_rank_and_the_others_are_told_so() -> None:
    one = announced(cluster(service()))["192.0.2.0"]
    order = tuple(ranked([A.name, B.name, C.name], ips("192.0.2.0")[0]))
    assert (one.services, one.nodes) == ((key("web"),), order)
    assert one.reasons == {name: "" if name == order[0] else Refusal.NOT_OWNER for name in ("a", "b", "c")}
    assert list(one.reasons) == ["a", "b", "c"]


def test_nodes_are_told_of_in_the_order_of_their_names() -> None:
    assert list(announced(cluster(service(), nodes=(C, A, B)))["192.0.2.0"].reasons) == ["a", "b", "c"]
    unserved = announced(cluster(service(), nodes=(C, A, B), slices=[]))["192.0.2.0"]
    assert list(unserved.reasons) == ["a", "b", "c"]


def test_what_is_decided_is_announced_and_not_what_is_shown() -> None:
    assert set(announced(cluster(service(ingress=["198.51.100.1"])))) == {"192.0.2.0"}
    refused = cluster(service(ingress=["198.51.100.1"]))
    assert announced(refused, configuration(pool("office", auto_assign=False))) == {}
    was = cluster(service(is_load_balancer=False, ingress=["192.0.2.1"], condition=OF_US))
    assert announced(was) == {}


def test_who_gives_an_address_back_is_not_behind_it_any_more() -> None:
    was = service("was", is_load_balancer=False, ingress=["192.0.2.1"], condition=OF_US)
    found = announced(cluster(was, service("now", requested="192.0.2.1")))
    assert found["192.0.2.1"].services == (key("now"),)


def test_a_node_that_may_announce_an_address_and_is_not_the_first_is_told_just_that() -> None:
    local = service(policy=TrafficPolicy.LOCAL)
    one = announced(cluster(local, slices=[endpoint_slice("web", "a", "b")]))["192.0.2.0"]
    assert sorted(one.reasons.values()) == ["", Refusal.NO_LOCAL_ENDPOINTS, Refusal.NOT_OWNER]
    assert one.reasons[C.name] == Refusal.NO_LOCAL_ENDPOINTS


def test_all_services_behind_an_address_are_named_in_order() -> None:
    both = cluster(service("b", annotations=SHARED), service("a", annotations=SHARED, ports=[443]))
    assert announced(both)["192.0.2.0"].services == (key("a"), key("b"))
    unserved = replace(both, slices=())
    assert announced(unserved)["192.0.2.0"].services == (key("a"), key("b"))


def test_preferred_nodes_come_first() -> None:
    racks = [node(name, labels={"rack": name}) for name in "abc"]
    for wished in "abc":
        preferred = PreferredNodes(selector=Selector(labels={"rack": wished}), weight=1)
        rather = replace(OFFICE, preferred_nodes=(preferred,))
        assert (
            announced(cluster(service(), nodes=racks), configuration(rather))["192.0.2.0"].nodes[0] == wished
        )


@pytest.mark.parametrize(
    ("unfit", "reason"),
    [
        pytest.param(node("a", network_unavailable=True), Refusal.NODE_NETWORK_UNAVAILABLE, id="no network"),
        pytest.param(
            node("a", labels={EXCLUDE_LABEL: ""}), Refusal.NODE_LABELED_EXCLUDE_BALANCERS, id="excluded"
        ),
    ],
)
def test_a_node_that_may_announce_nothing_is_told_why_and_not_listed(unfit: Node, reason: Refusal) -> None:
    one = announced(cluster(service(), nodes=(unfit, B)))["192.0.2.0"]
    assert (one.nodes, dict(one.reasons)) == (("b",), {A.name: reason, B.name: ""})
    none = announced(cluster(service(), nodes=(unfit, B), slices=[]))["192.0.2.0"]
    assert dict(none.reasons) == {A.name: reason, B.name: Refusal.NO_ENDPOINTS}


def test_a_drained_node_comes_last_and_says_so() -> None:
    found = announced(replace(cluster(service()), nodes=(A, replace(B, drain=""), C)))["192.0.2.0"]
    assert (found.nodes[-1], found.reasons[B.name]) == ("b", Refusal.NODE_DRAINING)
    alone = announced(replace(cluster(service()), nodes=(replace(B, drain=""),)))["192.0.2.0"]
    assert (alone.nodes, alone.reasons) == (("b",), {"b": ""})


@pytest.mark.parametrize(
    ("ingress", "moves", "first"),
    [
        pytest.param([], False, False, id="nothing new is placed there"),
        pytest.param(["192.0.2.0"], False, True, id="what is shown may stay"),
        pytest.param(["192.0.2.0"], True, False, id="unless it moves"),
    ],
)
def test_a_cordoned_node_is_passed_over_for_new_addresses(
    ingress: list[str], moves: bool, first: bool
) -> None:
    winner = announced(cluster(service()))["192.0.2.0"].nodes[0]
    nodes = tuple(replace(one, unschedulable=one.name == winner) for one in (A, B, C))
    config = configuration(OFFICE)
    if moves:
        config = replace(config, layer2=Layer2Settings(on_cordon=OnCordon.MOVE))
    found = announced(replace(cluster(service(ingress=ingress)), nodes=nodes), config)["192.0.2.0"]
    assert (found.nodes[0] == winner) is first


def test_the_node_that_a_service_names_comes_first() -> None:
    order = announced(cluster(service()))["192.0.2.0"].nodes
    marked = service(annotations={"bareway.io/announce-from": order[-1]})
    assert announced(cluster(marked))["192.0.2.0"].nodes == (order[-1], *order[:-1])


def test_an_ipv6_address_is_announced_like_any_other_after_those_of_ipv4() -> None:
    both = service("both", cluster=["10.96.0.1", "fd00::1"], families=FamilyPolicy.REQUIRE_DUAL_STACK)
    six = service("six", cluster=["fd00::2"])
    found = announced(cluster(both, six), configuration(OFFICE, pool("v6", "2001:db8::/126")))
    assert [*found] == ["192.0.2.0", "2001:db8::", "2001:db8::1"]
    assert found["2001:db8::"].nodes == found["192.0.2.0"].nodes, "one node announces both"


def test_the_exclude_label_may_be_ignored() -> None:
    excluded = node("a", labels={EXCLUDE_LABEL: ""})
    of_both = replace(cluster(service(), nodes=(excluded, B)), ignore_exclude_label=True)
    one = announced(of_both)["192.0.2.0"]
    assert set(one.nodes) == {"a", "b"}
    assert sorted(one.reasons.values()) == ["", Refusal.NOT_OWNER]


def test_where_no_node_may_announce_each_is_told_why() -> None:
    one = announced(cluster(service(), nodes=(node("a", network_unavailable=True),)))["192.0.2.0"]
    assert (one.nodes, dict(one.reasons)) == ((), {A.name: Refusal.NODE_NETWORK_UNAVAILABLE})


def test_policy_local_is_announced_where_an_endpoint_serves() -> None:
    local = service(policy=TrafficPolicy.LOCAL)
    one = announced(cluster(local, slices=[endpoint_slice("web", "b")]))["192.0.2.0"]
    assert one.nodes == ("b",)
    assert one.reasons == {"a": Refusal.NO_LOCAL_ENDPOINTS, "b": "", "c": Refusal.NO_LOCAL_ENDPOINTS}


def test_an_address_that_nothing_serves_is_announced_by_nobody_and_says_so() -> None:
    services = (service("web"), service("mail", ingress=["192.0.2.3"]))
    found = announced(cluster(*services, nodes=(A,), slices=[endpoint_slice("other", "a")]))
    assert list(found) == ["192.0.2.0", "192.0.2.3"]
    assert found["192.0.2.3"] == PlannedAddress(
        address=ips("192.0.2.3")[0], services=(key("mail"),), nodes=(), reasons={A.name: Refusal.NO_ENDPOINTS}
    )


def test_addresses_that_nothing_serves_come_after_the_others_ipv4_first() -> None:
    both = configuration(pool("office", "192.0.2.0/24", "2001:db8::/120"))
    shown = [
        service("four", ingress=["192.0.2.10"]),
        service("low", ingress=["192.0.2.9"]),
        service("served", ingress=["192.0.2.77"]),
        service("six", ingress=["2001:db8::1"], cluster=["fd00::1"]),
    ]
    found = announced(cluster(*shown, slices=[endpoint_slice("served", "a")]), both)
    assert list(found) == ["192.0.2.77", "192.0.2.9", "192.0.2.10", "2001:db8::1"]


def test_an_address_that_one_of_two_services_serves_is_announced_once() -> None:
    both = (service("a", annotations=SHARED), service("b", annotations=SHARED, ports=[443]))
    found = preview(configuration(OFFICE), cluster(*both, slices=[endpoint_slice("b", "a")])).announcers
    assert [(str(one.address), bool(one.nodes)) for one in found] == [("192.0.2.0", True)]


def test_policy_local_without_an_endpoint_on_a_node_is_announced_by_nobody() -> None:
    local = service(policy=TrafficPolicy.LOCAL)
    one = announced(cluster(local, nodes=(A,), slices=[endpoint_slice("web", None)]))["192.0.2.0"]
    assert (one.nodes, one.reasons) == ((), {"a": Refusal.NO_LOCAL_ENDPOINTS})


# ------------------------------------------------------------ BGP


def bgp(of: Cluster) -> Preview:
    router = replace(OFFICE, protocol=Protocol.BGP)
    return preview(Configuration(pools=(router,), peers=(ROUTER,)), of)


def test_routes_and_sessions_are_part_of_it() -> None:
    decided = bgp(cluster(service(), nodes=(A, B)))
    assert [(one.node, str(one.prefix), one.services) for one in decided.routes] == [
        ("a", "192.0.2.0/32", (key("web"),)),
        ("b", "192.0.2.0/32", (key("web"),)),
    ]
    assert [(one.peer, one.node) for one in decided.sessions] == [(ROUTER, "a"), (ROUTER, "b")]
    assert decided.announcers == ()


def test_routes_go_by_endpoints_exclude_label_and_class() -> None:
    assert bgp(cluster(service(), slices=[])).routes == ()
    assert bgp(cluster(service(), slices=[])).announcers == ()
    excluded = cluster(service(), nodes=(node("a", labels={EXCLUDE_LABEL: ""}), B))
    assert [one.node for one in bgp(excluded).routes] == ["b"]
    assert [one.node for one in bgp(replace(excluded, ignore_exclude_label=True)).routes] == ["a", "b"]
    ours = replace(cluster(service(load_balancer_class="ours"), nodes=(A,)), load_balancer_class="ours")
    assert [one.node for one in bgp(ours).routes] == ["a"]


def test_the_allocation_itself_is_there_too() -> None:
    decided = bgp(cluster(service()))
    holders: Mapping[str, tuple[ServiceKey, ...]] = {
        str(address): keys for address, keys in decided.allocation.holders.items()
    }
    assert holders == {"192.0.2.0": (key("web"),)}
