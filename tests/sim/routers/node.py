"""A node: a kernel that forwards while it has power, a process that keeps BFD sessions, and the speaker.

Each of the two programs may die without the other. The speaker is modelled after ``speaker.bgp``: sessions at
once, routes when caches are synced, BFD's word on to the sessions.
"""

from ipaddress import IPv4Address, IPv6Address
from math import inf
from random import Random
from typing import TYPE_CHECKING, Final

from bareway.bfd.memory import Memory
from bareway.bfd.packet import State as BfdState
from bareway.bfd.register import TTL, Arrival, Path
from bareway.bgp.events import BfdDown, BfdUp, Drain, Output, Stage, Start, Stop, StopReason, Want
from bareway.bgp.fsm import State
from bareway.bgp.session import Session
from sim.routers.cluster import Mind, Objects, settings_of
from sim.routers.tcp import End, Host
from speaker.bfd.desk import Desk
from speaker.bfd.recall import patience_s
from speaker.bfd.records import Report, Request, RequestKind, Wanted

if TYPE_CHECKING:
    from sim.routers.world import World

WORD_S: Final = 0.0005
"""From one process of a node to the other."""
EXIT_S: Final = 0.05
"""Until a program that was told to end has ended."""
NOTICE_S: Final = 3.0
"""From GRACEFUL_SHUTDOWN to the withdrawal; ten seconds in earnest."""
ALONE_S: Final = 0.25
"""A node that nobody can stand in for looks again so often."""
LAST_WORD_S: Final = 3.5
"""From the withdrawal until all sessions have ended."""


class BfdProcess:
    """Process 1 of the container."""

    def __init__(self, world: "World", node: "Node", rng: Random) -> None:
        self.world = world
        self.node = node
        self.alive = True
        self.desk = Desk(wires=self, rng=rng)
        self._tick_at = inf

    # -- the network, as the desk uses it

    @property
    def dropped(self) -> int:
        return 0

    def listen(self, path: Path, minimum_ttl: int) -> int:
        del path, minimum_ttl
        return 0

    def send(self, path: Path, data: bytes) -> int:
        router = self.world.by_address[path.peer]
        self.world.net.datagram(self.node, router, data)
        return 0

    def forget(self, path: Path) -> None:
        del path

    # -- what comes

    def hear(self, source: IPv4Address, data: bytes) -> None:
        arrival = Arrival(source, self.node.address, "eth0", TTL, is_multihop=False)
        self.desk.hear(data, arrival, now=self.world.now)
        self._after()

    def obey(self, *requests: Request) -> None:
        if self.alive:
            for request in requests:
                self.desk.obey(request, now=self.world.now)
            self._after()

    def leave_alone(self) -> None:
        """The speaker is gone."""
        self.desk.leave_alone(now=self.world.now)
        self._after()

    def resume(self, sessions: list[tuple[Wanted, Memory]]) -> None:
        for wanted, memory in sessions:
            self.desk.resume(wanted, memory, now=self.world.now)
        self._after()

    def _after(self) -> None:
        speaker = self.node.speaker
        if speaker is not None:
            for report in self.desk.reports():
                if isinstance(report, Report):
                    self.world.at(self.world.now + WORD_S, speaker.told, report)
        deadline = max(self.desk.deadline, self.world.now)
        if deadline < self._tick_at:
            self._tick_at = deadline
            self.world.at(deadline, self._ring, deadline)

    def _ring(self, at: float) -> None:
        if self.alive and at == self._tick_at:
            self._tick_at = inf
            self.desk.tick(now=self.world.now)
            self._after()


class Speaker:
    """The main program, in one life."""

    def __init__(self, world: "World", node: "Node", rng: Random, *, is_restart: bool) -> None:
        self.world = world
        self.node = node
        self.alive = True
        self.stage = Stage.END
        self.has_left = False
        self._rng = rng
        self._is_restart = is_restart
        self._mind = Mind(node.name)
        self.is_synced = False
        self.noticed_at = -inf
        """When the present drain was noticed."""
        self._up: set[str] = set()
        self._drains = 0

    def begin(self, objects: Objects) -> None:
        """Open the sessions, and ask for BFD."""
        settings = settings_of(self.node.name, objects, self.world.plans)
        for name, one in settings.items():
            session = Session(one, rng=Random(f"{self._rng.random()}/{name}"))
            self.node.ends[name] = End(self.world.net, self.node, self.world.routers[name], session)
        for end in list(self.node.ends.values()):
            end.do(Start(is_restart=self._is_restart))
        self._ask_for_bfd()

    def _ask_for_bfd(self) -> None:
        if not any(plan.has_bfd for plan in self.world.plans):
            return
        wanted = [
            Request(
                RequestKind.WANT,
                Wanted(Path(plan.address, self.node.address), self.world.timing),
            )
            for plan in self.world.plans
            if plan.has_bfd and not self.has_left
        ]
        self._say(*wanted, Request(RequestKind.COMPLETE))

    def _say(self, *requests: Request) -> None:
        if self.node.bfd is not None:
            self.world.at(self.world.now + WORD_S, self.node.bfd.obey, *requests)

    # ------------------------------------------------------------ news

    def see(self, objects: Objects) -> None:
        """Caches are synced, or something in them changed."""
        if not self.alive:
            return
        if self.node.frozen:
            self.node.backlog.append(lambda: self.see(self.world.objects))  # its mirrors catch up first
            return
        self.is_synced = True
        routes = self._mind.look(objects, self.world.now)
        for name, end in list(self.node.ends.items()):
            end.do(Want(routes=routes[name], is_complete=True))
        is_drained = objects.is_drained(self.node.name)
        if is_drained != (self.stage is Stage.BEGIN):
            self._drain() if is_drained else self._stay()

    def told(self, report: Report) -> None:
        """BFD says how a session stands."""
        if not self.alive:
            return
        if self.node.frozen:
            self.node.backlog.append(lambda: self.told(report))
            return
        name = self.world.by_address[report.path.peer].name
        if report.state is BfdState.UP:
            self._up.add(name)
            self.node.ends[name].do(BfdUp())
        elif name in self._up:
            self._up.discard(name)
            if report.remote_state is not BfdState.ADMIN_DOWN:
                self.node.ends[name].do(BfdDown())

    # ------------------------------------------------------------ leaving

    def _drain(self) -> None:
        self.stage, self.noticed_at = Stage.BEGIN, self.world.now
        self._drains += 1
        for end in list(self.node.ends.values()):
            end.do(Drain(stage=Stage.BEGIN))
        self.world.at(self.world.now + NOTICE_S, self._leave, self._drains)

    def _leave(self, number: int) -> None:
        if not self.alive or self._drains != number or self.stage is not Stage.BEGIN:
            return
        if self.node.frozen:
            self.node.backlog.append(lambda: self._leave(number))
            return
        objects = self.world.objects
        if all(objects.is_drained(name) for name in self.world.nodes):  # marked routes are better than none
            self.world.at(self.world.now + ALONE_S, self._leave, number)
            return
        self.has_left = True
        for end in list(self.node.ends.values()):
            end.do(Stop(reason=StopReason.LEAVING, text="maintenance"))
        self.world.at(self.world.now + LAST_WORD_S, self._forget_bfd, number)

    def _forget_bfd(self, number: int) -> None:
        if self.alive and self._drains == number:
            self._ask_for_bfd()

    def _stay(self) -> None:
        self.stage = Stage.END
        self._drains += 1
        for end in list(self.node.ends.values()):
            end.do(Drain(stage=Stage.END))
        if self.has_left:
            self.has_left = False
            for end in list(self.node.ends.values()):
                end.do(Start())
            self._ask_for_bfd()

    def restart(self) -> None:
        """SIGTERM, and another one comes soon."""
        if any(plan.has_bfd for plan in self.world.plans):
            self._say(Request(RequestKind.RESTARTING))
        for end in list(self.node.ends.values()):
            end.do(Stop(reason=StopReason.RESTART))


class Node(Host):
    """The machine with both."""

    def __init__(self, world: "World", name: str, number: int) -> None:
        super().__init__(name, IPv4Address(f"192.0.2.{10 + number}"), IPv6Address(f"2001:db8::{10 + number}"))
        self.world = world
        self.bfd: BfdProcess | None = None
        self.speaker: Speaker | None = None
        self.lives = 0
        self.remembered: list[tuple[float, Wanted, Memory]] = []
        """In the node's memory, over a planned restart of the Pod."""
        self.was_up_at = -inf
        """When an earlier life of the speaker had a session."""

    def hear(self, source: IPv4Address, data: bytes) -> None:
        if self.bfd is not None:
            self.bfd.hear(source, data)

    def after(self, end: End, outputs: list[Output]) -> None:
        self.world.watch_session(self, end, outputs)

    # ------------------------------------------------------------ the container

    def start(self) -> None:
        """Process 1, and below it the speaker."""
        self.lives += 1
        self.bfd = BfdProcess(self.world, self, Random(f"bfd/{self.world.seed}/{self.name}/{self.lives}"))
        now = self.world.now
        sessions = [
            (wanted, memory)
            for saved_at, wanted, memory in self.remembered
            if now < saved_at + patience_s(memory)
        ]
        self.remembered = []
        self.bfd.resume(sessions)
        self.start_speaker()

    def start_speaker(self) -> None:
        self.lives += 1
        rng = Random(f"speaker/{self.world.seed}/{self.name}/{self.lives}")
        is_restart = self.world.now - self.was_up_at < self.world.plans[0].restart_s
        self.speaker = Speaker(self.world, self, rng, is_restart=is_restart)
        self.speaker.begin(self.world.objects)
        self.world.tell_when_synced(self, self.speaker)

    def speaker_ends(self) -> None:
        """However: its kernel closes what it had, and process 1 sees it."""
        if self.speaker is not None:
            if any(end.session.state is State.ESTABLISHED for end in self.ends.values()):
                self.was_up_at = self.world.now
            self.speaker.alive = False
            self.speaker = None
            self.world.net.process_ended(self)
            if self.bfd is not None:
                self.bfd.leave_alone()

    def bfd_ends(self, *, is_planned: bool) -> None:
        """With the speaker, or after it."""
        if self.bfd is None:
            return
        if is_planned:
            self.remembered = [(self.world.now, *one) for one in self.bfd.desk.memories()]
        self.bfd.alive = False
        self.bfd = None

    def power_off(self) -> None:
        if self.speaker is not None:
            self.speaker.alive = False
        if self.bfd is not None:
            self.bfd.alive = False
        self.speaker = self.bfd = None
        self.remembered, self.was_up_at = [], -inf
        self.world.net.power_lost(self)
