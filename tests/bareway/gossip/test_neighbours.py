"""To whom a member keeps an edge, among the living and among those that are away."""

from random import Random

import pytest

from bareway.gossip.neighbours import CALLERS, DRAWN_MAX, Neighbours
from bareway.gossip.rings import FULL_MESH_MAX, Rings
from bareway.model.names import NodeName

NAMES = [NodeName(f"node{number:03}") for number in range(200)]


def seen(me: NodeName, living: list[NodeName], away: list[NodeName], *, seed: int = 1) -> Neighbours:
    made = Neighbours(me=me, rng=Random(f"{me}/{seed}"))
    made.see(living=Rings([me, *living]), away=frozenset(away))
    return made


def test_in_a_small_group_all_are_wanted_the_living_and_those_that_are_away() -> None:
    made = seen(NAMES[0], NAMES[1:4], NAMES[4:FULL_MESH_MAX])
    assert made.needed == set(NAMES[1:4])
    assert made.called == set(NAMES[4:FULL_MESH_MAX])
    assert made.wanted == set(NAMES[1:FULL_MESH_MAX])


def test_in_a_large_group_the_neighbours_on_the_rings_are_needed() -> None:
    made = seen(NAMES[0], NAMES[1:100], [])
    assert made.wanted == made.needed == Rings(NAMES[:100]).neighbours(NAMES[0])


def test_who_is_away_is_called_by_those_that_it_will_have_as_neighbours() -> None:
    living, gone = NAMES[:99], NAMES[99]
    callers = {me for me in living if gone in seen(me, [n for n in living if n != me], [gone]).called}
    assert callers >= Rings([*living, gone]).neighbours(gone)
    assert len(callers) <= 3 * CALLERS, "and by few others"


def test_who_starts_alone_among_many_names_calls_some() -> None:
    made = seen(NAMES[0], [], NAMES[1:])
    assert CALLERS <= len(made.called) <= 2 * CALLERS


def test_two_halves_that_lost_each_other_call_across_wherever_one_looks() -> None:
    halves = NAMES[:100], NAMES[100:]
    for mine, theirs in (halves, halves[::-1]):
        calls = [len(seen(me, [n for n in mine if n != me], theirs).called) for me in mine]
        assert sum(count > 0 for count in calls) >= 99
        assert max(calls) <= 2 * CALLERS


def test_the_last_one_of_a_large_group_calls_others_in_turn() -> None:
    made = seen(NAMES[0], [], NAMES[1:])
    called = set(made.called)
    for _ in range(200):
        made.draw_anew()
        called |= made.called
    assert called == set(NAMES[1:])


def test_one_that_is_away_for_long_is_called_by_some_eight_of_a_hundred() -> None:
    group = [seen(me, [n for n in NAMES[:100] if n != me], [NAMES[100]]) for me in NAMES[:100]]
    total = 0
    for _ in range(50):
        for made in group:
            made.draw_anew()
        total += sum(NAMES[100] in made._drawn for made in group)
    assert total / 50 == pytest.approx(CALLERS, rel=0.25)


def test_the_lot_is_kept_while_it_is_away_and_forgotten_when_it_is_back() -> None:
    made = seen(NAMES[0], [], NAMES[1:])
    before = made._drawn
    assert len(before) == DRAWN_MAX
    back = min(before)
    made.see(living=Rings([NAMES[0], back]), away=frozenset(NAMES[1:]) - {back})
    assert back in made.needed
    assert back not in made.called
    assert before - {back} <= made._drawn


def test_a_name_that_discovery_forgets_is_called_no_more() -> None:
    made = seen(NAMES[0], NAMES[1:3], NAMES[3:])
    made.see(living=Rings(NAMES[:3]), away=frozenset())
    assert made.wanted == set(NAMES[1:3])
