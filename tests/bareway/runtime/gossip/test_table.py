from dataclasses import dataclass, replace

import pytest

from bareway.model.names import NodeName
from bareway.runtime.gossip.table import CROSSED_S, EdgeTable


@dataclass(frozen=True)
class Line:
    """An edge, told apart by its number."""

    peer: NodeName
    dialled: bool
    number: int = 0
    opened_at: float = 0.0


BOB = NodeName("bob")
TO_ALICE = Line(NodeName("alice"), dialled=True)
FROM_ALICE = Line(NodeName("alice"), dialled=False)
TO_CAROL = Line(NodeName("carol"), dialled=True)
FROM_CAROL = Line(NodeName("carol"), dialled=False)


def table(*edges: Line) -> EdgeTable[Line]:
    made: EdgeTable[Line] = EdgeTable(BOB)
    for edge in edges:
        made.add(edge)
    return made


@pytest.mark.parametrize(
    "edge",
    [
        pytest.param(TO_ALICE, id="to a lower name"),
        pytest.param(FROM_ALICE, id="from a lower name"),
        pytest.param(TO_CAROL, id="to a higher name"),
        pytest.param(FROM_CAROL, id="from a higher name"),
    ],
)
def test_a_single_edge_counts_whoever_dialled(edge: Line) -> None:
    edges = table()
    assert edges.add(edge) == []
    assert edges.current(edge.peer) == edge
    assert edge in edges
    assert list(edges) == [edge]


@pytest.mark.parametrize(
    ("first", "second", "counts", "surplus"),
    [
        pytest.param(FROM_ALICE, TO_ALICE, FROM_ALICE, [TO_ALICE], id="ours to a lower name came second"),
        pytest.param(TO_ALICE, FROM_ALICE, FROM_ALICE, [TO_ALICE], id="ours to a lower name came first"),
        pytest.param(TO_CAROL, FROM_CAROL, TO_CAROL, [], id="a higher name called second"),
        pytest.param(FROM_CAROL, TO_CAROL, TO_CAROL, [], id="a higher name called first"),
    ],
)
def test_of_crossing_calls_the_lower_names_counts_and_only_our_own_is_hung_up(
    first: Line, second: Line, counts: Line, surplus: list[Line]
) -> None:
    edges = table(first)
    assert edges.add(second) == surplus
    assert edges.current(first.peer) == counts
    assert (first in edges, second in edges) == (first not in surplus, second not in surplus)


@pytest.mark.parametrize(("first", "second"), [(TO_CAROL, FROM_CAROL), (FROM_ALICE, TO_ALICE)])
def test_calls_too_far_apart_to_have_crossed_replace_each_other_whoever_made_them(
    first: Line, second: Line
) -> None:
    late = replace(second, opened_at=CROSSED_S + 0.1)
    edges = table(first)
    assert edges.add(late) == [first]
    assert list(edges) == [late]


@pytest.mark.parametrize("dialled", [pytest.param(True, id="we"), pytest.param(False, id="they")])
def test_a_later_call_of_the_same_end_takes_the_place_of_the_earlier_one(dialled: bool) -> None:
    earlier, later = Line(NodeName("carol"), dialled, 1), Line(NodeName("carol"), dialled, 2)
    edges = table(earlier)
    assert edges.add(later) == [earlier]
    assert edges.current(NodeName("carol")) == later
    assert earlier not in edges


def test_the_surplus_edge_takes_over_when_the_first_one_ends() -> None:
    edges = table(TO_CAROL, FROM_CAROL)
    edges.remove(TO_CAROL)
    assert edges.current(NodeName("carol")) == FROM_CAROL
    edges.remove(FROM_CAROL)
    assert edges.current(NodeName("carol")) is None
    edges.remove(FROM_CAROL)
    assert list(edges) == []


def test_all_edges_to_one_peer_are_forgotten_together_and_no_other() -> None:
    edges = table(TO_CAROL, FROM_CAROL, FROM_ALICE)
    assert edges.pop(NodeName("carol")) == [TO_CAROL, FROM_CAROL]
    assert edges.pop(NodeName("carol")) == []
    assert list(edges) == [FROM_ALICE]
