"""What must be true once all is calm: views and claims are equal, one answers each address, clients know it.

I5 of the plan, and that what the newest list wishes has come true.
"""

from typing import NoReturn

from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from sim.answers import Answers, is_reachable
from sim.api import entry_of
from sim.broken import broken
from sim.hosts import Host
from sim.world import World


class Ending:
    """The end of one history."""

    def __init__(self, world: World, answers: Answers) -> None:
        self._world = world
        self._answers = answers

    def look(self) -> None:
        """At everything."""
        self._look_at_views()
        for key in self._world.wanted:
            self._look_at_address(key)

    def _look_at_views(self) -> None:
        running = {host.name for host in self._world.hosts.values() if host.running}
        claims: dict[NodeName, object] = {}
        for name in sorted(running):
            process = self._world.hosts[name].process
            assert process is not None
            living = {member.name for member in process.members() if member.lives}
            if living != running:
                self._broken(f"{name} holds {sorted(living)} alive, {sorted(running)} are")
            claims[name] = process.claims()
        for name, table in claims.items():
            first = min(claims)
            if table != claims[first]:
                self._broken(f"the claims of {name} and {first} differ: {table} {claims[first]}")

    def _look_at_address(self, key: IPAddress) -> None:
        world = self._world
        eligible = self._eligible(key)
        names = world.answering(key)
        if len(names) != min(len(eligible), 1):
            self._broken(f"{key} is answered by {names}, eligible {[host.name for host in eligible]}")
        if not names:
            return
        owner = world.hosts[names[0]]
        if owner not in eligible:
            self._broken(f"{key} is answered by {owner.name}, which may not")
        if owner.facts.leaving and not all(host.facts.leaving for host in eligible):
            self._broken(f"{key} is still answered by {owner.name}, which leaves")
        self._look_at_list(key, owner, eligible)
        self._look_at_clients(key, owner)

    def _eligible(self, key: IPAddress) -> list[Host]:
        world, permitted = self._world, self._world.wanted[key]
        running = [host for host in world.hosts.values() if host.running]
        if world.partition is Partition.SAFE:
            running = [host for host in running if self._hears_a_majority(host, running)]
        return [
            host
            for host in running
            if host.facts.ready and host.facts.able and (permitted is None or host.name in permitted)
        ]

    def _hears_a_majority(self, host: Host, running: list[Host]) -> bool:
        """Itself: what others tell of others is no voice."""
        reaches = self._world.network.reaches
        heard = [
            one
            for one in running
            if one is host or (reaches(one.name, host.name) and reaches(host.name, one.name))
        ]
        return 2 * len(heard) > len(self._world.names)

    def _look_at_list(self, key: IPAddress, owner: Host, eligible: list[Host]) -> None:
        """A newer list than the claim has its way."""
        world, entry = self._world, entry_of(self._world.api.lists, key)
        if entry is None or world.api.away:
            return
        assert owner.process is not None
        claim = next(claim for claim in owner.process.claims() if claim.address == key)
        willing = {host.name for host in eligible if not host.facts.leaving}
        first = next((name for name in entry.nodes if name in willing), None)
        if first not in {None, owner.name} and entry.generation > claim.generation:
            self._broken(f"{key} is answered by {owner.name} by {claim}, listed is {entry}")

    def _look_at_clients(self, key: IPAddress, owner: Host) -> None:
        world = self._world
        others = any(host.is_lax for host in world.hosts.values()) or world.segment.strangers
        if others or not is_reachable(world, owner.name):
            return
        macs = {host.mac: host for host in world.hosts.values()}
        for address in world.addresses_of(key):
            cached = world.segment.clients[0].cache.get(address)
            if cached not in {None, owner.mac} and macs[cached].running:
                self._broken(f"the client asks {macs[cached].name} for {address}, not {owner.name}")

    def _broken(self, text: str) -> NoReturn:
        broken(self._world, self._world.seed, text)
