"""Where what is moved for the load goes, and how much of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf

import pytest

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.drafts import Draft
from bareway.decide.announcement.loads import Loads, bound
from bareway.decide.announcement.members import Fields
from bareway.decide.announcement.rebalance import EVEN, MOVES_MAX, PATIENCE_S, WINDOW_S, Unevenness, even_out
from bareway.model.announcer_lists import Entry
from bareway.model.names import NodeName
from bareway.model.rank import ranked
from support.spreading import groups, member

A, B, C = (NodeName(name) for name in "abc")
NOW = 1000.0
LONG_OVER = Unevenness(over_since={A: 0.0})


def drafts(
    count: int, *, first: NodeName = A, names: Iterable[str] = "abc", of: Iterable[Group] = ()
) -> list[Draft]:
    """Groups that are listed for ``first``; all nodes are alike."""
    fields = Fields({one.name: one for one in map(member, names)}, ())
    return [
        Draft(
            group=one,
            shard=0,
            before=Entry(generation=1, nodes=(first,)),
            candidates=fields.of(one),
            named=None,
            was_adopted=False,
            adopted=False,
            first=first,
        )
        for one in (of or groups(count))
    ]


def evened(listed: list[Draft], firsts: Mapping[NodeName, int], last: Unevenness = LONG_OVER) -> Unevenness:
    return even_out(listed, Loads.of(firsts, {}), last, now=NOW)


def test_just_what_is_above_the_bound_is_moved() -> None:
    listed = drafts(9)
    after = evened(listed, {A: 9})
    most = bound(9, 3)
    assert Counter(one.first for one in listed)[A] == most
    assert after.moved_at == (NOW,) * (9 - most)
    assert [one.balanced for one in listed] == [one.first != A for one in listed]
    assert after.over_since == {}, "it is not over any more"


def test_it_goes_to_the_node_that_announces_least() -> None:
    listed = drafts(8)
    evened(listed, {A: 8, B: 4, C: 1})
    assert [one.first for one in listed if one.balanced] == [C, C]
    assert listed[0].first == C


def test_of_nodes_that_announce_as_much_the_first_in_rank_takes_it() -> None:
    listed = drafts(60)
    loads = {A: 60, B: 3, C: 3}
    evened(listed, loads)
    moved = [one for one in listed if one.balanced]
    assert len(moved) == MOVES_MAX
    for one in moved:
        assert one.first is not None
        least = min(loads[B], loads[C])
        assert one.first == ranked([n for n in (B, C) if loads[n] == least], one.group.key)[0]
        loads[one.first] += 1


def test_a_node_that_announces_nothing_yet_has_the_most_room() -> None:
    for_b = [one for one in groups(30) if ranked((B, C), one.key)[0] == B]
    listed = drafts(8, of=for_b[:8])
    evened(listed, {A: 8, B: 1})
    assert next(one.first for one in listed if one.balanced) == C


def test_what_is_not_to_be_moved_keeps_nothing_else_from_being_moved() -> None:
    listed = drafts(9)
    listed[0] = replace(listed[0], adopted=True)
    evened(listed, {A: 9})
    assert [one.balanced for one in listed] == [
        False,
        *[True] * (9 - bound(9, 3)),
        *[False] * (bound(9, 3) - 1),
    ]


def test_no_more_than_ten_are_moved_in_a_minute() -> None:
    listed = drafts(60)
    recent = replace(LONG_OVER, moved_at=(NOW - WINDOW_S, NOW - WINDOW_S + 1, NOW - 1))
    after = evened(listed, {A: 60}, recent)
    assert sum(one.balanced for one in listed) == MOVES_MAX - 2
    assert after.moved_at == (NOW - WINDOW_S + 1, NOW - 1, *(NOW,) * (MOVES_MAX - 2))
    assert after.over_since == {A: 0.0}


def test_of_several_that_are_over_the_fullest_gives_first() -> None:
    of_b = drafts(40, first=B, names="abcd")
    of_a = drafts(30, names="abcd")
    both = Unevenness(over_since={A: 0.0, B: 0.0})
    evened([*of_a, *of_b], {A: 30, B: 40}, both)
    assert (sum(one.balanced for one in of_a), sum(one.balanced for one in of_b)) == (0, MOVES_MAX)


@pytest.mark.parametrize(
    ("since", "moves"),
    [
        pytest.param(NOW - PATIENCE_S, True, id="for just a minute"),
        pytest.param(NOW - PATIENCE_S + 1, False, id="for less"),
    ],
)
def test_a_node_may_be_over_for_a_minute(since: float, *, moves: bool) -> None:
    listed = drafts(9)
    after = evened(listed, {A: 9}, Unevenness(over_since={A: since}))
    assert any(one.balanced for one in listed) is moves
    assert after.moved_now(NOW) is moves
    assert after.over_since == ({} if moves else {A: since})


def test_the_minute_begins_when_it_is_first_seen_and_ends_when_it_is_even() -> None:
    assert evened(drafts(9), {A: 9}, EVEN) == Unevenness(over_since={A: NOW})
    assert evened(drafts(3), {A: 1, B: 1, C: 1}) == EVEN


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"adopted": True}, id="adopted"),
        pytest.param({"before": None}, id="not listed yet"),
        pytest.param({"first": None}, id="announced by nobody"),
        pytest.param({"first": NodeName("x")}, id="on a node that is no candidate"),
    ],
)
def test_what_is_not_to_be_moved_makes_no_node_uneven(change: dict[str, object]) -> None:
    listed = [replace(one, **change) for one in drafts(9)]  # type: ignore[arg-type]  # a test's own words
    assert evened(listed, {A: 9, NodeName("x"): 9}) == EVEN
    assert not any(one.balanced for one in listed)


def test_where_nobody_has_room_nobody_is_over() -> None:
    assert evened(drafts(9, names="a"), {A: 9}) == EVEN


# ------------------------------------------------------------ when to look again


@pytest.mark.parametrize(
    ("uneven", "wake_at"),
    [
        pytest.param(EVEN, inf, id="nothing is over"),
        pytest.param(Unevenness(moved_at=(NOW,)), inf, id="nothing is over any more"),
        pytest.param(
            Unevenness(over_since={A: NOW - 10, B: NOW - 20}),
            NOW - 20 + PATIENCE_S,
            id="the first minute ends",
        ),
        pytest.param(LONG_OVER, NOW, id="now"),
        pytest.param(replace(LONG_OVER, moved_at=(NOW - 5,) * (MOVES_MAX - 1)), NOW, id="nine were moved"),
        pytest.param(replace(LONG_OVER, moved_at=(NOW - 5,) * MOVES_MAX), NOW - 5 + WINDOW_S, id="ten were"),
        pytest.param(
            replace(LONG_OVER, moved_at=(NOW - 9, NOW - 8, *(NOW - 5,) * (MOVES_MAX - 1))),
            NOW - 8 + WINDOW_S,
            id="the tenth last move is a minute ago",
        ),
    ],
)
def test_it_is_looked_at_again_when_the_next_move_may_be_due(uneven: Unevenness, wake_at: float) -> None:
    assert uneven.wake_at(now=NOW) == wake_at


def test_only_a_move_of_this_moment_is_a_move_now() -> None:
    assert not EVEN.moved_now(NOW)
    assert not Unevenness(moved_at=(NOW - 1,)).moved_now(NOW)
    assert Unevenness(moved_at=(NOW - 1, NOW)).moved_now(NOW)
