"""Who answers for each address, by what machines told their programs: kept up to date by every event.

Not covered: a machine that tells to answer and then says no at the reply (fence, quorum); checkers ask that.
"""

from bareway.model.names import IPAddress, NodeName
from sim.hosts import Host
from sim.world import World


class Answers:
    """Of all hosts at this moment, and since when nobody answers the client."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.of: dict[NodeName, frozenset[IPAddress]] = {name: frozenset() for name in world.names}
        """By running host."""
        self.by: dict[IPAddress, list[NodeName]] = {}
        """The same by address, names in order."""
        self.vacant_since: dict[IPAddress, float] = {}
        """Addresses that nobody answers whom the client reaches."""
        self.gaps: list[tuple[IPAddress, float, float]] = []
        """When a vacancy began and ended."""

    def refresh(self, host: Host) -> bool:
        """Look at one host anew; whether something changed."""
        now = frozenset(host.announced) if host.running else frozenset()
        before = self.of[host.name]
        if now == before:
            return False
        self.of[host.name] = now
        for key in before - now:
            self.by[key].remove(host.name)
        for key in now - before:
            self.by[key] = sorted([*self.by.get(key, ()), host.name])
        self.see_vacancies(now ^ before)
        return True

    def see_vacancies(self, keys: frozenset[IPAddress] | set[IPAddress]) -> None:
        """Whether the client gets an answer for these."""
        for key in keys:
            if self.reach_client(key):
                since = self.vacant_since.pop(key, None)
                if since is not None:
                    self.gaps.append((key, since, self._world.now))
            elif key in self._world.wanted:
                self.vacant_since.setdefault(key, self._world.now)
            else:
                self.vacant_since.pop(key, None)

    def reach_client(self, key: IPAddress) -> list[NodeName]:
        """Who of those that answer is on the client's part of the segment."""
        return [name for name in self.by.get(key, ()) if is_reachable(self._world, name)]


def is_reachable(world: World, name: NodeName) -> bool:
    """Whether frames go between a host and the client."""
    return world.segment.part[name] == 0 and world.hosts[name].has_link
