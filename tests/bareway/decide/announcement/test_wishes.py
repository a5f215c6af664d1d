"""What gossip is told of each address: who may announce it by links and objects, and what the lists say."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.wishes import Links, Wishes, choosy_in_steps, wishes_in_steps
from bareway.gossip.events import ANYBODY, Wish
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard, shard_of
from bareway.model.configuration import Pool
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.steps import PIECE, finish
from support.builders import ips, names, pool

A, B = ip_address("192.0.2.1"), ip_address("192.0.2.2")
ETH1 = replace(pool("eth1"), interfaces=("eth1",))
BOND = replace(pool("bond", "2001:db8::/64"), interfaces=("regex:^bond",))


def group(
    *addresses: str,
    permitted: frozenset[NodeName] | None = None,
    lesser: tuple[frozenset[NodeName], ...] = (),
    idle: Iterable[str] = (),
    pools: tuple[Pool, ...] = (),
) -> Group:
    every = ips(*addresses)
    return Group(
        key=min((*every, *ips(*idle)), key=lambda one: (one.version, int(one))),
        addresses=every,
        services=(),
        permitted=permitted,
        lesser=lesser,
        idle=ips(*idle),
        pools=pools,
    )


def links(**of: str) -> dict[NodeName, dict[InterfaceName, bool]]:
    """``a="eth0 eth1/4"``, which speaks IPv4 alone; empty = it says nothing."""
    return {
        NodeName(node): {InterfaceName(each.removesuffix("/4")): "/" not in each for each in text.split()}
        for node, text in of.items()
    }


def lists(**of_shard: Shard) -> AnnouncerLists:
    """``key`` of the shard by the address whose shard it is, as ``a192_0_2_1``."""
    shards = [Shard()] * SHARDS
    for text, shard in of_shard.items():
        shards[shard_of(ip_address(text.removeprefix("a").replace("_", ".")))] = shard
    return AnnouncerLists(tuple(shards))


def wishes(
    *groups: Group,
    of: AnnouncerLists | None = None,
    known: Mapping[NodeName, Mapping[InterfaceName, bool]] | None = None,
    checks: bool = True,
    before: Mapping[IPAddress, Wish] | None = None,
) -> dict[IPAddress, Wish]:
    return finish(
        wishes_in_steps(
            {one.key: one for one in groups},
            of or AnnouncerLists(),
            known or {},
            checks_duplicates=checks,
            before=before or {},
        )
    )


def test_without_lists_and_limits_anybody_may() -> None:
    assert wishes(group("192.0.2.1")) == {A: ANYBODY}


def test_nodes_that_serve_fewer_come_after_those_that_serve_all() -> None:
    found = wishes(group("192.0.2.1", permitted=names("a"), lesser=(names("b", "c"), names("d"))))
    assert found[A].tiers == (names("a"), names("b", "c"), names("d"))


@pytest.mark.parametrize(
    ("pools", "tiers"),
    [
        pytest.param((pool(),), None, id="a pool for all links"),
        pytest.param((ETH1,), (names("b", "silent"),), id="a pool for one link"),
        pytest.param((BOND,), (names("c", "silent"),), id="a pool for a pattern"),
        pytest.param((ETH1, BOND), (names("silent"),), id="two pools, each needs its link"),
    ],
)
def test_a_node_without_a_link_that_the_pool_allows_is_left_out(
    pools: tuple[Pool, ...], tiers: tuple[frozenset[NodeName], ...] | None
) -> None:
    known = links(a="eth0", b="eth0 eth1", c="bond0", silent="")
    assert wishes(group("192.0.2.1", pools=pools), known=known)[A].tiers == tiers


def test_links_count_in_every_tier_and_a_tier_without_nodes_is_none() -> None:
    tiers = group("192.0.2.1", permitted=names("a"), lesser=(names("a", "b"), names("b", "x")), pools=(ETH1,))
    found = wishes(tiers, known=links(a="eth0", b="eth1"))
    assert found[A].tiers == (names("b"), names("b", "x"))  # of x nothing is known


def test_a_group_of_both_families_says_so() -> None:
    found = wishes(group("192.0.2.1", "2001:db8::1"), group("192.0.2.2", "192.0.2.3"), group("2001:db8::2"))
    assert [wish.has_both for wish in found.values()] == [True, False, False]


def test_links_that_speak_ipv4_alone_come_last_for_both_families_and_not_at_all_for_ipv6() -> None:
    known = links(a="bond0/4 eth0", b="bond0", c="eth0", silent="")
    both, six = group("192.0.2.1", "2001:db8::1", pools=(pool(), BOND)), group("2001:db8::1", pools=(BOND,))
    found = wishes(both, six, known=known)
    assert found[both.key].tiers == (names("b", "silent"), names("a"))
    assert found[six.key].tiers == (names("b", "silent"),)
    local = replace(both, permitted=names("a"), lesser=(names("b"),))
    assert wishes(local, known=known)[A].tiers == (names("a"), names("b")), "it serves more Services"
    four = group("192.0.2.1", pools=(replace(BOND, ranges=pool().ranges),))
    assert wishes(four, known=known)[A].tiers == (names("a", "b", "silent"),)


def test_where_no_node_has_the_link_nobody_may() -> None:
    found = wishes(group("192.0.2.1", permitted=names("a"), pools=(ETH1,)), known=links(a="eth0"))
    assert found[A].tiers == (frozenset(),)
    everywhere = wishes(group("192.0.2.1", pools=(ETH1,)), known=links(a="eth0"))
    assert everywhere[A].tiers == (frozenset(),)


def test_an_entry_gives_its_generation_and_its_nodes_in_their_order() -> None:
    entry = Entry(generation=7, nodes=(NodeName("b"), NodeName("a")))
    shard = Shard(generation=9, entries={A: entry})
    found = wishes(group("192.0.2.1"), group("192.0.2.2"), of=lists(a192_0_2_1=shard))
    assert (found[A].generation, found[A].nodes) == (7, entry.nodes)
    assert (found[B].generation, found[B].nodes) == (0, ())


def test_a_group_whose_key_has_no_entry_goes_by_that_of_its_other_addresses() -> None:
    shard = Shard(entries={ip_address("192.0.2.2"): Entry(generation=3, nodes=(NodeName("a"),))})
    found = wishes(group("192.0.2.1", "192.0.2.2"), of=lists(a192_0_2_2=shard))
    assert found[A].generation == 3
    idle = wishes(group("192.0.2.1", idle=["192.0.2.2"]), of=lists(a192_0_2_2=shard))
    assert idle[A].generation == 3


@pytest.mark.parametrize(
    ("new", "checks", "is_new"),
    [
        pytest.param(("192.0.2.1",), True, True, id="the key"),
        pytest.param(("192.0.2.7",), True, True, id="another address of the group"),
        pytest.param(("192.0.2.9",), True, False, id="somebody else's"),
        pytest.param(("192.0.2.1",), False, False, id="the check is off"),
        pytest.param((), True, False, id="nothing is new"),
    ],
)
def test_only_what_is_listed_as_new_is_checked(new: tuple[str, ...], checks: bool, is_new: bool) -> None:
    every = ips("192.0.2.1", "192.0.2.7", "192.0.2.9")
    shard = Shard(entries=dict.fromkeys(every, Entry(generation=1)), new=frozenset(ips(*new)))
    found = wishes(group("192.0.2.1", "192.0.2.7"), of=lists(a192_0_2_1=shard), checks=checks)
    assert found[A].is_new is is_new


def test_a_wish_that_did_not_change_is_the_same_object() -> None:
    one, two = group("192.0.2.1", permitted=names("a")), group("192.0.2.2", permitted=names("a"))
    before = wishes(one, two)
    after = wishes(one, replace(two, permitted=names("b")), before=before)
    assert after[A] is before[A]
    assert after[B].tiers == (names("b"),)


def test_equal_tiers_of_many_groups_are_one_object() -> None:
    found = wishes(*(group(f"192.0.2.{n}", permitted=frozenset([NodeName("a")])) for n in range(1, 4)))
    assert len({id(wish.tiers) for wish in found.values()}) == 1


def test_no_step_looks_at_more_than_a_piece() -> None:
    many = {one.key: one for one in (group(f"10.0.{n >> 8}.{n & 255}", pools=(ETH1,)) for n in range(500))}
    steps = wishes_in_steps(many, AnnouncerLists(), {}, checks_duplicates=True, before={})
    assert sum(1 for _ in steps) == 500 // PIECE
    assert sum(1 for _ in choosy_in_steps(many)) == 500 // PIECE


def test_addresses_of_a_pool_for_some_links_are_told_with_that_pool() -> None:
    mixed = group("192.0.2.1", "2001:db8::1", pools=(pool(), BOND))
    found = finish(choosy_in_steps({mixed.key: mixed, B: group("192.0.2.2", pools=(pool(),))}))
    assert found == {ip_address("2001:db8::1"): BOND}


NODE = st.sampled_from("abcd").map(NodeName)
TIERS = st.lists(st.frozensets(NODE), min_size=1, max_size=3)
LINK = st.sampled_from(["eth0", "eth1"]).map(InterfaceName)
LINKS = st.dictionaries(NODE, st.dictionaries(LINK, st.booleans()))


@given(TIERS, LINKS)
def test_whoever_has_the_link_or_says_nothing_keeps_its_place_and_nobody_else_comes_in(
    tiers: list[frozenset[NodeName]], known: dict[NodeName, dict[InterfaceName, bool]]
) -> None:
    made = group("192.0.2.1", permitted=tiers[0], lesser=tuple(tiers[1:]), pools=(ETH1,))
    found = wishes(made, known=known)[A].tiers
    assert found is not None
    fits = {node for node in "abcd" if not (has := known.get(NodeName(node))) or "eth1" in has}
    expected = [kept for tier in tiers if (kept := tier & fits)]
    if all(not has or "eth1" in has for has in known.values()):
        expected = tiers  # nobody is refused: as the objects say
    assert list(found) == (expected or [frozenset()])


# ---------------------------------------------------------------- kept, and brought up to date

FEW = ips("192.0.2.1", "192.0.2.2", "192.0.2.7", "192.0.2.9", "2001:db8::1")
ENTRY = st.builds(Entry, generation=st.integers(0, 3), nodes=st.lists(NODE, max_size=2).map(tuple))
LISTED = st.dictionaries(st.sampled_from(FEW), ENTRY)
SHARD = st.builds(Shard, entries=LISTED, new=st.frozensets(st.sampled_from(FEW)))
PLACE = st.sampled_from(sorted({shard_of(address) for address in FEW}))
GROUPS = st.sampled_from(
    (
        (group("192.0.2.1", "192.0.2.7", pools=(ETH1,)), group("192.0.2.2", idle=["192.0.2.9"])),
        (group("192.0.2.1"), group("192.0.2.2", "2001:db8::1", permitted=names("a", "b"))),
        (group("192.0.2.2", "192.0.2.7", idle=["192.0.2.1"]),),
        (),
    )
)


class Kept:
    """Wishes that are kept, beside those that are made of everything each time."""

    def __init__(self) -> None:
        self.made = Wishes()
        self.groups: Mapping[IPAddress, Group] = {}
        self.lists = AnnouncerLists()
        self.links: Links = {}
        self.checks = True

    def have(self, groups: Iterable[Group]) -> None:
        self.groups = {one.key: one for one in groups}

    def write(self, place: int, shard: Shard) -> None:
        shards = [*self.lists.shards]
        shards[place] = shard
        self.lists = AnnouncerLists(tuple(shards))

    def follow(self) -> Mapping[IPAddress, Wish]:
        steps = self.made.follow_in_steps(self.groups, self.lists, self.links, checks_duplicates=self.checks)
        return finish(steps)

    def from_all(self) -> Mapping[IPAddress, Wish]:
        steps = wishes_in_steps(self.groups, self.lists, self.links, checks_duplicates=self.checks, before={})
        return finish(steps)


@given(st.data())
def test_wishes_that_follow_each_change_are_those_made_of_everything(data: st.DataObject) -> None:
    kept = Kept()
    for _ in range(data.draw(st.integers(1, 8))):
        match data.draw(st.sampled_from(("list", "list", "list", "groups", "links", "check", "nothing"))):
            case "list":
                kept.write(data.draw(PLACE), data.draw(SHARD))
            case "groups":
                kept.have(data.draw(GROUPS))
            case "links":
                kept.links = data.draw(LINKS)
            case "check":
                kept.checks = not kept.checks
            case _:
                pass
        found = kept.follow()
        assert found == kept.from_all()
        assert list(found) == list(kept.groups), "in the order of the groups"


def test_of_a_list_that_changed_only_what_it_lists_otherwise_is_looked_at() -> None:
    kept = Kept()
    kept.have(group(f"10.0.{number >> 8}.{number & 255}") for number in range(2000))
    keys = [key for key in kept.groups if shard_of(key) == 0]
    shard = Shard(generation=1, entries=dict.fromkeys(keys, Entry(generation=1)))
    kept.write(0, shard)
    before = kept.follow()
    moved = Entry(generation=2, nodes=(NodeName("b"),))
    kept.write(0, replace(shard, generation=2, entries={**shard.entries, keys[1]: moved}))
    steps = kept.made.follow_in_steps(kept.groups, kept.lists, {}, checks_duplicates=True)
    assert sum(1 for _ in steps) == 1, "a piece of one"
    after = kept.made.wishes
    assert [key for key in kept.groups if after[key] is not before[key]] == [keys[1]]
    assert after[keys[1]].nodes == moved.nodes


@pytest.mark.parametrize(
    "shard",
    [
        pytest.param(Shard(generation=2), id="listed no more"),
        pytest.param(Shard(entries={A: Entry(generation=1)}, new=frozenset({A})), id="new"),
        pytest.param(Shard(entries={A: Entry(generation=2)}), id="another entry"),
    ],
)
def test_an_address_that_is_listed_otherwise_is_wished_otherwise(shard: Shard) -> None:
    kept = Kept()
    kept.have([group("192.0.2.1"), group("192.0.2.2")])
    kept.write(shard_of(A), Shard(entries={A: Entry(generation=1)}))
    before = kept.follow()
    kept.write(shard_of(A), shard)
    after = kept.follow()
    assert after[A] != before[A]
    assert after == kept.from_all()


def test_while_nothing_differs_all_wishes_are_one_and_the_same_object() -> None:
    kept = Kept()
    kept.have([group("192.0.2.1")])
    kept.write(shard_of(A), Shard(generation=1, entries={A: Entry(generation=1)}))
    before = kept.follow()
    kept.write(shard_of(A), Shard(generation=5, entries={A: Entry(generation=1)}))
    assert kept.follow() is before
    kept.write(shard_of(A), Shard(generation=6, entries={A: Entry(generation=6)}))
    assert kept.follow() is not before
