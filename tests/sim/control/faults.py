"""Random histories: what users do and what fails, how often and when, all from the seed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from random import Random

from bareway.decide.allocation.strangers import PROXY_MIN
from bareway.model.mac import MacAddress
from bareway.runtime.kube.errors import Unreachable
from controller.allocation.desk import Desk
from controller.writing import apply
from sim.control.api import Place
from sim.control.checkers import Checkers
from sim.control.keeping import SKEW_MAX_S
from sim.control.owner import Weather
from sim.control.process import Process
from sim.control.speakers import NODES, Stranger
from sim.control.users import ADDRESSES, Users
from sim.control.world import GOSSIP_S, OURS, World

CALM_S = 140.0
"""After the pauses of watches and writes a hold ends, then what was listed ahead for who waited for it."""
ENDING_S = 20.0
"""By then whoever was frozen has found out that another led, and has ended: somebody starts anew."""
QUIET_S = 5.0
LEASE = Place("leases", OURS, "bareway-controller")
CONTROLLERS_MAX = 3
CONTESTED_SHARE = 0.25
"""Of all histories: there leaders are overtaken in the midst of writing."""
IN_FLIGHT = (1, 2)
"""So many writes are begun at a time there: by the real number all would be, with the few Services here."""
LONG_FREEZE_S = (4.5, 8.0)
"""Long enough that another leads by then."""
LOOK_S, OVERTAKEN_S = 0.1, 10.0
"""How often it is looked whether another leads already, and for how long."""


@contextmanager
def timeless() -> Iterator[None]:
    """What a decision costs this machine is the one thing that no seed tells: here it costs nothing."""
    defaults = Desk.__init__.__kwdefaults__
    assert defaults is not None
    clock, defaults["clock"] = defaults["clock"], lambda: 0.0
    try:
        yield
    finally:
        defaults["clock"] = clock


@contextmanager
def in_flight(number: int) -> Iterator[None]:
    """So many writes are begun at a time."""
    before, apply.IN_FLIGHT = apply.IN_FLIGHT, number  # type: ignore[misc]  # a history may have another one
    try:
        yield
    finally:
        apply.IN_FLIGHT = before  # type: ignore[misc]  # as it was


class RandomRun:
    """One world and its history."""

    def __init__(self, seed: int, story: Callable[[str], None] | None = None) -> None:
        self._rng = Random(f"history/{seed}")
        self.world = World(seed, story=story)
        self.checkers = Checkers(self.world)
        self.users = Users(self.world, self._rng)
        rng = self._rng
        self._of_process: Mapping[str, Callable[[Process], None]] = {
            "crash": self._crash,
            "end": Process.end,
            "freeze": lambda one: one.freeze(rng.uniform(0.2, 8.0)),
            "freeze at a write": self._freeze_at_a_write,
            "cut": self._cut,
            "break watches": self._break_watches,
            "stall": lambda one: one.client.stall(self.world.now + rng.uniform(1.0, 15.0)),
        }
        self._of_world: Mapping[str, Callable[[], None]] = {
            "start": self._start_another,
            "away": self._go_away,
            "errors": self._err,
            "late": self._be_late,
            "lag": self._lag,
            "forget": self.world.api.compact,
            "delete the Lease": self._delete_the_lease,
            "heal": self._heal,
            "node dies": lambda: self._change_speakers("node dies"),
            "node returns": lambda: self._change_speakers("node returns"),
            "drain": lambda: self._change_speakers("drain"),
            "stranger comes": self._let_a_stranger_come,
            "stranger goes": self._let_strangers_go,
        }
        kinds = (*self._of_process, *self._of_world)
        self._kinds = [kind for kind in kinds if rng.random() < 0.5] if rng.random() < 0.8 else []
        self._acts = [kind for kind in self.users.does if rng.random() < 0.6] + ["create"] * 3
        self._names = 0
        self._strangers = 0
        contest = Random(f"contest/{seed}")
        self._in_flight = apply.IN_FLIGHT
        if contest.random() < CONTESTED_SHARE:
            self._in_flight = contest.choice(IN_FLIGHT)
            self._kinds += ["be overtaken"] * 3

    def play(self) -> None:
        """From nothing to calm."""
        with timeless(), in_flight(self._in_flight):
            try:
                self._play()
            finally:
                self.world.close()

    def _play(self) -> None:
        world, rng = self.world, self._rng
        self.users.configure()
        for _ in range(rng.choice((1, 2, 2, 2, 3))):
            self._start()
        world.run(rng.choice((0.0, 3.0)))
        for _ in range(rng.choice((0, 4, 8))):
            self.users.create()
        for _ in range(rng.randint(10, 40)):
            if self._kinds and rng.random() < 0.3:
                self._fail(rng.choice(self._kinds))
            else:
                world.say(f"-- {(act := rng.choice(self._acts))}")
                self.users.does[act]()
            world.run(rng.choice((0.0, 0.003, 0.02, 0.3, 1.5, 3.0)))
        self._heal()
        for lasts_s in (ENDING_S, CALM_S):
            if not any(one.is_alive and not one.is_ending for one in world.processes):
                self._start()
            world.run(lasts_s)
        writes = self.checkers.writes
        self.checkers.when_calm()
        world.run(QUIET_S)
        if self.checkers.writes != writes:
            self.checkers.broken("it goes on writing though nothing happens")

    def _start(self) -> None:
        self._names += 1
        skew_s = self._rng.choice((0, 0, 0, 1, -SKEW_MAX_S, SKEW_MAX_S))
        self.world.start(f"c{self._names}", skew_s=skew_s)

    def _fail(self, kind: str) -> None:
        """Something goes wrong with one process, with the leader more often than not, or with all."""
        world, rng = self.world, self._rng
        world.say(f"-- {kind}")
        living = [one for one in world.processes if one.is_alive and not one.is_ending]
        leader = world.leader()
        if kind in self._of_world:
            self._of_world[kind]()
        elif kind == "be overtaken":
            self._be_overtaken(leader)
        elif living:
            one = leader if leader is not None and rng.random() < 0.6 else rng.choice(living)
            self._of_process[kind](one)

    def _crash(self, one: Process) -> None:
        one.crash()
        if self._rng.random() < 0.6:
            self._start()

    def _freeze_at_a_write(self, one: Process) -> None:
        one.freezes_at_write = True

    def _be_overtaken(self, one: Process | None) -> None:
        """Frozen in the midst of writing until another leads, which soon ends: it may lead again at once."""
        if one is None:
            return
        one.freezes_at_write, one.freeze_s = True, LONG_FREEZE_S
        if len(self.world.processes) == 1:
            self._start()
        for _ in range(4):
            self.users.does[self._rng.choice(("create", "hand"))]()
        self._end_who_overtakes(one, self.world.now + OVERTAKEN_S)

    def _end_who_overtakes(self, one: Process, until: float) -> None:
        world, leader = self.world, self.world.leader()
        if leader is not None and leader is not one and one.is_frozen:
            ends_at = max(world.now, one.frozen_until - self._rng.uniform(-0.5, 2.0))
            world.at(ends_at, lambda: None if leader.is_ending or not leader.is_alive else leader.end())
        elif world.now < until and one.is_alive:
            world.at(world.now + LOOK_S, lambda: self._end_who_overtakes(one, until))

    def _cut(self, one: Process) -> None:
        one.is_cut = not one.is_cut

    def _break_watches(self, one: Process) -> None:
        one.client.break_watches(self._rng.choice((None, Unreachable("it broke"))))

    def _start_another(self) -> None:
        if sum(not one.is_ending for one in self.world.processes) < CONTROLLERS_MAX:
            self._start()

    def _go_away(self) -> None:
        self.world.weather.is_away = not self.world.weather.is_away

    def _err(self) -> None:
        self.world.weather.error_share = self._rng.choice((0.0, 0.1, 0.5))

    def _be_late(self) -> None:
        self.world.weather.late_share = self._rng.choice((0.0, 0.2, 0.8))

    def _lag(self) -> None:
        self.world.weather.lags_s = self._rng.choice(((0.001, 0.01), (0.001, 0.3), (0.01, 3.0)))

    def _delete_the_lease(self) -> None:
        if LEASE in self.world.api.objects:
            self.world.delete(LEASE)

    def _change_speakers(self, kind: str) -> None:
        speakers, name = self.world.speakers, self._rng.choice(NODES)
        match kind:
            case "node dies":
                speakers.living.discard(name)
            case "node returns":
                speakers.living.add(name)
            case _:
                speakers.draining ^= {name}
        speakers.change(now=self.world.now)
        self.world.tell_sights()
        self.world.at(self.world.now + GOSSIP_S, self.world.gossip)

    def _let_a_stranger_come(self) -> None:
        """Somebody on the link has an address of ours, or soon will be ours; few of many are enough."""
        speakers, address = self.world.speakers, ip_address(self._rng.choice(ADDRESSES))
        if len(speakers.strangers) < PROXY_MIN - 1:
            self._strangers += 1
            mac = MacAddress(bytes((2, 0, 0, 0, 1, self._strangers % 256)))
            speakers.strangers[address] = Stranger(mac, self.world.now)
            self.world.find_strangers()

    def _let_strangers_go(self) -> None:
        self.world.speakers.strangers.clear()
        self.world.find_strangers()

    def _heal(self) -> None:
        self.world.weather.is_away = False
        self.world.weather.error_share = self.world.weather.late_share = 0.0
        self.world.weather.lags_s = Weather().lags_s
        for one in self.world.processes:
            one.is_cut = one.freezes_at_write = False
        self.world.speakers.living |= {*NODES}
        self.world.speakers.change(now=self.world.now)
        self.world.tell_sights()
