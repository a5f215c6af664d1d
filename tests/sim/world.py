"""The world: one heap of what happens when, real machines and real bytes between them, and a client.

Everything follows from the seed; the trace of two runs is the same to the last line. Hosts are switched off,
processes killed, frozen and started with empty memories; each host's API client is a delay before it knows
what is wanted.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from ipaddress import ip_address
from random import Random

from bareway.gossip.events import (
    Announce,
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Leave,
    MemberChanged,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Received,
    Send,
    Tick,
    Wanted,
    Withdraw,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.message import FRAME_MAX, decode, encode
from bareway.gossip.profile import PROFILES, Profile, ProfileName
from bareway.model.names import IPAddress, NodeName
from sim.hosts import UNREADY, Check, Host
from sim.network import CROSSED_S, DIAL_TIMEOUT_S, RETRANSMIT_S, Network, Wire

BURST_S = (0.0, 0.1, 0.3, 1.0, 2.0)
"""After an Announce the gratuitous frames are repeated, as long as the address is ours."""


class World:
    """Hosts, their network and one client on the same segment."""

    def __init__(
        self,
        *,
        seed: int,
        nodes: int,
        addresses: int = 4,
        profile: ProfileName = ProfileName.DEFAULT,
        story: Callable[[str], None] | None = None,
    ) -> None:
        self.seed = seed
        self.rng = Random(f"world/{seed}")
        self.now = 0.0
        self.profile: Profile = PROFILES[profile]
        self.names = [NodeName(f"node{number}") for number in range(1, nodes + 1)]
        self.hosts = {name: Host(name=name) for name in self.names}
        self.wanted: dict[IPAddress, frozenset[NodeName] | None] = {
            ip_address(f"192.0.2.{number}"): None for number in range(1, addresses + 1)
        }
        self.network = Network(rng=self.rng, at=self.at)
        self.away: set[NodeName] = set()
        """Hosts whose frames do not reach the client."""
        self.client: dict[IPAddress, NodeName] = {}
        """The client's ARP cache."""
        self.trace: list[str] = []
        self.announced: list[tuple[float, NodeName, tuple[IPAddress, ...]]] = []
        self.after_event: list[Check] = []
        self.whole_since = 0.0
        """Since when no fault is at work."""
        self._story = story
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0

    # ------------------------------------------------------------ time

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Let something happen at a time; what is due together happens in the order it was asked for."""
        self._order += 1
        heappush(self._heap, (when, self._order, what))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._heap and self._heap[0][0] <= end:
            self.now, _, what = heappop(self._heap)
            what()
        self.now = end

    def say(self, text: str) -> None:
        """One line of the trace."""
        line = f"{self.now:9.4f} {text}"
        self.trace.append(line)
        if self._story:
            self._story(line)

    # ------------------------------------------------------------ hosts

    def boot(self, name: NodeName, *, lag_s: float = 0.1) -> None:
        """Power on if needed and start the process; it knows the API's objects after ``lag_s``."""
        host = self.hosts[name]
        host.powered, host.frozen = True, False
        host.life += 1
        host.epoch = max(host.epoch + 1, int(self.now * 1000))
        host.backlog, host.facts = [], UNREADY
        rng = Random(f"{self.seed}/{name}/{host.life}")
        host.process = GossipMachine(me=name, epoch=host.epoch, profile=self.profile, rng=rng, now=self.now)
        self.fault(f"boot {name}")
        life = host.life
        self.give(host, PeersKnown(peers=frozenset(self.names)))

        def synced() -> None:
            if host.life == life and host.process is not None:
                self.give(host, Wanted(addresses=dict(self.wanted)))
                self.tell(name, ready=True, able=True)

        self.at(self.now + lag_s, synced)

    def boot_all(self, names: Iterable[NodeName] | None = None) -> None:
        """All at about the same time."""
        for name in names or self.names:
            self.at(self.now + self.rng.uniform(0, 0.1), lambda name=name: self.boot(name))  # type: ignore[misc]  # mypy cannot type a default of a lambda

    def tell(self, name: NodeName, *, ready: bool = True, able: bool = True, leaving: bool = False) -> None:
        """The speaker's facts of its own node changed."""
        host = self.hosts[name]
        host.facts = OwnFacts(ready=ready, able=able, leaving=leaving)
        self.say(f"{name} is told able={able} leaving={leaving}")
        self.give(host, host.facts)

    def want(
        self,
        wanted: Mapping[IPAddress, frozenset[NodeName] | None],
        *,
        tell: Iterable[NodeName] | None = None,
    ) -> None:
        """The API's objects changed; each host (or only those to ``tell``) hears of it a little later."""
        self.wanted = dict(wanted)
        self.fault("wanted changes")
        for host in [self.hosts[name] for name in (self.names if tell is None else tell)]:
            life = host.life

            def heard(host: Host = host, life: int = life, number: int = self._order) -> None:
                if host.life == life and host.facts.ready and host.told < number:
                    host.told = number  # a watch never goes back
                    self.give(host, Wanted(addresses=dict(wanted)))

            self.at(self.now + self.rng.uniform(0.001, 0.05), heard)

    def power_off(self, name: NodeName) -> None:
        """No FIN, no answer: silence."""
        host = self.hosts[name]
        host.powered, host.frozen, host.process, host.backlog = False, False, None, []
        host.life += 1
        for wire in host.wires.values():
            wire.ends.discard(name)
        host.wires.clear()
        self.fault(f"power off {name}")

    def kill(self, name: NodeName) -> None:
        """The process ends; its kernel says so to all peers."""
        host = self.hosts[name]
        host.process, host.backlog, host.frozen = None, [], False
        host.life += 1
        for wire in list(host.wires.values()):
            self._end(wire, name)
        self.fault(f"kill {name}")

    def leave(self, name: NodeName) -> None:
        """The process says goodbye and ends."""
        self.give(self.hosts[name], Leave())
        self.kill(name)

    def freeze(self, name: NodeName) -> None:
        """SIGSTOP, or a hypervisor's pause."""
        self.hosts[name].frozen, self.hosts[name].frozen_at = True, self.now
        self.fault(f"freeze {name}")

    def thaw(self, name: NodeName) -> None:
        """It goes on where it was; what came meanwhile is read now."""
        host = self.hosts[name]
        host.frozen = False
        self.fault(f"thaw {name}")
        backlog, host.backlog = host.backlog, []
        if host.process is not None:
            self.give(host, Tick())
            for event in backlog:
                self.give(host, event)

    def fault(self, text: str) -> None:
        """Something is done to the world; the time of wholeness begins anew."""
        self.whole_since = self.now
        self.say(text)
        for check in self.after_event:
            for host in self.hosts.values():
                check(host, None, [])

    # ------------------------------------------------------------ the network

    def cut(self, source: NodeName, target: NodeName, *, both: bool = True) -> None:
        """Frames of the one do not get to the other any more."""
        self.fault(f"cut {source} {'<' if both else ''}-> {target}")
        self.network.cuts.add((source, target))
        if both:
            self.network.cuts.add((target, source))

    def isolate(self, names: Iterable[NodeName]) -> None:
        """Cut these, as a group, from all others and from the client."""
        group = set(names)
        for name in sorted(group):
            self.away.add(name)
            for other in self.names:
                if other not in group:
                    self.cut(name, other)

    def heal(self) -> None:
        """The network is whole; what waited goes on its way."""
        self.network.cuts.clear()
        self.away.clear()
        self.fault("heal")
        for host in self.hosts.values():
            for wire in host.wires.values():
                for frame in wire.waiting.pop(host.name, []):
                    late_s = self.rng.uniform(0, 2 * RETRANSMIT_S)
                    wire.last_at[host.name] = max(wire.last_at.get(host.name, 0.0), self.now + late_s)
                    self._transmit(wire, host.name, frame)

    def edge(self, one: NodeName, other: NodeName) -> Wire | None:
        """The edge that both ends hold to be theirs."""
        wire = self.hosts[one].wires.get(other)
        return wire if wire is not None and self.hosts[other].wires.get(one) is wire else None

    def _transmit(self, wire: Wire, source: NodeName, frame: bytes) -> None:
        target = wire.other(source)
        if not self.network.reaches(source, target) or wire.waiting.get(source):
            wire.waiting.setdefault(source, []).append(frame)
            return
        self.at(self.network.arrival(wire, source, self.now), lambda: self._arrive(wire, source, frame))

    def _arrive(self, wire: Wire, source: NodeName, frame: bytes) -> None:
        target = self.hosts[wire.other(source)]
        if not self.network.reaches(source, target.name):
            wire.waiting.setdefault(source, []).append(frame)
        elif target.name in wire.ends:
            if target.wires.get(source) is wire:
                self.give(target, Received(peer=source, message=decode(frame)))
        elif target.powered and self.network.reaches(target.name, source):
            self._reset(wire, source)

    def _reset(self, wire: Wire, end: NodeName) -> None:
        """One end learns that the other is gone."""

        def arrives() -> None:
            host = self.hosts[end]
            wire.ends.discard(end)
            if host.wires.get(wire.other(end)) is wire:
                del host.wires[wire.other(end)]
                self.give(host, Closed(peer=wire.other(end)))

        arrives_at = max(self.now + self.network.delay_s(), wire.last_at.get(wire.other(end), 0.0))
        self.at(arrives_at, arrives)

    def _end(self, wire: Wire, end: NodeName) -> None:
        """One end goes, and its kernel says so if it can."""
        wire.ends.discard(end)
        other = wire.other(end)
        if self.hosts[end].wires.get(other) is wire:
            del self.hosts[end].wires[other]
        if other in wire.ends and self.network.reaches(end, other):
            self._reset(wire, other)

    def _dial(self, dialer: NodeName, listener: NodeName) -> None:
        life = self.hosts[dialer].life

        def failed(*, refused: bool) -> None:
            if self.hosts[dialer].life == life:
                self.give(self.hosts[dialer], DialFailed(peer=listener, refused=refused))

        def asks() -> None:
            target = self.hosts[listener]
            path = self.network.reaches(dialer, listener) and self.network.reaches(listener, dialer)
            if path and target.powered and target.process is None:
                self.at(self.now + self.network.delay_s(), lambda: failed(refused=True))
            elif path and target.running and self.hosts[dialer].life == life:
                self._open(dialer, listener, life)
            else:
                self.at(self.now + DIAL_TIMEOUT_S, lambda: failed(refused=False))

        self.at(self.now + self.network.delay_s(), asks)

    def _open(self, dialer: NodeName, listener: NodeName, life: int) -> None:
        wire = Wire(dialer=dialer, listener=listener, opened_at=self.now, ends={dialer, listener})

        def answered() -> None:
            if self.hosts[dialer].life != life:
                self._end(wire, dialer)
            elif listener in wire.ends:
                self._adopt(wire, dialer)
            elif listener not in self.hosts[dialer].wires:
                self.give(self.hosts[dialer], DialFailed(peer=listener, refused=False))

        self.at(self.network.arrival(wire, listener, self.now), answered)
        self._adopt(wire, listener)

    def _adopt(self, wire: Wire, end: NodeName) -> bool:
        """A new edge takes the place of an older one, unless the two crossed."""
        host, other = self.hosts[end], wire.other(end)
        old = host.wires.get(other)
        if old is not None:
            crossed = abs(wire.opened_at - old.opened_at) < CROSSED_S and wire.dialer != old.dialer
            if crossed and other in old.ends and old.dialer < wire.dialer:
                self._end(wire, end)
                return False
            self._end(old, end)
        host.wires[other] = wire
        self.give(host, Opened(peer=other))
        return True

    # ------------------------------------------------------------ machines

    def give(self, host: Host, event: Event) -> None:
        """One event for one machine, and what follows from it."""
        if host.process is None:
            return
        if host.frozen:
            host.backlog.append(event)
            return
        outputs = host.process.handle(event, now=self.now)
        for place, output in enumerate(outputs):
            assert place == 0 or not isinstance(output, Announce), "an Announce comes first"
            self._execute(host, output)
        for check in self.after_event:
            check(host, event, outputs)
        self._schedule(host)

    def _schedule(self, host: Host) -> None:
        if host.process is None or host.process.deadline == float("inf"):
            return
        host.ticks += 1
        number, life = host.ticks, host.life

        def tick() -> None:
            if host.ticks == number and host.life == life and not host.frozen:
                self.give(host, Tick())

        self.at(max(host.process.deadline, self.now), tick)

    def _execute(self, host: Host, output: Output) -> None:
        match output:
            case Send() | Dial() | Hangup():
                self._talk(host, output)
            case MemberChanged():
                self.say(f"{host.name}: {output.name} is {output.state} ({output.reason})")
            case Announce():
                self.say(f"{host.name}: announces {' '.join(map(str, output.addresses))}")
                self.announced.append((self.now, host.name, output.addresses))
                for after_s in BURST_S:
                    self.at(self.now + after_s, lambda: self._gratuitous(host, output.addresses))
            case Withdraw():
                self.say(f"{host.name}: withdraws {' '.join(map(str, output.addresses))} ({output.reason})")

    def _talk(self, host: Host, output: Send | Dial | Hangup) -> None:
        wire = host.wires.get(output.peer)
        match output:
            case Send():
                frame = encode(output.message)
                assert len(frame) <= FRAME_MAX
                if wire is not None:
                    self._transmit(wire, host.name, frame)
            case Dial():
                self._dial(host.name, output.peer)
            case Hangup():
                if wire is not None:
                    self._end(wire, host.name)

    # ------------------------------------------------------------ what a client sees

    def _gratuitous(self, host: Host, addresses: tuple[IPAddress, ...]) -> None:
        if host.name in self.away or not host.running or host.process is None:
            return
        for address in addresses:
            if host.process.may_answer(address, now=self.now):
                self.client[address] = host.name

    def answering(self, address: IPAddress) -> list[NodeName]:
        """Who answers for an address at this moment."""
        return [
            host.name
            for host in self.hosts.values()
            if host.running and host.process is not None
            if host.process.may_answer(address, now=self.now)
        ]

    def owners(self) -> dict[IPAddress, list[NodeName]]:
        """Who answers for each address that is wanted."""
        return {address: self.answering(address) for address in self.wanted}
