"""What goes into the gossip machine and what comes out: its whole surface, as data.

The driver owns sockets: it answers each ``Dial`` with exactly one ``Opened`` or ``DialFailed``. The machine
sees at most one edge per peer: when two cross, the driver keeps one and says nothing of the other; ``Opened``
for a peer that is open already means that a new edge took the place of the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bareway.gossip.member import MemberReason, MemberState
from bareway.gossip.message import Message
from bareway.model.names import IPAddress, NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An edge to ``peer`` is up; both have proved that they hold the key."""

    peer: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The edge to ``peer`` ended by FIN or RST; not sent after our own ``Hangup``."""

    peer: NodeName
    refused: bool = False
    """The driver tried again already and was refused; else the machine asks for that ``Dial`` itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed:
    """A ``Dial`` did not lead to an edge."""

    peer: NodeName
    refused: bool
    """The node answered that nobody listens; False: no answer, a time-out or a failed handshake."""
    turned_away: bool = False
    """Somebody listens and would not have us: another key, or a name that is not known there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message came from ``peer`` on its open edge."""

    peer: NodeName
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The deadline passed; harmless at any other time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeersKnown:
    """Whom discovery knows, by the API's Nodes or a static list; our own name in it is ignored."""

    peers: frozenset[NodeName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Every address to be announced, with the nodes that the API objects permit (None: any member)."""

    addresses: Mapping[IPAddress, frozenset[NodeName] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFacts:
    """What the speaker knows of its own node."""

    ready: bool
    """All caches are synced: ``PeersKnown`` and ``Wanted`` were told before."""
    able: bool
    """The node may announce: not NetworkUnavailable, and a usable link is up."""
    leaving: bool = False
    """Drained, or SIGTERM arrived: serve until somebody else has claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Say goodbye now: nothing is answered any more and everybody is told. The machine ends with it."""


Event: TypeAlias = Opened | Closed | DialFailed | Received | Tick | PeersKnown | Wanted | OwnFacts | Leave


class WithdrawReason(StrEnum):
    """Why an address is no longer answered for."""

    BEATEN = "Beaten"
    NOT_WANTED = "NotWanted"
    NOT_PERMITTED = "NotPermitted"
    NOT_STARTED = "NotStarted"
    FENCED = "Fenced"
    LEFT = "Left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Try to open an edge to ``peer``."""

    peer: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """Abort the edge to ``peer``."""

    peer: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send ``message`` on the open edge to ``peer``; what cannot be sent in order ends the edge."""

    peer: NodeName
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """A member is held otherwise than before; for the log and the metrics."""

    name: NodeName
    state: MemberState
    reason: MemberReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """These are ours now: gratuitous frames first, everything else after. Always the first output."""

    addresses: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """These are no longer ours to answer for."""

    addresses: tuple[IPAddress, ...]
    reason: WithdrawReason


Output: TypeAlias = Announce | Withdraw | Dial | Hangup | Send | MemberChanged
