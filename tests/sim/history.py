"""One history: a cluster is set up, its script is played, all is calm again, and all must be well."""

from collections.abc import Callable
from ipaddress import ip_address

from bareway.model.names import IPAddress
from sim.acts import Acts
from sim.bounds import Bounds
from sim.checkers import Checkers
from sim.listing import Controller
from sim.scripts import Fault, Lists, Script, draw, pace_of
from sim.world import World

CALM_S = 12.0
"""Back-off, a start without a stable view, a fence, a ladder of all: then nothing may be open any more."""
DECIDED_S = 3.0
"""Before the end the controller stops: what it decided last comes true by then."""


class RandomRun:
    """One world and what befalls it."""

    def __init__(
        self, seed: int, story: Callable[[str], None] | None = None, *, script: Script | None = None
    ) -> None:
        self.script = script or draw(seed)
        self.world = World(
            seed=self.script.seed,
            nodes=self.script.nodes,
            addresses=0,
            profile=self.script.profile,
            partition=self.script.partition,
            as_bytes=self.script.as_bytes,
            story=story,
        )
        self.checkers = Checkers(self.world)
        self.bounds = Bounds(self.world, self.checkers, lag_s=self.script.lag_s)
        self.controller = Controller(self.world) if self.script.lists is Lists.CONTROLLER else None
        self.acts = Acts(self.world, self.controller, chaos=self.script.lists is Lists.CHAOS)

    def play(self) -> None:
        """From boot to calm."""
        world, script = self.world, self.script
        for key, members in _groups(script.keys):
            world.groups[key] = members
            if self.controller is not None:
                self.controller.add(key, None)
            else:
                world.want({**world.wanted, key: None})
        if self.controller is not None:
            self.controller.start()
        for name in world.names:
            world.at(world.now + world.rng.uniform(0, 0.1), self.acts.boot, name, script.lag_s)
        world.browse()
        for fault in script.faults:
            world.at(fault.at, self._befall, fault)
        world.run(script.calm_at - world.now)
        self.bounds.end()
        self.acts.calm(in_part=script.ends_in_part)
        calm_s = CALM_S * pace_of(script.profile)
        if self.controller is not None:
            self.controller.stop_at(world.now + calm_s - DECIDED_S)
        world.run(calm_s)
        self.checkers.at_the_end()

    def _befall(self, fault: Fault) -> None:
        self.bounds.before(fault)
        self.acts.do(fault)


def _groups(count: int) -> list[tuple[IPAddress, tuple[IPAddress, ...]]]:
    """Of IPv4 alone, of IPv6 alone, and of both."""
    found: list[tuple[IPAddress, tuple[IPAddress, ...]]] = []
    for number in range(1, count + 1):
        four, six = ip_address(f"192.0.2.{number}"), ip_address(f"2001:db8::{number}")
        match number % 3:
            case 0:
                found.append((four, (four, six)))
            case 1:
                found.append((four, (four,)))
            case _:
                found.append((six, (six,)))
    return found
