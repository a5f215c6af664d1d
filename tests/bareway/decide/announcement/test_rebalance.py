"""Moves for the load alone: late, few, and never of what was adopted, named or preferred."""

from collections import Counter
from dataclasses import replace

import pytest

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.loads import bound
from bareway.decide.announcement.rebalance import MOVES_MAX, PATIENCE_S, WINDOW_S
from bareway.decide.announcement.spread import Spread, SpreadView, begin, place, spread
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.configuration import PreferredNodes
from bareway.model.names import NodeName
from bareway.model.selectors import Selector
from support.builders import node, pool
from support.spreading import firsts, follow, group, groups, view

COUNT = 40
WANTED = groups(COUNT)


def crowded(wanted: list[Group] = WANTED) -> tuple[SpreadView, Spread]:
    """Node a announces everything, since it was alone; then b and c came."""
    alone = view(wanted, ["a"])
    empty = begin(AnnouncerLists(), now=0.0)
    decided = place(alone, empty, wanted, given={one.key for one in wanted}, now=0.0)
    decided = replace(decided, given_at={}, wake_at=0.0)
    return replace(follow(decided, alone), observed=view(wanted, ["a", "b", "c"]).observed), decided


def play(seen: SpreadView, decided: Spread, *, now: float, until: float) -> tuple[Spread, list[float]]:
    """Look whenever asked to and now and then between; returns when something moved, once for each group."""
    moved: list[float] = []
    wanted = list(seen.groups.values())
    while now < until:
        before = firsts(decided, wanted)
        decided = spread(seen, decided, now=now)
        after = firsts(decided, wanted)
        moved += [now] * sum(before[key] != after[key] for key in before)
        seen = follow(decided, seen)
        now = max(now + 0.5, min(decided.wake_at, now + 7, until))
    return decided, moved


def test_nothing_moves_for_a_minute_then_ten_a_minute_until_the_bound_holds() -> None:
    seen, decided = crowded()
    decided, moved = play(seen, decided, now=100, until=1000)
    assert min(moved) == 100 + PATIENCE_S
    for at in moved:
        assert sum(at <= other < at + WINDOW_S for other in moved) <= MOVES_MAX
    loads = Counter(firsts(decided, WANTED).values())
    assert max(loads.values()) == bound(COUNT, 3)
    assert len(moved) == COUNT - bound(COUNT, 3)
    assert max(moved) < 100 + PATIENCE_S + WINDOW_S * (len(moved) // MOVES_MAX + 1)


def test_each_move_leaves_the_former_node_as_the_follower() -> None:
    seen, decided = crowded()
    decided, _ = play(seen, decided, now=100, until=161)
    moved = [
        entry.nodes
        for shard in decided.lists.shards
        for entry in shard.entries.values()
        if entry.nodes[0] != "a"
    ]
    assert len(moved) == MOVES_MAX
    assert {nodes[1] for nodes in moved} == {"a"}


def test_a_node_that_is_over_the_bound_for_less_than_a_minute_keeps_all() -> None:
    seen, decided = crowded()
    for now in (100, 130, 159):
        decided = spread(seen, decided, now=now)
    alone = replace(seen, observed=view(WANTED, ["a"]).observed)
    decided = spread(alone, decided, now=159.5)
    assert spread(seen, decided, now=161).uneven.moved_at == ()


def test_without_an_observer_nothing_is_rebalanced() -> None:
    seen, decided = crowded()
    blind = replace(seen, observed=None, nodes=tuple(node(name) for name in "abc"))
    for now in (100, 161, 300):
        decided = spread(blind, decided, now=now)
    assert set(firsts(decided, WANTED).values()) == {"a"}


def test_what_was_adopted_is_not_moved() -> None:
    alone = view(WANTED, ["a"])
    decided = spread(alone, begin(AnnouncerLists(), now=0), now=1)
    seen = replace(follow(decided, alone), observed=view(WANTED, ["a", "b", "c"]).observed)
    _, moved = play(seen, decided, now=100, until=400)
    assert moved == []


def test_what_the_operator_named_is_not_moved() -> None:
    wanted = [group(str(one.key), services=[f"s{number}"]) for number, one in enumerate(WANTED)]
    seen, decided = crowded(wanted)
    named = {one.services[0]: NodeName("a") for one in wanted}
    _, moved = play(replace(seen, named=named), decided, now=100, until=400)
    assert moved == []


@pytest.mark.parametrize(
    ("labels", "moves"),
    [
        pytest.param({"a"}, False, id="only the full one is preferred"),
        pytest.param({"a", "b"}, True, id="another is preferred alike"),
    ],
)
def test_the_load_moves_nothing_to_a_less_preferred_node(labels: set[str], moves: bool) -> None:
    wish = PreferredNodes(selector=Selector(labels={"nic": "fast"}), weight=7)
    wanted = groups(COUNT, pools=(replace(pool(), preferred_nodes=(wish,)),))
    seen, decided = crowded(wanted)
    nodes = tuple(node(name, labels={"nic": "fast"} if name in labels else {}) for name in "abc")
    decided, moved = play(replace(seen, nodes=nodes), decided, now=100, until=400)
    assert bool(moved) is moves
    assert "c" not in firsts(decided, wanted).values()


def test_nodes_that_a_pool_leaves_out_are_no_reason_to_move() -> None:
    wanted = [group(str(one.key), permitted=["a"]) for one in WANTED]
    seen, decided = crowded(wanted)
    _, moved = play(seen, decided, now=100, until=400)
    assert moved == []
