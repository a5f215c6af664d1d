"""One history: nodes and routers come up, the script is played; when all is calm again, all must be well."""

from collections.abc import Callable, Mapping
from typing import Final

from bareway.bgp import session
from sim.routers.cluster import COLORS
from sim.routers.node import Node
from sim.routers.router import Router
from sim.routers.scripts import Fault, Script, draw
from sim.routers.world import World

CALM_S: Final = 90.0
"""The longest wait of a session that failed again and again, and then some."""
REST_S: Final = 3.0
"""What is well then stays so."""
SETTLE_S: Final = 0.25
RESTARTS_S: Final = (0.1, 0.3, 0.6, 2.0)
POD_S: Final = (0.5, 1.5, 3.0)
BUSY: Final = 4
BUSY_S: Final = 0.05
RETIRED_S: Final = 7.0
"""From the mark to the switch: the notice, the withdrawal, the last word."""


class RandomRun:
    """One world and what befalls it."""

    def __init__(
        self, seed: int, story: Callable[[str], None] | None = None, *, script: Script | None = None
    ) -> None:
        self.script = script or draw(seed)
        self.world = World(
            seed=self.script.seed,
            nodes=self.script.nodes,
            plans=list(self.script.plans),
            bfd_ms=self.script.bfd_ms,
            sync_s=self.script.sync_s,
            story=story,
        )
        self._numbers = 0

    def play(self) -> None:
        """From boot to calm, with turns that tell one message: so that much may happen between two."""
        at_once = session.CHUNK_BYTES
        try:
            setattr(session, "CHUNK_BYTES", 1)  # noqa: B010 - Final for all others
            self._play()
        finally:
            setattr(session, "CHUNK_BYTES", at_once)  # noqa: B010 - as above

    def _play(self) -> None:
        world = self.world
        for _ in range(self.script.services):
            self._add(self._numbers * 7)
        for host in (*world.routers.values(), *world.nodes.values()):
            world.at(world.rng.uniform(0, 0.5), world.boot, host)
        world.at(0.0, self._settle)
        for fault in self.script.faults:
            world.at(fault.at, self._befall, fault)
        world.run(max((fault.at for fault in self.script.faults), default=0.0) + 0.5)
        self._calm()
        is_well = world.run_until(lambda: not world.checkers.unlike(), within_s=CALM_S)
        world.run(REST_S)
        unlike = world.checkers.unlike()
        if unlike or not is_well:
            world.broken(f"after calm: {unlike}")

    def _settle(self) -> None:
        self.world.checkers.settle()
        self.world.at(self.world.now + SETTLE_S, self._settle)

    def _calm(self) -> None:
        world = self.world
        world.say("calm")
        world.is_calm = True
        if world.is_api_away:
            world.api_back()
        for node in world.nodes.values():
            world.drain(node, is_drained=self.script.ends_drained and node.name == "node1")
        for host in (*world.routers.values(), *world.nodes.values()):
            world.boot(host)

    # ------------------------------------------------------------ faults

    def _befall(self, fault: Fault) -> None:
        node, router = self.world.nodes[fault.node], self.world.routers[fault.router]
        at_nodes = self._AT_NODES.get(fault.kind)
        at_both = self._AT_BOTH.get(fault.kind)
        if at_nodes is not None:
            at_nodes(self, node, fault)
        elif at_both is not None:
            at_both(self.world, node, router, fault.seconds)
            if fault.kind == "stick" and fault.number % 2:
                for place in range(BUSY):  # a router that stops reading in the midst of changes
                    self.world.at(self.world.now + BUSY_S * place, self._recolor, place)
        else:
            self._write(fault)

    def _power_off(self, node: Node, fault: Fault) -> None:
        self.world.power_off(node)
        self.world.at(self.world.now + fault.seconds, self.world.boot, node)

    def _crash(self, node: Node, fault: Fault) -> None:
        self.world.crash(node, back_s=_one_of(RESTARTS_S, fault))

    def _kill_container(self, node: Node, fault: Fault) -> None:
        self.world.kill_container(node, back_s=_one_of(POD_S, fault))

    def _replace_pod(self, node: Node, fault: Fault) -> None:
        self.world.replace_pod(node, back_s=_one_of(POD_S, fault))

    def _freeze(self, node: Node, fault: Fault) -> None:
        self.world.freeze(node, seconds=fault.seconds)

    def _drain(self, node: Node, _: Fault) -> None:
        self.world.drain(node, is_drained=True)

    def _undrain(self, _node: Node, _: Fault) -> None:
        for other in self.world.nodes.values():
            self.world.drain(other, is_drained=False)

    def _retire(self, node: Node, fault: Fault) -> None:
        self.world.retire(node, after_s=RETIRED_S)
        self.world.at(self.world.now + RETIRED_S + fault.seconds, self._return, node)

    _AT_NODES: Mapping[str, "Callable[[RandomRun, Node, Fault], None]"] = {
        "power off": _power_off,
        "crash": _crash,
        "kill container": _kill_container,
        "replace pod": _replace_pod,
        "freeze": _freeze,
        "drain": _drain,
        "undrain": _undrain,
        "retire": _retire,
    }
    _AT_BOTH: Mapping[str, Callable[[World, Node, Router, float], None]] = {
        "cut": World.cut,
        "router off": World.lose_router,
        "restart daemon": World.restart_daemon,
        "stick": World.stick,
        "clear": World.clear,
        "nonsense": World.talk_nonsense,
    }

    def _recolor(self, place: int) -> None:
        self.world.change(self.world.objects.colored(COLORS[place % 2]))

    def _return(self, node: Node) -> None:
        self.world.boot(node)
        self.world.drain(node, is_drained=False)

    def _write(self, fault: Fault) -> None:
        """What happens in the API."""
        world = self.world
        match fault.kind:
            case "api away":
                if not world.is_api_away:
                    world.api_away()
                    world.at(world.now + fault.seconds, self._api_back)
            case "add":
                self._add(fault.number)
            case "delete":
                world.change(world.objects.without_service(fault.number % max(1, self._numbers)))
            case "move":
                self._move(fault)
            case "color":
                self._recolor(fault.number)
            case unknown:
                raise AssertionError(unknown)

    def _api_back(self) -> None:
        if self.world.is_api_away:
            self.world.api_back()

    def _add(self, number: int) -> None:
        world = self.world
        names = tuple(world.nodes)[number % 2 :]
        world.change(world.objects.with_service(self._numbers, is_local=number % 3 == 0, nodes=names))
        self._numbers += 1

    def _move(self, fault: Fault) -> None:
        """Endpoints come and go; policies stay."""
        world = self.world
        present = [one for one in world.objects.services if one.name == f"s{fault.number % self._numbers}"]
        for key in present:
            number = int(key.name[1:])
            is_local = world.objects.services[key].traffic_policy.value == "Local"
            names = tuple(name for place, name in enumerate(world.nodes) if fault.number >> place & 1)
            world.change(world.objects.with_service(number, is_local=is_local, nodes=names))


def _one_of(choices: tuple[float, ...], fault: Fault) -> float:
    return choices[fault.number % len(choices)]
