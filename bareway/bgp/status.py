"""What a session shows of itself: for `bareway bgp`, metrics and Events."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from bareway.bgp.capabilities import Capability
from bareway.bgp.connection import Connection
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification
from bareway.bgp.prefixes import Family
from bareway.model.names import IPAddress


@dataclass(slots=True)
class Counters:
    """Of one peer, over all its sessions."""

    established: int = 0
    """How often it was."""
    messages_received: int = 0
    updates_sent: int = 0
    faults: int = 0
    """Mistakes in the peer's UPDATEs that the session outlived."""
    sent: Counter[str] = field(default_factory=Counter)
    """Messages but UPDATEs, by the name of their type."""
    received: Counter[str] = field(default_factory=Counter)
    """All that could be read, in the same way."""
    last_sent: Notification | None = None
    last_received: Notification | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """At one moment."""

    state: State
    established_at: float | None = None
    local: IPAddress | None = None
    peer_asn: int | None = None
    peer_id: IPv4Address | None = None
    hold_time_s: int | None = None
    our_capabilities: tuple[Capability, ...] = ()
    peer_capabilities: tuple[Capability, ...] = ()
    families: tuple[Family, ...] = ()
    """Those that both offered."""
    has_graceful_restart: bool = False
    told: Mapping[Family, int] = field(default_factory=dict)
    """Prefixes that the peer has of us, once all is sent."""
    owed: int = 0
    """Prefixes that wait to be sent."""
    held_back: int = 0
    """Routes that cannot be told: beyond the limit, too long for a message, or without a next hop."""
    established: int = 0
    messages_received: int = 0
    updates_sent: int = 0
    faults: int = 0
    sent: Mapping[str, int] = field(default_factory=dict)
    """Messages but UPDATEs, by the name of their type."""
    received: Mapping[str, int] = field(default_factory=dict)
    last_sent: Notification | None = None
    last_received: Notification | None = None


def status_of(state: State, connections: Iterable[Connection], counters: Counters) -> SessionStatus:
    """Of the connection that is furthest, and of all before it."""
    best = max(connections, key=lambda connection: connection.state, default=None)
    theirs = best.theirs if best is not None else None
    rib = best.rib if best is not None else None
    return SessionStatus(
        state=state,
        established_at=best.established_at if best is not None else None,
        local=best.told.local if best is not None else None,
        peer_asn=theirs.asn if theirs is not None else None,
        peer_id=theirs.router_id if theirs is not None else None,
        hold_time_s=best.session.hold_time_s if best is not None and theirs is not None else None,
        our_capabilities=best.ours.capabilities if best is not None else (),
        peer_capabilities=theirs.capabilities if theirs is not None else (),
        families=tuple(sorted(best.session.families)) if best is not None and theirs is not None else (),
        has_graceful_restart=best is not None and best.session.restart is not None,
        told=rib.told if rib is not None else {},
        owed=rib.owed if rib is not None else 0,
        held_back=rib.held_back if rib is not None else 0,
        established=counters.established,
        messages_received=counters.messages_received,
        updates_sent=counters.updates_sent + (rib.messages if rib is not None else 0),
        faults=counters.faults,
        sent=dict(counters.sent),
        received=dict(counters.received),
        last_sent=counters.last_sent,
        last_received=counters.last_received,
    )
