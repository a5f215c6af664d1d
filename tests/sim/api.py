"""The API server as speakers and the controller see it: objects, announcer lists in sixteen shards, marks.

Each speaker watches, each shard by itself: what changed comes late, later to some, and to those whose API is
away not at all until it is back; then it is the newest. Nothing that was seen is unseen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeAlias

from bareway.gossip.events import ListsKnown, Wanted, Wish
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard, shard_of
from bareway.model.names import IPAddress, NodeName, ServiceKey
from sim.hosts import Host
from sim.timeline import Timeline

Permitted: TypeAlias = frozenset[NodeName] | None
NOTICED_S = 1.5
"""So long after the API went away a speaker sees that it is."""
DELAY_S = (0.001, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Services, endpoints and Nodes, as far as announcing goes."""

    wanted: Mapping[IPAddress, Permitted] = field(default_factory=dict)
    drained: frozenset[NodeName] = frozenset()
    unusable: frozenset[NodeName] = frozenset()
    """With the condition NetworkUnavailable."""
    named: Mapping[ServiceKey, NodeName] = field(default_factory=dict)
    """``announce-from``; read by the controller only."""


@dataclass(slots=True)
class Mirror:
    """What one speaker has seen."""

    objects: Objects = Objects()
    shards: list[Shard] = field(default_factory=lambda: [Shard()] * SHARDS)
    versions: list[int] = field(default_factory=lambda: [0] * (SHARDS + 1))
    """Of each shard, and of the objects."""
    is_synced: bool = False
    is_current: bool = True

    def wanted(self) -> Wanted:
        """As the speaker tells its machine."""
        generation = max(shard.generation for shard in self.shards)
        lists = ListsKnown(generation=generation, exist=generation > 0, current=self.is_current)
        return Wanted(addresses={key: self._wish(key) for key in self.objects.wanted}, lists=lists)

    def _wish(self, key: IPAddress) -> Wish:
        permitted = self.objects.wanted[key]
        shard = self.shards[shard_of(key)]
        entry = shard.entries.get(key, Entry(generation=0))
        return Wish(
            tiers=None if permitted is None else (permitted,),
            generation=entry.generation,
            nodes=entry.nodes,
            is_new=key in shard.new,
        )


class Api:
    """The truth, and who hears of it when."""

    def __init__(
        self,
        timeline: Timeline,
        hosts: Mapping[NodeName, Host],
        on_news: Callable[[Host], None],
        rng: Random,
    ) -> None:
        self._timeline = timeline
        self._on_news = on_news
        self._rng = rng
        self._hosts = hosts
        self._number = 0
        self._versions = [0] * (SHARDS + 1)
        self.objects = Objects()
        self.lists = AnnouncerLists()
        self.away: set[NodeName] = set()
        """Speakers that do not reach it."""
        self.slow_s: dict[NodeName, float] = {}
        """How much later than usual a speaker hears."""
        self.mirrors: dict[NodeName, Mirror] = {}

    # ------------------------------------------------------------ watching

    def start(self, host: Host, lag_s: float) -> None:
        """A process starts with empty caches, and lists all after ``lag_s``."""
        self.mirrors[host.name] = Mirror(is_current=host.name not in self.away)
        self._timeline.at(self._timeline.now + lag_s, self._sync, host, host.life)

    def go_away(self, host: Host) -> None:
        """The API is out of reach for a speaker."""
        self.away.add(host.name)
        self._timeline.at(self._timeline.now + NOTICED_S, self._notice, host, host.life)

    def come_back(self, host: Host) -> None:
        """It can be reached again: everything is listed anew."""
        self.away.discard(host.name)
        at = self._timeline.now + self._delay(host)
        self._timeline.at(at, self._sync, host, host.life)

    def change(self, *, tell: Iterable[NodeName] | None = None, **changes: object) -> None:
        """The objects change; only those to ``tell`` (None: all) hear of it, others with the next."""
        self.objects = replace(self.objects, **changes)  # type: ignore[arg-type]  # names and types are those of Objects
        self._announce(SHARDS, tell=tell)

    def write(self, number: int, shard: Shard, *, late_s: Mapping[NodeName, float] | None = None) -> None:
        """A shard of the lists is written; some speakers may hear of it later than usual."""
        shards = list(self.lists.shards)
        shards[number] = shard
        self.lists = AnnouncerLists(tuple(shards))
        self._announce(number, late_s=late_s)

    def _announce(
        self,
        part: int,
        *,
        late_s: Mapping[NodeName, float] | None = None,
        tell: Iterable[NodeName] | None = None,
    ) -> None:
        self._number += 1
        self._versions[part] = self._number
        content = self.objects if part == SHARDS else self.lists.shards[part]
        for host in self._hosts.values() if tell is None else [self._hosts[name] for name in tell]:
            at = self._timeline.now + self._delay(host) + (late_s or {}).get(host.name, 0.0)
            self._timeline.at(at, self._hear, host, host.life, part, self._number, content)

    def _delay(self, host: Host) -> float:
        return self._rng.uniform(*DELAY_S) + self.slow_s.get(host.name, 0.0)

    def _hear(self, host: Host, life: int, part: int, number: int, content: Objects | Shard) -> None:
        mirror = self.mirrors.get(host.name)
        if host.life != life or mirror is None or not mirror.is_synced or host.name in self.away:
            return
        if mirror.versions[part] < number:  # a watch never goes back
            mirror.versions[part] = number
            if isinstance(content, Objects):
                mirror.objects = content
            else:
                mirror.shards[part] = content
            self._on_news(host)

    def _sync(self, host: Host, life: int) -> None:
        mirror = self.mirrors.get(host.name)
        if host.life != life or mirror is None or host.name in self.away:
            return
        mirror.objects, mirror.shards = self.objects, list(self.lists.shards)
        mirror.versions = list(self._versions)
        mirror.is_synced = mirror.is_current = True
        self._on_news(host)

    def _notice(self, host: Host, life: int) -> None:
        if host.life == life and host.name in self.away:
            self.mirrors[host.name].is_current = False
            self._on_news(host)


def entry_of(lists: AnnouncerLists, key: IPAddress) -> Entry | None:
    """What is listed for a key."""
    return lists.shards[shard_of(key)].entries.get(key)
