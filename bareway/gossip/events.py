"""What goes into the gossip machine and what comes out: its whole surface, as data.

The driver owns sockets: it answers each ``Dial`` with exactly one ``Opened`` or ``DialFailed``, and each
``Probe`` with one ``Probed``. The machine
sees at most one edge per peer: when two cross, the driver keeps one and says nothing of the other; ``Opened``
for a peer that is open already means that a new edge took the place of the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bareway.gossip.findings import Finding
from bareway.gossip.member import LinkFact, MemberReason, MemberState
from bareway.gossip.message import Message
from bareway.gossip.profile import Profile
from bareway.model.configuration import Partition
from bareway.model.mac import MacAddress
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
class Probed:
    """A ``Probe`` ended."""

    peer: NodeName
    alive: bool
    """It took part in a handshake on a fresh connection, or turned us away."""
    refused: bool = False
    """The node answered that nobody listens."""


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
class Wish:
    """One address to be announced (the key of a group), as this speaker sees it."""

    tiers: tuple[frozenset[NodeName], ...] | None = None
    """The nodes that the API objects and the pools' links permit, best first; None = any member alike."""
    generation: int = 0
    """Of its entry in the announcer lists; 0 = it has none."""
    nodes: tuple[NodeName, ...] = ()
    """Those of the entry; the first one shall announce."""
    is_new: bool = False
    """Given to a Service a moment ago: whoever claims it asks the link whether somebody has it already."""
    has_both: bool = False
    """It is IPv4, and stands for addresses of IPv6 too: who speaks none comes after those who do."""
    is_requested: bool = False
    """A Service asks for it by name: it is not exchanged for another."""


ANYBODY = Wish()
"""Any member may announce it, no list names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsKnown:
    """What this speaker has of the announcer lists."""

    generation: int = 0
    """The highest of any shard."""
    exist: bool = False
    """There are some at all."""
    current: bool = False
    """The API answers: what is new there comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Every address to be announced, and how much of the lists that stands on."""

    addresses: Mapping[IPAddress, Wish]
    lists: ListsKnown = ListsKnown()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionPolicy:
    """What the user wishes for the smaller part of a group that is cut in two."""

    partition: Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFacts:
    """What the speaker knows of its own node."""

    ready: bool
    """All caches are synced: ``PeersKnown`` and ``Wanted`` were told before."""
    able: bool
    """The node may announce: not NetworkUnavailable, and a usable link is up."""
    leaving: bool = False
    """Drained, or SIGTERM arrived: serve until somebody else has claimed."""
    links: tuple[LinkFact, ...] = ()
    """Its usable links; as many are published as fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHeld:
    """The newest gossip key that we hold, by its id: published, so that all see how far a rotation is."""

    key_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UseProfile:
    """Another profile from now on; a slower one is announced before it takes effect."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Say goodbye now: nothing is answered any more and everybody is told. The machine ends with it."""


class Question(StrEnum):
    """Why the link is asked who has an address."""

    SUSPECT = "Suspect"
    """Its holder is suspected: does it still answer?"""
    DUPLICATE = "Duplicate"
    """It is new: has anybody else got it?"""
    CONFLICT = "Conflict"
    """We yielded it to another station: does that one still answer?"""
    ISOLATED = "Isolated"
    """We hold it and hear nobody: does anybody else answer? Asked by the responder before each reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the link said to a question: told 30 ms after the last probe, also if nobody answered."""

    address: IPAddress
    question: Question
    macs: frozenset[MacAddress]
    """Our own left out; empty = nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted:
    """Another station sent a frame as the owner of an address that we answer for."""

    address: IPAddress
    mac: MacAddress
    is_solicited: bool
    """A reply to somebody's request; else it announced the address unasked."""


Event: TypeAlias = (
    Opened
    | Closed
    | DialFailed
    | Probed
    | Received
    | Tick
    | PeersKnown
    | Wanted
    | OwnFacts
    | PartitionPolicy
    | KeyHeld
    | UseProfile
    | Leave
    | Answered
    | Sighted
)


class Permission(StrEnum):
    """Whether a reply may be sent now."""

    YES = "Yes"
    NO = "No"
    ASK_FIRST = "AskFirst"
    """We hold it, know members and hear none: answer only if nobody else answers a probe within 30 ms."""


class WithdrawReason(StrEnum):
    """Why an address is no longer answered for."""

    BEATEN = "Beaten"
    NOT_WANTED = "NotWanted"
    NOT_PERMITTED = "NotPermitted"
    NOT_STARTED = "NotStarted"
    FENCED = "Fenced"
    LEFT = "Left"
    NO_QUORUM = "NoQuorum"
    """Policy ``safe``: we hear no majority of the members."""
    YIELDED = "Yielded"
    """Another station answers for it, gossip does not say who keeps it, and its MAC is the lower one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Try to open an edge to ``peer``."""

    peer: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """See by a fresh connection, which is no edge, whether ``peer`` lives."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask the link who has an address; answered by ``Answered``, and no harm is done if it never is."""

    address: IPAddress
    question: Question
    probes: int
    """So many, 30 ms apart: ARP probes (RFC 5227 section 2.1.1), or solicitations from ``::``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """We found something wrong on the link, to be told to people; or it is over."""

    finding: Finding
    lasts: bool = True


Output: TypeAlias = Announce | Withdraw | Dial | Probe | Hangup | Send | MemberChanged | Ask | Found
