"""A router: our own session as its engine, and what a router does with routes: keeps, prefers, spreads.

Graceful restart as a helper (RFC 4724 section 4.2), GRACEFUL_SHUTDOWN (RFC 8326) where it heeds that, equal
routes side by side. Left out: forwarding; a route that is there counts as used at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from math import inf
from random import Random
from typing import TYPE_CHECKING, Final

from bareway.bfd.packet import State as BfdState
from bareway.bfd.packet import decode, encode
from bareway.bfd.session import Received as Heard
from bareway.bfd.session import Send as Say
from bareway.bfd.session import Session as BfdSession
from bareway.bfd.session import StateChanged as BfdChanged
from bareway.bfd.session import Tick as BfdTick
from bareway.bgp.attributes import GRACEFUL_SHUTDOWN, Kind
from bareway.bgp.capabilities import RestartCapability
from bareway.bgp.connection import Connection
from bareway.bgp.events import BfdDown, BfdUp, Output, SessionReason, Start, StateChanged, Want
from bareway.bgp.fsm import State
from bareway.bgp.messages import Malformed, Message, Update
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import Family, family_of, network
from bareway.bgp.session import Session
from bareway.model.names import IPNetwork
from sim.routers.cluster import NODE_ASN, RETRY_S, ROUTER_ASN, RouterPlan
from sim.routers.tcp import End, Host

if TYPE_CHECKING:
    from sim.routers.node import Node
    from sim.routers.world import World

STALE_S: Final = 20.0
"""After a restart the other side has so long to tell its routes again."""
KEPT: Final = frozenset({SessionReason.PEER_CLOSED, SessionReason.REPLACED})
"""Ends without a NOTIFICATION."""


class Listening(Session):
    """A session whose owner reads what the peer tells of routes, too."""

    on_update: Callable[[Update], None]

    def _take(self, connection: Connection, message: Message | Malformed) -> None:
        was_up = connection.is_up
        super()._take(connection, message)
        if was_up and isinstance(message, Update):
            self.on_update(message)

    @property
    def restart(self) -> RestartCapability | None:
        """The peer's, of the session that is up."""
        return next((one.session.restart for one in self._up()), None)


@dataclass(frozen=True, slots=True)
class Route:
    """As the node told it."""

    communities: frozenset[int]
    next_hop: bytes


@dataclass(slots=True)
class Rib:
    """What one node has told."""

    routes: dict[IPNetwork, Route] = field(default_factory=dict)
    stale: set[IPNetwork] = field(default_factory=set)
    helper: RestartCapability | None = None
    """The node's word, as long as it is up; and what is done by it when it is not."""
    is_up: bool = False
    number: int = 0
    """Of the time that is waited for; a later one replaces it."""


class Router(Host):
    """One of them, with all its nodes."""

    def __init__(self, world: "World", plan: RouterPlan, number: int) -> None:
        address = plan.address
        assert isinstance(address, IPv4Address)
        super().__init__(plan.name, address, IPv6Address(f"2001:db8::{number}"))
        self.world = world
        self.plan = plan
        self.ribs: dict[str, Rib] = {}
        self.bfd: dict[str, BfdSession] = {}
        self.fib: dict[IPNetwork, frozenset[str]] = {}
        self.lives = 0
        self._bfd_at: dict[str, float] = {}

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """The routing daemon, which keeps BFD too."""
        self.lives += 1
        for name, node in self.world.nodes.items():
            self.ribs[name] = Rib()
            rng = Random(f"router/{self.world.seed}/{self.name}/{name}/{self.lives}")
            session = Listening(self._settings(node), rng=rng)
            session.on_update = lambda update, name=name: self._learn(name, update)  # type: ignore[misc]  # early
            self.ends[name] = End(self.world.net, self, node, session)
            if self.plan.has_bfd:
                self.bfd[name] = BfdSession(
                    discriminator=rng.randint(1, 1 << 31),
                    timing=self.world.timing,
                    rng=rng,
                    now=self.world.now,
                )
                self._bfd_at[name] = inf
                self._arm_bfd(name)
        for end in list(self.ends.values()):
            end.do(Want(routes={}))
            end.do(Start())

    def stop(self) -> None:
        """The daemon ends, and its routes leave the kernel."""
        self.world.net.process_ended(self)
        self._forget()

    def power_off(self) -> None:
        self.world.net.power_lost(self)
        self._forget()

    def _forget(self) -> None:
        self.bfd.clear()
        self.ribs.clear()
        self.fib = {}
        self.world.checkers.router_is_gone(self)

    def _settings(self, node: "Node") -> PeerSettings:
        return PeerSettings(
            name=node.name,
            address=node.address,
            local_asn=NODE_ASN if self.plan.is_internal else ROUTER_ASN,
            peer_asn=NODE_ASN,
            router_id=IPv4Address(int(self.address)),
            is_passive=not self.plan.dials,
            hold_time_s=self.plan.hold_s,
            connect_retry_s=RETRY_S,
            graceful_restart=self.plan.has_restart,
            restart_time_s=self.plan.restart_s,
        )

    # ------------------------------------------------------------ BFD

    def hear(self, source: IPv4Address, data: bytes) -> None:
        name = self.world.by_address[source].name
        session = self.bfd.get(name)
        if session is None:
            return
        packet = decode(data)
        if packet.your_discriminator in (0, session.discriminator):
            self._take_bfd(name, session.handle(Heard(packet), now=self.world.now))

    def _take_bfd(self, name: str, outputs: object) -> None:
        assert isinstance(outputs, list)
        node = self.world.nodes[name]
        for output in outputs:
            if isinstance(output, Say):
                self.world.net.datagram(self, node, encode(output.packet))
            elif isinstance(output, BfdChanged):
                self.world.say(f"{self.name}: bfd {name} {output.state.name} {output.diagnostic.name}")
                if output.state is BfdState.UP:
                    self.ends[name].do(BfdUp())
                elif output.state is BfdState.DOWN:
                    self.ends[name].do(BfdDown())
                    if self.plan.ends_what_is_kept and not self.plan.keeps_on_bfd_down:
                        self._flush(name, set(self.ribs[name].stale), SessionReason.BFD_DOWN)
        if name in self.bfd:
            self._arm_bfd(name)

    def _arm_bfd(self, name: str) -> None:
        deadline = max(self.bfd[name].deadline, self.world.now)
        if deadline < self._bfd_at[name]:
            self._bfd_at[name] = deadline
            self.world.at(deadline, self._ring_bfd, name, self.bfd[name], deadline)

    def _ring_bfd(self, name: str, session: BfdSession, at: float) -> None:
        if self.bfd.get(name) is not session or self._bfd_at[name] != at:
            return
        self._bfd_at[name] = inf
        if session.deadline <= self.world.now:
            self._take_bfd(name, session.handle(BfdTick(), now=self.world.now))
        else:
            self._arm_bfd(name)

    # ------------------------------------------------------------ routes

    def after(self, end: End, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, StateChanged):
                self._changed(end, output)
        self.world.watch_session(self, end, outputs)

    def _changed(self, end: End, change: StateChanged) -> None:
        rib = self.ribs[end.peer.name]
        if change.before is State.ESTABLISHED:
            rib.is_up = False
            kept = {*KEPT, SessionReason.BFD_DOWN} if self.plan.keeps_on_bfd_down else KEPT
            if rib.helper is not None and change.reason in kept:
                rib.stale = set(rib.routes)
                self._wait(end.peer.name, rib, float(rib.helper.restart_time_s))
            else:
                self._flush(end.peer.name, set(rib.routes), change.reason)
        if change.after is State.ESTABLISHED:
            assert isinstance(end.session, Listening)
            rib.is_up, rib.helper = True, end.session.restart
            kept_families = dict(rib.helper.families) if rib.helper is not None else {}
            forwarded = {prefix for prefix in rib.stale if _is_kept(prefix, kept_families)}
            self._flush(end.peer.name, rib.stale - forwarded, change.reason)
            self._wait(end.peer.name, rib, STALE_S)

    def _wait(self, name: str, rib: Rib, seconds: float) -> None:
        """What is stale after so long goes."""
        rib.number += 1
        self.world.at(self.world.now + seconds, self._expire, name, rib, rib.number)

    def _expire(self, name: str, rib: Rib, number: int) -> None:
        if self.ribs.get(name) is rib and rib.number == number:
            self._flush(name, set(rib.stale), SessionReason.RETRIED)

    def _learn(self, name: str, update: Update) -> None:
        if update.faults:
            self.world.broken(f"{self.name} finds fault with {name}: {update.faults}")
        rib = self.ribs[name]
        if update.end_of_rib is not None:
            family = update.end_of_rib
            self._flush(name, {one for one in rib.stale if family_of(one) == family}, None)
            return
        for family, prefixes in update.withdrawn.items():
            self._flush(name, {network(one, family) for one in prefixes}, None)
        values = {one.kind: one.value for one in update.attributes}
        carried = values.get(Kind.COMMUNITIES, b"")
        communities = frozenset(
            int.from_bytes(carried[place : place + 4]) for place in range(0, len(carried), 4)
        )
        for family, prefixes in update.announced.items():
            route = Route(communities, update.next_hop or values.get(Kind.NEXT_HOP, b""))
            for one in prefixes:
                prefix = network(one, family)
                rib.routes[prefix] = route
                rib.stale.discard(prefix)
                self._choose(prefix)

    def _flush(self, name: str, prefixes: set[IPNetwork], reason: SessionReason | None) -> None:
        rib = self.ribs[name]
        for prefix in sorted(prefixes & rib.routes.keys(), key=str):
            del rib.routes[prefix]
            rib.stale.discard(prefix)
            self.world.say(f"{self.name}: {prefix} by {name} is gone ({reason})")
            self._choose(prefix)
            self.world.checkers.route_is_gone(self, name, prefix, reason)

    def _choose(self, prefix: IPNetwork) -> None:
        """The best routes, side by side."""
        found: dict[str, int] = {}
        for name, rib in self.ribs.items():
            route = rib.routes.get(prefix)
            if route is not None:
                is_last = self.plan.heeds_shutdown and GRACEFUL_SHUTDOWN in route.communities
                found[name] = 0 if is_last else 100
        best = max(found.values(), default=0)
        chosen = frozenset(name for name, preference in found.items() if preference == best)
        if chosen != self.fib.get(prefix, frozenset()):
            if chosen:
                self.fib[prefix] = chosen
            else:
                del self.fib[prefix]
            self.world.say(f"{self.name}: {prefix} by {' '.join(sorted(chosen)) or 'nobody'}")
            self.world.checkers.look()


def _is_kept(prefix: IPNetwork, families: Mapping[Family, bool]) -> bool:
    return any(kept and family_of(prefix) == family for family, kept in families.items())
