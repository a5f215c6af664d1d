"""The classes of candidates: each thing that outweighs the load, in its order."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from bareway.decide.announcement.members import Fields, Member, members_of, score
from bareway.model.configuration import PreferredNodes
from bareway.model.names import NodeName
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.selectors import Operator, Requirement, Selector
from support.builders import node, pool
from support.spreading import group, member

FAST = PreferredNodes(selector=Selector(labels={"nic": "fast"}), weight=60)
EDGE = PreferredNodes(
    selector=Selector(requirements=(Requirement(key="edge", operator=Operator.EXISTS),)), weight=50
)
PREFERRING = replace(pool(), preferred_nodes=(FAST, EDGE))


def on(name: str, *networks: str) -> Member:
    return replace(member(name), networks=tuple(map(ip_network, networks)))


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


def test_each_thing_outweighs_all_that_come_after_it() -> None:
    """Each node is bad in one thing alone: those that matter less come first."""
    near = (ip_network("192.0.2.0/24"),)
    members = {
        NodeName(name): replace(member(name), networks=near)
        for name in ("best", "scored", "cordoned", "unwished", "far", "partial", "drained")
    }
    members[NodeName("cordoned")] = replace(members[NodeName("cordoned")], cordoned=True)
    members[NodeName("far")] = replace(members[NodeName("far")], networks=())
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
