"""All BGP sessions of this node on real sockets: who is peered with, what each is told, how all end.

`configure` and `want` say what shall be, as often as one likes; the rest follows. One peer's trouble stays
with that peer: each has its own session, timer and buffers, and what it sends is read in small portions.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from random import Random
from types import MappingProxyType
from typing import Final, NoReturn

from bareway.bgp.events import BfdDown, BfdUp, Drain, Stage, Start, Stop, StopReason, Want
from bareway.bgp.peers import PeerSettings
from bareway.bgp.ribout import NO_ROUTES
from bareway.bgp.routes import RouteSet
from bareway.bgp.status import SessionStatus
from bareway.model.configuration import BfdProfile
from bareway.model.names import IPAddress
from bareway.model.problems import Problem
from speaker.bfd.records import Report
from speaker.bgp.address_watch import AddressWatch
from speaker.bgp.listener import BgpCounters, Listener
from speaker.bgp.peering import OnOutput, Peering
from speaker.bgp.watching import BfdWatch

BGP_PORT: Final = 179
LEAVE_S: Final = 3.5
"""For withdrawals (two seconds at most), the last word and the flush (one)."""
ADDRESSES_FRESH_S: Final = 1.0
"""Our own addresses are asked for anew after that; a peer that flaps must not cost us a dump each time."""
NO_PROFILES: Final[Mapping[str, BfdProfile]] = MappingProxyType({})


class BgpDriver:
    """Sessions with all peers of this node; ``run`` it in a task of the program."""

    def __init__(
        self,
        *,
        rng: Random,
        on_output: OnOutput,
        is_restart: bool = False,
        listens: bool = False,
        bfd_connection: socket.socket | None = None,
        port: int = BGP_PORT,
    ) -> None:
        """Prepare a driver.

        Args:
            rng: for the sessions' jitter.
            on_output: gets what the sessions say of themselves; must not wait.
            is_restart: an earlier life of this speaker had sessions a moment ago.
            listens: take connections of peers that are not passive, too.
            bfd_connection: to the process that keeps BFD sessions; None = there is none.
            port: to listen on.
        """
        self.counters: Final = BgpCounters()
        self._rng = rng
        self._on_output = on_output
        self._is_restart = is_restart
        self._bfd_connection = bfd_connection
        self._listener = Listener(
            port=port, is_open_to_all=listens, counters=self.counters, on_connection=self._take
        )
        self._watch: BfdWatch | None = None
        self._group: asyncio.TaskGroup | None = None
        self._numbers = count(1)
        self._peers: Mapping[str, PeerSettings] = {}
        self._profiles: Mapping[str, BfdProfile] = NO_PROFILES
        self._peerings: dict[str, Peering] = {}
        self._parting: set[Peering] = set()
        self._routes: Mapping[str, RouteSet] = {}
        self._is_complete = False
        self._told: dict[str, tuple[RouteSet, bool]] = {}
        self._is_telling = False
        self._is_withheld = False
        self._stage = Stage.END
        self._has_left = False
        self._quiet = asyncio.Event()
        self._addresses = AddressWatch(
            ends=self._own_ends, on_change=self._readdress, fresh_s=ADDRESSES_FRESH_S
        )

    # ------------------------------------------------------------ what the program calls

    def configure(
        self, peers: Mapping[str, PeerSettings], profiles: Mapping[str, BfdProfile] = NO_PROFILES
    ) -> None:
        """Peer with these, by name, and no others."""
        self._peers = dict(peers)
        self._profiles = profiles
        self._apply()

    def want(self, routes: Mapping[str, RouteSet], *, is_complete: bool) -> None:
        """Tell each peer these routes; a peer that is missing has none.

        Args:
            routes: by the peer's name; sets that did not change are best the same objects.
            is_complete: False = caches are not synced, and no peer is told End-of-RIB.
        """
        self._routes = {name: routes.get(name, NO_ROUTES) for name in (*self._peers, *routes)}
        self._is_complete = is_complete
        self._tell_soon()

    def drain(self, stage: Stage) -> None:
        """The node is about to leave, or stays after all; so for peers to come."""
        self._stage = stage
        for peering in tuple(self._peerings.values()):
            peering.handle(Drain(stage=stage))

    def withhold(self, stage: Stage) -> None:
        """Tell every peer that there is no route, or again what is wanted."""
        self._is_withheld = stage is Stage.BEGIN
        self._tell_soon()

    async def leave(self, reason: StopReason, text: str = "") -> None:
        """End all sessions, and return when the last word of each is out, or can be waited for no longer."""
        self._has_left = True
        if reason is StopReason.RESTART:
            self.announce_restart()
        for peering in tuple(self._peerings.values()):
            peering.handle(Stop(reason=reason, text=text))
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                while not self.is_quiet:
                    self._quiet.clear()
                    await self._quiet.wait()
        if reason is not StopReason.RESTART:
            self._watch_paths()

    def announce_restart(self) -> None:
        """Ask the peers' BFD for patience; that takes a moment, so it may be asked before we leave."""
        if self._watch is not None:
            self._watch.announce_restart()

    def call_off_restart(self) -> None:
        """The patience that was asked for has no reason any more."""
        if self._watch is not None:
            self._watch.call_off_restart()

    def stay(self) -> None:
        """After all: begin anew with every peer."""
        self._has_left = False
        for peering in tuple(self._peerings.values()):
            peering.handle(Start())
        self._watch_paths()

    async def run(self) -> NoReturn:
        """Serve until cancelled; then connections are closed without a word, as if the process had died."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                self._watch = BfdWatch(self._bfd_connection, on_change=self._bfd_changed)
                self._apply()
                group.create_task(self._addresses.run(), name="BGP next hops")
                await asyncio.Event().wait()
            finally:  # before the group ends: until it has, a peering could want another task of it
                self._group = None
                self._listener.close()
                if self._watch is not None:
                    self._watch.close()
                for peering in (*self._peerings.values(), *self._parting):
                    peering.abort()
        raise AssertionError("nobody sets that event")

    # ------------------------------------------------------------ what is known

    @property
    def is_quiet(self) -> bool:
        """No session is up or on its way, and no last word waits."""
        return all(peering.is_quiet for peering in (*self._peerings.values(), *self._parting))

    @property
    def has_sessions(self) -> bool:
        """One at least is Established."""
        return any(peering.is_up for peering in self._peerings.values())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps us from doing all that is wanted, as long as it does."""
        return (*self._listener.problems, *(self._watch.problems if self._watch is not None else ()))

    def statuses(self) -> Mapping[str, SessionStatus]:
        """Of each peer's session."""
        return {name: peering.status for name, peering in self._peerings.items()}

    def digests(self) -> Mapping[str, str]:
        """Of the routes that each peer shall have."""
        return {name: peering.digest() for name, peering in self._peerings.items()}

    def troubles(self) -> Mapping[str, str]:
        """Why peers have no connection, in the kernel's words; only of those that have none."""
        return {name: peering.trouble for name, peering in self._peerings.items() if peering.trouble}

    def bfd(self) -> Mapping[str, Report]:
        """How the BFD session of each peer that has one stood last."""
        return {} if self._watch is None else self._watch.reports()

    def ask_bfd(self) -> None:
        """Have the figures of ``bfd`` brought up to date, for who looks next."""
        if self._watch is not None:
            self._watch.ask()

    # ------------------------------------------------------------ inside

    def _apply(self) -> None:
        """Make the peerings what the configuration says."""
        if self._group is None:
            return
        for name in self._peerings.keys() - self._peers.keys():
            self._part(name)
        # Before we dial: a router may dial us in that moment.
        self._listener.serve(self._peers.values())
        for name, settings in self._peers.items():
            peering = self._peerings.get(name)
            if peering is None:
                self._begin(self._group, settings)
            elif peering.settings != settings:
                peering.change(settings)
        self._is_restart = self._is_restart and not self._peers  # a peer that comes later is a new one
        self._watch_paths()
        self._tell_soon()

    def _begin(self, group: asyncio.TaskGroup, settings: PeerSettings) -> None:
        peering = Peering(
            settings,
            rng=self._rng,
            numbers=self._numbers,
            spawn=lambda work: group.create_task(work, name=f"BGP connection of {settings.name}"),
            on_output=self._on_output,
            on_quiet=self._went_quiet,
            addresses=self._addresses.known,
        )
        self._peerings[settings.name] = peering
        if self._stage is Stage.BEGIN:
            peering.handle(Drain(stage=Stage.BEGIN))
        if not self._has_left:
            peering.handle(Start(is_restart=self._is_restart))

    def _part(self, name: str) -> None:
        peering = self._peerings.pop(name)
        self._told.pop(name, None)
        self._parting.add(peering)
        peering.handle(Stop(reason=StopReason.DECONFIGURED))

    def _went_quiet(self) -> None:
        self._parting = {peering for peering in self._parting if not peering.is_quiet}
        self._quiet.set()

    def _take(self, name: str, it: socket.socket) -> bool:
        return self._peerings[name].take(it)

    def _bfd_changed(self, name: str, event: BfdUp | BfdDown) -> None:
        if name in self._peerings:
            self._peerings[name].handle(event)

    def _watch_paths(self) -> None:
        if self._watch is not None:
            peers = () if self._has_left else self._peers.values()
            self._watch.watch(peers, self._profiles, self._addresses.known)

    def _own_ends(self) -> frozenset[IPAddress]:
        return frozenset(end for peering in self._peerings.values() for end in peering.own_ends)

    def _readdress(self) -> None:
        for peering in tuple(self._peerings.values()):
            peering.readdress()

    # ------------------------------------------------------------ routes

    def _tell_soon(self) -> None:
        if self._group is not None and not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_soon(self._tell_next)

    def _tell_next(self) -> None:
        """One peer a turn: to plan 100,000 routes takes a while. A new peer waits for the next wish."""
        self._is_telling = False
        for name, wished in self._routes.items():
            routes = NO_ROUTES if self._is_withheld else wished
            peering, told = self._peerings.get(name), self._told.get(name)
            is_news = told is None or told[0] is not routes or told[1] != self._is_complete
            if peering is not None and is_news:
                self._told[name] = (routes, self._is_complete)
                peering.handle(Want(routes=routes, is_complete=self._is_complete))
                self._tell_soon()
                return
