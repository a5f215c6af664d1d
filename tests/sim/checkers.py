"""What must hold at every moment, and what must be true once all is calm.

Safety: two members between which all is well answer for one address no longer than a flood and an exchange
of digests take; on a network that has been whole for some seconds nobody answers twice. A thawed member
answers nothing before a push-pull begun after the thaw has ended, or a second passed. What a member says of
itself never goes back. Liveness, after calm: exactly one answers each address that somebody may announce.
"""

from dataclasses import dataclass, field

from bareway.gossip.events import Event, Output, Received, Send
from bareway.gossip.message import Pull, State
from bareway.gossip.profile import FENCE_MAX_S
from bareway.model.names import IPAddress, NodeName
from sim.hosts import Host
from sim.network import RETRANSMIT_S
from sim.world import World

WHOLE_S = 4.0
"""Reconnection takes up to 2 s after a heal, a dial on its way 1 s; then a push-pull."""
FLOOD_S = 0.05
"""Above three heartbeats until digests are exchanged: the exchange itself."""
SETTLE_S = 0.5
"""After a fault, TCP's retransmissions of what waited."""


class Broken(AssertionError):
    """An invariant does not hold; says when and in which run."""


@dataclass(slots=True)
class Thaw:
    """A member that was frozen for long and is not confirmed yet."""

    at: float
    pulls: set[int] = field(default_factory=set)
    """The numbers of the pulls that it began since."""


class Checkers:
    """All invariants of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._answers: dict[NodeName, frozenset[IPAddress]] = {name: frozenset() for name in world.names}
        self._twice: dict[tuple[IPAddress, NodeName, NodeName], tuple[float, float]] = {}
        """Who answers twice: since when, and since when although they are well connected."""
        self._thawed: dict[NodeName, Thaw] = {}
        self._frozen: dict[NodeName, float] = {}
        self._versions: dict[NodeName, tuple[int, int]] = {}
        self.longest_twice_s = 0.0
        """Of two that are well connected."""
        world.after_event.append(self.look)

    def look(self, host: Host, event: Event | None, outputs: list[Output]) -> None:
        """After every event."""
        self._look_for_thaws(host, event, outputs)
        answers = host.process.answering if host.running and host.process else frozenset()
        if host.name in self._thawed and event is None:
            answers = frozenset()  # its own table is old; what it would answer was asked at the thaw
        if host.name in self._thawed and answers:
            self.broken(f"{host.name} answers before it is confirmed")
        if answers != self._answers[host.name]:
            self._answers[host.name] = answers
            self._look_for_two()
        if self._twice:
            self._measure()
        if host.process is not None:
            version = host.process.own.version
            if version < self._versions.get(host.name, (0, 0)):
                self.broken(f"{host.name} went back to {version}")
            self._versions[host.name] = version

    def at_the_end(self) -> None:
        """After calm: one answers, if anybody may; and no client asks another."""
        for address, permitted in self._world.wanted.items():
            eligible = [
                host
                for host in self._world.hosts.values()
                if host.running and host.facts.ready and host.facts.able
                if permitted is None or host.name in permitted
            ]
            names = self._world.answering(address)
            if len(names) != min(len(eligible), 1):
                self.broken(f"{address} is answered by {names}, eligible {[host.name for host in eligible]}")
            if names:
                self._look_at_owner(address, self._world.hosts[names[0]], eligible)

    def _look_at_owner(self, address: IPAddress, owner: Host, eligible: list[Host]) -> None:
        if owner not in eligible:
            self.broken(f"{address} is answered by {owner.name}, which may not")
        if owner.facts.leaving and not all(host.facts.leaving for host in eligible):
            self.broken(f"{address} is still answered by {owner.name}, which leaves")
        cached = self._world.client.get(address, owner.name)
        if cached != owner.name and self._world.hosts[cached].running:
            self.broken(f"the client asks {cached} for {address}, not {owner.name}")

    def broken(self, text: str) -> None:
        """Say what is wrong and how to see it again."""
        raise Broken(f"{self._world.now:.4f} {text}; replay: make sim SEED={self._world.seed}")

    # ------------------------------------------------------------ private

    def _look_for_thaws(self, host: Host, event: Event | None, outputs: list[Output]) -> None:
        if event is None:
            self._note_thaw(host)
            return
        thaw = self._thawed.get(host.name)
        if thaw is None:
            return
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.message, Pull):
                thaw.pulls.add(output.message.number)
        message = event.message if isinstance(event, Received) else None
        confirmed = isinstance(message, State) and message.last and message.number in thaw.pulls
        if confirmed or self._world.now >= thaw.at + FENCE_MAX_S:
            del self._thawed[host.name]

    def _note_thaw(self, host: Host) -> None:
        now = self._world.now
        if host.frozen:
            self._frozen.setdefault(host.name, now)
            return
        frozen_at = self._frozen.pop(host.name, now)
        if not host.running or host.process is None:
            self._thawed.pop(host.name, None)
        elif now - frozen_at > self._world.profile.silence_s and len(self._world.names) > 1:
            self._thawed[host.name] = Thaw(at=now)
            if any(host.process.may_answer(address, now=now) for address in self._world.wanted):
                self.broken(f"{host.name} answers right after it thawed")

    def _look_for_two(self) -> None:
        now = self._world.now
        holders: dict[IPAddress, list[NodeName]] = {}
        for name, addresses in self._answers.items():
            for address in addresses:
                holders.setdefault(address, []).append(name)
        twice = {
            (address, one, other)
            for address, names in holders.items()
            for place, one in enumerate(names)
            for other in names[place + 1 :]
        }
        self._twice = {key: self._twice.get(key, (now, now)) for key in sorted(twice, key=str)}

    def _measure(self) -> None:
        now, whole_since = self._world.now, self._world.whole_since
        for (address, one, other), times in list(self._twice.items()):
            since = times[0] if self._whole() else now
            well = self._connected(one, other) and now >= whole_since + SETTLE_S
            connected_since = times[1] if well else now
            self._twice[address, one, other] = (since, connected_since)
            self.longest_twice_s = max(self.longest_twice_s, now - connected_since)
            if now - connected_since > 4 * self._world.profile.interval_s + FLOOD_S:
                self.broken(f"{one} and {other} both answer for {address} since {since:.4f}")
            if now - max(whole_since, since) > WHOLE_S:
                self.broken(f"{one} and {other} both answer for {address} on a whole network")

    def _whole(self) -> bool:
        return (
            not self._world.network.cuts
            and self._world.network.loss == 0
            and not any(host.frozen for host in self._world.hosts.values())
        )

    def _connected(self, one: NodeName, other: NodeName) -> bool:
        network = self._world.network
        return (
            self._world.edge(one, other) is not None
            and network.reaches(one, other)
            and network.reaches(other, one)
            and network.loss == 0
        )


assert SETTLE_S > 2 * RETRANSMIT_S
