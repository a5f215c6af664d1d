"""What ``bareway doctor`` looks at besides: kube-proxy, other controllers, rights, the nodes' kernels.

All of it is optional: what could not be found out stands in ``unknown``, and no check takes silence for an
answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.cluster import Unknown
from bareway.model.names import InterfaceName, NodeName, ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeProxy:
    """How kube-proxy was told to work, on all nodes or on one."""

    source: str
    """Where that stands: ``ConfigMap kube-system/kube-proxy``, or ``node n1`` for one that k3s starts."""
    mode: str = ""
    """``ipvs``, ``iptables``, ``nftables``; empty = its default, which is not ipvs."""
    strict_arp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A DaemonSet, a Deployment or a Pod of anybody, as far as it tells what runs in it."""

    kind: str
    key: ObjectKey
    labels: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    """Commands and arguments of all its containers."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that stand in it as text."""
    is_idle: bool = False
    """It was told to run nothing (replicas: 0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignController:
    """Another program that gives addresses to Services."""

    product: str
    """Its name as people know it: ``MetalLB``."""
    kind: str
    key: ObjectKey
    load_balancer_class: str | None = None
    """Which Services it serves, as far as its arguments say; None = those without a class."""
    remedy: str = ""
    """How this product is told to leave our Services alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """One network interface as its kernel has it."""

    name: InterfaceName
    is_up: bool = True
    is_ethernet: bool = True
    hears_broadcasts: bool = True
    """It has the flag BROADCAST and not NOARP."""
    subnets: tuple[str, ...] = ()
    """That the kernel's routing table has on it, as ``192.0.2.0/24``."""
    has_default_route: bool = False
    rp_filter: int = 0
    """As it counts: the greater of the interface's own and that of ``all``. 1 = strict."""
    arp_ignore: int = 0
    """As it counts, alike. 0 = the kernel answers for every address of the node, on whatever interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """A member whose gossip port did not take a connection."""

    member: NodeName
    address: str
    """As ``192.0.2.12:7947``."""
    how: str
    """In the kernel's words: ``Connection refused``, ``no answer within 2 s``."""
    is_refused: bool = False
    """The machine answered that nothing listens there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What only the node itself knows; its speaker's Pod was asked."""

    node: NodeName
    links: tuple[LinkFacts, ...] = ()
    tried: tuple[NodeName, ...] = ()
    """Members whose gossip port was tried from here."""
    unreached: tuple[Unreached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known of them; None and empty mean "not found out" only where ``unknown`` says so."""

    namespace: str = "bareway-system"
    """Where our own objects are."""
    kubernetes: str = ""
    """Version of the API server, as ``v1.30.2``; empty = not known."""
    kube_proxies: tuple[KubeProxy, ...] = ()
    foreign: tuple[ForeignController, ...] = ()
    missing_rights: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By ServiceAccount of ours: rights that its program needs and does not have, each as in a sentence."""
    last_words: Mapping[str, str] = field(default_factory=dict)
    """By Pod of ours: what the life of its container that ended last said at its end."""
    heartbeats: Mapping[NodeName, float] = field(default_factory=dict)
    """By Node that is Ready: when its kubelet renewed its Lease last, by its own clock, in Unix seconds."""
    nodes: Mapping[NodeName, NodeFacts] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
