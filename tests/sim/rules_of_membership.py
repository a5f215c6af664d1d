"""What must hold of the view: versions, deaths, refutations, accusations, and the budget of messages.

I1, I2, I3, I8 and I9 of the plan: an incarnation is raised by its owner alone and never goes back; who is
declared dead was suspected for long enough, or somebody else declared it; who is heard is not dead; a member
in calm sends little more than its heartbeats; who was not awake accuses nobody.
"""

from typing import NoReturn

from bareway.gossip.events import MemberChanged
from bareway.gossip.member import MemberReason, MemberState
from bareway.model.names import NodeName
from sim.broken import broken
from sim.contact import Contact
from sim.hosts import Host
from sim.world import World

LAG_DIVISOR = 3
"""A turn later than planned by a third of the silence is a pause."""
HEARD_S = 1.5
"""Who is in contact for so long is held alive: refutation, also with retransmissions."""
BUDGET_FACTOR = 1.3
"""Of the heartbeats, in calm: with push-pulls, probes and the side told anew."""
BUDGET_MORE = 25
STORM_FACTOR = 12
"""Of the heartbeats, in the worst second; floods stay bounded."""
STORM_MORE = 400
CALM_S = 6.0
VIEW_S = 0.3
"""What is wrong in a view stays wrong for longer."""


class RulesOfMembership:
    """Of one world."""

    def __init__(self, world: World, contact: Contact) -> None:
        self._world = world
        self._contact = contact
        self._versions: dict[NodeName, tuple[int, int]] = {}
        self._suspected_at: dict[tuple[NodeName, NodeName], float] = {}
        self._declared: set[NodeName] = set()
        """Who was ever declared dead by a member for its own suspicion."""
        self._sent: dict[NodeName, int] = dict.fromkeys(world.names, 0)
        self._sent_at = 0.0
        self._viewed_at = 0.0

    def changed(self, host: Host, change: MemberChanged) -> None:
        """A member holds another otherwise than before."""
        now, pair = self._world.now, (host.name, change.name)
        match change.state:
            case MemberState.SUSPECT:
                self._suspected_at[pair] = now
                if change.reason is MemberReason.SILENT:
                    self._look_at_lag(host, change.name)
            case MemberState.DEAD:
                self._look_at_death(host, change)
            case MemberState.ALIVE | MemberState.LEFT:
                self._suspected_at.pop(pair, None)

    def _look_at_lag(self, host: Host, name: NodeName) -> None:
        profile = self._world.profile
        lag_s = self._world.now - host.last_turn - profile.interval_s
        if lag_s > profile.silence_s / LAG_DIVISOR:
            self._broken(f"{host.name} accuses {name} although it was away itself for {lag_s:.3f} s")

    def _look_at_death(self, host: Host, change: MemberChanged) -> None:
        if change.reason is MemberReason.NOT_REFUTED:
            self._declared.add(change.name)
            since = self._suspected_at.get((host.name, change.name))
            if since is None:
                self._broken(f"{host.name} declares {change.name} dead without a suspicion")
            if self._world.now - since < self._world.profile.suspicion_s - 1e-6:
                self._broken(f"{host.name} declares {change.name} dead after {self._world.now - since:.3f} s")
        elif change.name not in self._declared:
            self._broken(f"{host.name} heard of the death of {change.name}, which nobody declared")

    def note(self, host: Host) -> None:
        """It may say something new of itself."""
        if host.process is not None:
            version = host.process.own.version
            if version < self._versions.get(host.name, (0, 0)):
                self._broken(f"{host.name} went back to {version}")
            self._versions[host.name] = version

    def sweep(self) -> None:
        """Ten times a second."""
        for host in self._world.hosts.values():
            self.note(host)
        if self._world.now >= self._viewed_at + VIEW_S:
            self._viewed_at = self._world.now
            for host in self._world.hosts.values():
                if host.running and host.process is not None:
                    self._look_at_view(host)
        if self._world.now >= self._sent_at + 1.0:
            self._look_at_budget()

    def _look_at_view(self, host: Host) -> None:
        assert host.process is not None
        for member in host.process.members():
            truth = self._versions.get(member.name, (0, 0))
            if member.report.version > truth:
                what = f"{member.name} at {member.report.version}, which never said more than {truth}"
                self._broken(f"{host.name} holds {what}")
            dead = member.state is MemberState.DEAD and self._world.network.loss == 0
            if dead and self._world.hosts[member.name].running and self._talk(host.name, member.name):
                self._broken(f"{host.name} holds {member.name} dead and hears it")

    def _talk(self, one: NodeName, other: NodeName) -> bool:
        wire = self._world.edge(one, other)
        now = self._world.now
        return (
            wire is not None
            and self._contact.direct(one, other)
            and now - max(wire.opened_at, self._world.whole_since) > HEARD_S
        )

    def _look_at_budget(self) -> None:
        world = self._world
        seconds = world.now - self._sent_at
        for name, sent in world.transport.sent.items():
            beats = (len(world.names) + 1) / world.profile.interval_s
            calm = world.now - world.whole_since > CALM_S and not (world.network.loss or world.network.cuts)
            most = BUDGET_FACTOR * beats + BUDGET_MORE if calm else STORM_FACTOR * beats + STORM_MORE
            if sent - self._sent[name] > most * seconds:
                rate = (sent - self._sent[name]) / seconds
                self._broken(f"{name} sends {rate:.0f} messages a second {'in calm' if calm else ''}")
            self._sent[name] = sent
        self._sent_at = world.now

    def _broken(self, text: str) -> NoReturn:
        broken(self._world, self._world.seed, text)
