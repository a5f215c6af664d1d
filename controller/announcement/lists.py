"""Announcer lists: an address is listed before a Service shows it, and what differs later is written later.

A fresh address costs what its group costs; everything is looked at anew only now and then, when something
that decides has changed. What somebody else wrote into a shard counts as the present list, from which the
next wish begins.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import islice
from math import inf
from typing import Final

from bareway.decide.allocation.verdicts import Granted, Refused
from bareway.decide.announcement.announcers import AnnouncerView, Group, announcers, by_family
from bareway.decide.announcement.moves import MoveRefusal, announce_from
from bareway.decide.announcement.spread import NEW_S, Spread, SpreadView, begin, place, spread, unassigned
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Shard, shard_of
from bareway.model.configuration import Configuration
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import IPAddress, PoolName, ServiceKey
from bareway.model.objects import ConfigMap
from bareway.model.services import Service
from bareway.resources.announcer_lists import read_shard, shard_key, write_shard
from controller.allocation.assumptions import Assumptions
from controller.announcement.fresh import Decided, following, granted, linked
from controller.announcement.gossip import Sight
from controller.announcement.pauses import pause_s
from controller.watch import Watch
from controller.writing import notices
from controller.writing.effects import Effect, Emit, SetIngress, WriteShard
from controller.writing.notices import about_service

logger = logging.getLogger(__name__)

RANKS_MAX: Final = 500_000
"""Ranks computed in one look, half a second: 10,000 addresses are adopted on 500 nodes in ten looks."""
AHEAD_FACTOR: Final = 8
"""For each address that is given so many that follow it are listed: a burst costs one write a shard."""
AHEAD_MAX: Final = 2_048
CROWD: Final = AHEAD_MAX // AHEAD_FACTOR
"""So many at once waited for a controller: what comes after them is not known by that."""
PATIENT_MAX: Final = 4
"""Shards written in one pass that nobody waits for."""
EMPTY: Final = Shard()


class Lists:
    """The lists as they are wanted, and as they are stored."""

    def __init__(
        self,
        *,
        namespace: str,
        load_balancer_class: str | None,
        watch: Watch,
        assumptions: Assumptions[ConfigMap],
        sight: Sight,
    ) -> None:
        self._namespace = namespace
        self._class = load_balancer_class
        self._watch = watch
        self._assumptions = assumptions
        self._sight = sight
        self._read: list[ConfigMap | None] = [None] * SHARDS
        self._stored: list[Shard] = [EMPTY] * SHARDS
        self._asked: list[Shard | None] = [None] * SHARDS
        """What we asked to be written last: to find it there is no news."""
        self._spread: Spread | None = None
        self._waiting: Mapping[ServiceKey, tuple[tuple[IPAddress, ...], Group]] = {}
        """What was placed last and is not stored yet: the addresses given, and their group."""
        self._listed: tuple[AnnouncerLists | None, frozenset[IPAddress]] = (None, frozenset())
        self._ahead: tuple[Group, ...] = ()
        self._ahead_keys: frozenset[IPAddress] = frozenset()
        self._ahead_until = -inf
        self._slices: tuple[int, Mapping[ServiceKey, list[EndpointSlice]]] = (-1, {})
        self._told: Mapping[ServiceKey, MoveRefusal] = {}
        """Which Services are known not to be announced from where they should be."""
        self._seen: tuple[object, ...] = ()
        self._is_stale = True
        self._looked_at = -inf
        self.due_s = inf
        """When to look again though nothing changes."""

    @property
    def lists(self) -> AnnouncerLists:
        """As they are wanted."""
        return self._spread.lists if self._spread is not None else AnnouncerLists()

    @property
    def fresh(self) -> frozenset[IPAddress]:
        """What was given a moment ago, and what may be given next."""
        return frozenset(address for shard in self.lists.shards for address in shard.new)

    def first(
        self, effects: tuple[Effect, ...], decided: Decided, *, has_changed: bool, now: float
    ) -> tuple[Effect, ...]:
        """These effects, after the writes of shards; without those that have to wait for such a write."""
        self._refresh(now)
        fresh = {
            effect.service.key: effect
            for effect in effects
            if isinstance(effect, SetIngress)
            and any(address not in effect.service.ingress for address in effect.addresses)
        }
        listed = {key: write for key, write in fresh.items() if self._is_given(write, decided, now)}
        others = {key: write for key, write in fresh.items() if key not in listed}
        groups = self._placed_anew(others, decided, now)
        if self._looked_at == -inf and len(decided.services) > CROWD:
            self._looked_at = now  # who begins has more urgent things to do; until then nothing moves
        self._look(decided, has_changed=has_changed, placing=len(fresh), now=now)
        self._sight.tell(generation=self.lists.generation)
        waiting = {key for key, group in groups.items() if not self._is_stored(group, fresh[key])}
        self._waiting = {key: (fresh[key].addresses, groups[key]) for key in waiting}
        waiting |= {key for key, write in listed.items() if not _has(self._stored, write.addresses[0])}
        rest = (one for one in effects if not (isinstance(one, SetIngress) and one.service.key in waiting))
        needed = {shard_of(groups[key].key if key in groups else fresh[key].addresses[0]) for key in waiting}
        return (*self._writes(needed, now), *self._unmoved(decided), *rest)

    # ------------------------------------------------------------ what is stored

    def _refresh(self, now: float) -> None:
        """Take in what others wrote; the very first time that is everything."""
        self._assumptions.prune(self._watch.lists.objects)
        shown = self._assumptions.shown(self._watch.lists.objects)
        wanted = list(self.lists.shards)
        for number in range(SHARDS):
            found = shown.get(shard_key(self._namespace, number))
            if found is self._read[number]:
                continue
            self._read[number] = found
            asked = self._asked[number]
            if found is not None and asked is not None and found.data == write_shard(asked):
                self._stored[number] = asked  # the same object is compared in no time
                continue
            self._stored[number] = _content(found)
            if self._stored[number] != wanted[number]:
                wanted[number] = self._stored[number]
                self._is_stale = True
        if self._spread is None:
            self._spread = begin(AnnouncerLists(tuple(wanted)), now=now)
        elif any(one is not other for one, other in zip(wanted, self.lists.shards, strict=True)):
            self._spread = replace(self._spread, lists=AnnouncerLists(tuple(wanted)))

    def _given_at(self, address: IPAddress) -> float:
        return self._spread.given_at.get(address, -inf) if self._spread is not None else -inf

    def _is_stored(self, group: Group, write: SetIngress) -> bool:
        entries = self._stored[shard_of(group.key)].entries
        listed = {*group.addresses, *group.idle}
        return all(address in entries for address in write.addresses if address in listed)

    def _writes(self, needed: AbstractSet[int], now: float) -> Iterator[WriteShard]:
        """What differs; of that for which no Service waits only some: a new one would wait for all of it."""
        patient = 0
        for number in (*sorted(needed), *(one for one in range(SHARDS) if one not in needed)):
            wanted, stored = self.lists.shards[number], self._stored[number]
            if wanted is stored or wanted == stored:
                continue
            patient += number not in needed
            if patient > PATIENT_MAX:
                self.due_s = now
                return
            self._asked[number] = wanted
            read = self._read[number]
            over = read.resource_version if read is not None else ""
            yield WriteShard(key=shard_key(self._namespace, number), over=over, shard=wanted)

    def _unmoved(self, decided: Decided) -> Iterator[Emit]:
        """Who is not announced from where the operator wants it: told when the reason is another one."""
        assert self._spread is not None  # noqa: S101 - refreshed just before
        before, self._told = self._told, self._spread.unmoved
        if self._told is before:
            return
        for key, why in sorted(self._told.items()):
            service = decided.services.get(key)
            if service is not None and before.get(key) is not why:
                yield Emit(about=about_service(service), notice=notices.not_moved(service, why))

    # ------------------------------------------------------------ fresh addresses

    def _is_given(self, write: SetIngress, decided: Decided, now: float) -> bool:
        """Whether it is listed as given: a lone address, for which nothing else can differ."""
        address, *others = write.addresses
        shard = self.lists.shards[shard_of(address)]
        return (
            not others
            and address in shard.new
            and now < self._given_at(address) + NEW_S / 2
            and len(decided.allocation.holders.get(address, ())) == 1
        )

    def _placed_anew(
        self, fresh: Mapping[ServiceKey, SetIngress], decided: Decided, now: float
    ) -> dict[ServiceKey, Group]:
        """Their groups; what waits for its shard since the last time is not placed again."""
        placed = {
            key: group
            for key, (addresses, group) in self._waiting.items()
            if key in fresh and fresh[key].addresses == addresses and self._is_listed(group.key)
        }
        others = {key: write for key, write in fresh.items() if key not in placed}
        return {**placed, **(self._place(others, decided, now) if others else {})}

    def _place(
        self, fresh: Mapping[ServiceKey, SetIngress], decided: Decided, now: float
    ) -> dict[ServiceKey, Group]:
        """List them; the group of each Service that is about to show one, but not those of BGP."""
        assert self._spread is not None  # noqa: S101 - refreshed just before
        waiting = self._who_waits(fresh, decided)
        keys = linked([*fresh, *waiting], decided.allocation)
        services = [
            replace(decided.services[key], ingress=granted(decided.allocation, key))
            for key in keys
            if key in decided.services
        ]
        found = announcers(self._view(decided, services, all_slices=False))
        every = {**found.groups, **found.resting}
        by_address = {a: group for group in every.values() for a in (*group.addresses, *group.idle)}
        given = {
            address
            for key in (*fresh, *waiting)
            for address in granted(decided.allocation, key)
            if address not in decided.services[key].ingress and address in by_address
        }
        if len(given) <= CROWD and self._has_no_room(given, now):
            self._look_ahead(fresh.values(), decided, now)
        view = self._spread_view(decided.configuration, every, services, now)
        self._spread = place(view, self._spread, every.values(), given=given, now=now)
        return {
            key: by_address[address]
            for key, write in fresh.items()
            for address in write.addresses
            if address in by_address
        }

    def _who_waits(self, fresh: Mapping[ServiceKey, SetIngress], decided: Decided) -> list[ServiceKey]:
        """Those whose turn comes later: of thousands that wait each shard is written once, not each pass."""
        if len(fresh) <= CROWD:
            return []
        room = max(0, RANKS_MAX // max(1, len(self._watch.nodes.objects)) - len(fresh))
        waiting = (
            key
            for key, service in decided.services.items()
            if key not in fresh and any(a not in service.ingress for a in granted(decided.allocation, key))
        )
        return [*islice(waiting, room)]

    def _has_no_room(self, given: Iterable[IPAddress], now: float) -> bool:
        """Whether somebody came by an address that is neither listed nor to be listed with its shard."""
        ahead = self._ahead_keys if now < self._ahead_until else frozenset[IPAddress]()
        return any(address not in ahead and not self._is_listed(address) for address in given)

    def _look_ahead(self, writes: Iterable[SetIngress], decided: Decided, now: float) -> None:
        """The addresses that follow those that are given now, pool by pool."""
        last: dict[PoolName, IPAddress] = {}
        count: dict[PoolName, int] = {}
        for write in writes:
            verdict = decided.allocation.verdicts.get(write.service.key)
            if isinstance(verdict, Granted):
                for address, name in zip(verdict.addresses, verdict.pools, strict=True):
                    last[name] = max(address, last.get(name, address), key=by_family)
                    count[name] = count.get(name, 0) + 1
        # Who has used up what was listed ahead a moment ago is in the midst of a burst.
        factor = AHEAD_MAX if now < self._ahead_until else AHEAD_FACTOR
        coming = [
            address
            for name, address in last.items()
            for address in following(address, min(AHEAD_MAX, factor * count[name]))
            if address not in decided.allocation.holders
        ]
        nodes = self._watch.nodes.objects.values()
        self._ahead = unassigned(decided.configuration, nodes, coming)
        self._ahead_keys = frozenset(group.key for group in self._ahead)
        self._ahead_until = now + NEW_S

    # ------------------------------------------------------------ everything

    def _look(self, decided: Decided, *, has_changed: bool, placing: int, now: float) -> None:
        """Look at everything, if something that decides has changed and the last time is long enough ago."""
        assert self._spread is not None  # noqa: S101 - refreshed just before
        watch = self._watch
        seen = (decided.configuration, watch.nodes.updates, watch.slices.updates, self._sight.version)
        if has_changed or seen != self._seen:
            self._seen, self._is_stale = seen, True
        if self._ahead and now >= self._ahead_until:
            self._ahead, self._is_stale = (), True  # what of it nobody was given goes from the lists
        waits_s = pause_s(len(decided.services), is_placing=placing > 0, is_crowd=placing > CROWD)
        due_at = self._looked_at + waits_s
        if now >= due_at and (self._is_stale or now >= self._spread.wake_at):
            self._looked_at, due_at = now, now + pause_s(len(decided.services))
            services = [*self._settled(decided)]
            found = announcers(self._view(decided, services, all_slices=True))
            self._sight.tell(generation=self.lists.generation, wanted=found.groups)
            every = {**found.groups, **found.resting}
            some = self._bounded(every)
            self._is_stale = len(some) < len(every)
            view = self._spread_view(decided.configuration, some, services, now)
            self._spread = spread(view, self._spread, now=now)
        wake_at = now if self._is_stale else self._spread.wake_at
        self.due_s = max(min(wake_at, self._ahead_until if self._ahead else inf), due_at)

    def _bounded(self, groups: Mapping[IPAddress, Group]) -> Mapping[IPAddress, Group]:
        """All that are listed, and of the others so many as one look can take up.

        Until it is listed an address is announced by rank, and that is how it is adopted: nothing moves.
        """
        room = max(1, RANKS_MAX // max(1, len(self._watch.nodes.objects)))
        if len(groups) <= room:
            return groups
        fresh = (key for key, one in groups.items() if not self._lists_any(one))
        left = {*islice(fresh, room, None)}
        return {key: one for key, one in groups.items() if key not in left}

    def _lists_any(self, group: Group) -> bool:
        return any(map(self._is_listed, (*group.addresses, *group.idle)))

    def _settled(self, decided: Decided) -> Iterator[Service]:
        """The Services with what they show or are about to; a fresh address is placed before it counts."""
        for service in decided.services.values():
            match decided.allocation.verdicts.get(service.key):
                case Granted(addresses=granted):
                    addresses = tuple(a for a in granted if a in service.ingress or self._is_listed(a))
                    changed = addresses != service.ingress
                    yield replace(service, ingress=addresses) if changed else service
                case Refused():
                    pass
                case None if service.key not in decided.allocation.released:
                    yield service
                case None:
                    pass

    def _is_listed(self, address: IPAddress) -> bool:
        if self._listed[0] is not self.lists:
            entries = (shard.entries for shard in self.lists.shards)
            self._listed = self.lists, frozenset().union(*entries)
        return address in self._listed[1]

    # ------------------------------------------------------------ views

    def _view(self, decided: Decided, services: list[Service], *, all_slices: bool) -> AnnouncerView:
        slices = self._watch.slices.objects.values()
        by_service = None if all_slices else self._slices_by_service()
        return AnnouncerView(
            configuration=decided.configuration,
            services=services,
            slices=slices
            if by_service is None
            else [one for service in services for one in by_service.get(service.key, ())],
            nodes=self._watch.nodes.objects.values(),
            load_balancer_class=self._class,
        )

    def _slices_by_service(self) -> Mapping[ServiceKey, list[EndpointSlice]]:
        updates = self._watch.slices.updates
        if self._slices[0] != updates:
            found: dict[ServiceKey, list[EndpointSlice]] = {}
            for one in self._watch.slices.objects.values():
                if one.service is not None:
                    found.setdefault(one.service, []).append(one)
            self._slices = (updates, found)
        return self._slices[1]

    def _spread_view(
        self,
        configuration: Configuration,
        groups: Mapping[IPAddress, Group],
        services: Iterable[Service],
        now: float,
    ) -> SpreadView:
        return SpreadView(
            groups=groups,
            nodes=tuple(self._watch.nodes.objects.values()),
            observed=self._sight.observed(now=now),
            named=announce_from(services),
            ahead=self._ahead if now < self._ahead_until else (),
            on_cordon=configuration.layer2.on_cordon,
        )


def _has(shards: Sequence[Shard], address: IPAddress) -> bool:
    """Whether a lone address is listed where it belongs."""
    return address in shards[shard_of(address)].entries


def _content(config_map: ConfigMap | None) -> Shard:
    found = read_shard(config_map) if config_map is not None else EMPTY
    if isinstance(found, Shard):
        return found
    problems = [*map(str, found)]
    logger.error("an announcer list cannot be read and is written anew", extra={"problems": problems})
    return EMPTY
