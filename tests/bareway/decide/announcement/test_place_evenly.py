"""New addresses by load and rank, and when somebody has to look again."""

from dataclasses import replace
from ipaddress import ip_address
from math import inf

import pytest

from bareway.decide.announcement.loads import bound
from bareway.decide.announcement.spread import NEW_S, begin, place, spread
from bareway.model.announcer_lists import AnnouncerLists, Entry, Shard, shard_of
from bareway.model.names import NodeName
from bareway.model.rank import ranked
from support.spreading import claim, firsts, group, groups, listed, view

ABC = ("a", "b", "c")
NAMES = [NodeName(name) for name in ABC]
EMPTY = begin(AnnouncerLists(), now=0.0)
ALL_FOR_A = [one for one in groups(60) if ranked(NAMES, one.key)[0] == "a"][:9]


def test_a_lone_address_goes_to_the_first_in_rank() -> None:
    for one in groups(12):
        decided = place(view([one], ABC), EMPTY, [one], given={one.key}, now=10)
        assert listed(decided, one.key)[0] == ranked(NAMES, one.key)[0]


def test_addresses_placed_together_count_as_load_for_each_other() -> None:
    keys = {one.key for one in ALL_FOR_A}
    decided = place(view(ALL_FOR_A, ABC), EMPTY, ALL_FOR_A, given=keys, now=10)
    loads = list(firsts(decided, ALL_FOR_A).values())
    assert len(loads) == 9
    assert loads.count("a") == bound(9, 3)
    assert decided.loads.firsts == {NodeName(name): loads.count(name) for name in set(loads)}


def test_addresses_placed_one_after_the_other_count_as_load_for_each_other() -> None:
    decided = EMPTY
    for number, one in enumerate(ALL_FOR_A, start=1):
        decided = place(view(ALL_FOR_A[:number], ABC), decided, [one], given={one.key}, now=10)
    assert list(firsts(decided, ALL_FOR_A).values()).count("a") <= bound(9, 3)
    assert sum(decided.loads.firsts.values()) == 9


def test_while_the_view_is_not_sure_rank_alone_decides() -> None:
    unsure = view(ALL_FOR_A, ABC, changed_at=10.0)
    decided = spread(unsure, EMPTY, now=10.1)
    assert set(firsts(decided, ALL_FOR_A).values()) == {"a"}


def test_an_address_listed_ahead_is_nobodys_that_was_adopted() -> None:
    one = group("192.0.2.1")
    number = shard_of(one.key)
    beside = next(other for other in groups(99, first="198.51.100.1") if shard_of(other.key) == number)
    decided = place(view([one], ABC, ahead=[beside]), EMPTY, [one], given={one.key}, now=10)
    shard = decided.lists.shards[number]
    assert set(shard.entries) == shard.new == {one.key, beside.key}
    assert shard.adopted == frozenset()


@pytest.mark.parametrize(
    ("asked", "is_given", "wake_at"),
    [
        pytest.param(inf, True, 10 + NEW_S, id="given: when it is new no more"),
        pytest.param(20.0, True, 20.0, id="given, and asked for earlier"),
        pytest.param(500.0, True, 10 + NEW_S, id="given, and asked for later"),
        pytest.param(inf, False, inf, id="listed only"),
        pytest.param(500.0, False, 500.0, id="listed only, and asked for"),
    ],
)
def test_who_is_given_an_address_is_looked_at_again_when_it_is_new_no_more(
    asked: float, *, is_given: bool, wake_at: float
) -> None:
    one = group("192.0.2.1")
    given = {ip_address("192.0.2.1")} if is_given else set()
    decided = place(view([one], ABC), replace(EMPTY, wake_at=asked), [one], given=given, now=10)
    assert decided.wake_at == wake_at


def test_a_minority_is_looked_at_again_when_something_changes_and_not_before() -> None:
    one = group("192.0.2.1")
    alone = view([one], ["a"], nodes=view([], ABC).nodes, joined=ABC, changed_at=10.0)
    assert alone.observed is not None
    calm_at = 10.0 + alone.observed.calm_s
    assert spread(alone, EMPTY, now=10.0).wake_at == calm_at
    assert spread(alone, EMPTY, now=calm_at).wake_at == inf


def test_who_starts_looks_at_once() -> None:
    assert begin(AnnouncerLists(), now=7.0).wake_at == 7.0


def test_of_groups_that_became_one_the_newest_claim_tells_who_holds_it() -> None:
    joined = group("192.0.2.1", "192.0.2.2", "192.0.2.3")
    for newest, oldest in (("192.0.2.2", "192.0.2.3"), ("192.0.2.3", "192.0.2.2")):
        claims = [claim(oldest, "a", generation=1), claim(newest, "b", generation=2)]
        decided = spread(view([joined], ABC, claims=claims), EMPTY, now=10)
        assert listed(decided, joined.key)[0] == "b"


def test_without_an_observer_an_entry_whose_first_node_stays_is_left_alone() -> None:
    one = group("192.0.2.1")
    gone = Entry(generation=5, nodes=(NodeName("b"), NodeName("gone")))
    shards = [Shard()] * 16
    shards[shard_of(one.key)] = Shard(generation=5, entries={one.key: gone})
    last = begin(AnnouncerLists(tuple(shards)), now=0.0)
    for now in (10.0, 100.0):
        last = spread(view([one], ABC, observed=False), last, now=now)
        assert last.lists.entry((), one.key) == gone
