"""New addresses in announcer lists: listed at once, new for a minute, at the cost of their own shard."""

from dataclasses import replace
from ipaddress import ip_address

from bareway.decide.announcement.spread import NEW_S, Spread, begin, place, spread, unassigned
from bareway.model.announcer_lists import AnnouncerLists, Entry, Shard, shard_of
from bareway.model.names import NodeName
from support.builders import configuration, ips, node, pool
from support.spreading import group, groups, settled, view

ABC = ("a", "b", "c")
EMPTY = begin(AnnouncerLists(), now=0.0)
ONE = group("192.0.2.1")


def listing(address: str) -> Spread:
    """Lists of generation 5 that name node b for one address."""
    key = ip_address(address)
    shards = [Shard()] * 16
    entry = Entry(generation=5, nodes=(NodeName("b"),))
    shards[shard_of(key)] = Shard(generation=5, entries={key: entry})
    return begin(AnnouncerLists(tuple(shards)), now=0.0)


def test_a_new_address_changes_its_own_shard_only_and_no_entry_in_it() -> None:
    wanted = groups(40)
    last = spread(view(wanted, ABC), EMPTY, now=10)
    fresh = group("198.51.100.1")
    decided = place(view([*wanted, fresh], ABC), last, [fresh], given={fresh.key}, now=10)
    for number, (old, new) in enumerate(zip(last.lists.shards, decided.lists.shards, strict=True)):
        if number != shard_of(fresh.key):
            assert new is old
        else:
            assert new.new == {fresh.key}
            assert {a: e for a, e in new.entries.items() if a != fresh.key} == old.entries
            assert new.generation == new.entries[fresh.key].generation == last.lists.generation + 1


def test_an_address_is_new_for_a_minute() -> None:
    seen = view([ONE], ABC)
    decided = place(seen, EMPTY, [ONE], given={ONE.key}, now=10)
    entry = decided.lists.entry((), ONE.key)
    assert decided.wake_at <= 10 + NEW_S
    early = spread(seen, decided, now=10 + NEW_S - 1)
    assert early.lists.shards[shard_of(ONE.key)].new == {ONE.key}
    late, _ = settled(seen, early, now=10 + NEW_S)
    assert not late.lists.shards[shard_of(ONE.key)].new
    assert late.lists.entry((), ONE.key) == entry


def test_a_controller_that_starts_anew_lets_the_minute_begin_anew() -> None:
    decided = place(view([ONE], ABC), EMPTY, [ONE], given={ONE.key}, now=10)
    started = begin(decided.lists, now=500)
    young, _ = settled(view([ONE], ABC), started, now=520)
    assert young.lists.shards[shard_of(ONE.key)].new == {ONE.key}
    assert young.wake_at == 500 + NEW_S


def test_an_address_given_again_before_its_old_entry_left_is_new_and_keeps_the_entry() -> None:
    last = listing("192.0.2.1")
    decided = place(view([ONE], ABC), last, [ONE], given={ONE.key}, now=10)
    assert decided.lists.shards[shard_of(ONE.key)].new == {ONE.key}
    assert decided.lists.entry((), ONE.key) == last.lists.entry((), ONE.key)


def test_placing_what_is_listed_writes_nothing() -> None:
    last = spread(view([ONE], ABC), EMPTY, now=10)
    again = place(view([ONE], ABC), last, [ONE], given=frozenset(), now=11)
    assert again.lists is last.lists
    assert again.loads == last.loads


def test_generations_go_above_all_that_was_ever_heard() -> None:
    decided = place(view([ONE], ABC, generation=41), listing("192.0.2.9"), [ONE], given=set(), now=1)
    assert decided.lists.generation == 42


def test_addresses_likely_next_are_listed_with_others_of_their_shard_and_cost_no_write_later() -> None:
    pools = configuration(pool("v4", "192.0.2.0/24"))
    nodes = [node(name) for name in ABC]
    ahead = unassigned(pools, nodes, ips(*(f"192.0.2.{n}" for n in range(2, 200))))
    assert len(ahead) == 198
    seen = view([ONE], ABC, ahead=ahead)
    first = place(seen, EMPTY, [ONE], given={ONE.key}, now=10)
    shard = shard_of(ONE.key)
    near = {one.key for one in ahead if shard_of(one.key) == shard}
    assert first.lists.shards[shard].entries.keys() == first.lists.shards[shard].new == {ONE.key, *near}
    assert [number for number, one in enumerate(first.lists.shards) if one.entries] == [shard]
    following = group(str(min(near)))
    later = replace(seen, groups={**seen.groups, following.key: following})
    second = place(later, first, [following], given={following.key}, now=200)
    assert second.lists is first.lists
    looked, _ = settled(later, second, now=201)
    assert following.key in looked.lists.shards[shard].new
    assert ONE.key not in looked.lists.shards[shard].new
    done, _ = settled(replace(later, ahead=()), looked, now=300)
    assert done.lists.shards[shard].entries.keys() == {ONE.key, following.key}
