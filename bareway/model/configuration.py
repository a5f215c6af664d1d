"""What the user configured, checked: pools, peers, profiles, and how layer 2 behaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bareway.model.addresses import AddressRange
from bareway.model.names import IPAddress, PoolName, ServiceKey
from bareway.model.selectors import Selector


class Protocol(StrEnum):
    """How a pool's addresses are announced."""

    LAYER2 = "layer2"
    BGP = "bgp"


class Reuse(StrEnum):
    """Which of a pool's free addresses is given next."""

    LOWEST = "lowest"
    OLDEST = "oldest"
    """The one that is free for longest; those never given count as free for ever."""


class DynamicAsn(StrEnum):
    """Take the peer's ASN from its OPEN: the same as ours, or any other."""

    INTERNAL = "internal"
    EXTERNAL = "external"


class GracefulRestart(StrEnum):
    """Whether graceful restart (RFC 4724) is offered to a peer."""

    AUTO = "auto"
    """On where the peer has a BFD profile."""
    ON = "on"
    OFF = "off"


class GossipProfile(StrEnum):
    """How fast a death is noticed."""

    DEFAULT = "default"
    FAST = "fast"
    WAN = "wan"


class Partition(StrEnum):
    """What the smaller side of a partition does: go on, or withdraw."""

    AVAILABLE = "available"
    SAFE = "safe"


class OnCordon(StrEnum):
    """What a cordoned node does with what it announces."""

    KEEP = "keep"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """One entry of bgp-advertisements."""

    aggregation_length: int = 32
    aggregation_length_v6: int = 128
    local_preference: int = 0
    """0 = not set; iBGP then carries 100."""
    communities: tuple[str, ...] = ()
    """As ``65535:1``, aliases resolved, in the order of the document."""
    large_communities: tuple[str, ...] = ()
    """As ``64512:1:2`` (RFC 8092)."""
    peers: tuple[str, ...] = ()
    """Names of the peers it goes to; empty = all."""
    node_selectors: tuple[Selector, ...] = ()
    """Nodes it is sent from, any of them; empty = all."""
    med: int | None = None
    prepend: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferredNodes:
    """Nodes that shall rather announce a pool than others."""

    selector: Selector
    weight: int
    """1 … 100; those of several entries that match are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One entry of address-pools."""

    name: PoolName
    protocol: Protocol = Protocol.LAYER2
    ranges: tuple[AddressRange, ...]
    """In the order of the document; each entry of ``addresses`` is one range."""
    auto_assign: bool = True
    avoid_buggy_ips: bool = False
    advertisements: tuple[Advertisement, ...] = ()
    """Of a bgp pool, at least one; of a layer2 pool none."""
    priority: int = 0
    """Ascending; 0 = last. Of equal ones the order of the document decides."""
    namespaces: tuple[str, ...] = ()
    namespace_selectors: tuple[Selector, ...] = ()
    """With ``namespaces``: who may use it, any of both; both empty = everybody."""
    service_selectors: tuple[Selector, ...] = ()
    """Which Services may use it, any of them; empty = all."""
    node_selectors: tuple[Selector, ...] = ()
    """Nodes that may announce it, any of them; empty = all."""
    preferred_nodes: tuple[PreferredNodes, ...] = ()
    interfaces: tuple[str, ...] = ()
    """Where it is announced: names, or ``regex:…``; empty = on all."""
    quota: Mapping[str, int] = field(default_factory=dict)
    """Namespace, or ``*`` for each that is not named, to the addresses it may hold of this pool."""
    reuse: Reuse = Reuse.LOWEST
    hold_after_delete_s: float = 0.0
    """How long a freed address waits for a Service of its old name."""
    reserve: Mapping[ServiceKey, tuple[IPAddress, ...]] = field(default_factory=dict)
    """Kept for that Service whether it exists or not."""
    share_local: bool = False
    """Services of policy Local with different selectors may share an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdProfile:
    """One entry of bfd-profiles (RFC 5880); None = the default of the session."""

    name: str
    receive_interval_ms: int | None = None
    transmit_interval_ms: int | None = None
    detect_multiplier: int | None = None
    echo_interval_ms: int | None = None
    echo_mode: bool = False
    passive_mode: bool = False
    minimum_ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One entry of peers: a router that sessions are opened to."""

    name: str
    my_asn: int
    peer_asn: int
    address: IPAddress
    port: int = 179
    hold_time_s: int = 90
    keepalive_time_s: int | None = None
    """None = a third of the hold time."""
    router_id: IPAddress | None = None
    source_address: IPAddress | None = None
    node_selectors: tuple[Selector, ...] = ()
    """Nodes that open a session, any of them; empty = all."""
    password: str = field(default="", repr=False)
    password_secret: str = ""
    """Name of a Secret in our namespace that has a field ``password``."""
    bfd_profile: str = ""
    ebgp_multihop: bool = False
    passive: bool = False
    local_asn: int | None = None
    dynamic_asn: DynamicAsn | None = None
    graceful_restart: GracefulRestart = GracefulRestart.AUTO
    weighted: bool = False
    ttl_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer2Settings:
    """The entry layer2: how addresses are kept on the link, for all pools."""

    profile: GossipProfile = GossipProfile.DEFAULT
    partition: Partition = Partition.AVAILABLE
    gratuitous_interval_s: float = 60.0
    duplicate_check: bool = True
    on_cordon: OnCordon = OnCordon.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A whole document without errors; pools in its order, names unique, no two ranges overlap."""

    pools: tuple[Pool, ...] = ()
    peers: tuple[Peer, ...] = ()
    communities: Mapping[str, str] = field(default_factory=dict)
    """bgp-communities: alias to ``N:N``."""
    bfd_profiles: tuple[BfdProfile, ...] = ()
    layer2: Layer2Settings = Layer2Settings()
