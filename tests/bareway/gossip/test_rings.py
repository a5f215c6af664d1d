"""Who watches whom: the same on every node, both ways, few, and spread."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.rings import FULL_MESH_MAX, RINGS, Rings
from bareway.model.names import NodeName

NAMES = [NodeName(f"node{number}") for number in range(60)]
SETS = st.frozensets(st.sampled_from(NAMES), min_size=1)


@pytest.mark.parametrize("count", [1, 2, 3, FULL_MESH_MAX])
def test_in_a_small_group_everybody_watches_everybody(count: int) -> None:
    rings = Rings(NAMES[:count])
    assert all(rings.neighbours(name) == set(NAMES[:count]) - {name} for name in NAMES[:count])


def test_with_one_more_nobody_has_more_than_two_neighbours_a_ring() -> None:
    names = NAMES[: FULL_MESH_MAX + 1]
    rings = Rings(names)
    assert {len(rings.neighbours(name)) for name in names} <= set(range(2, 2 * RINGS + 1))
    assert any(len(rings.neighbours(name)) < FULL_MESH_MAX for name in names)


@given(SETS)
def test_neighbours_are_neighbours_of_each_other_and_never_of_themselves(names: frozenset[NodeName]) -> None:
    rings = Rings(names)
    for name in names:
        assert name not in rings.neighbours(name)
        assert all(name in rings.neighbours(other) for other in rings.neighbours(name))
        assert len(rings.neighbours(name)) <= 2 * RINGS


@given(SETS, SETS)
def test_the_way_to_a_view_does_not_show(names: frozenset[NodeName], others: frozenset[NodeName]) -> None:
    detour = Rings(sorted(others))
    for name in sorted(names):
        detour.add(name)
        detour.add(name)
    for name in sorted(others - names, reverse=True):
        detour.remove(name)
        detour.remove(name)
    direct = Rings(sorted(names, reverse=True))
    assert set(detour) == set(direct) == names
    assert len(detour) == len(names)
    assert all(detour.neighbours(name) == direct.neighbours(name) for name in NAMES)


@given(SETS, st.sampled_from(NAMES))
def test_who_is_away_is_told_the_neighbours_that_it_would_have(
    names: frozenset[NodeName], away: NodeName
) -> None:
    rings = Rings(names - {away})
    assert away not in rings
    assert rings.neighbours(away) == Rings(names | {away}).neighbours(away)


@given(SETS.filter(lambda names: len(names) > FULL_MESH_MAX), st.sampled_from(NAMES))
def test_a_newcomer_changes_the_neighbours_of_its_own_neighbours_alone(
    names: frozenset[NodeName], new: NodeName
) -> None:
    before, after = Rings(names - {new}), Rings(names | {new})
    if len(before) <= FULL_MESH_MAX:
        return
    near = after.neighbours(new)
    assert all(before.neighbours(name) == after.neighbours(name) for name in names - near - {new})


def test_all_are_connected_and_the_rings_are_not_one_and_the_same() -> None:
    names = [NodeName(f"n{number}") for number in range(1000)]
    rings = Rings(names)
    reached, edge = {names[0]}, [names[0]]
    hops = 0
    while len(reached) < len(names):
        edge = [other for name in edge for other in rings.neighbours(name) - reached]
        reached.update(edge)
        hops += 1
    assert hops <= 5, "a flood reaches everybody in five hops"
    sizes = Counter(len(rings.neighbours(name)) for name in names)
    assert sizes[2 * RINGS] > 900, "with rings in one order there would be two neighbours each"
