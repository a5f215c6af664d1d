"""Names, labels and sentences of all metrics: those that MetalLB's dashboards know, and ours (``bareway_``).

``docs/metrics.md`` is printed from here.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from socket import inet_ntoa
from typing import Final

from bareway import __version__
from bareway.model.names import IPAddress
from bareway.model.status import PoolStatus
from bareway.runtime.figures import (
    BfdFigures,
    ControllerFigures,
    KubernetesFigures,
    PeerFigures,
    SpeakerFigures,
)
from bareway.runtime.histograms import Measured
from bareway.runtime.metrics import Family, FamilyKind

VRF: Final = "default"
"""As FRR calls the one that everybody is in."""


def controller_families(figures: ControllerFigures) -> tuple[Family, ...]:
    """Everything the controller has to tell."""
    return (
        *_kubernetes_families(figures.kubernetes),
        _gauge("bareway_leading", "1 for the controller that gives out addresses", figures.leads),
        _counter("bareway_terms_total", "How often this controller began to lead", figures.terms),
        _gauge("bareway_announcer_lists_generation", "Of the newest announcer list", figures.list_generation),
        *_pool_families(figures.pools),
        _by_word(
            "metallb_allocator_services_allocated_total",
            "Services that hold addresses of a pool",
            "pool",
            figures.services,
        ),
        _by_word("bareway_gossip_members", "Members as this controller sees them", "state", figures.members),
        _by_word("bareway_services_waiting", "Services without an address", "reason", figures.waiting),
        _histogram(
            "bareway_allocation_seconds",
            "From the change that makes it possible until a Service's address is written",
            figures.allocation,
        ),
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
        *_measured_families(figures),
    )


def _measured_families(figures: SpeakerFigures) -> tuple[Family, ...]:
    """How fast it was, and how near the detector came to an alarm."""
    return (
        _histogram(
            "bareway_convergence_seconds",
            "From a change in Kubernetes to the first frames for a new address that this node announces",
            figures.convergence,
        ),
        _histogram(
            "bareway_failover_seconds",
            "From the last sign of life of a lost node to the first frames for each address taken over",
            figures.failover,
        ),
        _histogram(
            "bareway_gossip_silence_seconds",
            "Between two frames of a neighbour while its connection lasts",
            figures.silences,
        ),
        _gauge(
            "bareway_gossip_silence_limit_seconds",
            "Of the profile in use: a neighbour that is silent for longer is suspected",
            figures.silence_limit_s,
        ),
        _histogram(
            "bareway_loop_lateness_seconds",
            "How late the loop came to the next deadline of gossip",
            figures.lateness,
        ),
        Family(
            name="bareway_gossip_member_changes_total",
            text="Times that a member was held otherwise than before",
            kind=FamilyKind.COUNTER,
            labels=("state", "reason"),
            samples=tuple(sorted(figures.member_changes.items())),
        ),
    )


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
                ((str(one.service), one.protocol, figures.node, _text(one.address)), 1)
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
        _by_address(
            "bareway_layer2_conflicts_total",
            "Frames in which another station called the address its own",
            figures.layer2_conflicts,
        ),
        _by_word(
            "bareway_layer2_failures_total",
            "Frames that the kernel did not take or give",
            "error",
            figures.layer2_failures,
            kind=FamilyKind.COUNTER,
        ),
        _counter(
            "bareway_layer2_frames_total", "Frames that came past the kernel's filter", figures.layer2_frames
        ),
        _by_word(
            "bareway_addresses_not_announced",
            "Addresses that this node does not announce",
            "reason",
            figures.why_not,
        ),
    )


def _bgp_families(peers: tuple[PeerFigures, ...]) -> tuple[Family, ...]:
    """MetalLB's names; those that only its FRR mode has carry FRR's label ``vrf`` too. And two of our own."""
    gauge, counter = FamilyKind.GAUGE, FamilyKind.COUNTER

    def native(name: str, text: str, kind: FamilyKind, value: Callable[[PeerFigures], int]) -> Family:
        samples = tuple(((one.peer,), value(one)) for one in peers)
        return Family(name=name, text=text, kind=kind, labels=("peer",), samples=samples)

    def of_frr(name: str, text: str, value: Callable[[PeerFigures], int]) -> Family:
        samples = tuple(((one.peer, VRF), value(one)) for one in peers)
        return Family(name=name, text=text, kind=counter, labels=("peer", "vrf"), samples=samples)

    return (
        native("metallb_bgp_session_up", "1 while the session is Established", gauge, lambda one: one.is_up),
        native("metallb_bgp_updates_total", "UPDATEs sent", counter, lambda one: one.updates_sent),
        native("metallb_bgp_announced_prefixes_total", "Prefixes told", gauge, lambda one: one.announced),
        native(
            "metallb_bgp_pending_prefixes_total", "Prefixes that shall be told", gauge, lambda one: one.wanted
        ),
        *(
            of_frr(f"metallb_bgp_{name}", text, value)
            for name, text, value in (
                ("opens_sent", "OPENs sent", lambda one: one.sent.get("Open", 0)),
                ("opens_received", "OPENs received", lambda one: one.received.get("Open", 0)),
                ("notifications_sent", "NOTIFICATIONs sent", lambda one: one.sent.get("Notification", 0)),
                ("updates_total_received", "UPDATEs received", lambda one: one.received.get("Update", 0)),
                ("keepalives_sent", "KEEPALIVEs sent", lambda one: one.sent.get("Keepalive", 0)),
                ("keepalives_received", "KEEPALIVEs received", lambda one: one.received.get("Keepalive", 0)),
                ("route_refresh_sent", "ROUTE-REFRESHs sent; none, since no routes are wanted", lambda _: 0),
                ("total_sent", "Messages sent", lambda one: sum(one.sent.values()) + one.updates_sent),
                ("total_received", "Messages received", lambda one: one.messages_received),
            )
        ),
        native(
            "bareway_bgp_sessions_total",
            "Times that the session came up",
            counter,
            lambda one: one.established,
        ),
        native("bareway_bgp_faults_total", "Mistakes received and outlived", counter, lambda one: one.faults),
        *_bfd_families({str(one.address): one.bfd for one in peers if one.bfd is not None}),
    )


def _bfd_families(sessions: Mapping[str, BfdFigures]) -> tuple[Family, ...]:
    """The names of MetalLB's FRR mode; there are no echo packets and no zebra here."""

    def family(name: str, text: str, value: Callable[[BfdFigures], int]) -> Family:
        return Family(
            name=f"metallb_bfd_{name}",
            text=text,
            kind=FamilyKind.GAUGE if name == "session_up" else FamilyKind.COUNTER,
            labels=("peer", "vrf"),
            samples=tuple(((peer, VRF), value(one)) for peer, one in sessions.items()),
        )

    return (
        family("session_up", "1 while BFD sees the router", lambda one: one.is_up),
        family("control_packet_input", "Control packets received", lambda one: one.packets_in),
        family("control_packet_output", "Control packets sent", lambda one: one.packets_out),
        family("echo_packet_input", "Echo packets received; none, since none are sent", lambda _: 0),
        family("echo_packet_output", "Echo packets sent; always none", lambda _: 0),
        family("session_up_events", "Times that the session came up", lambda one: one.ups),
        family("session_down_events", "Times that the session went down", lambda one: one.downs),
        family("zebra_notifications", "Notifications to zebra, which is not here: none", lambda _: 0),
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


def _histogram(name: str, text: str, measured: Measured) -> Family:
    return Family(name=name, text=text, kind=FamilyKind.HISTOGRAM, measured=measured)


def _by_word(
    name: str, text: str, label: str, figures: Mapping[str, int], kind: FamilyKind = FamilyKind.GAUGE
) -> Family:
    samples = tuple(((word,), count) for word, count in sorted(figures.items()))
    return Family(name=name, text=text, kind=kind, labels=(label,), samples=samples)


def _by_address(name: str, text: str, figures: Mapping[IPAddress, int]) -> Family:
    moment = tuple(figures.items())  # the program goes on counting while the page is written
    samples = (((_text(address),), count) for address, count in moment)
    return Family(name=name, text=text, kind=FamilyKind.COUNTER, labels=("ip",), samples=samples)


def _text(address: IPAddress) -> str:
    """As ``str`` has it, in half the time: a page may have 20,000 addresses."""
    return inet_ntoa(address.packed) if isinstance(address, IPv4Address) else str(address)
