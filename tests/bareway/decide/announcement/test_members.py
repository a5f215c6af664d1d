"""The classes of candidates: each thing that outweighs the load, in its order."""

from dataclasses import replace

import pytest

from bareway.decide.announcement.members import Fields, Member, members_of, score
from bareway.model.configuration import OnCordon, PreferredNodes
from bareway.model.names import NodeName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selectors import Operator, Requirement, Selector
from support.builders import node, pool
from support.spreading import group, member, with_links

FAST = PreferredNodes(selector=Selector(labels={"nic": "fast"}), weight=60)
EDGE = PreferredNodes(
    selector=Selector(requirements=(Requirement(key="edge", operator=Operator.EXISTS),)), weight=50
)
PREFERRING = replace(pool(), preferred_nodes=(FAST, EDGE))


def on(name: str, *networks: str) -> Member:
    return with_links(member(name), eth0=networks)


def classes(members: list[Member], **about: object) -> list[tuple[str, ...]]:
    wanted = group("192.0.2.1", **about)  # type: ignore[arg-type]  # a group's own fields
    return [nodes for _, nodes in Fields({one.name: one for one in members}, ()).of(wanted).classes]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param([member("b"), member("a")], [("a", "b")], id="all alike, in order of names"),
        pytest.param([member("a", alive=False), member("b")], [("b",)], id="the dead are no candidates"),
        pytest.param([member("a", eligible=False), member("b")], [("b",)], id="nor who is not eligible"),
        pytest.param([member("a", draining=True), member("b")], [("b",), ("a",)], id="drained last"),
        pytest.param([member("a", cordoned=True), member("b")], [("b",), ("a",)], id="cordoned after others"),
        pytest.param(
            [on("a", "198.51.100.0/24"), on("b", "192.0.2.0/24"), member("c")],
            [("b", "c"), ("a",)],
            id="off the subnet after others; who does not tell counts as on it",
        ),
        pytest.param([on("a"), on("b", "192.0.2.0/24")], [("b",), ("a",)], id="no subnet at all"),
        pytest.param([on("a"), on("b", "198.51.100.0/24")], [("a", "b")], id="nobody on the subnet: alike"),
        pytest.param(
            [on("a", "198.51.100.0/24"), member("b")], [("a", "b")], id="no subnet has the address: alike"
        ),
        pytest.param([], [], id="nobody"),
    ],
)
def test_candidates_stand_in_classes(members: list[Member], expected: list[tuple[str, ...]]) -> None:
    assert classes(members) == expected


def test_only_permitted_nodes_are_candidates_and_who_serves_fewer_comes_later() -> None:
    members = [member(name) for name in "abcd"]
    assert classes(members, permitted=["b", "gone"], lesser=[["a", "c"]]) == [("b",), ("a", "c")]
    assert classes(members, permitted=[]) == []


def test_groups_that_differ_in_who_serves_fewer_have_candidates_of_their_own() -> None:
    fields = Fields({name: member(name) for name in map(NodeName, "abc")}, ())
    one, two = (group("192.0.2.1", permitted=["a"], lesser=[[other]]) for other in "bc")
    assert [fields.of(one).standing.keys(), fields.of(two).standing.keys()] == [{"a", "b"}, {"a", "c"}]


ON_ETH1 = (replace(pool(), interfaces=("eth1",)),)
NEAR, OTHER = ["192.0.2.0/24"], ["198.51.100.0/24"]
LOCAL = "fe80::/64"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param({"eth1": NEAR}, {"eth0": NEAR}, [("a",)], id="a link that is not allowed is of no use"),
        pytest.param({"eth1": NEAR}, {}, [("a", "b")], id="who does not tell may have one"),
        pytest.param(
            {"eth1": OTHER, "eth0": NEAR},
            {"eth1": NEAR},
            [("b",), ("a",)],
            id="a subnet counts on links that are allowed",
        ),
        pytest.param(
            {"eth1": OTHER}, {"eth1": OTHER, "eth0": NEAR}, [("a", "b")], id="on none of those: alike"
        ),
        pytest.param({"eth0": NEAR}, {"eth0": NEAR}, [], id="nobody has one"),
    ],
)
def test_links_that_a_pool_allows_decide_who_can(
    a: dict[str, list[str]], b: dict[str, list[str]], expected: list[tuple[str, ...]]
) -> None:
    members = [with_links(member("a"), **a), with_links(member("b"), **b)]
    assert classes(members, pools=ON_ETH1) == expected


def test_of_a_group_over_two_pools_the_subnet_counts_on_the_links_of_its_keys_pool() -> None:
    on_eth0 = replace(pool("v6", "2001:db8::/64"), interfaces=("eth0",))
    members = {
        one.name: one
        for one in (
            with_links(member("a"), eth0=[*OTHER, LOCAL], eth1=NEAR),
            with_links(member("b"), eth0=[*NEAR, LOCAL], eth1=OTHER),
        )
    }
    fields = Fields(members, ())
    both = (*ON_ETH1, on_eth0)
    assert [nodes for _, nodes in fields.of(group("192.0.2.1", "2001:db8::1", pools=both)).classes] == [
        ("a",),
        ("b",),
    ]
    assert fields.of(group("2001:db8::1", pools=both)).best == ("a", "b"), "no subnet has that one"


def test_of_both_families_who_speaks_ipv4_alone_comes_after_who_speaks_both() -> None:
    members = [on("a", *NEAR), on("b", *NEAR, LOCAL), on("c", *OTHER, LOCAL)]
    fields = Fields({one.name: one for one in members}, ())
    found = [fields.of(group(*key)).classes for key in (["192.0.2.1", "2001:db8::1"], ["192.0.2.2"])]
    assert [[nodes for _, nodes in each] for each in found] == [
        [("b",), ("c",), ("a",)],
        [("a", "b"), ("c",)],
    ]
    alone = Fields({one.name: one for one in members[:1]}, ())
    assert alone.of(group("192.0.2.1", "2001:db8::1")).best == ("a",), "not excluded"


def test_ipv6_counts_on_the_links_that_its_pool_allows() -> None:
    on_eth1 = replace(pool("v6", "2001:db8::/64"), interfaces=("eth1",))
    members = [
        with_links(member("a"), eth0=[*NEAR, LOCAL], eth1=NEAR),
        with_links(member("b"), eth0=NEAR, eth1=[LOCAL]),
    ]
    fields = Fields({one.name: one for one in members}, ())
    both = group("192.0.2.1", "2001:db8::1", pools=(pool(), on_eth1))
    assert [nodes for _, nodes in fields.of(both).classes] == [("b",), ("a",)]
    assert fields.of(group("2001:db8::1", pools=(on_eth1,))).best == ("b",)


def test_who_speaks_ipv6_on_no_link_is_no_candidate_for_a_key_of_ipv6() -> None:
    members = {
        one.name: one
        for one in (on("a", *NEAR), on("b", *NEAR, LOCAL), on("c", *NEAR, "2001:db8::/64"), member("d"))
    }
    fields = Fields(members, ())
    assert [nodes for _, nodes in fields.of(group("2001:db8::1")).classes] == [("c", "d"), ("b",)]
    assert fields.of(group("192.0.2.1", "2001:db8::1")).best == ("b", "c", "d"), "of both, a speaks one"


def test_groups_of_the_same_pools_differ_by_the_pool_of_their_key() -> None:
    low, high = pool("low", "192.0.2.0/25"), pool("high", "192.0.2.128/25")
    both = (replace(low, interfaces=("eth1",)), replace(high, interfaces=("eth0",)))
    members = {
        one.name: one
        for one in (
            with_links(member("a"), eth0=OTHER, eth1=NEAR),
            with_links(member("b"), eth0=NEAR, eth1=OTHER),
        )
    }
    fields = Fields(members, ())
    assert fields.of(group("192.0.2.1", "192.0.2.129", pools=both)).best == ("a",)
    assert fields.of(group("192.0.2.129", pools=both)).best == ("b",)


def test_each_thing_outweighs_all_that_come_after_it() -> None:
    """Each node is bad in one thing alone: those that matter less come first."""
    members = {
        NodeName(name): on(name, "192.0.2.0/24")
        for name in ("best", "scored", "cordoned", "unwished", "far", "partial", "drained")
    }
    members[NodeName("cordoned")] = replace(members[NodeName("cordoned")], cordoned=True)
    members[NodeName("far")] = on("far")
    members[NodeName("drained")] = replace(members[NodeName("drained")], draining=True)
    lesser = [["partial"]]
    rest = [name for name in members if name != "partial"]
    wanted = group("192.0.2.1", permitted=rest, lesser=lesser, pools=(PREFERRING,))
    labels = {"nic": "fast", "edge": ""}
    nodes = [node(name, labels=labels if name != "scored" else {}) for name in members]
    fields = Fields(members, nodes)
    assert [one for one, *_ in (nodes for _, nodes in fields.of(wanted).classes)] == [
        "best",
        "scored",
        "cordoned",
        "far",
        "partial",
        "drained",
    ]
    for named in ("scored", "cordoned"):
        assert fields.of(wanted, NodeName(named)).best == (named,)
    for named in ("far", "partial", "drained"):
        assert fields.of(wanted, NodeName(named)).best != (named,)


def test_weights_that_apply_are_added_over_all_pools_of_a_group() -> None:
    both = {"nic": "fast", "edge": "yes"}
    assert score([PREFERRING], both) == 110
    assert score([PREFERRING, PREFERRING], both) == 220
    assert score([PREFERRING], {"nic": "fast"}) == 60
    assert score([pool()], both) == 0


@pytest.mark.parametrize(
    ("holder", "keeps"),
    [
        pytest.param(member("a"), True, id="of the best class"),
        pytest.param(member("a", cordoned=True), True, id="cordoned: nothing moves away"),
        pytest.param(member("a", draining=True), False, id="draining"),
        pytest.param(member("a", alive=False), False, id="dead"),
    ],
)
def test_a_holder_stays_while_no_class_is_better(holder: Member, keeps: bool) -> None:
    members = {one.name: one for one in (holder, member("b"))}
    assert Fields(members, ()).of(group("192.0.2.1")).keeps(NodeName("a")) is keeps


def test_a_holder_that_is_the_only_candidate_stays_whatever_is_said_of_it() -> None:
    alone = {NodeName("a"): member("a", draining=True, cordoned=True)}
    assert Fields(alone, ()).of(group("192.0.2.1")).keeps(NodeName("a"))


def test_without_gossip_every_node_is_a_member_and_its_object_tells_whether_it_is_eligible() -> None:
    nodes = [
        node("a"),
        node("b", labels={EXCLUDE_LABEL: ""}),
        node("c", network_unavailable=True),
    ]
    assert {name: one.eligible for name, one in members_of(nodes).items()} == {
        "a": True,
        "b": False,
        "c": False,
    }
    assert members_of(nodes, ignore_exclude_label=True)[NodeName("b")].eligible
    assert members_of(nodes[1:2])[NodeName("b")].eligible


@pytest.mark.parametrize(
    ("on_cordon", "marked", "draining", "cordoned"),
    [
        pytest.param(OnCordon.KEEP, node("a", unschedulable=True), False, True, id="cordoned"),
        pytest.param(OnCordon.MOVE, node("a", unschedulable=True), True, True, id="cordoned, which moves"),
        pytest.param(OnCordon.MOVE, node("a"), False, False, id="not cordoned"),
        pytest.param(OnCordon.KEEP, node("a", drain=""), True, False, id="drained without a reason"),
        pytest.param(
            OnCordon.KEEP, node("a", taints=["ToBeDeletedByClusterAutoscaler"]), True, False, id="by a taint"
        ),
    ],
)
def test_without_gossip_the_marks_of_a_node_are_its_members(
    on_cordon: OnCordon, marked: Node, draining: bool, cordoned: bool
) -> None:
    (found,) = members_of([marked], on_cordon=on_cordon).values()
    assert (found.draining, found.cordoned) == (draining, cordoned)
