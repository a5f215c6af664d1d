"""What the programs hand out to be told to Prometheus: plain figures, read from the parts when somebody asks.

Nothing counts here; what they are called on the page stands in ``bareway.runtime.families``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.status import PoolStatus
from bareway.runtime.histograms import Measured

NOTHING_MEASURED: Final = Measured()


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesFigures:
    """How a program gets on with the API server."""

    updates: int = 0
    update_errors: int = 0
    config_loaded: bool = False
    config_stale: bool = False
    connected: bool = False
    events_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerFigures:
    """The controller at one moment."""

    kubernetes: KubernetesFigures = KubernetesFigures()
    pools: tuple[PoolStatus, ...] = ()
    services: Mapping[str, int] = field(default_factory=dict)
    """Services that hold addresses, by pool."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Services without an address, by reason."""
    allocation: Measured = NOTHING_MEASURED
    """From the change that makes it possible until a Service's address is written."""
    leads: bool = False
    terms: int = 0
    """How often this controller began to lead."""
    members: Mapping[str, int] = field(default_factory=dict)
    """How many speakers it sees in which state."""
    list_generation: int = 0


class AnnouncedAddress(NamedTuple):
    """An address that this node announces for a Service; there may be thousands in one answer."""

    service: ServiceKey
    protocol: str
    address: IPAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdFigures:
    """The BFD session with one router."""

    is_up: bool = False
    packets_in: int = 0
    packets_out: int = 0
    ups: int = 0
    downs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigures:
    """The session with one router."""

    peer: str
    """As ``192.0.2.1:179``."""
    address: IPAddress
    is_up: bool = False
    updates_sent: int = 0
    announced: int = 0
    """Prefixes that it was told."""
    wanted: int = 0
    """Prefixes that it shall be told."""
    established: int = 0
    """How often the session came up."""
    faults: int = 0
    sent: Mapping[str, int] = field(default_factory=dict)
    """Messages but UPDATEs, by what they are."""
    received: Mapping[str, int] = field(default_factory=dict)
    messages_received: int = 0
    """All, those that could not be read too."""
    bfd: BfdFigures | None = None
    """None = no BFD session is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerFigures:
    """A speaker at one moment; what is named by address or reason counts since the start."""

    node: NodeName
    kubernetes: KubernetesFigures = KubernetesFigures()
    announced: tuple[AnnouncedAddress, ...] = ()
    requests_received: Mapping[IPAddress, int] = field(default_factory=dict)
    responses_sent: Mapping[IPAddress, int] = field(default_factory=dict)
    gratuitous_sent: Mapping[IPAddress, int] = field(default_factory=dict)
    layer2_dropped: Mapping[str, int] = field(default_factory=dict)
    layer2_conflicts: Mapping[IPAddress, int] = field(default_factory=dict)
    layer2_failures: Mapping[str, int] = field(default_factory=dict)
    """Frames that the kernel did not take or give, by the name of the error."""
    layer2_frames: int = 0
    why_not: Mapping[str, int] = field(default_factory=dict)
    """Addresses that this node does not announce, by reason."""
    members: Mapping[str, int] = field(default_factory=dict)
    """How many members are in which state."""
    claims: int = 0
    claims_taken: int = 0
    """How often this node took a claim, a failover among others."""
    withdrawn: Mapping[str, int] = field(default_factory=dict)
    gossip_sessions: int = 0
    gossip_sent: int = 0
    gossip_received: int = 0
    gossip_dropped: Mapping[str, int] = field(default_factory=dict)
    silence_limit_s: float = 0.0
    """Of the profile: who is silent for longer is suspected."""
    silences: Measured = NOTHING_MEASURED
    """Between two frames of a neighbour."""
    lateness: Measured = NOTHING_MEASURED
    """How late the loop came to gossip's next deadline."""
    member_changes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often a member was held otherwise than before, by state and reason."""
    convergence: Measured = NOTHING_MEASURED
    """From a change in Kubernetes to the first frames for a new address."""
    failover: Measured = NOTHING_MEASURED
    """From the last sign of life of a lost node to the first frames for an address that was taken over."""
    list_generation: int = 0
    """The highest of the announcer lists that it holds."""
    leaving: bool = False
    """It hands over what it announces: drained, or about to end."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """How often something wrong on the link was found, by its word."""
    peers: tuple[PeerFigures, ...] = ()
