"""Announcer lists: what is wished first, what moves and when, and what a new address costs."""

from collections import Counter
from dataclasses import replace
from ipaddress import ip_address
from math import inf

import pytest

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.loads import bound
from bareway.decide.announcement.members import Member
from bareway.decide.announcement.spread import (
    GATHER_S,
    NEW_S,
    SETTLE_S,
    Spread,
    begin,
    is_calm,
    place,
    spread,
)
from bareway.gossip.claims import NOBODY, Claim
from bareway.model.announcer_lists import AnnouncerLists, Entry, Shard, shard_of
from bareway.model.configuration import PreferredNodes
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import ranked
from bareway.model.selectors import Selector
from support.builders import ips, key, node, pool
from support.spreading import CALM_S, claim, firsts, follow, group, groups, listed, member, settled, view

ABC = ("a", "b", "c")
NAMES = [NodeName(name) for name in ABC]
EMPTY = begin(AnnouncerLists(), now=0.0)
ONE = group("192.0.2.1")


def added(address: str) -> dict[IPAddress, Group]:
    return {ip_address(address): group(address)}


def with_entry(*nodes: str, generation: int = 5, of: str = "192.0.2.1", adopted: bool = False) -> Spread:
    address = ip_address(of)
    shards = [Shard()] * 16
    shards[shard_of(address)] = Shard(
        generation=generation,
        entries={address: Entry(generation=generation, nodes=tuple(map(NodeName, nodes)))},
        adopted=frozenset([address] if adopted else []),
    )
    return begin(AnnouncerLists(tuple(shards)), now=0.0)


# ------------------------------------------------------------ adoption


def test_a_take_over_moves_nothing_each_address_stays_with_its_winner_by_rank() -> None:
    wanted = groups(60)
    decided = spread(view(wanted, ABC), EMPTY, now=10)
    assert firsts(decided, wanted) == {one.key: ranked(NAMES, one.key)[0] for one in wanted}
    assert {address for shard in decided.lists.shards for address in shard.adopted} == {g.key for g in wanted}


def test_a_take_over_of_policy_local_goes_by_the_nodes_that_serve() -> None:
    wanted = group("192.0.2.1", permitted=["b", "c"])
    decided = spread(view([wanted], ABC), EMPTY, now=10)
    assert listed(decided, "192.0.2.1")[0] == ranked(NAMES[1:], wanted.key)[0]


def test_a_claim_without_an_entry_is_confirmed_and_not_adopted() -> None:
    other = ranked(NAMES, ONE.key)[2]
    decided = spread(view([ONE], ABC, claims=[claim("192.0.2.1", other)]), EMPTY, now=10)
    assert listed(decided, "192.0.2.1")[0] == other
    assert not decided.lists.shards[shard_of(ONE.key)].adopted


def test_what_was_adopted_is_so_no_more_once_it_moved() -> None:
    seen = view([ONE], ABC)
    decided = spread(seen, EMPTY, now=10)
    first, second, _ = listed(decided, "192.0.2.1")
    moved = view([ONE], ABC, claims=[claim(ONE.key, second)])
    decided, _ = settled(moved, decided, now=20)
    assert listed(decided, "192.0.2.1")[:2] == (second, first)
    assert not decided.lists.shards[shard_of(ONE.key)].adopted


# ------------------------------------------------------------ who holds it now


@pytest.mark.parametrize(
    ("claims", "first"),
    [
        pytest.param([], "b", id="no claim: the list"),
        pytest.param([claim("192.0.2.1", "c", generation=5)], "c", id="a claim of the list's generation"),
        pytest.param([claim("192.0.2.1", "c", generation=9)], "c", id="a newer claim"),
        pytest.param([claim("192.0.2.1", "c", generation=4)], "b", id="an older claim: a move on its way"),
        pytest.param([claim("192.0.2.1", "gone", generation=9)], "b", id="a claim of who is no member"),
        pytest.param([claim("192.0.2.1", NOBODY, generation=9)], "b", id="given up"),
    ],
)
def test_the_present_holder_comes_first(claims: list[Claim], first: str) -> None:
    decided, _ = settled(view([ONE], ABC, claims=claims), with_entry("b", "a", "c"), now=10)
    assert listed(decided, "192.0.2.1")[0] == first


def test_a_list_that_only_confirms_is_not_written() -> None:
    last = with_entry("b", "a", "c")
    decided = spread(view([ONE], ABC, claims=[claim("192.0.2.1", "b", generation=9)]), last, now=10)
    assert decided.lists is last.lists
    assert decided.wake_at == inf


@pytest.mark.parametrize(
    "b",
    [
        pytest.param(member("b", alive=False), id="dead"),
        pytest.param(member("b", eligible=False), id="not eligible"),
        pytest.param(member("b", draining=True), id="draining"),
    ],
)
def test_without_a_claim_the_next_listed_follows_one_that_cannot(b: Member) -> None:
    members = [member("a"), b, member("c")]
    decided, _ = settled(view([ONE], members), with_entry("b", "c", "a"), now=10)
    assert listed(decided, "192.0.2.1")[0] in {"a", "c"}
    assert listed(decided, "192.0.2.1")[2:] == (("b",) if b.draining else ())


def test_a_drained_node_is_listed_where_nobody_else_is() -> None:
    decided = spread(view([ONE], [member("a", draining=True)]), EMPTY, now=10)
    assert listed(decided, "192.0.2.1") == ("a",)


def test_where_nobody_may_announce_an_entry_stays_and_a_new_one_names_nobody() -> None:
    nobody = [group("192.0.2.1", permitted=[]), group("192.0.2.2", permitted=[])]
    decided = spread(view(nobody, ABC), with_entry("b", "a"), now=10)
    assert listed(decided, "192.0.2.1") == ("b", "a")
    assert listed(decided, "192.0.2.2") == ()


def test_addresses_of_a_group_have_like_entries_in_the_shard_of_its_key() -> None:
    dual = group("192.0.2.1", "2001:db8::1")
    decided = spread(view([dual], ABC), EMPTY, now=10)
    entries = decided.lists.shards[shard_of(dual.key)].entries
    assert entries.keys() == set(dual.addresses)
    assert len(set(entries.values())) == 1


def test_a_group_that_gets_a_new_key_stays_where_it_is() -> None:
    """A Service with a lower address of its own joined: another shard, and the same nodes."""
    old, new = next(
        (f"192.0.2.{n}", "192.0.2.1")
        for n in range(2, 99)
        if shard_of(ip_address(f"192.0.2.{n}")) != shard_of(ip_address("192.0.2.1"))
    )
    last = with_entry("c", "b", "a", of=old)
    joined = group(new, old)
    seen = view([joined], ABC, claims=[claim(old, "c", generation=5)])
    decided = place(seen, last, [joined], given=set(ips(new)), now=10)
    assert listed(decided, new) == ("c", "b", "a")
    assert decided.lists.entry((), joined.key) == last.lists.entry((), ip_address(old))
    decided, _ = settled(seen, decided, now=10)
    assert listed(decided, new) == ("c", "b", "a")
    assert sum(ip_address(old) in shard.entries for shard in decided.lists.shards) == 1


# ------------------------------------------------------------ preference, the operator, the bound


def test_preferred_nodes_come_first_also_above_the_bound_and_above_the_holder() -> None:
    wish = PreferredNodes(selector=Selector(labels={"rack": "1"}), weight=1)
    wanted = groups(20, pools=(replace(pool(), preferred_nodes=(wish,)),))
    nodes = [node(name, labels={"rack": "1"} if name == "c" else {}) for name in ABC]
    holding = [claim(one.key, "a") for one in wanted]
    decided = spread(view(wanted, ABC, claims=holding, nodes=nodes), EMPTY, now=10)
    assert set(firsts(decided, wanted).values()) == {"c"}
    assert {listed(decided, one.key)[1] for one in wanted} == {"a", "b"}


def test_the_operators_word_moves_at_once_and_holds() -> None:
    named = {ONE.services[0]: NodeName("c")}
    held = [claim("192.0.2.1", "a", generation=5)]
    last = with_entry("a", "b", "c")
    decided = spread(view([ONE], ABC, claims=held, named=named), last, now=10)
    assert listed(decided, "192.0.2.1") == ("c", "a", "b")
    assert decided.lists.generation == 6
    after = spread(view([ONE], ABC, claims=[claim("192.0.2.1", "c", generation=6)]), decided, now=20)
    assert after.lists is decided.lists  # the mark is gone; nothing moves back


def test_a_mark_that_is_not_followed_is_told() -> None:
    named = {ONE.services[0]: NodeName("x")}
    decided = spread(view([ONE], ABC, named=named), EMPTY, now=10)
    assert decided.unmoved == {ONE.services[0]: "NoSuchMember"}


def test_new_addresses_are_spread_within_the_bound() -> None:
    wanted = groups(100)
    decided = EMPTY
    for one in wanted:
        decided = place(view(wanted, ABC), decided, [one], given={one.key}, now=10)
    assert max(Counter(firsts(decided, wanted).values()).values()) <= bound(100, 3)


def test_a_cordoned_node_gets_nothing_new_and_keeps_what_it_has() -> None:
    members = [member("a", cordoned=True), member("b")]
    wanted = groups(10)
    decided = place(view(wanted, members), EMPTY, wanted, given={one.key for one in wanted}, now=10)
    assert set(firsts(decided, wanted).values()) == {"b"}
    kept = with_entry("a", "b")
    assert spread(view([ONE], members), kept, now=10).lists is kept.lists


def test_a_dead_nodes_addresses_are_spread_over_many_followers() -> None:
    names = [f"n{number}" for number in range(6)]
    wanted = groups(90)
    decided = spread(view(wanted, names), EMPTY, now=10)
    follows = Counter(listed(decided, one.key)[:2] for one in wanted)
    for name in names:
        mine = {pair: count for pair, count in follows.items() if pair[0] == name}
        assert max(mine.values()) <= bound(sum(mine.values()), 5)


# ------------------------------------------------------------ when


def test_what_gossip_moved_is_gathered_and_listed_within_ten_seconds() -> None:
    last = with_entry("b", "a", "c")
    seen = view([ONE], ABC, claims=[claim("192.0.2.1", "c", generation=5)])
    young = spread(seen, last, now=10)
    assert (young.lists is last.lists, young.wake_at) == (True, 10 + SETTLE_S)
    gathering = spread(seen, young, now=10 + SETTLE_S)
    assert (gathering.lists is last.lists, gathering.wake_at) == (True, 10 + SETTLE_S + GATHER_S)
    done = spread(seen, gathering, now=10 + SETTLE_S + GATHER_S)
    assert listed(done, "192.0.2.1") == ("c", "b", "a")
    assert SETTLE_S + GATHER_S + 2 * CALM_S < 10


def test_what_cannot_wait_takes_along_what_has_settled_and_nothing_younger() -> None:
    last = with_entry("b", "a", "c")
    held = [claim("192.0.2.1", "c", generation=5)]
    both = view([ONE, group("192.0.2.2")], ABC, claims=held)
    young = spread(both, last, now=10)
    assert listed(young, "192.0.2.1")[0] == "b"
    assert listed(young, "192.0.2.2")
    settling = spread(view([ONE], ABC, claims=held), last, now=10)
    settling = spread(view([ONE], ABC, claims=held), settling, now=10 + SETTLE_S)
    assert listed(spread(both, settling, now=13), "192.0.2.1")[0] == "c"


def test_a_speaker_that_restarts_within_its_grace_loses_nothing_by_lists() -> None:
    last = with_entry("b", "a", "c")
    held = [claim("192.0.2.1", "b", generation=5)]
    restarting = view([ONE], [member("a"), member("b", eligible=False), member("c")], claims=held)
    decided = spread(restarting, last, now=10)
    decided = place(restarting, decided, [group("192.0.2.2")], given=set(ips("192.0.2.2")), now=10.5)
    decided = spread(replace(restarting, groups={**restarting.groups, **added("192.0.2.3")}), decided, now=11)
    assert listed(decided, "192.0.2.1") == ("b", "a", "c")
    back, _ = settled(view([ONE], ABC, claims=held), decided, now=11.5)
    assert listed(back, "192.0.2.1") == ("b", "a", "c")


def test_what_is_new_no_more_was_gathered_before_and_is_written_at_once() -> None:
    seen = view([ONE], ABC)
    given = place(seen, EMPTY, [ONE], given={ONE.key}, now=10)
    assert any(shard.new for shard in given.lists.shards)
    done = spread(seen, given, now=10 + NEW_S)
    assert not any(shard.new for shard in done.lists.shards)
    assert (done.differs_since, done.wake_at) == (None, inf)


def test_a_difference_that_went_away_is_forgotten() -> None:
    last = with_entry("b", "a", "c")
    waiting = spread(view([ONE], ABC, claims=[claim(ONE.key, "c", generation=5)]), last, now=10)
    back = spread(view([ONE], ABC, claims=[claim(ONE.key, "b", generation=5)]), waiting, now=12)
    assert (back.differs_since, back.wake_at) == (None, inf)


@pytest.mark.parametrize(
    ("changed_at", "joined", "calm"),
    [
        pytest.param(0.0, "abc", True, id="stable, all there"),
        pytest.param(9.5, "abc", False, id="changed just now"),
        pytest.param(0.0, "abcde", True, id="more than half of those that ever joined"),
        pytest.param(0.0, "abcdef", False, id="exactly half"),
        pytest.param(0.0, "abcxyz", True, id="Nodes that are gone do not count"),
    ],
)
def test_entries_change_only_under_a_stable_view_of_more_than_half(
    changed_at: float, joined: str, calm: bool
) -> None:
    """Looked at four times, half a second after a change or long after."""
    last = with_entry("b", "a", "c")
    seen = view(
        [ONE, group("192.0.2.2")],
        ABC,
        claims=[claim("192.0.2.1", "c", generation=5)],
        joined=joined,
        nodes=[node(name) for name in "abcdef"],
        changed_at=changed_at,
    )
    assert is_calm(seen, now=10) is calm
    decided = last
    for now in (10.0, 12.0, 17.0, 24.0):
        if changed_at and seen.observed:
            seen = replace(seen, observed=replace(seen.observed, changed_at=now - 0.5))
        decided = spread(seen, decided, now=now)
    assert listed(decided, "192.0.2.1")[0] == ("c" if calm else "b")
    assert listed(decided, "192.0.2.2")[0] == ranked(NAMES, ip_address("192.0.2.2"))[0]
    assert decided.wake_at == (23.5 + CALM_S if changed_at else inf)


def test_under_an_unstable_view_new_addresses_go_by_rank_whatever_the_load() -> None:
    wanted = groups(30)
    seen = view(wanted, ABC, changed_at=9.9)
    decided = EMPTY
    for one in wanted:
        decided = place(seen, decided, [one], given={one.key}, now=10)
    assert firsts(decided, wanted) == {one.key: ranked(NAMES, one.key)[0] for one in wanted}


def test_what_is_no_longer_wanted_leaves_the_lists_gathered() -> None:
    last = with_entry("b", "a", "c")
    waiting = spread(view([], ABC), last, now=10)
    assert waiting.lists is last.lists
    gone = spread(view([], ABC), waiting, now=10 + GATHER_S)
    assert not any(shard.entries for shard in gone.lists.shards)


# ------------------------------------------------------------ without an observer


def test_without_an_observer_every_node_counts_and_an_entry_whose_first_stays_is_left_alone() -> None:
    last = with_entry("b", "gone")
    decided = spread(view([ONE, group("192.0.2.2")], ABC, observed=False), last, now=10)
    assert listed(decided, "192.0.2.1") == ("b", "gone")
    assert listed(decided, "192.0.2.2")[0] == ranked(NAMES, ip_address("192.0.2.2"))[0]


def test_with_an_observer_a_follower_that_died_is_replaced() -> None:
    seen = view([ONE], ABC, claims=[claim("192.0.2.1", "b", generation=5)])
    decided, _ = settled(seen, with_entry("b", "gone", "c"), now=10)
    assert listed(decided, "192.0.2.1") == ("b", "c", "a")


def test_without_an_observer_a_node_that_is_gone_is_replaced_by_who_followed() -> None:
    decided, _ = settled(view([ONE], ABC, observed=False), with_entry("gone", "c", "a"), now=10)
    assert listed(decided, "192.0.2.1") == ("c", "a", "b")


def test_planned_moves_come_to_rest() -> None:
    """Lists move gossip, and gossip moves lists: after one round both are content."""
    wanted = [*groups(30), group("198.51.100.1", services=["web"])]
    seen = view(wanted, ABC, named={key("web"): NodeName("b")})
    decided = spread(seen, EMPTY, now=10)
    seen = follow(decided, seen)
    again, _ = settled(seen, decided, now=20)
    assert again.lists is decided.lists
    assert follow(again, seen).observed == seen.observed
