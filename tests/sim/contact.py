"""Who is in contact with whom by gossip, directly or through others, and since when who is not."""

from bareway.model.names import NodeName
from sim.world import World


class Contact:
    """Looked at now and then; ``look`` is cheap enough for ten times a second."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._group: dict[NodeName, int] = {}
        self._apart_since: dict[tuple[NodeName, NodeName], float] = {}
        self._together_since: dict[tuple[NodeName, NodeName], float] = {}

    def look(self) -> None:
        """Take the groups of this moment."""
        names = self._world.names
        group = {name: number for number, name in enumerate(names)}
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                if group[one] != group[other] and self.direct(one, other):
                    old, new = group[other], group[one]
                    group = {name: new if number == old else number for name, number in group.items()}
        self._group = group
        now = self._world.now
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                pair = (one, other)
                if group[one] == group[other]:
                    self._apart_since.pop(pair, None)
                    self._together_since.setdefault(pair, now)
                else:
                    self._together_since.pop(pair, None)
                    self._apart_since.setdefault(pair, now)

    def direct(self, one: NodeName, other: NodeName) -> bool:
        """Whether the two talk to each other on an edge of their own."""
        world = self._world
        return (
            world.edge(one, other) is not None
            and world.network.reaches(one, other)
            and world.network.reaches(other, one)
            and world.hosts[one].running
            and world.hosts[other].running
        )

    def apart_s(self, one: NodeName, other: NodeName) -> float:
        """For how long what the one says has not come to the other; 0 if it does."""
        since = self._apart_since.get((min(one, other), max(one, other)))
        return 0.0 if since is None else self._world.now - since

    def together_s(self, one: NodeName, other: NodeName) -> float:
        """For how long it does; 0 if it does not."""
        since = self._together_since.get((min(one, other), max(one, other)))
        return 0.0 if since is None else self._world.now - since

    def size(self, name: NodeName) -> int:
        """How many are in the group of a host."""
        return sum(number == self._group.get(name) for number in self._group.values())

    def groups(self) -> list[list[NodeName]]:
        """All who run, by who is in contact."""
        found: dict[int, list[NodeName]] = {}
        for name, number in self._group.items():
            if self._world.hosts[name].running:
                found.setdefault(number, []).append(name)
        return list(found.values())

    @property
    def is_one(self) -> bool:
        """Whether all that run are in contact."""
        world = self._world
        return len({self._group.get(name) for name in world.names if world.hosts[name].running}) <= 1
