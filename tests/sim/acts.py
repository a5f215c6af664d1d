"""How each kind of fault is done to the world; what makes no sense at the moment is not done."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

from bareway.model.announcer_lists import shard_of
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName
from sim.hosts import Host, Pause
from sim.listing import Controller, listed, service_of
from sim.scripts import Fault
from sim.segment import Stranger
from sim.world import World

LOSSES: Final = (0.01, 0.05, 0.2)
RESTARTS_S: Final = (0.05, 0.2, 0.5, 0.8)
"""A supervisor has started its program anew by then."""
LATE_S: Final = (0.0, 0.0, 0.03, 0.3, 3.0)
STRANGER: Final = MacAddress.parse("02:00:00:00:ee:01")
ROUTER: Final = MacAddress.parse("02:00:00:00:ee:02")


class Acts:
    """On one world."""

    def __init__(self, world: World, controller: Controller | None, *, chaos: bool) -> None:
        self._world = world
        self._controller = controller
        self._chaos = chaos
        self._lag_s = 0.1
        self._of_host: Mapping[str, Callable[[Host, Fault], None]] = {
            "off": lambda host, _: world.power_off(host.name) if host.powered else None,
            "boot": self._boot,
            "crash": self._crash,
            "kill": lambda host, _: world.kill(host.name) if host.process else None,
            "freeze": self._freeze,
            "thaw": lambda host, _: world.thaw(host.name) if host.frozen else None,
            "terminate": self._terminate,
            "leave": self._leave,
            "drain": lambda host, _: self._mark(host.name, drained=True),
            "undrain": lambda host, _: self._mark(host.name, drained=False),
            "unable": lambda host, _: self._condition(host.name, unusable=True),
            "able": lambda host, _: self._condition(host.name, unusable=False),
            "link down": self._link_down,
            "link up": lambda host, _: world.link(host.name, up=True) if not host.has_link else None,
            "isolate": lambda host, _: world.isolate([host.name]),
            "gossip off": lambda host, _: world.cut_gossip([host.name]),
            "api away": self._api_away,
            "api back": lambda host, _: self._api_back(),
            "api slow": lambda host, fault: world.api.slow_s.update({host.name: min(3.0, fault.seconds)}),
            "lax": lambda host, _: self._lax(host, is_lax=True),
            "strict": lambda host, _: self._lax(host, is_lax=False),
        }
        self._of_world: Mapping[str, Callable[[Fault], None]] = {
            "drain all": lambda _: self._drain_all(),
            "split": lambda fault: world.isolate(fault.others[: len(world.names) // 2]),
            "gossip cut": self._gossip_cut,
            "one way": self._one_way,
            "heal": lambda _: world.heal(),
            "heal in part": lambda fault: world.heal(but=self._some_pairs(fault)),
            "loss": self._loss,
            "list": self._list,
            "move": self._move,
            "want": self._want,
            "want in the dark": self._want_in_the_dark,
            "permit": self._permit,
            "controller away": self._controller_away,
            "stranger": self._stranger,
            "proxy": lambda _: self._stand(Stranger(mac=ROUTER, addresses=None)),
            "strangers go": lambda _: self._strangers_go(),
        }

    def boot(self, name: NodeName, lag_s: float) -> None:
        """The first start of a host; later ones are as quick."""
        self._lag_s = lag_s
        self._world.boot(name, lag_s=lag_s)

    def do(self, fault: Fault) -> None:
        """One fault."""
        of_host = self._of_host.get(fault.kind)
        if of_host is not None:
            of_host(self._world.hosts[fault.name], fault)
        else:
            self._of_world[fault.kind](fault)

    def calm(self, *, in_part: bool) -> None:
        """All faults end, but who is off stays off, and drained; some pairs may still not talk directly."""
        world = self._world
        world.lose(0.0)
        self._strangers_go()
        for host in world.hosts.values():
            host.is_lax = False
            if host.frozen:
                world.thaw(host.name)
        world.heal(but=self._a_few_pairs() if in_part else ())
        self._api_back()
        world.api.slow_s.clear()
        if self._controller is not None:
            self._controller.away_until = 0.0

    # ------------------------------------------------------------ processes

    def _boot(self, host: Host, fault: Fault) -> None:
        if host.process is None:
            self._world.boot(host.name, lag_s=self._lag_s)

    def _crash(self, host: Host, fault: Fault) -> None:
        """The supervisor starts it anew."""
        if host.process is not None:
            self._world.kill(host.name, restart_s=RESTARTS_S[fault.number % len(RESTARTS_S)])

    def _terminate(self, host: Host, fault: Fault) -> None:
        """As a rolling update does; sometimes the node then stays away."""
        if host.running and host.facts.ready and not host.ends:
            self._world.terminate(host.name, restart_s=None if fault.number % 3 == 0 else fault.seconds)

    def _leave(self, host: Host, fault: Fault) -> None:
        if host.running:
            self._world.leave(host.name, restart_s=None if fault.number % 2 else fault.seconds)

    def _freeze(self, host: Host, fault: Fault) -> None:
        if host.running:
            self._world.freeze(host.name, Pause.WHOLE if fault.number % 3 == 0 else Pause.MAIN)
            self._world.at(self._world.now + fault.seconds, self._thaw, host, host.life, self._world.now)

    def _thaw(self, host: Host, life: int, paused_at: float) -> None:
        if host.life == life and host.frozen and host.paused_at == paused_at:
            self._world.thaw(host.name)

    # ------------------------------------------------------------ the API's objects

    def _mark(self, name: NodeName, *, drained: bool) -> None:
        objects = self._world.api.objects
        if (name in objects.drained) is not drained:
            self._world.disturb(f"{'drain' if drained else 'undrain'} {name}")
            self._world.api.change(drained=objects.drained ^ {name})

    def _drain_all(self) -> None:
        """The whole cluster is to be shut down."""
        self._world.disturb("drain all")
        self._world.api.change(drained=frozenset(self._world.names))

    def _condition(self, name: NodeName, *, unusable: bool) -> None:
        objects = self._world.api.objects
        if (name in objects.unusable) is not unusable:
            self._world.disturb(f"network of {name} {'un' if unusable else ''}available")
            self._world.api.change(unusable=objects.unusable ^ {name})

    def _want(self, fault: Fault) -> None:
        """A Service comes or goes."""
        world = self._world
        keys = sorted(world.wanted, key=lambda key: (key.version, int(key)))
        if len(keys) > 1 and fault.number % 2:
            gone = keys[fault.number % len(keys)]
            world.want({key: permitted for key, permitted in world.wanted.items() if key != gone})
            return
        self._add(ip_address(f"192.0.2.{10 + fault.number % 5}"))

    def _want_in_the_dark(self, fault: Fault) -> None:
        """A Service comes, and some speakers do not hear of it: the API is away for them."""
        for name in fault.others[: 1 + fault.number % (len(fault.others) // 2)]:
            self._world.api.go_away(self._world.hosts[name])
        self._add(ip_address(f"192.0.2.{20 + fault.number % 8}"))

    def _add(self, key: IPAddress) -> None:
        if key in self._world.wanted:
            return
        if self._controller is not None:
            self._controller.add(key, None)
        else:
            self._world.want({**self._world.wanted, key: None})

    def _permit(self, fault: Fault) -> None:
        """Endpoints come and go (policy Local)."""
        key = self._key(fault)
        if key is not None:
            some = frozenset(fault.others[: fault.number % len(fault.others) + 1])
            self._world.want({**self._world.wanted, key: some if fault.number % 3 else None})

    def _key(self, fault: Fault) -> IPAddress | None:
        keys = sorted(self._world.wanted, key=lambda key: (key.version, int(key)))
        return keys[fault.number % len(keys)] if keys else None

    def _list(self, fault: Fault) -> None:
        """Somebody without a plan lists an address anew; to some it comes late."""
        key, world = self._key(fault), self._world
        if key is None or not self._chaos:
            return
        generation = world.api.lists.generation + 1
        shard = listed(key, fault.others[:3], world.api.lists, generation=generation)
        late_s = {
            name: LATE_S[(fault.number + place) % len(LATE_S)] for place, name in enumerate(fault.others)
        }
        world.say(f"{key} is listed for {' '.join(fault.others[:3])} in generation {generation}")
        world.api.write(shard_of(key), shard, late_s=late_s)

    def _move(self, fault: Fault) -> None:
        """The operator names a node, or no node any more."""
        key, named = self._key(fault), self._world.api.objects.named
        if key is None or self._controller is None:
            return
        service = service_of(key)
        rest = {name: node for name, node in named.items() if name != service}
        self._world.api.change(named=rest if fault.number % 4 == 0 else {**rest, service: fault.name})

    def _api_away(self, host: Host, fault: Fault) -> None:
        """For one, or for all."""
        for one in self._world.hosts.values() if fault.number % 2 else (host,):
            if one.name not in self._world.api.away:
                self._world.say(f"the API is away for {one.name}")
                self._world.api.go_away(one)

    def _api_back(self) -> None:
        for name in sorted(self._world.api.away):
            self._world.api.come_back(self._world.hosts[name])

    def _controller_away(self, fault: Fault) -> None:
        if self._controller is not None:
            self._controller.away_until = self._world.now + fault.seconds

    # ------------------------------------------------------------ the network

    def _link_down(self, host: Host, fault: Fault) -> None:
        """Its kernel sees it; gossip goes the same way, or another."""
        if fault.number % 2:
            self._world.isolate([host.name])
        self._world.link(host.name, up=False)

    def _gossip_cut(self, fault: Fault) -> None:
        """Between two, or between two halves; the segment stays whole."""
        if fault.number % 3 == 0:
            self._world.cut_gossip(fault.others[: len(fault.others) // 2])
        else:
            self._world.cut(*fault.others[:2])

    def _one_way(self, fault: Fault) -> None:
        self._world.cut(*fault.others[:2], both=False)

    def _some_pairs(self, fault: Fault) -> list[tuple[NodeName, NodeName]]:
        """A host that still cannot talk to some others, but to one at least."""
        one, *others = fault.others
        return [
            pair
            for other in others[: 1 + fault.number % (len(others) - 1)]
            for pair in ((one, other), (other, one))
        ]

    def _a_few_pairs(self) -> list[tuple[NodeName, NodeName]]:
        """No matter who is off, all others are in contact: a pair that is cut has all others in common."""
        running = [host.name for host in self._world.hosts.values() if host.running]
        if len(running) < 3:
            return []
        one, other = self._world.rng.sample(running, 2)
        return [(one, other), (other, one)]

    def _loss(self, fault: Fault) -> None:
        self._world.lose(LOSSES[fault.number % len(LOSSES)])
        self._world.at(self._world.now + fault.seconds, self._world.lose, 0.0)

    # ------------------------------------------------------------ the segment

    def _stranger(self, fault: Fault) -> None:
        """A machine that was given one of our addresses by hand."""
        key = self._key(fault)
        if key is not None:
            self._stand(Stranger(mac=STRANGER, addresses=frozenset({key})))

    def _stand(self, stranger: Stranger) -> None:
        if not self._world.segment.strangers:
            self._world.say(f"a stranger {stranger.mac} answers")
            self._world.segment.strangers.append(stranger)
            self._world.segment.speak_up(stranger)

    def _strangers_go(self) -> None:
        """Who was kept from an address by one asks for it again after ten seconds."""
        if self._world.segment.strangers:
            self._world.segment.strangers.clear()
            self._world.disturb("the stranger goes")

    def _lax(self, host: Host, *, is_lax: bool) -> None:
        if host.is_lax is not is_lax:
            self._world.say(f"the kernel of {host.name} answers{'' if is_lax else ' no more'}")
            host.is_lax = is_lax
