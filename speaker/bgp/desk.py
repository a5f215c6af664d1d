"""Looks at what Kubernetes says, decides sessions and routes by it, and hands both to the driver.

The way from an object to a route is short: what changed is told by its key, and that Service alone is decided
anew, at once; changes that follow closely are taken together. Level, not edge, all the same: a change of the
configuration or of our Node, and every RESYNC_S, decide all Services from what is there.

Until caches are synced no routes are wanted, so that a router keeps what it had of us (RFC 4724 section 4.1);
sessions begin before. An API server that is away takes nothing back.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from math import inf
from typing import Final, NoReturn, Protocol

from bareway.bgp.events import Faulty, StateChanged, Told
from bareway.bgp.peers import PeerSettings
from bareway.bgp.routes import RouteSet
from bareway.decide.announcement.announcers import Refusal, own_refusal
from bareway.decide.routing.endpoints import Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.routing import Look, Routing
from bareway.decide.routing.sessions import Sessions, secrets_of, sessions_of
from bareway.model.configuration import BfdProfile, Configuration
from bareway.model.names import ObjectKey, ServiceKey
from bareway.model.nodes import Node
from bareway.model.steps import PIECE
from bareway.runtime.clock import monotonic
from bareway.runtime.turns import in_turns
from speaker.bgp.passwords import Passwords
from speaker.bgp.telling import Teller
from speaker.settings import Settings
from speaker.telling import Recorder
from speaker.watch import Watch

PAUSE_FACTOR: Final = 4
"""After a look that took t the next begins 4 t later at the earliest: looking takes a fifth of the time."""
PAUSE_MIN_S: Final = 0.005
"""Changes that come together are looked at together; the first one is looked at at once."""
RESYNC_S: Final = 300.0


class Driver(Protocol):
    """What is asked of the one that speaks with routers."""

    def configure(self, peers: Mapping[str, PeerSettings], profiles: Mapping[str, BfdProfile]) -> None:
        """Have sessions with these peers, and no others; ``profiles`` are those that they name."""

    def want(self, routes: Mapping[str, RouteSet], *, is_complete: bool) -> None:
        """Have each peer know these routes."""


class BgpDesk:
    """The decisions of one node."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        driver: Driver,
        passwords: Passwords,
        recorder: Recorder,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._driver = driver
        self._passwords = passwords
        self._clock = clock
        self._teller = Teller(settings, watch=watch, recorder=recorder)
        self._changed = asyncio.Event()
        self._changed.set()
        self._services: set[ServiceKey] = set()
        self._slices: set[ObjectKey] = set()
        self._me: Node | None = None
        self._endpoints = Endpoints()
        self._standing: tuple[Configuration, Mapping[str, str] | None, Refusal | None] | None = None
        """What the ground was made of."""
        self._resync_at = 0.0
        self._profiles: Mapping[str, BfdProfile] = {}
        self.sessions = Sessions()
        self.routing: Routing | None = None
        """None until caches are synced."""
        watch.on_services = self._services_changed
        watch.on_slices = self._slices_changed

    # ------------------------------------------------------------ news

    def look_again(self) -> None:
        """Something changed."""
        self._changed.set()

    def on_output(self, name: str, output: StateChanged | Told | Faulty) -> None:
        """What the driver says of a session."""
        self._teller.take(name, self.sessions.settings.get(name), output)

    def _services_changed(self, keys: Collection[ObjectKey]) -> None:
        self._services.update(keys)
        self.look_again()

    def _slices_changed(self, keys: Collection[ObjectKey]) -> None:
        self._slices.update(keys)
        self.look_again()

    # ------------------------------------------------------------ looking

    async def run(self) -> NoReturn:
        """Look again after every change, until cancelled."""
        while True:
            await self._news()
            self._changed.clear()
            began = self._clock()
            await self.look()
            await asyncio.sleep(max(PAUSE_MIN_S, PAUSE_FACTOR * (self._clock() - began)))

    async def _news(self) -> None:
        """Until something changed, or a weight has settled."""
        deadline = min(self._resync_at, self.routing.weights.deadline) if self.routing is not None else inf
        with suppress(TimeoutError):
            async with asyncio.timeout(None if deadline == inf else max(0.0, deadline - self._clock())):
                await self._changed.wait()

    async def look(self) -> None:
        """Decide what may be another than before, and tell the driver."""
        configuration = self._watch.configured().configuration
        if configuration is None or not (self._watch.knows_source and self._watch.nodes.synced):
            return
        self._me = self._watch.me or self._me  # a node whose Node vanishes goes on as it was
        self._decide_sessions(configuration)
        if self._watch.services.synced and self._watch.slices.synced:
            await self._decide_routes(configuration)

    def _decide_sessions(self, configuration: Configuration) -> None:
        self._passwords.want(secrets_of(self._me, configuration))
        decided = sessions_of(self._me, configuration, self._passwords.found)
        self._teller.refused(configuration, decided, self._passwords)
        profiles = {profile.name: profile for profile in configuration.bfd_profiles}
        if (decided, profiles) != (self.sessions, self._profiles):
            self.sessions, self._profiles = decided, profiles
            self._driver.configure(decided.settings, profiles)

    async def _decide_routes(self, configuration: Configuration) -> None:
        nodes = self._watch.nodes.objects.values()
        refusal = own_refusal(self._me, nodes, ignore_exclude_label=self._settings.ignore_exclude_label)
        standing = (configuration, self._me.labels if self._me is not None else None, refusal)
        now = self._clock()
        if self.routing is None or standing != self._standing:
            await self._decide_all(Ground(configuration, self._me, refusal), now)
            self._standing = standing
            return
        if now >= self._resync_at:
            self._forget_nothing()
        look = await self._look(self.routing, self._due(self.routing, now), now)
        if look.prefixes:
            self._tell(self.routing, look.began)

    async def _decide_all(self, ground: Ground, now: float) -> None:
        """On new ground: the routes of before count until all are decided."""
        former = self.routing
        self._forget_nothing()
        routing = Routing(
            ground,
            me=self._settings.node_name,
            load_balancer_class=self._settings.load_balancer_class,
            weights=former.weights if former is not None else None,
        )
        look = await self._look(routing, self._due(routing, now), now)
        self.routing = routing
        known = former.announced if former is not None else {}
        began = [service for service in look.began if service not in known]
        self._tell(routing, began, at_start=former is None)

    def _forget_nothing(self) -> None:
        """Everything is to be looked at: what is there, and what was."""
        self._services.update(self._watch.services.objects)
        self._slices.update(self._watch.slices.objects, self._endpoints.keys)
        if self.routing is not None:
            self._services.update(self.routing.announced, self.routing.withheld)
        self._resync_at = self._clock() + RESYNC_S

    def _due(self, routing: Routing, now: float) -> Collection[ServiceKey]:
        """The Services to decide now, in an order that is alike on all nodes."""
        slices, self._slices = self._slices, set()
        services, self._services = self._services, set()
        services |= self._endpoints.take(self._watch.slices.objects, slices)
        services |= routing.weights.due(now=now)
        return sorted(services)

    async def _look(self, routing: Routing, services: Collection[ServiceKey], now: float) -> Look:
        """In turns with the rest of the program; what is about a turn long, at once."""
        known = self._watch.services.objects
        if len(services) <= PIECE:
            return routing.look(known, self._endpoints, services, now=now)
        return await in_turns(routing.look_in_steps(known, self._endpoints, services, now=now))

    def _tell(self, routing: Routing, began: Iterable[ServiceKey], *, at_start: bool = False) -> None:
        self._driver.want(routing.routes, is_complete=True)
        self._teller.announced(began, at_start=at_start)
