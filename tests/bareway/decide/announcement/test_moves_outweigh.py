"""What the operator's word outweighs, and what keeps a named node from its turn."""

from dataclasses import replace

from bareway.decide.announcement.members import Fields, Member
from bareway.decide.announcement.moves import MoveRefusal, refusals
from bareway.model.configuration import PreferredNodes
from bareway.model.names import NodeName
from bareway.model.selectors import Selector
from support.builders import key, node, pool
from support.spreading import group, member

FAST = PreferredNodes(selector=Selector(labels={"nic": "fast"}), weight=7)
NODES = (node("a"), node("b", labels={"nic": "fast"}))
WEB = group("192.0.2.1", services=["web"], pools=(replace(pool(), preferred_nodes=(FAST,)),))


def refusal(*members: Member, named: str = "a") -> MoveRefusal | None:
    by_name = {one.name: one for one in members}
    fields = Fields(by_name, NODES)
    return refusals({WEB.key: WEB}, {key("web"): NodeName(named)}, by_name, fields).get(key("web"))


def test_a_named_node_goes_before_a_preferred_one() -> None:
    assert refusal(member("a"), member("b")) is None


def test_the_first_thing_that_keeps_a_node_is_told() -> None:
    assert refusal(member("a", alive=False, draining=True), member("b")) is MoveRefusal.NOT_ALIVE
    assert refusal(member("a", eligible=False, draining=True), member("b")) is MoveRefusal.NOT_ELIGIBLE
    assert refusal(member("a", draining=True), member("b")) is MoveRefusal.DRAINING


def test_a_permitted_node_that_drains_is_told_that_it_drains() -> None:
    permitted = replace(WEB, permitted=frozenset({NodeName("a"), NodeName("b")}))
    members = {one.name: one for one in (member("a", draining=True), member("b"))}
    found = refusals({WEB.key: permitted}, {key("web"): NodeName("a")}, members, Fields(members, NODES))
    assert found == {key("web"): MoveRefusal.DRAINING}


def test_where_nobody_is_named_nothing_is_refused() -> None:
    members = {NodeName("a"): member("a")}
    assert refusals({WEB.key: WEB}, {}, members, Fields(members, NODES)) == {}
