"""What is announced, linked with what, permitted where: every refusal and every way to be linked."""

from collections.abc import Iterable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcers import Announcers, AnnouncerView, Refusal, announcers, own_refusal
from bareway.model.configuration import Configuration, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import NodeName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.services import Service, TrafficPolicy
from support.builders import configuration, endpoint_slice, ips, key, names, node, pool, service

LOCAL = TrafficPolicy.LOCAL


def decide(
    services: Iterable[Service],
    slices: Iterable[EndpointSlice],
    *,
    config: Configuration | None = None,
    load_balancer_class: str | None = None,
) -> Announcers:
    view = AnnouncerView(
        configuration=config or configuration(),
        services=services,
        slices=slices,
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


def test_services_linked_through_a_third_are_one_group() -> None:
    one, two = service("one", ingress=["192.0.2.1"]), service("two", ingress=["192.0.2.9"])
    bridge = service("bridge", ingress=["192.0.2.9", "192.0.2.1"])
    slices = [endpoint_slice(name, "a") for name in ("one", "two", "bridge")]
    (group,) = decide([one, two, bridge], slices).groups.values()
    assert group.addresses == ips("192.0.2.1", "192.0.2.9")
    assert set(group.services) == {key("one"), key("two"), key("bridge")}


@pytest.mark.parametrize(
    ("nodes_of_two", "permitted"),
    [
        pytest.param(("b", "c"), names("b"), id="who serves both"),
        pytest.param(("c",), names("a", "b", "c"), id="nobody serves both: who serves any"),
    ],
)
def test_a_shared_address_of_policy_local_goes_to_who_serves_most(
    nodes_of_two: tuple[str, ...], permitted: frozenset[NodeName]
) -> None:
    pair = [service(name, ingress=["192.0.2.1"], policy=LOCAL) for name in ("one", "two")]
    slices = [endpoint_slice("one", "a", "b"), endpoint_slice("two", *nodes_of_two)]
    (group,) = decide(pair, slices).groups.values()
    assert group.permitted == permitted


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
