"""What is announced, linked with what, permitted where: every refusal and every way to be linked."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcement.announcers import Announcers, AnnouncerView, Refusal, announcers, own_refusal
from bareway.model.configuration import Configuration, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import InterfaceName, NodeName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selectors import Selector
from bareway.model.services import Service, TrafficPolicy
from support.builders import configuration, endpoint_slice, ips, key, names, node, pool, service

LOCAL = TrafficPolicy.LOCAL


def decide(
    services: Iterable[Service],
    slices: Iterable[EndpointSlice] | None,
    *,
    config: Configuration | None = None,
    nodes: Iterable[Node] = (),
    load_balancer_class: str | None = None,
) -> Announcers:
    view = AnnouncerView(
        configuration=config or configuration(),
        services=services,
        slices=slices,
        nodes=nodes,
        load_balancer_class=load_balancer_class,
    )
    return announcers(view)


def test_a_service_with_an_address_and_an_endpoint_is_announced_by_any_node() -> None:
    decided = decide([service("web", ingress=["192.0.2.1"])], [endpoint_slice("web", "a")])
    (group,) = decided.groups.values()
    assert (group.key, group.permitted, group.services) == (ip_address("192.0.2.1"), None, (key("web"),))
    assert not decided.withheld


@pytest.mark.parametrize(
    ("withheld", "slices", "refusal"),
    [
        pytest.param(service(), [endpoint_slice("web", "a")], Refusal.NO_IP_ALLOCATED, id="no address yet"),
        pytest.param(
            service(ingress=["203.0.113.1"]),
            [endpoint_slice("web", "a")],
            Refusal.IP_NOT_ALLOWED,
            id="address in no pool",
        ),
        pytest.param(
            service(ingress=["192.0.2.1", "2001:db8::1"]),
            [endpoint_slice("web", "a")],
            Refusal.IP_NOT_ALLOWED,
            id="one of two addresses in no pool",
        ),
        pytest.param(service(ingress=["192.0.2.1"]), [], Refusal.NO_ENDPOINTS, id="no slice"),
        pytest.param(
            service(ingress=["192.0.2.1"]),
            [endpoint_slice("web", "a", serving=False)],
            Refusal.NO_ENDPOINTS,
            id="no endpoint serves",
        ),
        pytest.param(
            service(ingress=["192.0.2.1"], policy=LOCAL),
            [endpoint_slice("web", None)],
            Refusal.NO_LOCAL_ENDPOINTS,
            id="policy Local, endpoint on no node",
        ),
    ],
)
def test_what_is_not_announced_says_why(
    withheld: Service, slices: list[EndpointSlice], refusal: Refusal
) -> None:
    decided = decide([withheld], slices)
    assert decided.withheld == {key("web"): refusal}
    assert not decided.groups


@pytest.mark.parametrize(
    ("not_ours", "flag"),
    [
        pytest.param(service(ingress=["192.0.2.1"], is_load_balancer=False), None, id="another type"),
        pytest.param(
            service(ingress=["192.0.2.1"], load_balancer_class="x"), None, id="a class, and no flag"
        ),
        pytest.param(service(ingress=["192.0.2.1"]), "x", id="no class, and a flag"),
        pytest.param(service(ingress=["192.0.2.1"], load_balancer_class="y"), "x", id="another class"),
    ],
)
def test_a_service_that_is_not_ours_is_neither_announced_nor_withheld(
    not_ours: Service, flag: str | None
) -> None:
    decided = decide([not_ours], [endpoint_slice("web", "a")], load_balancer_class=flag)
    assert not decided.groups
    assert not decided.withheld


def test_a_service_of_our_class_is_announced() -> None:
    ours = service(ingress=["192.0.2.1"], load_balancer_class="x")
    assert decide([ours], [endpoint_slice("web", "a")], load_balancer_class="x").groups


def test_an_address_of_a_bgp_pool_is_not_announced_on_layer_2() -> None:
    config = configuration(pool(protocol=Protocol.BGP))
    decided = decide([service(ingress=["192.0.2.1"])], [endpoint_slice("web", "a")], config=config)
    assert decided.withheld == {key("web"): Refusal.IP_NOT_ALLOWED}


def test_policy_local_permits_only_nodes_with_a_serving_endpoint() -> None:
    slices = [endpoint_slice("web", "a", "b", None), endpoint_slice("web", "c", serving=False, name="web-2")]
    (group,) = decide([service(ingress=["192.0.2.1"], policy=LOCAL)], slices).groups.values()
    assert group.permitted == names("a", "b")
    assert group.refusal is Refusal.NO_LOCAL_ENDPOINTS


def test_both_families_of_a_service_are_one_group_led_by_ipv4() -> None:
    config = configuration(pool("v4"), pool("v6", "2001:db8::/64"))
    dual = service(ingress=["2001:db8::1", "192.0.2.1"])
    (group,) = decide([dual], [endpoint_slice("web", "a")], config=config).groups.values()
    assert group.key == ip_address("192.0.2.1")
    assert group.addresses == ips("192.0.2.1", "2001:db8::1")


@pytest.mark.parametrize("bridge", [pytest.param("bridge", id="first"), pytest.param("zip", id="last")])
def test_services_linked_through_a_third_are_one_group(bridge: str) -> None:
    one, two = service("one", ingress=["192.0.2.1"]), service("two", ingress=["192.0.2.9"])
    third = service(bridge, ingress=["192.0.2.9", "192.0.2.1"])
    slices = [endpoint_slice(name, "a") for name in ("one", "two", bridge)]
    (group,) = decide([one, two, third], slices).groups.values()
    assert group.addresses == ips("192.0.2.1", "192.0.2.9")
    assert set(group.services) == {key("one"), key("two"), key(bridge)}


@pytest.mark.parametrize(
    ("nodes_of_two", "tiers"),
    [
        pytest.param(("b", "c"), [{"b"}, {"a", "c"}], id="who serves both, then who serves one"),
        pytest.param(("c",), [{"a", "b", "c"}], id="nobody serves both: who serves any"),
        pytest.param(("a", "b"), [{"a", "b"}], id="all serve both"),
    ],
)
def test_a_shared_address_of_policy_local_goes_to_who_serves_most(
    nodes_of_two: tuple[str, ...], tiers: list[set[str]]
) -> None:
    pair = [service(name, ingress=["192.0.2.1"], policy=LOCAL) for name in ("one", "two")]
    slices = [endpoint_slice("one", "a", "b"), endpoint_slice("two", *nodes_of_two)]
    (group,) = decide(pair, slices).groups.values()
    assert group.tiers == tuple(frozenset(map(NodeName, tier)) for tier in tiers)
    assert (group.permitted, *group.lesser) == group.tiers


def test_what_a_partial_owner_of_a_shared_address_leaves_unserved_is_named() -> None:
    pair = [service(name, ingress=["192.0.2.1"], policy=LOCAL) for name in ("one", "two", "three")]
    slices = [
        endpoint_slice("one", "a", "b", "c"),
        endpoint_slice("two", "a", "b"),
        endpoint_slice("three", "a"),
    ]
    (group,) = decide(pair, slices).groups.values()
    assert group.partial == {
        NodeName("b"): (key("three"),),
        NodeName("c"): (key("three"), key("two")),
    }
    reasons = {name: group.why_not(NodeName(name)) for name in "abcd"}
    assert reasons == {
        "a": None,
        "b": Refusal.SHARED_LOCAL_PARTIAL,
        "c": Refusal.SHARED_LOCAL_PARTIAL,
        "d": Refusal.NO_LOCAL_ENDPOINTS,
    }


def test_a_service_without_endpoints_changes_neither_the_key_nor_the_rest_of_its_group() -> None:
    pools = configuration(pool("v4"), pool("v6", "2001:db8::/64"))
    both = [
        service("dual", ingress=["192.0.2.1", "2001:db8::1"]),
        service("six", ingress=["2001:db8::1"]),
    ]
    decided = decide(both, [endpoint_slice("six", "a")], config=pools)
    (group,) = decided.groups.values()
    assert group.key == ip_address("192.0.2.1")
    assert group.addresses == ips("2001:db8::1")
    assert group.idle == ips("192.0.2.1")
    assert group.services == (key("six"),)
    assert decided.withheld == {key("dual"): Refusal.NO_ENDPOINTS}


def test_what_nothing_serves_rests_and_is_listed_all_the_same() -> None:
    decided = decide([service(ingress=["192.0.2.1"])], [])
    assert not decided.groups
    (group,) = decided.resting.values()
    assert (group.key, group.addresses, group.idle) == (ip_address("192.0.2.1"), (), ips("192.0.2.1"))


def test_where_endpoints_are_not_known_nothing_is_withheld_for_them() -> None:
    decided = decide([service(ingress=["192.0.2.1"], policy=LOCAL)], None)
    (group,) = decided.groups.values()
    assert (group.permitted, group.refusal) == (None, None)


@pytest.mark.parametrize("local", [pytest.param(False, id="Cluster"), pytest.param(True, id="Local")])
def test_the_node_selectors_of_a_pool_leave_nodes_out(*, local: bool) -> None:
    chosen = replace(pool(), node_selectors=(Selector(labels={"rack": "1"}), Selector(labels={"edge": ""})))
    nodes = [node("a", labels={"rack": "1"}), node("b", labels={"rack": "2"}), node("c", labels={"edge": ""})]
    (group,) = decide(
        [service(ingress=["192.0.2.1"], policy=LOCAL if local else TrafficPolicy.CLUSTER)],
        [endpoint_slice("web", "b", "c", "unknown")],
        config=configuration(chosen),
        nodes=nodes,
    ).groups.values()
    assert group.permitted == (names("c") if local else names("a", "c"))
    assert group.selected == names("a", "c")
    assert group.why_not(NodeName("b")) is Refusal.NO_MATCHING_ADVERTISEMENT
    assert group.why_not(NodeName("c")) is None
    assert group.refusal is (Refusal.NO_LOCAL_ENDPOINTS if local else Refusal.NO_MATCHING_ADVERTISEMENT)


def test_a_group_over_two_pools_needs_nodes_that_both_select() -> None:
    four = replace(pool("v4"), node_selectors=(Selector(labels={"four": ""}),))
    six = replace(pool("v6", "2001:db8::/64"), node_selectors=(Selector(labels={"six": ""}),))
    nodes = [node("a", labels={"four": ""}), node("b", labels={"four": "", "six": ""})]
    dual = service(ingress=["192.0.2.1", "2001:db8::1"])
    slices = [endpoint_slice("web", "a")]
    (group,) = decide([dual], slices, config=configuration(four, six), nodes=nodes).groups.values()
    assert group.permitted == names("b")
    assert [one.name for one in group.pools] == ["v4", "v6"]


def test_policy_local_where_no_selected_node_serves_permits_nobody() -> None:
    chosen = replace(pool(), node_selectors=(Selector(labels={"rack": "1"}),))
    nodes = [node("a", labels={"rack": "1"}), node("b")]
    web = service(ingress=["192.0.2.1"], policy=LOCAL)
    slices = [endpoint_slice("web", "b")]
    (group,) = decide([web], slices, config=configuration(chosen), nodes=nodes).groups.values()
    assert group.permitted == frozenset()


def test_the_address_of_a_layer_2_pool_is_announced_beside_one_of_a_bgp_pool() -> None:
    config = configuration(pool("v4"), pool("v6", "2001:db8::/64", protocol=Protocol.BGP))
    dual = service(ingress=["192.0.2.1", "2001:db8::1"])
    (group,) = decide([dual], [endpoint_slice("web", "a")], config=config).groups.values()
    assert (group.addresses, group.idle) == (ips("192.0.2.1"), ())


@pytest.mark.parametrize(
    ("links", "refusal"),
    [
        pytest.param([], Refusal.NO_USABLE_LINK, id="no link at all"),
        pytest.param(["eth0", "eth1"], None, id="one for each pool"),
        pytest.param(["eth0"], Refusal.NO_ALLOWED_LINK, id="none for one of the pools"),
        pytest.param(["wlan0"], Refusal.NO_ALLOWED_LINK, id="none of those listed"),
    ],
)
def test_a_node_needs_a_link_for_every_pool_of_a_group(links: list[str], refusal: Refusal | None) -> None:
    four = replace(pool("v4"), interfaces=("eth0",))
    six = replace(pool("v6", "2001:db8::/64"), interfaces=("regex:^eth1$",))
    dual = service(ingress=["192.0.2.1", "2001:db8::1"])
    slices = [endpoint_slice("web", "a")]
    (group,) = decide([dual], slices, config=configuration(four, six)).groups.values()
    assert group.link_refusal([InterfaceName(link) for link in links]) is refusal


@given(st.permutations(range(6)))
def test_the_order_in_which_objects_arrive_changes_nothing(order: list[int]) -> None:
    services = [service(f"s{n}", ingress=[f"192.0.2.{n // 2}"], policy=LOCAL) for n in range(6)]
    slices = [endpoint_slice(f"s{n}", "a", f"b{n}") for n in range(6)]
    shuffled = decide([services[n] for n in order], [slices[n] for n in order])
    assert shuffled == decide(services, slices)
    assert list(shuffled.groups) == list(decide(services, slices).groups)


EXCLUDED = {EXCLUDE_LABEL: ""}


@pytest.mark.parametrize(
    ("me", "others", "ignore", "refusal"),
    [
        pytest.param(node("a"), [node("b")], False, None, id="nothing against it"),
        pytest.param(None, [node("b")], False, None, id="own Node unknown"),
        pytest.param(
            node("a", network_unavailable=True), [], False, Refusal.NODE_NETWORK_UNAVAILABLE, id="no network"
        ),
        pytest.param(
            node("a", labels=EXCLUDED),
            [node("b")],
            False,
            Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
            id="excluded",
        ),
        pytest.param(
            node("a", labels=EXCLUDED), [node("b")], True, None, id="excluded, but the flag ignores it"
        ),
        pytest.param(
            node("a", labels=EXCLUDED), [node("b", labels=EXCLUDED)], False, None, id="every node is excluded"
        ),
    ],
)
def test_a_node_knows_from_its_own_object_whether_it_may_announce(
    me: Node | None, others: list[Node], ignore: bool, refusal: Refusal | None
) -> None:
    nodes = [*others, me] if me else others
    assert own_refusal(me, nodes, ignore_exclude_label=ignore) is refusal
