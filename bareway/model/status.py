"""What a program says about itself: plain values, filled by the programs, shown by ``bareway status``.

Words that stand for a state or a reason are the text of an Enum of the part that decided it; an empty reason
means that there is nothing to explain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.names import InterfaceName, IPAddress, NodeName, PoolName, ServiceKey
from bareway.model.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationStatus:
    """The configuration in force, and what is wrong with the one that was written last."""

    generation: int = 0
    """Counts accepted documents; 0 = none yet."""
    sha256: str = ""
    """Of the accepted document, in hexadecimal."""
    source: str = ""
    """Where the document came from, such as ``ConfigMap bareway-system/config``."""
    problems: tuple[Problem, ...] = ()
    """Of the newest document; with an error in it, the one in force is an older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStatus:
    """One member of gossip, as a speaker sees it."""

    name: NodeName
    state: str
    since_s: float = 0.0
    """Seconds that it has been in this state."""
    address: str = ""
    """Where it is reached, as ``192.0.2.1:7947``; empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLinkStatus:
    """What a speaker does on its links for an address that it announces on layer 2."""

    links: tuple[InterfaceName, ...] = ()
    """Where it answers; none = nowhere, for want of a link that is allowed and speaks the family."""
    last_unsolicited_s: float | None = None
    """How long ago it told a link of the address unasked; None = not yet."""
    last_answer_s: float | None = None
    """How long ago it answered a question for it; None = nobody asked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressStatus:
    """One address of a Service, as a speaker sees it."""

    address: IPAddress
    services: tuple[ServiceKey, ...]
    announced_by: NodeName | None
    """Holder of the claim; None = nobody known."""
    reason: str = ""
    """Why this node does not announce it; empty where it does."""
    listed: tuple[NodeName, ...] = ()
    """The nodes of its entry in the announcer lists, the first one shall announce; none = no entry."""
    protocol: str = "layer2"
    """With ``bgp`` many nodes announce it, and ``announced_by`` is this one or nobody."""
    on_link: OnLinkStatus | None = None
    """None = this node does not announce it on layer 2, or is of before this field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus:
    """One router of the configuration, and the session with it."""

    name: str
    address: IPAddress
    port: int = 179
    state: str = ""
    """Such as ``Established``; empty where this node has no session with it."""
    reason: str = ""
    """Why there is none."""
    trouble: str = ""
    """Why there is no connection, in the kernel's words."""
    up_s: float = 0.0
    """How long it is Established; 0 = it is not."""
    local: str = ""
    """Our end of the connection."""
    local_asn: int = 0
    peer_asn: int = 0
    """0 = not known: it has not said so yet."""
    peer_id: str = ""
    hold_time_s: int = 0
    """As both agreed."""
    families: tuple[str, ...] = ()
    """Those that both offered."""
    our_capabilities: tuple[str, ...] = ()
    peer_capabilities: tuple[str, ...] = ()
    graceful_restart: bool = False
    bfd: str = ""
    """State of the BFD session, such as ``Up``; empty = none is kept."""
    told: Mapping[str, int] = field(default_factory=dict)
    """Prefixes that it has of us once all is sent, by family."""
    owed: int = 0
    """Prefixes that wait to be sent."""
    held_back: int = 0
    """Routes that cannot be told: beyond the limit, too long for a message, without a next hop."""
    digest: str = ""
    """Of the routes that it shall have: alike on all nodes that it may spread over."""
    established: int = 0
    """How often it was."""
    messages_received: int = 0
    updates_sent: int = 0
    faults: int = 0
    """Mistakes in what it sent that the session outlived."""
    last_sent: str = ""
    """The last NOTIFICATION of ours, with its text."""
    last_received: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingStatus:
    """Another station that answers for an address, as this node found it."""

    address: IPAddress
    reason: str
    mac: str
    node: NodeName | None = None
    """The node that has this MAC; None = a stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """One network interface of the node."""

    name: InterfaceName
    mac: str = ""
    subnets: tuple[str, ...] = ()
    reason: str = ""
    """Why nothing is announced on it; empty where it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerStatus:
    """All that a speaker says."""

    version: str
    node: NodeName
    api_connected: bool
    not_ready: tuple[str, ...] = ()
    """Sentences; none = ready."""
    configuration: ConfigurationStatus = ConfigurationStatus()
    members: tuple[MemberStatus, ...] = ()
    """Including this one."""
    addresses: tuple[AddressStatus, ...] = ()
    links: tuple[LinkStatus, ...] = ()
    leaving: str = ""
    """Why it hands over what it announces; empty where it does not."""
    list_generation: int = 0
    """The highest of the announcer lists that it holds; 0 = none."""
    profile: str = ""
    """Timing of gossip; empty = it has not joined yet."""
    partition: str = ""
    """What the smaller side of a split network does."""
    findings: tuple[FindingStatus, ...] = ()
    peers: tuple[PeerStatus, ...] = ()
    """Routers, in the order of the configuration; none = no BGP."""
    bgp_problems: tuple[Problem, ...] = ()
    """What keeps BGP from doing all that is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """How full a pool is."""

    name: PoolName
    total: int
    """Usable addresses; an IPv6 /48 holds more than 64 bits can count."""
    used: int
    total_ipv6: int = 0
    """Of these the IPv6 ones; a program of before these fields says none."""
    used_ipv6: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingService:
    """A Service that asks for an address and has none."""

    service: ServiceKey
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerStatus:
    """All that a controller says."""

    version: str
    api_connected: bool
    not_ready: tuple[str, ...] = ()
    """Sentences; none = ready."""
    configuration: ConfigurationStatus = ConfigurationStatus()
    identity: str = ""
    """By which the Lease calls this controller."""
    leader: str = ""
    """Who holds the Lease, as far as this controller knows; empty = nobody."""
    leads: bool = False
    """Whether this one writes."""
    pools: tuple[PoolStatus, ...] = ()
    waiting: tuple[WaitingService, ...] = ()
    members_alive: int = 0
    """Speakers that it sees in gossip."""
    members_known: int = 0
    """And of how many it ever heard, since it sees any."""
    list_generation: int = 0
    """Of the announcer lists as it wants them; 0 = it keeps none."""
