"""Random faults: which ones a run has at all, how many and when, all from its seed."""

from collections.abc import Callable
from ipaddress import ip_address
from random import Random

from bareway.gossip.profile import ProfileName
from bareway.model.names import NodeName
from sim.checkers import Checkers
from sim.world import World

CALM_S = 9.0
"""Back-off, start without a stable view, a fence, a ladder of five: then nothing may be open any more."""
KINDS = (
    "off", "kill", "boot", "isolate", "split", "gossip cut", "one way", "heal", "freeze", "thaw",
    "leave", "drain", "unable", "loss", "want",
)  # fmt: skip


class RandomRun:
    """One world and what befalls it."""

    def __init__(self, seed: int, story: Callable[[str], None] | None = None) -> None:
        self._rng = Random(f"faults/{seed}")
        nodes = self._rng.choice([1, 2, 3, 3, 3, 4, 5])
        profile = self._rng.choice([ProfileName.DEFAULT] * 4 + [ProfileName.FAST])
        addresses = self._rng.choice([1, 3, 6])
        self.world = World(seed=seed, nodes=nodes, addresses=addresses, profile=profile, story=story)
        self.checkers = Checkers(self.world)
        self._kinds = [kind for kind in KINDS if self._rng.random() < 0.6] or list(KINDS)

    def play(self) -> None:
        """From boot to calm."""
        world, rng = self.world, self._rng
        world.boot_all()
        world.run(rng.choice([0.5, 2.0]))
        for _ in range(rng.randint(0, 10)):
            self._fault(rng.choice(self._kinds), rng.choice(world.names))
            world.run(rng.choice([0.02, 0.3, 0.8, 1.5]))
        world.network.loss = 0.0
        for host in world.hosts.values():
            if host.frozen:
                world.thaw(host.name)
        world.heal()
        world.run(CALM_S)
        self.checkers.at_the_end()

    def _fault(self, kind: str, name: NodeName) -> None:
        host = self.world.hosts[name]
        match kind:
            case "off":
                self.world.power_off(name)
            case "boot" if host.process is None:
                self.world.boot(name, lag_s=self._rng.choice([0.05, 0.2, 1.0]))
            case "kill" | "leave" if host.running:
                self._end(name, kind)
            case "freeze" if host.running:
                self.world.freeze(name)
            case "thaw" if host.frozen:
                self.world.thaw(name)
            case "drain" | "unable" if host.running and host.facts.ready:
                flag = self._rng.random() < 0.5
                self.world.tell(name, leaving=flag and kind == "drain", able=not (flag and kind == "unable"))
            case "want":
                self._want()
            case _:
                self._cut(kind, name)

    def _end(self, name: NodeName, kind: str) -> None:
        if kind == "kill":
            self.world.kill(name)
        else:
            self.world.leave(name)
        if self._rng.random() < 0.5:
            self.world.run(self._rng.choice([0.1, 0.4, 1.0]))
            self.world.boot(name)

    def _cut(self, kind: str, name: NodeName) -> None:
        world, rng = self.world, self._rng
        other = rng.choice([each for each in world.names if each != name] or [name])
        match kind:
            case "isolate":
                world.isolate([name])
            case "split":
                world.isolate(rng.sample(world.names, len(world.names) // 2))
            case "gossip cut" | "one way" if other != name:
                world.cut(name, other, both=kind == "gossip cut")
            case "heal":
                world.heal()
            case "loss":
                world.network.loss = rng.choice([0.0, 0.01, 0.05])
            case _:
                pass  # what is asked for cannot happen now

    def _want(self) -> None:
        world, rng = self.world, self._rng
        wanted = dict(world.wanted)
        address = ip_address(f"192.0.2.{rng.randint(1, 7)}")
        if address in wanted and rng.random() < 0.5:
            del wanted[address]
        else:
            some = frozenset(each for each in world.names if rng.random() < 0.7)
            wanted[address] = rng.choice([None, some])
        world.want(wanted)
