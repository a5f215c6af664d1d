"""Announcer lists under random histories: generations only rise, nothing moves in vain, all comes to rest."""

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.loads import bound
from bareway.decide.announcement.members import Member
from bareway.decide.announcement.rebalance import MOVES_MAX, WINDOW_S
from bareway.decide.announcement.spread import Spread, SpreadView, begin, place, spread
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.names import IPAddress, NodeName
from support.spreading import CALM_S, claim, firsts, follow, group, groups, member, settled, view

NAMES = [f"n{number}" for number in range(6)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Group], list[Member]]:
    count = draw(st.integers(1, len(NAMES)))
    facts = st.fixed_dictionaries({fact: st.booleans() for fact in ("alive", "draining", "cordoned")})
    members = [member(name, **draw(facts)) for name in NAMES[:count]]
    permitted = st.none() | st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
    wanted = [group(f"192.0.2.{n}", permitted=draw(permitted)) for n in range(draw(st.integers(0, 12)))]
    return wanted, members


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_told_changes_nothing(
    world: tuple[list[Group], list[Member]], rng: Random
) -> None:
    wanted, members = world
    empty = begin(AnnouncerLists(), now=0)
    straight = spread(view(wanted, members), empty, now=1)
    rng.shuffle(wanted)
    rng.shuffle(members)
    assert spread(view(wanted, members), empty, now=1).lists == straight.lists


@given(worlds())
def test_every_address_is_listed_and_only_with_living_candidates_drained_ones_last(
    world: tuple[list[Group], list[Member]],
) -> None:
    wanted, members = world
    decided = spread(view(wanted, members), begin(AnnouncerLists(), now=0), now=CALM_S)
    by_name = {one.name: one for one in members}
    joined = [one for one in members if one.alive]
    for one in wanted:
        entry = decided.lists.entry((), one.key)
        assert entry is not None
        allowed = {m.name for m in joined if one.permitted is None or m.name in one.permitted}
        assert set(entry.nodes) <= allowed
        assert len(entry.nodes) == len(set(entry.nodes)) == min(3, len(allowed))
        draining = [by_name[name].draining for name in entry.nodes]
        assert draining == sorted(draining)


@given(st.integers(1, 40), st.integers(3, 6), st.integers(0, 5))
def test_a_death_moves_the_dead_nodes_addresses_and_its_return_none(
    count: int, nodes: int, victim: int
) -> None:
    wanted = groups(count)
    names = NAMES[:nodes]
    dead = names[victim % nodes]
    seen = view(wanted, names)
    decided = place(seen, begin(AnnouncerLists(), now=0), wanted, given={g.key for g in wanted}, now=1)
    seen = follow(decided, seen)
    before = firsts(decided, wanted)
    decided, now = settled(_with(seen, [member(n, alive=n != dead) for n in names]), decided, now=10)
    after = firsts(decided, wanted)
    assert {key for key in before if before[key] != after[key]} == {k for k in before if before[k] == dead}
    followed = follow(decided, _with(seen, [member(n, alive=n != dead) for n in names]))
    returned, _ = settled(_with(followed, [member(n) for n in names]), decided, now=now)
    assert firsts(returned, wanted) == after


def _with(seen: SpreadView, members: list[Member]) -> SpreadView:
    assert seen.observed is not None
    return view(seen.groups.values(), members, claims=seen.observed.claims.values())


@given(st.integers(1, 120), st.integers(1, 6))
def test_what_is_placed_keeps_within_the_bound(count: int, nodes: int) -> None:
    wanted = groups(count)
    decided = place(
        view(wanted, NAMES[:nodes]),
        begin(AnnouncerLists(), now=0),
        wanted,
        given={one.key for one in wanted},
        now=1,
    )
    assert max(Counter(firsts(decided, wanted).values()).values()) <= bound(count, nodes)


@dataclass(slots=True)
class World:
    """A cluster in fast motion: lists, gossip that follows them sooner or later, and faults."""

    rng: Random
    now: float = 10.0
    changed_at: float = 0.0
    members: dict[str, Member] = field(default_factory=dict)
    groups: dict[IPAddress, Group] = field(default_factory=dict)
    seen: SpreadView = field(init=False)
    last: Spread = field(init=False)

    def __post_init__(self) -> None:
        self.members = {name: member(name) for name in NAMES[: self.rng.randint(3, 6)]}
        self.groups = {one.key: one for one in groups(self.rng.randint(1, 20))}
        self.seen = view(self.groups.values(), self.members.values())
        self.last = spread(self.seen, begin(AnnouncerLists(), now=self.now), now=self.now)

    def step(self) -> None:
        self.now += self.rng.choice([0.1, 1, 7, 30])
        steps = [self.fact, self.come, self.go, self.gossip, self.look, self.look, self.look, self.restart]
        self.rng.choice(steps)()

    def fact(self) -> None:
        name = self.rng.choice(list(self.members))
        old = self.members[name]
        self.members[name] = self.rng.choice(
            [
                replace(old, alive=not old.alive),
                replace(old, eligible=not old.eligible),
                replace(old, draining=not old.draining),
                replace(old, cordoned=not old.cordoned),
            ]
        )
        self.changed_at = self.now

    def come(self) -> None:
        one = group(f"198.51.100.{self.rng.randint(1, 250)}")
        if one.key not in self.groups:
            self.groups[one.key] = one
            self.see()
            self.take(place(self.seen, self.last, [one], given={one.key}, now=self.now))

    def go(self) -> None:
        if len(self.groups) > 1:
            del self.groups[self.rng.choice(list(self.groups))]

    def gossip(self) -> None:
        self.see()
        self.seen = follow(self.last, self.seen)

    def look(self) -> None:
        self.see()
        self.take(spread(self.seen, self.last, now=self.now))

    def restart(self) -> None:
        self.last = begin(self.last.lists, now=self.now)

    def see(self) -> None:
        assert self.seen.observed is not None
        claims = {k: c for k, c in self.seen.observed.claims.items() if k in self.groups}
        self.seen = view(
            self.groups.values(),
            self.members.values(),
            claims=claims.values(),
            changed_at=self.changed_at,
            generation=max([self.seen.observed.generation, *(c.generation for c in claims.values())]),
        )

    def take(self, decided: Spread) -> None:
        """Look at what changed, and go on with it."""
        newest = self.last.lists.generation
        for old, new in zip(self.last.lists.shards, decided.lists.shards, strict=True):
            assert new is old or new.generation > newest
            for address, entry in new.entries.items():
                assert entry == old.entries.get(address) or entry.generation > newest
        assert sum(at + WINDOW_S > self.now for at in decided.uneven.moved_at) <= MOVES_MAX
        self.last = decided

    def rest(self) -> None:
        """Everybody well again; lists and gossip must agree, and then be left alone."""
        self.members = {name: member(name) for name in self.members}
        self.now += 5
        for _ in range(200):
            self.see()
            before = (self.last.lists, self.seen.observed)
            self.take(spread(self.seen, self.last, now=self.now))
            self.seen = follow(self.last, self.seen)
            if (self.last.lists, self.seen.observed) == before and self.last.wake_at > self.now + WINDOW_S:
                return
            self.now = max(self.now + 1, min(self.last.wake_at, self.now + 100))
        raise AssertionError("lists and gossip do not come to rest")


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_generations_only_rise_and_lists_and_gossip_come_to_rest(seed: int, steps: int) -> None:
    world = World(Random(seed))
    for _ in range(steps):
        world.step()
    world.rest()
    assert world.seen.observed is not None
    holders = {key: one.node for key, one in world.seen.observed.claims.items()}
    assert holders == firsts(world.last, world.groups.values())
    assert {a for shard in world.last.lists.shards for a in shard.entries} == world.groups.keys()


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_a_holder_that_lives_and_is_well_keeps_its_address(seed: int) -> None:
    """Whoever holds, holds on: claims by anybody are confirmed, none is fought."""
    rng = Random(seed)
    wanted = groups(rng.randint(1, 10))
    decided = spread(view(wanted, NAMES), begin(AnnouncerLists(), now=0), now=10)
    holders = {one.key: NodeName(rng.choice(NAMES)) for one in wanted}
    claims = [claim(key, node, generation=decided.lists.generation) for key, node in holders.items()]
    decided, _ = settled(view(wanted, NAMES, claims=claims), decided, now=20)
    assert firsts(decided, wanted) == holders
