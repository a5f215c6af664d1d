"""The controller in the simulated cluster: it observes gossip and lists by the real decisions, with delays.

It places an address before any speaker sees it, moves what the operator names, and lists anew what gossip
moved. Its writes need a while, and some speakers hear of them later than others.
"""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.members import Member, Observed, members_of
from bareway.decide.announcement.spread import SpreadView, begin, place, spread
from bareway.gossip.observer import Picture
from bareway.model.announcer_lists import AnnouncerLists, Entry, Shard, shard_of
from bareway.model.names import IPAddress, NodeName, ObjectKey, ServiceKey
from bareway.model.nodes import Node
from sim.api import Permitted
from sim.observing import Watcher
from sim.world import World

PAUSE_S = 1.0
WRITE_S = (0.005, 0.05)
LATE_SHARE = 0.2
LATE_S = 3.0


def service_of(key: IPAddress) -> ServiceKey:
    """The Service that has an address."""
    return ObjectKey("shop", f"service-{key}")


class Controller:
    """One that leads all the time; two are simulated in ``sim.control``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(f"controller/{world.seed}")
        self._watcher = Watcher(world)
        self._spread = begin(AnnouncerLists(), now=world.now)
        self._nodes = tuple(Node(name=name) for name in world.names)
        self._stored = AnnouncerLists()
        """As asked to be written."""
        self._seen: tuple[object, ...] = ()
        self._stops_at = float("inf")
        self.away_until = 0.0
        """It reaches neither the API nor anybody until then."""

    def start(self) -> None:
        """Begin to look."""
        self._watcher.want()
        self._world.at(self._world.now + PAUSE_S, self._look)

    def stop_at(self, when: float) -> None:
        """Decide nothing more from then on."""
        self._stops_at = when

    def add(self, key: IPAddress, permitted: Permitted) -> None:
        """A Service gets an address: it is listed, then shown."""
        wanted = {**self._world.wanted, key: permitted}
        groups = self._groups(wanted)
        view = self._view(groups)
        self._spread = place(view, self._spread, [groups[key]], given=frozenset({key}), now=self._world.now)
        self._write()
        self._world.at(self._world.now + 2 * WRITE_S[1], self._show, key, permitted)

    def _show(self, key: IPAddress, permitted: Permitted) -> None:
        self._world.want({**self._world.wanted, key: permitted})

    # ------------------------------------------------------------ deciding

    def _look(self) -> None:
        world = self._world
        if world.now >= self._stops_at:
            return
        world.at(world.now + PAUSE_S, self._look)
        if world.now < self.away_until:
            return
        seen = (self._watcher.observer.version, world.api.objects)
        if seen == self._seen and world.now < self._spread.wake_at:
            return
        self._seen = seen
        self._watcher.want()
        self._spread = spread(self._view(self._groups(world.wanted)), self._spread, now=world.now)
        self._write()

    def _groups(self, wanted: Mapping[IPAddress, Permitted]) -> dict[IPAddress, Group]:
        return {
            key: Group(
                key=key,
                addresses=self._world.addresses_of(key),
                services=(service_of(key),),
                permitted=permitted,
            )
            for key, permitted in wanted.items()
        }

    def _view(self, groups: dict[IPAddress, Group]) -> SpreadView:
        return SpreadView(
            groups=groups,
            nodes=self._nodes,
            observed=self._observed(),
            named=self._world.api.objects.named,
        )

    def _observed(self) -> Observed:
        picture = self._watcher.picture()
        if picture is None:
            inf = float("inf")
            return Observed(members=members_of(self._nodes), changed_at=inf, calm_s=0.0)
        return observed(picture)

    # ------------------------------------------------------------ writing

    def _write(self) -> None:
        generation = self._spread.lists.generation
        self._watcher.observer.knows_lists(generation)
        for number, (new, old) in enumerate(zip(self._spread.lists.shards, self._stored.shards, strict=True)):
            if new is not old and new != old:
                delay_s = self._rng.uniform(*WRITE_S) + max(0.0, self.away_until - self._world.now)
                self._world.at(self._world.now + delay_s, self._written, number, new)
        self._stored = self._spread.lists

    def _written(self, number: int, shard: Shard) -> None:
        late_s: dict[NodeName, float] = {
            name: self._rng.uniform(0.0, LATE_S)
            for name in self._world.names
            if self._rng.random() < LATE_SHARE
        }
        if self._world.api.lists.shards[number].generation < shard.generation:
            self._world.say(f"shard {number:x} is written with generation {shard.generation}")
            self._world.api.write(number, shard, late_s=late_s)


def observed(picture: Picture) -> Observed:
    """In the shape in which lists are decided."""
    return Observed(
        members={
            name: Member(name=name, alive=seen.alive, eligible=seen.eligible, draining=seen.leaving)
            for name, seen in picture.members.items()
        },
        claims=picture.claims,
        joined=picture.joined,
        changed_at=picture.stable_since,
        calm_s=picture.calm_s,
        generation=picture.generation,
    )


def listed(key: IPAddress, nodes: tuple[NodeName, ...], lists: AnnouncerLists, *, generation: int) -> Shard:
    """The shard of a key with another entry."""
    old = lists.shards[shard_of(key)]
    entries = {**old.entries, key: Entry(generation=generation, nodes=nodes)}
    return replace(old, generation=generation, entries=entries)
