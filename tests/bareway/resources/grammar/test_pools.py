"""What a pool may say beyond MetalLB's grammar, and what is wrong with it."""

from ipaddress import ip_address

import pytest

from bareway.model.configuration import Advertisement, PreferredNodes, Protocol, Reuse
from bareway.model.names import ServiceKey
from bareway.model.selectors import Operator, Requirement, Selector
from support.configurations import POOL, accepted, bgp_pool_with, error, errors, pool, pool_with, with_key

TEAM = Selector(labels={"team": "web"})


def test_a_pool_says_nothing_of_this_by_itself() -> None:
    plain = pool("name: a")
    assert (plain.priority, plain.reuse, plain.hold_after_delete_s, plain.share_local) == (
        0,
        Reuse.LOWEST,
        0.0,
        False,
    )
    assert (plain.namespaces, plain.interfaces) == ((), ())
    assert (plain.advertisements, plain.preferred_nodes) == ((), ())
    assert plain.namespace_selectors == plain.service_selectors == plain.node_selectors == ()
    assert (plain.quota, plain.reserve) == ({}, {})


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        pytest.param("priority: 7", "priority", 7, id="priority"),
        pytest.param("priority: -1", "priority", -1, id="before all others"),
        pytest.param("namespaces: [shop, 007]", "namespaces", ("shop", "007"), id="namespaces"),
        pytest.param(
            "namespace-selectors: [{match-labels: {team: web}}]",
            "namespace_selectors",
            (TEAM,),
            id="by labels",
        ),
        pytest.param(
            "service-selectors: [{match-labels: {team: web}}]", "service_selectors", (TEAM,), id="services"
        ),
        pytest.param("node-selectors: [{match-labels: {team: web}}]", "node_selectors", (TEAM,), id="nodes"),
        pytest.param("node-selectors: [{}]", "node_selectors", (Selector(),), id="every node"),
        pytest.param(
            "node-selectors: [{match-expressions: [{key: a, operator: NotIn, values: [no, 1]}]}]",
            "node_selectors",
            (
                Selector(
                    requirements=(
                        Requirement(key="a", operator=Operator.NOT_IN, values=frozenset({"no", "1"})),
                    )
                ),
            ),
            id="an expression",
        ),
        pytest.param(
            "preferred-nodes: [{selector: {match-labels: {team: web}}, weight: 100}]",
            "preferred_nodes",
            (PreferredNodes(selector=TEAM, weight=100),),
            id="preferred nodes",
        ),
        pytest.param(
            "interfaces: [eth0, 'regex:^bond']", "interfaces", ("eth0", "regex:^bond"), id="interfaces"
        ),
        pytest.param("quota: {shop: 3, '*': 0}", "quota", {"shop": 3, "*": 0}, id="quota"),
        pytest.param("reuse: oldest", "reuse", Reuse.OLDEST, id="reuse"),
        pytest.param("hold-after-delete: 1h", "hold_after_delete_s", 3600.0, id="hold"),
        pytest.param("share-local: on", "share_local", True, id="share"),
        pytest.param(
            "reserve: {shop/web: 192.0.2.10, shop/mail: [192.0.2.11, 192.0.2.12]}",
            "reserve",
            {
                ServiceKey("shop", "web"): (ip_address("192.0.2.10"),),
                ServiceKey("shop", "mail"): (ip_address("192.0.2.11"), ip_address("192.0.2.12")),
            },
            id="reserve",
        ),
    ],
)
def test_an_extension_of_the_grammar_is_read(written: str, field: str, value: object) -> None:
    assert getattr(pool(written), field) == value


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        pytest.param(
            "priority: high", "priority", "cannot unmarshal !!str `high` into int", id="a priority in words"
        ),
        pytest.param(
            "priority: 2147483648", "priority", "invalid priority value", id="a priority without end"
        ),
        pytest.param("namespaces: [Shop]", "namespaces[0]", 'invalid namespace "Shop"', id="capital letter"),
        pytest.param(
            "namespaces: [a, a]", "namespaces[1]", 'duplicate definition in namespaces field "a"', id="twice"
        ),
        pytest.param(
            "namespace-selectors: [{match-labels: {a: b/c}}]",
            "namespace-selectors[0].match-labels.a",
            'parsing namespace selector: values: Invalid value: "b/c"',
            id="label of a namespace",
        ),
        pytest.param(
            "service-selectors: [{matchLabels: {a: b}}]",
            "service-selectors[0].matchLabels",
            "field matchLabels not found in type config.nodeSelector",
            id="as in the CRD",
        ),
        pytest.param(
            "preferred-nodes: [{selector: {}}]", "preferred-nodes[0]", "missing weight", id="no weight"
        ),
        pytest.param(
            "preferred-nodes: [{weight: 3}]", "preferred-nodes[0]", "missing selector", id="no selector"
        ),
        pytest.param(
            "preferred-nodes: [{selector: {}, weight: 101}]",
            "preferred-nodes[0].weight",
            "invalid weight value: invalid value 101, must be in 1-100 range",
            id="too heavy",
        ),
        pytest.param(
            "preferred-nodes: [{selector: {match-expressions: [{key: a, operator: Like}]}, weight: 1}]",
            "preferred-nodes[0].selector.match-expressions[0].operator",
            'parsing preferred nodes: "Like" is not a valid pod selector operator',
            id="operator",
        ),
        pytest.param("interfaces: ['eth 0']", "interfaces[0]", 'invalid interface "eth 0"', id="a space"),
        pytest.param(
            "interfaces: [abcdefghijklmnop]", "interfaces[0]", "1 to 15 characters", id="a long name"
        ),
        pytest.param(
            "interfaces: ['regex:(']", "interfaces[0]", "no regular expression", id="half a bracket"
        ),
        pytest.param(
            f"interfaces: ['regex:{'a' * 1024}']", "interfaces[0]", "longer than 1024", id="a long expression"
        ),
        pytest.param(
            "interfaces: [a, a]", "interfaces[1]", "duplicate definition of interface", id="same link"
        ),
        pytest.param(
            "quota: {Shop: 1}", "quota.Shop", 'invalid namespace "Shop" in quota', id="quota of nobody"
        ),
        pytest.param(
            "quota: {shop: -1}", "quota.shop", "cannot unmarshal !!int `-1` into uint32", id="below zero"
        ),
        pytest.param("quota: 3", "quota", "cannot unmarshal !!int `3` into a mapping", id="quota for all"),
        pytest.param("reuse: newest", "reuse", 'unknown reuse "newest"', id="reuse"),
        pytest.param(
            "hold-after-delete: 7d",
            "hold-after-delete",
            'invalid hold-after-delete "7d": time: unknown unit',
            id="days",
        ),
        pytest.param("share-local: 1", "share-local", "cannot unmarshal !!int `1` into bool", id="a number"),
        pytest.param(
            "reserve: {web: 192.0.2.1}", "reserve.web", 'invalid Service "web" in reserve', id="no namespace"
        ),
        pytest.param(
            "reserve: {shop/web: 192.0.3.1}",
            "reserve.shop/web",
            'cannot reserve "192.0.3.1" for "shop/web": not an address of this pool',
            id="an address of nobody",
        ),
        pytest.param("reserve: {shop/web: [x]}", "reserve.shop/web[0]", "invalid IP", id="no address"),
        pytest.param(
            "reserve: {shop/web: {a: b}}", "reserve.shop/web", "cannot unmarshal !!map", id="a mapping"
        ),
        pytest.param(
            "reserve: {shop/a: 192.0.2.1, shop/b: 192.0.2.1}",
            "reserve.shop/b",
            'cannot reserve "192.0.2.1" for "shop/b": it is kept for "shop/a"',
            id="for two",
        ),
        pytest.param(
            "avoid-buggy-ips: yes, reserve: {shop/a: 192.0.2.255}",
            "reserve.shop/a",
            "avoid-buggy-ips forbids it",
            id="an address that is never given",
        ),
    ],
)
def test_a_mistake_in_an_extension_is_told_with_its_place(written: str, path: str, message: str) -> None:
    problem = error(pool_with(written))
    assert message in problem.message
    assert problem.path == f"address-pools[0].{path}"


def test_no_address_is_kept_for_services_of_two_pools() -> None:
    kept = "reserve: {shop/a: 192.0.2.1}"
    text = f"address-pools: [{with_key(POOL, kept)}, {with_key(with_key(POOL, 'name: b'), kept)}]"
    assert [problem.path for problem in errors(text)] == ["address-pools[1].addresses[0]"]


def test_interfaces_are_nothing_for_a_pool_of_bgp() -> None:
    problem = error(bgp_pool_with("interfaces: [eth0]"))
    assert problem.path == "address-pools[0].interfaces"
    assert "cannot have interfaces in a bgp address pool" in problem.message


def test_a_pool_of_bgp_is_announced_once_with_all_defaults() -> None:
    (found,) = accepted(bgp_pool_with("name: a")).pools
    assert found.protocol is Protocol.BGP
    assert found.advertisements == (Advertisement(),)
