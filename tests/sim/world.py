"""The world: real machines on hosts, their network and segment, the API, and clients; all from one seed.

Hosts are switched off, processes killed, frozen and started with empty memories; a supervisor starts anew
what crashed. The trace of two runs of one seed is the same to the last byte.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from random import Random

from bareway.gossip.events import (
    Announce,
    Ask,
    Dial,
    Event,
    Found,
    Hangup,
    Leave,
    MemberChanged,
    Output,
    PartitionPolicy,
    PeersKnown,
    Permission,
    Probe,
    Send,
    Tick,
    Withdraw,
)
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, Profile, ProfileName
from bareway.model.configuration import Partition
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName
from sim.api import Api, Permitted
from sim.hosts import UNREADY, Check, Host, Pause
from sim.network import Network, Wire
from sim.segment import Segment
from sim.timeline import Timeline
from sim.transport import Transport

BROWSE_S = (0.4, 1.6)
"""A client looks an address up so often."""
TERM_S = 10.0
"""So long after SIGTERM a speaker serves on at most."""
LOOK_S = 0.05


class World(Timeline):
    """Everything."""

    def __init__(
        self,
        *,
        seed: int,
        nodes: int,
        addresses: int = 4,
        profile: ProfileName = ProfileName.DEFAULT,
        partition: Partition = Partition.AVAILABLE,
        as_bytes: bool = True,
        story: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(story=story)
        self.seed = seed
        self.rng = Random(f"world/{seed}")
        self.profile: Profile = PROFILES[profile]
        self.partition = partition
        self.names = [NodeName(f"node{number}") for number in range(1, nodes + 1)]
        self.hosts = {
            name: Host(name=name, mac=MacAddress(bytes((2, 0, 0, 0, 0, number))))
            for number, name in enumerate(self.names, 1)
        }
        self.groups: dict[IPAddress, tuple[IPAddress, ...]] = {}
        """Addresses that go together, by their key; a key that is not in it goes alone."""
        self.network = Network(rng=self.rng)
        self.transport = Transport(self, self.network, self.hosts, self.give, as_bytes=as_bytes)
        self.segment = Segment(self, self.hosts, self.addresses_of, self.give, Random(f"segment/{seed}"))
        self.api = Api(self, self.hosts, self._news, self.rng)
        self.api.change(wanted={ip_address(f"192.0.2.{n}"): None for n in range(1, addresses + 1)})
        self.away: set[NodeName] = set()
        """Hosts cut off from the controller's."""
        self.announced: list[tuple[float, NodeName, tuple[IPAddress, ...]]] = []
        self.after_event: list[Check] = []
        self.whole_since = 0.0
        """Since when nothing was done to the world."""
        self.network_since = 0.0
        """Since when nothing was done to the network, and nobody froze or thawed."""
        self.healed_at = 0.0
        """When the network was repaired last, at least in part."""
        self.churned: set[IPAddress] = set()
        """Addresses that came or went: what is known of them is forgotten after a while."""
        self.wanted_since: dict[IPAddress, float] = {}
        self._parts = 0

    @property
    def wanted(self) -> Mapping[IPAddress, Permitted]:
        """What shall be announced, as the API has it."""
        return self.api.objects.wanted

    def addresses_of(self, key: IPAddress) -> tuple[IPAddress, ...]:
        """All addresses of a group."""
        return self.groups.get(key, (key,))

    # ------------------------------------------------------------ hosts

    def boot(self, name: NodeName, *, lag_s: float = 0.1) -> None:
        """Power on if needed and start the process; it knows the API's objects after ``lag_s``."""
        host = self.hosts[name]
        host.powered, host.pause, host.ends = True, None, False
        self._forget_process(host)
        host.epoch = max(host.epoch + 1, int(self.now * 1000))
        rng = Random(f"{self.seed}/{name}/{host.life}")
        host.process = GossipMachine(me=name, epoch=host.epoch, profile=self.profile, rng=rng, now=self.now)
        host.last_turn = self.now
        host.booted_at = self.now
        self.disturb(f"boot {name}")
        self.give(host, PartitionPolicy(partition=self.partition))
        self.give(host, PeersKnown(peers=frozenset(self.names)))
        self.api.start(host, lag_s)

    def boot_all(self, names: Iterable[NodeName] | None = None) -> None:
        """All at about the same time."""
        for name in names or self.names:
            self.at(self.now + self.rng.uniform(0, 0.1), self.boot, name)

    def power_off(self, name: NodeName) -> None:
        """No FIN, no answer: silence."""
        host = self.hosts[name]
        host.powered, host.pause = False, None
        self._forget_process(host)
        self.transport.power_lost(host)
        self.disturb(f"power off {name}")

    def kill(self, name: NodeName, *, restart_s: float | None = None) -> None:
        """The process ends; its kernel says so to all peers. A supervisor may start it anew."""
        host = self.hosts[name]
        host.pause = None
        self._forget_process(host)
        self.transport.process_ended(host)
        self.disturb(f"kill {name}")
        if restart_s is not None:
            self.at(self.now + restart_s, self._restart, host, host.life)

    def terminate(self, name: NodeName, *, restart_s: float | None = None) -> None:
        """SIGTERM: it serves until others have what it held, ten seconds at most, and says goodbye."""
        host = self.hosts[name]
        host.ends = True
        self.disturb(f"terminate {name}")
        self._tell_facts(host)
        self.at(self.now + LOOK_S, self._leave_if_vacant, host, host.life, self.now + TERM_S, restart_s)

    def leave(self, name: NodeName, *, restart_s: float | None = None) -> None:
        """The process says goodbye and ends."""
        self.give(self.hosts[name], Leave())
        self.kill(name, restart_s=restart_s)

    def freeze(self, name: NodeName, pause: Pause = Pause.MAIN) -> None:
        """SIGSTOP, or a hypervisor's pause."""
        host = self.hosts[name]
        host.pause, host.paused_at = pause, self.now
        self.disturb(f"freeze {name} ({pause})", touches_network=True)

    def thaw(self, name: NodeName) -> None:
        """It goes on where it was; what came meanwhile is read now, before its timers or after them."""
        host = self.hosts[name]
        host.pause = None
        self.disturb(f"thaw {name}", touches_network=True)
        backlog, host.backlog = host.backlog, []
        timers_first = self.rng.random() < 0.5
        if timers_first:
            self.give(host, Tick())
        for event in backlog:
            if callable(event):
                event()
            else:
                self.give(host, event)
        if not timers_first:
            self.give(host, Tick())

    def _forget_process(self, host: Host) -> None:
        host.life += 1
        host.process, host.backlog, host.announced, host.asks = None, [], set(), {}
        host.facts, host.tick_at = UNREADY, float("inf")

    def _restart(self, host: Host, life: int) -> None:
        if host.life == life and host.powered:
            self.boot(host.name)

    def _leave_if_vacant(self, host: Host, life: int, until: float, restart_s: float | None) -> None:
        if host.life != life:
            return
        if self.now >= until or (host.running and not host.announced):
            self.leave(host.name, restart_s=restart_s)
        else:
            self.at(self.now + LOOK_S, self._leave_if_vacant, host, life, until, restart_s)

    # ------------------------------------------------------------ what a speaker knows

    def tell(self, name: NodeName, *, able: bool = True, leaving: bool = False) -> None:
        """The speaker's facts of its own node change, at once."""
        host, objects = self.hosts[name], self.api.objects
        drained = objects.drained | {name} if leaving else objects.drained - {name}
        unusable = objects.unusable - {name} if able else objects.unusable | {name}
        self.disturb(f"{name} is told able={able} leaving={leaving}")
        self.api.change(drained=drained, unusable=unusable)
        if host.name in self.api.mirrors:
            self.api.mirrors[host.name].objects = self.api.objects
        self._tell_facts(host)

    def want(self, wanted: Mapping[IPAddress, Permitted], *, tell: Iterable[NodeName] | None = None) -> None:
        """The API's objects change; each host (or only those to ``tell``) hears of it a little later."""
        self.disturb("wanted changes")
        self.churned.update(wanted.keys() ^ self.wanted.keys() if self.wanted else ())
        self.wanted_since = {key: self.wanted_since.get(key, self.now) for key in wanted}
        self.api.change(tell=self.names if tell is None else tell, wanted=dict(wanted))

    def _news(self, host: Host) -> None:
        """The speaker's caches changed."""
        mirror = self.api.mirrors[host.name]
        self._tell_facts(host)
        self.give(host, mirror.wanted())
        self._tell_facts(host, ready=True)

    def _tell_facts(self, host: Host, *, ready: bool = False) -> None:
        mirror = self.api.mirrors.get(host.name)
        if mirror is None or host.process is None:
            return
        host.is_drained = host.name in mirror.objects.drained
        host.is_usable = host.name not in mirror.objects.unusable
        facts = host.facts_now(ready=ready or host.facts.ready)
        if facts != host.facts and facts.ready:
            host.facts, host.told_at = facts, self.now
            self.give(host, facts)

    # ------------------------------------------------------------ the network

    def disturb(self, text: str, *, touches_network: bool = False) -> None:
        """Something is done to the world; the time of wholeness begins anew."""
        self.whole_since = self.now
        if touches_network:
            self.network_since = self.now
        self.say(text)
        for check in self.after_event:
            for host in self.hosts.values():
                check(host, None, ())

    def cut(self, source: NodeName, target: NodeName, *, both: bool = True) -> None:
        """Gossip of the one does not get to the other any more."""
        self.disturb(f"cut {source} {'<' if both else ''}-> {target}", touches_network=True)
        self.network.cuts.add((source, target))
        if both:
            self.network.cuts.add((target, source))

    def isolate(self, names: Iterable[NodeName]) -> None:
        """Cut these, as a group, from all others and from the client: gossip and the segment."""
        group = set(names)
        self._parts += 1
        for name in sorted(group):
            self.away.add(name)
            self.segment.move(name, self._parts)
        self.cut_gossip(group)

    def cut_gossip(self, names: Iterable[NodeName]) -> None:
        """Cut the gossip of these, as a group, with all others."""
        group = set(names)
        self.disturb(f"cut off {' '.join(sorted(group))}", touches_network=True)
        for name in sorted(group):
            for other in self.names:
                if other not in group:
                    self.network.cuts |= {(name, other), (other, name)}

    def link(self, name: NodeName, *, up: bool) -> None:
        """The carrier of a host's link to the segment goes or comes; its kernel sees it at once."""
        host = self.hosts[name]
        host.has_link = up
        self.disturb(f"link of {name} {'up' if up else 'down'}", touches_network=True)
        self._tell_facts(host)

    def heal(self, *, but: Iterable[tuple[NodeName, NodeName]] = ()) -> None:
        """The network is whole, but for these cuts; what waited goes on its way."""
        self.network.cuts = set(but)
        self.healed_at = self.now
        self.away.clear()
        self._parts = 0
        for name, host in self.hosts.items():
            self.segment.move(name, 0)
            host.has_link = True
        rest = " ".join(f"{one}->{other}" for one, other in sorted(self.network.cuts))
        self.disturb(f"heal {f'but {rest}' if rest else ''}".strip(), touches_network=True)
        for host in self.hosts.values():
            self._tell_facts(host)
        self.transport.go_on()

    def lose(self, share: float) -> None:
        """So much of all frames is lost."""
        self.network.loss = self.segment.loss = share
        self.disturb(f"loss {share}", touches_network=True)

    def edge(self, one: NodeName, other: NodeName) -> Wire | None:
        """The edge that both ends hold to be theirs."""
        return self.transport.edge(one, other)

    # ------------------------------------------------------------ machines

    def give(self, host: Host, event: Event) -> None:
        """One event for one machine, and what follows from it."""
        process = host.process
        if process is None:
            return
        if host.pause is not None:
            host.backlog.append(event)
            return
        outputs = process.handle(event, now=self.now)
        for place, output in enumerate(outputs):
            assert place == 0 or not isinstance(output, Announce), "an Announce comes first"
            self._execute(host, output)
        for check in self.after_event:
            check(host, event, outputs)
        host.last_turn = self.now
        if host.process is process:
            self._set_timer(host, process)

    def _set_timer(self, host: Host, process: GossipMachine) -> None:
        """A timer that is set for earlier is left: it looks again when it rings."""
        deadline = max(process.deadline, self.now)
        if deadline < host.tick_at:
            host.tick_at = deadline
            self.at(deadline, self._tick, host, host.life, deadline)

    def _tick(self, host: Host, life: int, tick_at: float) -> None:
        if host.life != life or host.tick_at != tick_at or host.process is None:
            return
        host.tick_at = float("inf")
        if host.pause is not None:
            return  # the thaw is a turn
        if host.process.deadline > self.now:
            self._set_timer(host, host.process)
        else:
            self.give(host, Tick())

    def _execute(self, host: Host, output: Output) -> None:
        match output:
            case Send() | Dial() | Probe() | Hangup():
                self.transport.talk(host, output)
            case MemberChanged():
                self.say(f"{host.name}: {output.name} is {output.state} ({output.reason})")
            case Announce():
                self.say(f"{host.name}: announces {_text(output.addresses)}")
                self.announced.append((self.now, host.name, output.addresses))
                host.announced.update(output.addresses)
                self.segment.announce(host, output.addresses)
            case Withdraw():
                self.say(f"{host.name}: withdraws {_text(output.addresses)} ({output.reason})")
                host.announced.difference_update(output.addresses)
            case Ask():
                self.say(f"{host.name}: asks for {output.address} ({output.question})")
                self.segment.ask(host, output)
            case Found(finding=finding, lasts=lasts):
                about = f"{finding.word} {finding.address} {finding.mac}"
                self.say(f"{host.name}: {'found' if lasts else 'no longer finds'} {about}")

    # ------------------------------------------------------------ what a client sees

    def browse(self) -> None:
        """Clients begin to look addresses up, and go on."""
        for client in self.segment.clients:
            self._browse(client.name)

    def _browse(self, name: str) -> None:
        client = next(client for client in self.segment.clients if client.name == name)
        for key in self.wanted:
            self.segment.resolve(client, key)
        self.at(self.now + self.rng.uniform(*BROWSE_S), self._browse, name)

    def answering(self, key: IPAddress) -> list[NodeName]:
        """Who answers for an address at this moment."""
        return [host.name for host in self.hosts.values() if self.answers(host, key)]

    def answers(self, host: Host, key: IPAddress) -> bool:
        """Whether a host answers for an address at this moment, perhaps after it has asked the link."""
        if not host.running or host.process is None or key not in host.announced:
            return False
        return host.process.may_answer(key, now=self.now) is not Permission.NO

    def owners(self) -> dict[IPAddress, list[NodeName]]:
        """Who answers for each address that is wanted."""
        return {address: self.answering(address) for address in self.wanted}


def _text(addresses: Sequence[IPAddress]) -> str:
    return " ".join(map(str, addresses))
