"""Which side was the greater one."""

import pytest

from bareway.gossip.member import NO_SIDE, MemberState, Report, Side
from bareway.gossip.profile import SIDE_WINDOW_S
from bareway.gossip.sides import Sides
from bareway.model.names import NodeName

A, B = NodeName("a"), NodeName("b")


@pytest.mark.parametrize(
    ("greater", "smaller"),
    [
        pytest.param(Side(3, B), Side(2, A), id="more members"),
        pytest.param(Side(2, A), Side(2, B), id="of two equal ones that with the lowest name"),
        pytest.param(Side(1, B), NO_SIDE, id="anything against nothing"),
    ],
)
def test_of_two_sides_one_is_greater(greater: Side, smaller: Side) -> None:
    assert greater.is_greater_than(smaller)
    assert not smaller.is_greater_than(greater)
    assert not greater.is_greater_than(greater)


def test_the_smallest_view_counts_as_long_as_it_was_in_force_within_the_window() -> None:
    sides = Sides()
    assert sides.own(now=0.0) == NO_SIDE
    sides.record(Side(3, A), now=0.0)
    sides.record(Side(1, A), now=10.0)
    sides.record(Side(3, A), now=12.0)
    assert sides.own(now=12.0) == Side(1, A)
    assert sides.own(now=12.0 + SIDE_WINDOW_S - 0.01) == Side(1, A)
    assert sides.own(now=12.0 + SIDE_WINDOW_S) == Side(3, A)


def test_a_pause_makes_it_nothing() -> None:
    sides = Sides()
    sides.record(Side(3, A), now=0.0)
    sides.clear()
    assert sides.own(now=1.0) == NO_SIDE


def test_it_outweighs_only_whom_it_heard_of() -> None:
    sides = Sides()
    sides.record(Side(2, A), now=0.0)
    assert not sides.outweigh(B, now=0.0)
    sides.hear(B, Side(1, B))
    assert sides.outweigh(B, now=0.0)
    sides.hear(B, Side(3, A))
    assert not sides.outweigh(B, now=0.0)


def test_reports_are_sent_with_the_side_that_each_last_published() -> None:
    sides = Sides()
    sides.record(Side(2, A), now=0.0)
    sides.hear(B, Side(5, B))
    own, other, unheard = (
        Report(name=NodeName(name), epoch=1, incarnation=0, state=MemberState.ALIVE, by=A) for name in "abc"
    )
    marked = sides.mark([own, other, unheard], me=A, now=0.0)
    assert [report.side for report in marked] == [Side(2, A), Side(5, B), None]
