"""One controller process: the program's own parts, put together as in ``controller.app``.

It has clocks of its own. It may be frozen at any moment, also between a write's permission and its sending;
it may crash, and it may end as after SIGTERM. Left out: sockets for metrics and status, gossip itself, and
the Recorder, whose Events are only noted.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType
from bareway.resources.kinds import SECRETS
from bareway.resources.objects import KEY_FIELD, secret_body
from bareway.runtime.kube.errors import AlreadyExists
from bareway.runtime.kube.reflector import Reflector
from controller.allocation.assumptions import Memory
from controller.leading.elector import Elector
from controller.leading.fence import Fence
from controller.loop import Loop
from controller.watch import Watch
from controller.writing.apply import Applier, Outcome
from controller.writing.effects import Effect
from sim.control.api import BORN, Api
from sim.control.loops import VirtualLoop
from sim.control.owner import Flight, Weather
from sim.control.settings import SETTINGS
from sim.control.speakers import Sight
from sim.control.wire import Client

T = TypeVar("T")

if TYPE_CHECKING:
    from sim.control.world import World

FREEZE_S: Final = (0.5, 8.0)
DRIFT: Final = 0.0005
"""How much faster or slower a clock may go: far more than any crystal."""


class Teller:
    """Takes Events, and sends none."""

    def __init__(self) -> None:
        self.told: list[tuple[ObjectReference, str]] = []

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        self.told.append((about, reason))


class Process:
    """A life of a controller."""

    def __init__(self, world: "World", name: str, *, skew_s: int) -> None:
        self.world = world
        self.name = name
        self.life = world.next_life()
        self.rng = Random(f"{world.seed}/{name}/{self.life}")
        self.skew_s = skew_s
        """How far its time of day is off."""
        self.is_alive = True
        self.is_ending = False
        self.is_cut = False
        self.frozen_until = 0.0
        self.freezes_at_write = False
        """The next write is allowed, and then the process is frozen before it is sent."""
        self.freeze_s = FREEZE_S
        """For so long, at least and at most."""
        self.looked_at = 0
        """The revision of Services up to which it had seen them when it decided last."""
        self.state_at = 0
        """The same of what is remembered."""
        self._offset = self.rng.uniform(10.0, 1e5)
        self._rate = self.rng.uniform(1 - DRIFT, 1 + DRIFT)
        self._backlog: list[Callable[[], None]] = []
        self._turns = 0
        self.loop = VirtualLoop(self.clock, self.unix)
        self.loop.is_stopped = lambda: self.is_frozen or not self.is_alive
        self.client = Client(self)
        self.loop.turn(self._put_together)
        self._schedule()

    # ------------------------------------------------------------ clocks and chance

    @property
    def now(self) -> float:
        return self.world.now

    @property
    def api(self) -> Api:
        return self.world.api

    @property
    def weather(self) -> Weather:
        return self.world.weather

    def clock(self) -> float:
        """Its own monotonic seconds."""
        return self._offset + self._rate * self.world.now

    def unix(self) -> int:
        """Its own time of day."""
        return int(BORN + self.world.now) + self.skew_s

    def real_s(self, local_s: float) -> float:
        return local_s / self._rate

    def at(self, when: float, what: Callable[[], None]) -> None:
        self.world.at(when, what)

    def chance(self) -> float:
        return self.world.rng.random()

    def between(self, low: float, high: float) -> float:
        return self.world.rng.uniform(low, high)

    # ------------------------------------------------------------ turns

    @property
    def is_frozen(self) -> bool:
        return self.world.now < self.frozen_until

    @property
    def is_running(self) -> bool:
        """It has turns, and is not about to end."""
        return self.is_alive and not self.is_ending and not self.is_frozen

    def wake(self, what: Callable[[], None]) -> None:
        if not self.is_alive:
            return
        if self.is_frozen or self._backlog:
            self._backlog.append(what)
            return
        self.loop.turn(what)
        self._schedule()

    def freeze(self, for_s: float) -> None:
        """As by SIGSTOP, or by a hypervisor whose clocks go on."""
        self.frozen_until = max(self.frozen_until, self.world.now + for_s)
        self.world.say(f"{self.name} is frozen for {for_s:.1f} s")
        self.world.at(self.frozen_until, self._thaw)

    def send(self, what: Callable[[bool], None], *, is_write: bool) -> None:
        if is_write and self.freezes_at_write and not self.is_ending:
            self.freezes_at_write = False
            self.freeze(self.between(*self.freeze_s))
            self.freeze_s = FREEZE_S
            self.world.at(self.frozen_until, lambda: what(True) if self.is_alive else None)
        else:
            what(False)

    def arrives(self, flight: Flight) -> None:
        self.world.arrives(flight, self)

    def _thaw(self) -> None:
        if self.is_frozen or not self.is_alive:
            return
        backlog, self._backlog = self._backlog, []
        self.loop.turn()
        for what in backlog:
            self.wake(what)
        self._schedule()

    def _schedule(self) -> None:
        if not self.is_alive or self.is_frozen:
            return
        self.world.look_at(self)
        due = self.loop.next_at()
        if due is None:
            return
        self._turns += 1
        turn = self._turns

        def tick() -> None:
            if turn == self._turns and self.is_alive and not self.is_frozen:
                self.loop.turn()
                self._schedule()

        self.world.at(max(self.world.now, (due - self._offset) / self._rate + 1e-6), tick)

    # ------------------------------------------------------------ parts

    def _put_together(self) -> None:
        memory = Memory()
        self.changed = changed = asyncio.Event()
        self.watch = Watch(self.client, SETTINGS, rng=self.rng, on_change=changed.set)
        self.elector = Elector(
            self.client,
            me=f"{self.name}_{self.life}",
            namespace=SETTINGS.namespace,
            rng=self.rng,
            clock=self.clock,
            warm_up=self.watch.warm_up,
            mark=self._mark,
            prepare=self._prepare,
            on_change=changed.set,
        )
        self.fence = Fence(self.client, self.elector, limit_s=self.elector.timing.request_s, clock=self.clock)
        self.teller = Teller()
        self._applier = Applier(self.fence, self.teller, memory, random_bytes=self.rng.randbytes)
        self.control = Loop(
            SETTINGS,
            watch=self.watch,
            applier=self,
            memory=memory,
            turn=self.fence,
            sight=Sight(self.world.speakers, ago_s=lambda at: (self.world.now - at) * self._rate),
            changed=changed,
            unix_time=self.unix,
            rng=self.rng,
        )
        mirrors = (mirror.run() for mirror in self.watch.mirrors)
        parts: list[Coroutine[None, None, None]] = [self.control.run(), self.elector.run(), *mirrors]
        self.tasks = [self.loop.create_task(part) for part in parts]

    async def _mark(self) -> bool:
        body = secret_body(self.watch.secret_key, {KEY_FIELD: b"key"})
        try:
            await self.client.create(SECRETS.path(SETTINGS.namespace), body)
        except AlreadyExists:
            return False
        return True

    async def _prepare(self) -> None:
        self.world.prepared.append((self.world.now, self.life, self.world.last_of_services))
        await self.watch.relist()

    async def apply(self, effects: Iterable[Effect]) -> Outcome:
        """What the loop decided this very moment."""
        self.looked_at = int(self.watch.services._store.resource_version or 0)
        return await self._applier.apply(effects)

    # ------------------------------------------------------------ ends

    def crash(self) -> None:
        """At once, in the middle of everything; what it sent may still arrive."""
        self.world.say(f"{self.name} crashes")
        self.die()

    def end(self) -> None:
        """As after SIGTERM."""
        self.world.say(f"{self.name} ends")
        self.is_ending = True

        def begin() -> None:
            self.tasks.append(self.loop.create_task(self._step_down()))

        self.wake(begin)

    async def _step_down(self) -> None:
        await self.fence.drain()
        await self.elector.resign()
        self.world.at(self.world.now, self.die)

    def die(self) -> None:
        """Its coroutines are taken apart; nothing that they do reaches anybody any more."""
        if not self.is_alive:
            return
        self.is_alive = False
        self.world.gone(self)
        self.client.watches.clear()
        self.loop.is_stopped = lambda: False
        self.loop.turn(self._cancel)

    def _cancel(self) -> None:
        for task in self.tasks:
            task.cancel()


def _seen(mirror: Reflector[T]) -> int:
    return int(mirror._store.resource_version or 0)
