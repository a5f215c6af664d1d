"""Everything: nodes, routers, the links between them, what the API holds; and what may be done to it."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NoReturn

from bareway.bfd.timing import Timing
from bareway.bgp.events import Output, Start, StateChanged, Stop, StopReason
from bareway.bgp.fsm import State
from bareway.model.names import IPAddress
from sim.broken import Broken
from sim.routers.checkers import Checkers
from sim.routers.cluster import Objects, RouterPlan, at_first
from sim.routers.node import EXIT_S, Node, Speaker
from sim.routers.router import Router
from sim.routers.tcp import End, Host, Net
from sim.timeline import Timeline

GARBAGE: Final = b"\xff" * 15 + b"\xfe" + b"\x00\x13\x04"
"""A header whose marker is not one."""
WATCH_S: Final = (0.01, 0.1)
"""Until a speaker sees what changed in the API."""


class World(Timeline):
    """Of one seed."""

    def __init__(
        self,
        *,
        seed: int,
        nodes: int,
        plans: list[RouterPlan],
        bfd_ms: int,
        sync_s: float,
        story: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(story=story)
        self.seed = seed
        self.rng = Random(f"routers/{seed}")
        self.plans = plans
        self.sync_s = sync_s
        self.timing = Timing(bfd_ms * 1000, bfd_ms * 1000, 3)
        self.net = Net(self, Random(f"net/{seed}"))
        self.nodes = {f"node{n}": Node(self, f"node{n}", n) for n in range(1, nodes + 1)}
        self.routers = {plan.name: Router(self, plan, n) for n, plan in enumerate(plans, 1)}
        hosts: list[Host] = [*self.nodes.values(), *self.routers.values()]
        self.by_address: dict[IPAddress, Host] = {host.address: host for host in hosts}
        addresses: dict[str, IPAddress] = {name: node.address for name, node in self.nodes.items()}
        self.objects: Objects = at_first(list(self.nodes), addresses, plans)
        self.is_api_away = False
        self.api_back_at = 0.0
        self.is_calm = False
        """Nothing more is done to anybody."""
        self._unsynced: list[tuple[Node, Speaker]] = []
        self.checkers = Checkers(self)

    def broken(self, text: str) -> NoReturn:
        """An invariant does not hold."""
        raise Broken(f"{self.now:.4f} {text}; replay: make sim WORLD=routers SEED={self.seed}")

    def pairs_of(self, host: Host) -> list[tuple[str, str]]:
        """Node and router, for all that a host has to do with."""
        if isinstance(host, Node):
            return [(host.name, name) for name in self.routers]
        return [(name, host.name) for name in self.nodes]

    # ------------------------------------------------------------ the API

    def change(self, objects: Objects) -> None:
        """Something was written; speakers see it a little later."""
        self.checkers.objects_change(self.objects, objects)
        self.objects = objects
        if not self.is_api_away:
            for node in self.nodes.values():
                self.at(self.now + self.rng.uniform(*WATCH_S), self._show, node)
        self.checkers.look()

    def _show(self, node: Node) -> None:
        speaker = node.speaker
        if speaker is not None and not self.is_api_away and speaker.is_synced:
            speaker.see(self.objects)

    def tell_when_synced(self, node: Node, speaker: Speaker) -> None:
        """A program that starts lists first."""
        self.at(self.now + self.sync_s, self._sync, node, speaker)

    def _sync(self, node: Node, speaker: Speaker) -> None:
        if self.is_api_away:
            self._unsynced.append((node, speaker))
        else:
            speaker.see(self.objects)

    def api_away(self) -> None:
        """Nobody hears of anything."""
        self.say("the API is away")
        self.is_api_away = True
        self.checkers.loosen_kept()

    def api_back(self) -> None:
        """All catch up."""
        self.say("the API is back")
        self.is_api_away = False
        self.api_back_at = self.now
        unsynced, self._unsynced = self._unsynced, []
        for node, speaker in unsynced:
            self.tell_when_synced(node, speaker)
        for node in self.nodes.values():
            self.at(self.now + self.rng.uniform(*WATCH_S), self._show, node)

    # ------------------------------------------------------------ nodes

    def boot(self, host: Host) -> None:
        """Power, and all that runs there."""
        if host.powered:
            return
        self.say(f"{host.name} boots")
        self.checkers.disturb(self.pairs_of(host))
        self.net.power_back(host)
        if isinstance(host, Node | Router):
            host.start()
        self.checkers.look()

    def power_off(self, host: Host) -> None:
        """At once, without a word."""
        if not host.powered:
            return
        self.say(f"{host.name} loses power")
        self.checkers.disturb(self.pairs_of(host))
        if isinstance(host, Node | Router):
            host.power_off()
        self.checkers.look()

    def crash(self, node: Node, *, back_s: float) -> None:
        """kill -9 of the speaker; process 1 starts it anew."""
        if node.speaker is None:
            return
        self.say(f"{node.name}: the speaker is killed")
        self.checkers.restarts(node, back_s=back_s, keeps_bfd=True)
        node.speaker_ends()
        self.at(self.now + back_s, self._start_speaker, node, node.bfd)

    def _start_speaker(self, node: Node, bfd: object) -> None:
        if node.powered and node.speaker is None and node.bfd is not None and node.bfd is bfd:
            self.say(f"{node.name}: the speaker starts")
            node.start_speaker()

    def kill_container(self, node: Node, *, back_s: float) -> None:
        """kill -9 of both."""
        if node.bfd is None:
            return
        self.say(f"{node.name}: the container is killed")
        self.checkers.restarts(node, back_s=back_s, keeps_bfd=False)
        node.bfd_ends(is_planned=False)
        node.speaker_ends()
        self.at(self.now + back_s, self._start_container, node)

    def replace_pod(self, node: Node, *, back_s: float) -> None:
        """SIGTERM, and a new Pod: as in a rollout."""
        speaker = node.speaker
        if speaker is None or node.frozen or speaker.has_left:
            return
        self.say(f"{node.name}: the Pod is replaced")
        self.checkers.restarts(node, back_s=back_s + EXIT_S, keeps_bfd=True)
        speaker.restart()
        self.at(self.now + EXIT_S, self._end_pod, node, speaker, back_s)

    def _end_pod(self, node: Node, speaker: Speaker, back_s: float) -> None:
        if node.speaker is speaker:
            node.speaker_ends()
            node.bfd_ends(is_planned=True)
            self.at(self.now + back_s, self._start_container, node)

    def _start_container(self, node: Node) -> None:
        if node.powered and node.bfd is None:
            self.say(f"{node.name}: the container starts")
            node.start()

    def freeze(self, node: Node, *, seconds: float) -> None:
        """SIGSTOP of the speaker."""
        if node.speaker is None or node.frozen:
            return
        self.say(f"{node.name}: the speaker is frozen")
        node.frozen = True
        self._trouble(self.pairs_of(node), seconds, self._thaw, node, node.speaker)

    def _thaw(self, node: Node, speaker: Speaker) -> None:
        if node.speaker is speaker and node.frozen:
            self.say(f"{node.name}: the speaker goes on")
            self.net.thaw(node)

    def drain(self, node: Node, *, is_drained: bool) -> None:
        """The operator's mark."""
        if self.objects.is_drained(node.name) != is_drained:
            self.say(f"{node.name}: {'drained' if is_drained else 'undrained'}")
            self.change(self.objects.drained(node.name, is_drained=is_drained))

    def retire(self, node: Node, *, after_s: float) -> None:
        """Drain, wait until that is done, and switch off: nothing may be lost."""
        self.drain(node, is_drained=True)
        self.at(self.now + after_s, self._switch_off, node, self.now)

    def _switch_off(self, node: Node, since: float) -> None:
        speaker = node.speaker
        if speaker is not None and speaker.has_left and not node.frozen and not self.is_calm:
            self.checkers.node_retires(node, since)
            if node.bfd is not None:
                node.bfd.desk.end(now=self.now)
            self.power_off(node)

    # ------------------------------------------------------------ links and routers

    def cut(self, node: Node, router: Router, seconds: float) -> None:
        """Nothing passes between the two."""
        if self.net.is_cut(node.name, router.name):
            return
        self.say(f"{node.name} and {router.name} are cut")
        self.net.cut(node.name, router.name)
        self._trouble([(node.name, router.name)], seconds, self._mend, node, router)
        self.checkers.look()

    def _mend(self, node: Node, router: Router) -> None:
        self.say(f"{node.name} and {router.name} are together again")
        self.net.heal(node.name, router.name)
        self.checkers.look()

    def lose_router(self, _: Node, router: Router, seconds: float) -> None:
        """No power there for a while."""
        self.power_off(router)
        self.at(self.now + seconds, self.boot, router)

    def restart_daemon(self, _: Node, router: Router, seconds: float) -> None:
        """The router's program is upgraded."""
        if router.powered and router.ends:
            self.say(f"{router.name}: its daemon ends")
            router.stop()
            self._trouble(self.pairs_of(router), seconds, self._start_daemon, router)
            self.checkers.look()

    def _start_daemon(self, router: Router) -> None:
        if router.powered and not router.ends:
            self.say(f"{router.name}: its daemon starts")
            router.start()

    def stick(self, node: Node, router: Router, seconds: float) -> None:
        """The router does not read what that node says."""
        end = router.ends.get(node.name)
        if end is not None and not end.stuck:
            self.say(f"{router.name} does not read from {node.name}")
            end.stuck = True
            self._trouble([(node.name, router.name)], seconds, self._unstick, end)

    def _unstick(self, end: End) -> None:
        if end.alive:
            self.say(f"{end.host.name} reads from {end.peer.name} again")
            end.unstick()

    def clear(self, node: Node, router: Router, _: float) -> None:
        """``clear bgp neighbor``."""
        end = router.ends.get(node.name)
        if end is not None:
            self.say(f"{router.name} resets {node.name}")
            self.checkers.disturb([(node.name, router.name)])
            end.do(Stop(reason=StopReason.RESET))
            end.do(Start())

    def talk_nonsense(self, node: Node, router: Router, _: float) -> None:
        """Bytes that are no BGP."""
        end = router.ends.get(node.name)
        if end is not None and end.wires:
            self.say(f"{router.name} talks nonsense to {node.name}")
            self.checkers.disturb([(node.name, router.name)])
            self.net.send(end, max(end.wires), GARBAGE)

    def _trouble(
        self, pairs: Iterable[tuple[str, str]], seconds: float, what: Callable[..., None], *about: object
    ) -> None:
        """For so long these pairs are excused; then what is done to end it."""
        chosen = list(pairs)
        self.checkers.begin_trouble(chosen)

        def over() -> None:
            what(*about)
            self.checkers.end_trouble(chosen)

        self.at(self.now + seconds, over)

    # ------------------------------------------------------------ what sessions do

    def watch_session(self, host: Host, end: End, outputs: list[Output]) -> None:
        """For the story, and for the checkers."""
        for output in outputs:
            if isinstance(output, StateChanged) and State.ESTABLISHED in (output.before, output.after):
                self.say(f"{host.name}: {end.peer.name} {output.after.name} ({output.reason})")
                if output.before is State.ESTABLISHED:
                    self.checkers.session_is_lost(host, end, output.reason)

    def run_until(self, is_so: Callable[[], bool], *, within_s: float, step_s: float = 0.5) -> bool:
        """Let time pass until something holds."""
        end = self.now + within_s
        while self.now < end:
            self.run(step_s)
            if is_so():
                return True
        return False
