"""Bounded load in integers, and who follows whom."""

from collections import Counter
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcement.loads import Loads, Ranking, bound
from bareway.decide.announcement.members import Fields
from bareway.model.names import NodeName
from bareway.model.rank import ranked
from support.spreading import group, member

NODES = [NodeName(name) for name in ("a", "b", "c", "d", "e")]


@pytest.mark.parametrize(
    ("groups", "nodes", "most"),
    [
        pytest.param(1, 1, 2, id="one on one"),
        pytest.param(3, 3, 2, id="as many as nodes"),
        pytest.param(4, 5, 1, id="exactly one"),
        pytest.param(5, 5, 2, id="rounded up"),
        pytest.param(1000, 10, 125, id="five quarters of the share"),
    ],
)
def test_the_bound_is_five_quarters_of_the_even_share_rounded_up(groups: int, nodes: int, most: int) -> None:
    assert bound(groups, nodes) == most


@given(st.integers(1, 300), st.integers(1, 5))
def test_a_node_with_room_is_always_found_and_none_gets_above_the_bound(groups: int, nodes: int) -> None:
    loads = Loads()
    for number in range(groups):
        loads.count(loads.place(ip_address(number), NODES[:nodes]))
    assert sum(loads.firsts.values()) == groups
    assert max(loads.firsts.values()) <= bound(groups, nodes)


def test_while_all_have_room_rank_decides() -> None:
    key = ip_address("192.0.2.7")
    assert Loads().place(key, NODES) == ranked(NODES, key)[0]
    full = ranked(NODES, key)[0]
    assert Loads(firsts={full: 3, ranked(NODES, key)[4]: 3}).place(key, NODES) == ranked(NODES, key)[1]


def test_ranking_knows_the_order_of_each_address_also_when_asked_in_turns() -> None:
    ranking = Ranking()
    one, two = ip_address("192.0.2.1"), ip_address("192.0.2.2")
    for key, nodes in ((one, NODES[:2]), (two, NODES[:2]), (one, NODES), (one, NODES[1:]), (two, NODES)):
        assert ranking.first(key, nodes) == ranked(nodes, key)[0]


def test_who_follows_a_node_is_spread_over_the_others() -> None:
    loads = Loads(firsts={NODES[0]: 40})
    candidates = Fields({name: member(name) for name in NODES}, ()).of(group("192.0.2.1"))
    following = Counter(loads.line_up(ip_address(n), NODES[0], candidates, ())[1] for n in range(40))
    assert len(following) == 4
    assert max(following.values()) <= bound(40, 4)


def test_who_followed_before_stays_and_gaps_are_filled_by_rank() -> None:
    key = ip_address("192.0.2.1")
    candidates = Fields({name: member(name) for name in NODES}, ()).of(group("192.0.2.1"))
    a, b, c, d, e = NODES
    assert Loads().line_up(key, a, candidates, (a, b, c)) == (a, b, c)
    assert Loads().line_up(key, b, candidates, (a, b, c)) == (b, a, c)
    others = [node for node in NODES if node not in {a, c}]
    assert Loads().line_up(key, a, candidates, (NodeName("gone"), c)) == (a, c, ranked(others, key)[0])
    assert Loads().line_up(key, d, candidates, (a, b, c, e)) == (d, a, b)


def test_a_better_class_follows_before_whoever_followed_until_now() -> None:
    members = {name: member(name, draining=name == "b") for name in NODES[:3]}
    candidates = Fields(members, ()).of(group("192.0.2.1"))
    a, b, c = NODES[:3]
    assert Loads().line_up(ip_address("192.0.2.1"), a, candidates, (a, b, c)) == (a, c, b)


def test_a_copy_may_be_counted_on() -> None:
    kept = Loads(firsts={NODES[0]: 1})
    copy = Loads.of(kept.firsts, kept.follows)
    copy.count(NODES[0])
    assert (kept.firsts[NODES[0]], copy.firsts[NODES[0]]) == (1, 2)


def test_the_group_to_be_placed_counts_in_the_bound_once() -> None:
    key = next(address for address in map(ip_address, range(99)) if ranked(NODES[:2], address)[0] == "a")
    for firsts, placed in (({"a": 4, "b": 3}, "a"), ({"a": 5, "b": 2}, "b"), ({"a": 5, "b": 3}, "a")):
        loads = Loads.of({NodeName(name): count for name, count in firsts.items()}, {})
        assert loads.place(key, NODES[:2]) == placed


def following(firsts: dict[str, int], follows: dict[tuple[str, str], int], key_for: str) -> str:
    """Who follows a at an address for which ``key_for`` is the first of b and c."""
    a, b, c = NODES[:3]
    key = next(address for address in map(ip_address, range(99)) if ranked((b, c), address)[0] == key_for)
    loads = Loads.of(
        {NodeName(name): count for name, count in firsts.items()},
        {(NodeName(one), NodeName(other)): count for (one, other), count in follows.items()},
    )
    candidates = Fields({one.name: one for one in map(member, "abc")}, ()).of(group(str(key)))
    first, second, third = loads.line_up(key, a, candidates, ())
    assert (first, {second, third}) == (a, {b, c})
    assert loads.follows[a, second] == follows.get(("a", second), 0) + 1
    return second


@pytest.mark.parametrize("first_in_rank", ["b", "c"])
def test_the_first_in_rank_follows_until_it_has_its_share(first_in_rank: str) -> None:
    other = "c" if first_in_rank == "b" else "b"
    own, others = ("a", first_in_rank), ("a", other)
    assert following({}, {}, first_in_rank) == first_in_rank
    assert following({}, {own: 1}, first_in_rank) == other, "one is the share of one"
    assert following({"a": 1}, {own: 1}, first_in_rank) == other
    assert following({"a": 2}, {own: 1}, first_in_rank) == first_in_rank, "two is the share of two"
    assert following({"a": 2}, {own: 2}, first_in_rank) == other
    assert following({"a": 1}, {own: 1, others: 1}, first_in_rank) == first_in_rank, "all have their share"
