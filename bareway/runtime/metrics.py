"""Metrics for Prometheus: names that MetalLB's dashboards know, and our own with the prefix ``bareway_``.

Nothing counts here. A program hands out its figures when it is asked (``controller_families``,
``speaker_families``), so that machines stay free of metrics. The text is written in slices: the figures of
5,000 addresses take 60 ms of computing, and ARP is answered on the same loop. Left out: histograms.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest

from bareway import __version__
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.status import PoolStatus

SLICE = 250  # samples written before the loop gets its turn again: about a millisecond
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample: TypeAlias = tuple[tuple[str, ...], float]
"""Values of the labels in their order, and the figure."""


class FamilyKind(StrEnum):
    """What a figure means over time."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All figures of one name."""

    name: str
    text: str
    kind: FamilyKind
    labels: tuple[str, ...] = ()
    samples: Iterable[Sample] = ()
    """Read once, slice by slice; what they are made from must not change meanwhile."""


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
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Services without an address, by reason."""
    leads: bool = False
    terms: int = 0
    """How often this controller began to lead."""
    members: Mapping[str, int] = field(default_factory=dict)
    """How many speakers it sees in which state."""
    list_generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedAddress:
    """An address that this node announces for a Service."""

    service: ServiceKey
    protocol: str
    address: IPAddress


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
    bfd_up: bool | None = None
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
    list_generation: int = 0
    """The highest of the announcer lists that it holds."""
    leaving: bool = False
    """It hands over what it announces: drained, or about to end."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """How often something wrong on the link was found, by its word."""
    peers: tuple[PeerFigures, ...] = ()


def controller_families(figures: ControllerFigures) -> tuple[Family, ...]:
    """Everything the controller has to tell."""
    return (
        *_kubernetes_families(figures.kubernetes),
        _gauge("bareway_leading", "1 for the controller that gives out addresses", figures.leads),
        _counter("bareway_terms_total", "How often this controller began to lead", figures.terms),
        _gauge("bareway_announcer_lists_generation", "Of the newest announcer list", figures.list_generation),
        *_pool_families(figures.pools),
        _by_word("bareway_gossip_members", "Members as this controller sees them", "state", figures.members),
        _by_word("bareway_services_waiting", "Services without an address", "reason", figures.waiting),
    )


def _pool_families(pools: tuple[PoolStatus, ...]) -> tuple[Family, ...]:
    """How full the pools are, in all and by family: MetalLB's six names."""

    def family(part: str, text: str, value: Callable[[PoolStatus], int]) -> Family:
        return Family(
            name=f"metallb_allocator_{part}_total",
            text=text,
            kind=FamilyKind.GAUGE,
            labels=("pool",),
            samples=tuple(((pool.name,), value(pool)) for pool in pools),
        )

    return (
        family("addresses", "Usable addresses of a pool", lambda pool: pool.total),
        family("addresses_in_use", "Addresses of a pool that Services hold", lambda pool: pool.used),
        family(
            "ipv4_addresses", "Usable IPv4 addresses of a pool", lambda pool: pool.total - pool.total_ipv6
        ),
        family(
            "ipv4_addresses_in_use",
            "IPv4 addresses of a pool that Services hold",
            lambda pool: pool.used - pool.used_ipv6,
        ),
        family("ipv6_addresses", "Usable IPv6 addresses of a pool", lambda pool: pool.total_ipv6),
        family(
            "ipv6_addresses_in_use",
            "IPv6 addresses of a pool that Services hold",
            lambda pool: pool.used_ipv6,
        ),
    )


def speaker_families(figures: SpeakerFigures) -> tuple[Family, ...]:
    """Everything a speaker has to tell."""
    return (
        *_kubernetes_families(figures.kubernetes),
        *_layer2_families(figures),
        *(_bgp_families(figures.peers) if figures.peers else ()),
        *_gossip_families(figures),
        _gauge("bareway_announcer_lists_generation", "Of the newest announcer list", figures.list_generation),
        _gauge("bareway_leaving", "1 while this node hands over what it announces", figures.leaving),
        _by_word(
            "bareway_findings_total",
            "Times that another station was found to answer",
            "reason",
            figures.findings,
            kind=FamilyKind.COUNTER,
        ),
    )


class Exposition:
    """Writes families and the figures of the process itself as text."""

    def __init__(self) -> None:
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)

    async def text(self, families: Iterable[Family]) -> bytes:
        """The page; other tasks get their turn after every SLICE of samples."""
        parts = []
        for family in families:
            for lines in _slices(family):
                parts.append(lines.encode())
                await asyncio.sleep(0)
        return b"".join((*parts, generate_latest(self._process)))


def _kubernetes_families(figures: KubernetesFigures) -> tuple[Family, ...]:
    return (
        Family(
            name="bareway_build_info",
            text="The version that runs",
            kind=FamilyKind.GAUGE,
            labels=("version",),
            samples=(((__version__,), 1),),
        ),
        _counter("metallb_k8s_client_updates_total", "Changes seen in Kubernetes", figures.updates),
        _counter(
            "metallb_k8s_client_update_errors_total",
            "Changes not dealt with",
            figures.update_errors,
        ),
        _gauge(
            "metallb_k8s_client_config_loaded_bool",
            "1 once there is a configuration",
            figures.config_loaded,
        ),
        _gauge(
            "metallb_k8s_client_config_stale_bool",
            "1 while the configuration in force is not the one last written",
            figures.config_stale,
        ),
        _gauge("bareway_api_connected", "1 while the API server answers", figures.connected),
        _counter("bareway_events_dropped_total", "Events not sent to Kubernetes", figures.events_dropped),
    )


def _layer2_families(figures: SpeakerFigures) -> tuple[Family, ...]:
    return (
        Family(
            name="metallb_speaker_announced",
            text="1 for an address that this node announces",
            kind=FamilyKind.GAUGE,
            labels=("service", "protocol", "node", "ip"),
            samples=(
                ((str(one.service), one.protocol, figures.node, str(one.address)), 1)
                for one in figures.announced
            ),
        ),
        _by_address("metallb_layer2_requests_received", "Requests received", figures.requests_received),
        _by_address("metallb_layer2_responses_sent", "Replies sent", figures.responses_sent),
        _by_address("metallb_layer2_gratuitous_sent", "Unasked frames sent", figures.gratuitous_sent),
        _by_word(
            "bareway_layer2_dropped_total",
            "Frames not answered",
            "reason",
            figures.layer2_dropped,
            kind=FamilyKind.COUNTER,
        ),
    )


def _bgp_families(peers: tuple[PeerFigures, ...]) -> tuple[Family, ...]:
    """MetalLB's four names, FRR's for BFD, and two of our own."""

    def family(name: str, text: str, kind: FamilyKind, value: Callable[[PeerFigures], int]) -> Family:
        samples = tuple(((one.peer,), value(one)) for one in peers)
        return Family(name=name, text=text, kind=kind, labels=("peer",), samples=samples)

    gauge, counter = FamilyKind.GAUGE, FamilyKind.COUNTER
    watched = {str(one.address): one.bfd_up for one in peers if one.bfd_up is not None}
    return (
        family("metallb_bgp_session_up", "1 while the session is Established", gauge, lambda one: one.is_up),
        family("metallb_bgp_updates_total", "UPDATEs sent", counter, lambda one: one.updates_sent),
        family("metallb_bgp_announced_prefixes_total", "Prefixes told", gauge, lambda one: one.announced),
        family(
            "metallb_bgp_pending_prefixes_total", "Prefixes that shall be told", gauge, lambda one: one.wanted
        ),
        family(
            "bareway_bgp_sessions_total",
            "Times that the session came up",
            counter,
            lambda one: one.established,
        ),
        family("bareway_bgp_faults_total", "Mistakes received and outlived", counter, lambda one: one.faults),
        Family(
            name="metallb_bfd_session_up",
            text="1 while BFD sees the router",
            kind=gauge,
            labels=("peer",),
            samples=tuple(((address,), is_up) for address, is_up in watched.items()),
        ),
    )


def _gossip_families(figures: SpeakerFigures) -> tuple[Family, ...]:
    counter = FamilyKind.COUNTER
    return (
        _by_word("bareway_gossip_members", "Members as this node sees them", "state", figures.members),
        _gauge("bareway_gossip_claims", "Claims known", figures.claims),
        _gauge("bareway_gossip_sessions", "Sessions with other members", figures.gossip_sessions),
        _counter("bareway_gossip_frames_sent_total", "Frames sent", figures.gossip_sent),
        _counter("bareway_gossip_frames_received_total", "Frames received", figures.gossip_received),
        _by_word(
            "bareway_gossip_dropped_total", "Frames refused", "reason", figures.gossip_dropped, kind=counter
        ),
        _counter("bareway_claims_taken_total", "Addresses that this node took over", figures.claims_taken),
        _by_word("bareway_withdrawn_total", "Addresses given up", "reason", figures.withdrawn, kind=counter),
    )


def _gauge(name: str, text: str, value: float) -> Family:
    return Family(name=name, text=text, kind=FamilyKind.GAUGE, samples=(((), value),))


def _counter(name: str, text: str, value: float) -> Family:
    return Family(name=name, text=text, kind=FamilyKind.COUNTER, samples=(((), value),))


def _by_word(
    name: str, text: str, label: str, figures: Mapping[str, int], kind: FamilyKind = FamilyKind.GAUGE
) -> Family:
    samples = tuple(((word,), count) for word, count in sorted(figures.items()))
    return Family(name=name, text=text, kind=kind, labels=(label,), samples=samples)


def _by_address(name: str, text: str, figures: Mapping[IPAddress, int]) -> Family:
    moment = tuple(figures.items())  # the program goes on counting while the page is written
    samples = (((str(address),), count) for address, count in moment)
    return Family(name=name, text=text, kind=FamilyKind.COUNTER, labels=("ip",), samples=samples)


def _slices(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.text}\n# TYPE {family.name} {family.kind}\n"
    samples = iter(family.samples)
    while piece := tuple(islice(samples, SLICE)):
        yield "".join(
            f"{family.name}{_labels(family.labels, values)} {float(value)!r}\n" for values, value in piece
        )


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
