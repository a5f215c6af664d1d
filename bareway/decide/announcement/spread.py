"""Announcer lists: for every group of addresses the nodes that shall announce it, in order.

First comes the class of a node (``members``), then whoever holds the group now, then the bounded load and
MetalLB's rank (``loads``). Two ways in: ``place`` lists new addresses at once, before any status shows them,
and touches nothing else; ``spread`` looks at everything, moves what must move, and gathers what can wait.

A holder is who claims it in gossip; while a list is newer than the claim, the move that it asks for is still
on its way and its first node counts. Where neither claim nor entry tells, another load balancer announced the
address, and MetalLB's rank tells from where: so a take-over moves nothing. Without an observer in gossip
every Node counts as a living member, and an entry whose first node stays is left alone.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import Final

from bareway.decide.announcement import moves
from bareway.decide.announcement.announcers import AnnouncerView, Group, announcers, by_family
from bareway.decide.announcement.drafts import Draft, Drafting
from bareway.decide.announcement.layer2_pools import Layer2Pools
from bareway.decide.announcement.loads import Loads
from bareway.decide.announcement.members import Fields, Member, Observed, members_of
from bareway.decide.announcement.rebalance import EVEN, Unevenness, even_out
from bareway.model.announcer_lists import AnnouncerLists, Shard, shard_of
from bareway.model.configuration import Configuration, OnCordon
from bareway.model.names import IPAddress, NodeName, ObjectKey, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service

NEW_S: Final = 60.0
"""An address counts as new for so long after it was given."""
MARKS_S: Final = 5.0
"""Those given within so many seconds cease to be new together: one look at everything after a burst."""
SETTLE_S: Final = 2.0
"""A new wish for an entry counts after this: longer than a crashed speaker's claims stay its own."""
GATHER_S: Final = 5.0
"""What then differs is written after this, all of it at once: what gossip moved is listed within 10 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadView:
    """What the wish depends on, at one moment."""

    groups: Mapping[IPAddress, Group]
    """Every group, announced or resting, with the addresses that are about to be shown."""
    nodes: tuple[Node, ...]
    observed: Observed | None = None
    """None = no observer in gossip."""
    named: Mapping[ServiceKey, NodeName] = field(default_factory=dict)
    """Where the operator wants Services announced (``moves.announce_from``)."""
    ahead: tuple[Group, ...] = ()
    """Addresses likely to be given next (``unassigned``): listed with others of their shard, so that a burst
    of new Services costs one write a shard."""
    ignore_exclude_label: bool = False
    on_cordon: OnCordon = OnCordon.KEEP

    @property
    def members(self) -> Mapping[NodeName, Member]:
        """Whom to reckon with."""
        if self.observed is not None:
            return self.observed.members
        return members_of(
            self.nodes, ignore_exclude_label=self.ignore_exclude_label, on_cordon=self.on_cordon
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The wish, and what must be remembered to wish again."""

    lists: AnnouncerLists
    loads: Loads = field(default_factory=Loads)
    """By these lists; not to be changed."""
    given_at: Mapping[IPAddress, float] = field(default_factory=dict)
    """When each new address was given."""
    differs_since: float | None = None
    """Since when the lists are not what they should be, with nothing that cannot wait."""
    wavering: Mapping[IPAddress, float] = field(default_factory=dict)
    """Groups for which another entry is wished, and since when."""
    uneven: Unevenness = EVEN
    unmoved: Mapping[ServiceKey, moves.MoveRefusal] = field(default_factory=dict)
    """Services that are not announced from the node that the operator named, and why."""
    wake_at: float = inf
    """When to call ``spread`` again even if nothing changes."""


def begin(lists: AnnouncerLists, *, now: float) -> Spread:
    """What a controller starts from that has read ``lists``."""
    given_at = {address: now for shard in lists.shards for address in shard.new}
    return Spread(lists=lists, given_at=given_at, wake_at=now)


def unassigned(
    configuration: Configuration, nodes: Iterable[Node], addresses: Iterable[IPAddress]
) -> tuple[Group, ...]:
    """Groups of addresses that no Service has yet, for ``SpreadView.ahead``.

    Addresses of one pool differ in nothing else, so one of them is decided upon: thousands are listed ahead
    while somebody waits.
    """
    pools = Layer2Pools(configuration.pools)
    by_pool: dict[int, list[IPAddress]] = {}
    for address in sorted(addresses, key=by_family):
        place = pools.find(address)
        if place is not None and pools.on_link(place):
            by_pool.setdefault(place, []).append(address)
    firsts = [Service(key=ObjectKey("", str(found[0])), ingress=(found[0],)) for found in by_pool.values()]
    view = AnnouncerView(configuration=configuration, services=firsts, slices=None, nodes=nodes)
    decided = announcers(view).groups
    groups = [
        replace(decided[found[0]], key=address, addresses=(address,), services=())
        for found in by_pool.values()
        for address in found
    ]
    return tuple(sorted(groups, key=lambda group: by_family(group.key)))


def is_calm(view: SpreadView, *, now: float) -> bool:
    """Whether what is seen is sure enough to change entries that exist."""
    seen = view.observed
    if seen is None:
        return True
    joined = seen.joined & {node.name for node in view.nodes}
    alive = sum(seen.members[name].alive for name in joined if name in seen.members)
    return now >= seen.changed_at + seen.calm_s and 2 * alive > len(joined)


def place(
    view: SpreadView, last: Spread, groups: Iterable[Group], *, given: AbstractSet[IPAddress], now: float
) -> Spread:
    """List those of ``groups`` that are not: write the shards that changed before any status shows them.

    ``given`` are the addresses among them that a Service has just been given. Cost grows with ``groups`` and
    the nodes, not with what is listed already.
    """
    drafting = _drafting(view, last.lists, loads=last.loads, now=now)
    shards = last.lists.shards
    drafts = []
    for group in sorted(groups, key=lambda group: by_family(group.key)):
        draft = drafting.draft(group, given=given)
        if draft.lacks(last.lists) or (given & set(draft.addresses)) - shards[draft.shard].new:
            drafts.append(draft)
    touched = {draft.shard for draft in drafts}
    drafts += [
        drafting.draft(group, given={group.key})
        for group in view.ahead
        if shard_of(group.key) in touched and group.key not in given
        if group.key not in shards[shard_of(group.key)].entries
    ]
    new = given | {group.key for group in view.ahead}
    marked_at = ceil(now / MARKS_S) * MARKS_S
    lists = _with(last.lists, drafts, new=new, generation=_next_generation(view, last.lists))
    return replace(
        last,
        lists=lists,
        loads=drafting.loads,
        given_at={**last.given_at, **dict.fromkeys(given, marked_at)},
        wake_at=min(last.wake_at, marked_at + NEW_S) if given else last.wake_at,
    )


def spread(view: SpreadView, last: Spread, *, now: float) -> Spread:
    """What the lists should be now; those of ``last`` while nothing must change or everything can wait."""
    if not is_calm(view, now=now):
        return _hold_still(view, last, now=now)
    drafting = _drafting(view, last.lists, loads=Loads(), now=now)
    known = {address for group in view.groups.values() for address in (*group.addresses, *group.idle)}
    ahead = [g for g in view.ahead if g.key not in known and last.lists.entry((), g.key) is not None]
    drafts = drafting.draft_all(sorted((*view.groups.values(), *ahead), key=lambda g: by_family(g.key)))
    uneven = EVEN
    if view.observed is not None:
        uneven = even_out(drafts, drafting.loads, last.uneven, now=now)
    wavering: dict[IPAddress, float] = {}
    for draft in drafts:
        drafting.line_up(draft)
        if draft.wavers:
            wavering[draft.group.key] = last.wavering.get(draft.group.key, now)
            if now < wavering[draft.group.key] + SETTLE_S:
                draft.hold()
    given_at = {a: at for a, at in last.given_at.items() if at + NEW_S > now and a in known}
    new = {*given_at, *(group.key for group in ahead)}
    lists = _replaced(last.lists, drafts, new=new, generation=_next_generation(view, last.lists))
    differs_since = None if lists is last.lists else now if last.differs_since is None else last.differs_since
    urgent = _is_but_old(lists, last.lists) or any(draft.cannot_wait(last.lists) for draft in drafts)
    waits = differs_since is not None and not urgent and now < differs_since + GATHER_S
    after = Spread(
        lists=last.lists if waits else lists,
        loads=drafting.loads,
        given_at=last.given_at if waits else given_at,
        differs_since=differs_since if waits else None,
        wavering=wavering,
        uneven=uneven,
        unmoved=moves.refusals(view.groups, view.named, view.members, drafting.fields),
    )
    return replace(after, wake_at=_wake_at(after, now=now))


def _hold_still(view: SpreadView, last: Spread, *, now: float) -> Spread:
    """The view may be wrong: only what has no entry is listed, by rank alone."""
    shards = last.lists.shards
    missing = [group for key, group in view.groups.items() if key not in shards[shard_of(key)].entries]
    after = place(view, last, missing, given=frozenset(), now=now)
    calm_at = inf if view.observed is None else view.observed.changed_at + view.observed.calm_s
    return replace(after, wake_at=calm_at if calm_at > now else inf)


def _drafting(view: SpreadView, lists: AnnouncerLists, *, loads: Loads, now: float) -> Drafting:
    return Drafting(
        lists=lists,
        fields=Fields(view.members, view.nodes),
        loads=Loads.of(loads.firsts, loads.follows),
        claims=view.observed.claims if view.observed is not None else {},
        named=view.named,
        observed=view.observed is not None,
        evenly=is_calm(view, now=now),
    )


def _next_generation(view: SpreadView, lists: AnnouncerLists) -> int:
    """Above all that was ever written, as far as the shards and gossip know."""
    heard = view.observed.generation if view.observed is not None else 0
    return 1 + max(lists.generation, heard)


def _with(
    lists: AnnouncerLists, drafts: Iterable[Draft], *, new: AbstractSet[IPAddress], generation: int
) -> AnnouncerLists:
    """The same lists and ``drafts``."""
    shards = list(lists.shards)
    by_shard: dict[int, list[Draft]] = {}
    for draft in drafts:
        by_shard.setdefault(draft.shard, []).append(draft)
    for number, added in by_shard.items():
        old = shards[number]
        entries = {address: draft.entry(generation) for draft in added for address in draft.addresses}
        shards[number] = Shard(
            generation=generation,
            entries={**old.entries, **entries},
            new=old.new | (new & entries.keys()),
            adopted=old.adopted | {draft.group.key for draft in added if draft.adopted},
        )
    return AnnouncerLists(tuple(shards)) if by_shard else lists


def _replaced(
    lists: AnnouncerLists, drafts: Iterable[Draft], *, new: AbstractSet[IPAddress], generation: int
) -> AnnouncerLists:
    """Lists of ``drafts`` and nothing else; the same object where nothing differs."""
    fresh = _with(AnnouncerLists(), drafts, new=new, generation=generation)
    shards = tuple(
        old if _alike(old, shard) else replace(shard, generation=generation)
        for old, shard in zip(lists.shards, fresh.shards, strict=True)
    )
    same = all(old is shard for old, shard in zip(lists.shards, shards, strict=True))
    return lists if same else AnnouncerLists(shards)


def _is_but_old(one: AnnouncerLists, other: AnnouncerLists) -> bool:
    """Whether nothing differs but what is new: those that cease to be did so together (MARKS_S)."""
    return all(
        shard.entries == old.entries and shard.adopted == old.adopted
        for shard, old in zip(one.shards, other.shards, strict=True)
    )


def _alike(one: Shard, other: Shard) -> bool:
    return one.entries == other.entries and one.new == other.new and one.adopted == other.adopted


def _wake_at(after: Spread, *, now: float) -> float:
    ends = [at + NEW_S for at in after.given_at.values()]
    ends += [since + SETTLE_S for since in after.wavering.values()]
    ends += [] if after.differs_since is None else [after.differs_since + GATHER_S]
    return min([after.uneven.wake_at(now=now), *(end for end in ends if end > now)])
