"""What goes into a session and what comes out: its whole surface, as data.

The driver owns the sockets. It numbers connections, each number once, the later the greater, and keeps these
rules:
* `Connect` is answered by one `Connected` or one `ConnectFailed`, unless `Abandon` or another `Connect` came
  first.
* A connection that the peer opened is told by `Connected` with ``is_incoming``; it may be closed at once.
* After a `Send` comes a `Writable` of that connection as soon as its buffer is (nearly) empty, perhaps at
  once; one may answer several. Routes wait for it, and a peer for which it never comes has stopped reading
  (RFC 9687).
* After `Close`, or after it has told `Closed`, a connection's number is not heard of again.
* `Session.deadline` is when it wants a `Tick`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address
from typing import NewType, TypeAlias

from bareway.bgp.errors import Fault
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification
from bareway.bgp.peers import PeerSettings
from bareway.bgp.routes import Attributes
from bareway.model.names import IPAddress, IPNetwork

ConnectionId = NewType("ConnectionId", int)


class StopReason(StrEnum):
    """Why a session is to end, which decides what the router does with its routes (RFC 8538 section 5)."""

    RESTART = "Restart"
    """We come back: TCP is closed without a word, and routes stay where graceful restart was negotiated."""
    LEAVING = "Leaving"
    """Routes are withdrawn first, then Cease 6/2, as a Hard Reset where the peer knows it."""
    SHUTDOWN = "Shutdown"
    """Cease 6/2 at once."""
    RESET = "Reset"
    """Cease 6/4 at once."""
    DECONFIGURED = "Deconfigured"
    """Cease 6/3 at once: the peer is not in the configuration any more."""


class Stage(StrEnum):
    """Of a drain."""

    BEGIN = "begin"
    """From now on all routes carry GRACEFUL_SHUTDOWN (RFC 8326)."""
    END = "end"
    """The drain was called off."""


class SessionReason(StrEnum):
    """Why a session changed its state."""

    STARTED = "Started"
    STOPPED = "Stopped"
    CONNECTED = "Connected"
    CONNECT_FAILED = "ConnectFailed"
    RETRIED = "Retried"
    """Time for another attempt."""
    OPENED = "Opened"
    """The peer's OPEN is good."""
    ESTABLISHED = "Established"
    PEER_CLOSED = "PeerClosed"
    """TCP ended without a NOTIFICATION."""
    NOTIFIED = "Notified"
    """The peer sent a NOTIFICATION."""
    MALFORMED = "Malformed"
    """The peer sent what RFC 4271 ends a session for."""
    REJECTED = "Rejected"
    """The OPEN is not of the peer that was meant, or no family is common."""
    UNEXPECTED = "Unexpected"
    """The peer sent a message that has no place in this state."""
    HOLD_TIMER = "HoldTimerExpired"
    SEND_HOLD_TIMER = "SendHoldTimerExpired"
    """The peer has stopped reading."""
    BFD_DOWN = "BfdDown"
    COLLISION = "Collision"
    REPLACED = "Replaced"
    """The peer has restarted and opened another connection."""
    SETTINGS_CHANGED = "SettingsChanged"


class How(StrEnum):
    """How a connection is closed."""

    FLUSH = "flush"
    """What was sent goes out first, for a second at most; then FIN."""
    ABORT = "abort"
    """At once, with what waits: nobody reads it."""


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The session shall be up from now on."""

    is_restart: bool = False
    """An earlier life of this speaker had sessions a moment ago (the R bit of RFC 4724)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The session shall be down; over when `StateChanged` to IDLE comes, at once but for LEAVING."""

    reason: StopReason
    text: str = ""
    """For the other side's operator (RFC 9003)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A TCP connection is there."""

    connection: ConnectionId
    local: IPAddress
    remote: IPAddress
    is_incoming: bool = False
    link_local: IPv6Address | None = None
    """Ours, if peer and we share a link: goes beside the global next hop (RFC 2545 section 3)."""
    other_family: IPAddress | None = None
    """An address of ours of the other family that the peer can reach: next hop of that family's routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readdressed:
    """Our addresses beside the connection's own are others now; all as in `Connected`."""

    connection: ConnectionId
    link_local: IPv6Address | None = None
    other_family: IPAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectFailed:
    """The attempt under way led to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes came, in any portion."""

    connection: ConnectionId
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The connection ended by the peer or the kernel."""

    connection: ConnectionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """What was sent has (nearly) left our buffer."""

    connection: ConnectionId


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline passed; harmless at any other time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """All routes that the peer shall have from now on; best a `RouteSet`, which is never copied."""

    routes: Mapping[IPNetwork, Attributes]
    is_complete: bool = True
    """False: caches are not synced. Nothing is ended by End-of-RIB, so a router keeps what it had of us."""


@dataclass(frozen=True, slots=True)
class BfdDown:
    """BFD lost the peer (RFC 9384)."""


@dataclass(frozen=True, slots=True)
class BfdUp:
    """BFD has the peer again: no need to wait with the next attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The node is about to leave, or stays after all."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """Other settings for the same peer; resets the session only where `PeerSettings.change_to` says so."""

    settings: PeerSettings


Event: TypeAlias = (
    Start
    | Stop
    | Connected
    | Readdressed
    | ConnectFailed
    | Received
    | Closed
    | Writable
    | Tick
    | Want
    | BfdDown
    | BfdUp
    | Drain
    | SettingsChanged
)

# ---------------------------------------------------------------- outputs


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection to the peer; an attempt under way is given up."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up the attempt under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Whole messages."""

    connection: ConnectionId
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End this connection."""

    connection: ConnectionId
    how: How = How.FLUSH


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The session of the peer, not one of two connections: the further of both."""

    before: State
    after: State
    reason: SessionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A NOTIFICATION went out or came in."""

    notification: Notification
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """The peer sent something wrong that the session outlives (RFC 7606); to be counted."""

    fault: Fault


Output: TypeAlias = Connect | Abandon | Send | Close | StateChanged | Told | Faulty
