"""What a configuration would do to a cluster: every decision at once, from files as well as from the API.

The same functions that the programs decide by. Every Node counts as a live member; without announcer lists
the order of nodes is by class (drained ones last, then by preference), then MetalLB's rank. Left out: what
only a running cluster knows, such as claims, links and load.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.free import usable_count
from bareway.decide.allocation.verdicts import Allocation, Granted, Refused, Verdict
from bareway.decide.announcement.announcers import (
    Announcers,
    AnnouncerView,
    Group,
    Refusal,
    announcers,
    own_refusal,
)
from bareway.decide.announcement.members import Fields, Member, members_of
from bareway.decide.announcement.moves import announce_from, named_for
from bareway.decide.preview.routes import Route, RouteView, Session, routes, sessions
from bareway.model.configuration import Configuration
from bareway.model.endpoints import EndpointSlice
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, NodeName, PoolName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.rank import ranked
from bareway.model.services import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster as far as decisions go, without a configuration."""

    services: Mapping[ServiceKey, Service] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    slices: tuple[EndpointSlice, ...] | None = None
    """None = nothing is known about endpoints: every Service is served on every node."""
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of each Namespace by its name."""
    memory: AllocationMemory = field(default_factory=AllocationMemory)
    now: int = 0
    """Unix seconds, as in the memory."""
    load_balancer_class: str | None = None
    ignore_exclude_label: bool = False


class Action(StrEnum):
    """What becomes of the addresses that a Service shows."""

    KEEP = "keep"
    ASSIGN = "assign"
    RELEASE = "release"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedService:
    """One Service, and what it would show."""

    service: ServiceKey
    addresses: tuple[IPAddress, ...] = ()
    pool: str | None = None
    action: Action
    reason: str = ""
    """An Enum word; empty where there is nothing to explain."""
    message: str = ""
    shares_with: tuple[ServiceKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAddress:
    """One address on layer 2, and who would announce it."""

    address: IPAddress
    services: tuple[ServiceKey, ...]
    nodes: tuple[NodeName, ...]
    """All that may, in order: the first one announces."""
    reasons: Mapping[NodeName, str]
    """Of every Node: why it does not announce; empty for the one that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPool:
    """How full a pool would be."""

    name: PoolName
    total: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All that would be."""

    allocation: Allocation
    services: tuple[PlannedService, ...]
    announcers: tuple[PlannedAddress, ...]
    routes: tuple[Route, ...]
    sessions: tuple[Session, ...]
    pools: tuple[PlannedPool, ...]


def preview(configuration: Configuration, cluster: Cluster) -> Preview:
    """Decide everything."""
    view = AllocationView(
        configuration=configuration,
        services=cluster.services.values(),
        namespaces=cluster.namespaces,
        memory=cluster.memory,
        now=cluster.now,
        load_balancer_class=cluster.load_balancer_class,
    )
    allocation = allocate(view)
    served = [_after(service, allocation) for service in cluster.services.values()]
    return Preview(
        allocation=allocation,
        services=tuple(_planned_services(cluster, allocation)),
        announcers=tuple(_planned_addresses(configuration, cluster, served)),
        routes=routes(
            RouteView(
                configuration=configuration,
                services=served,
                nodes=cluster.nodes,
                slices=cluster.slices,
                load_balancer_class=cluster.load_balancer_class,
                ignore_exclude_label=cluster.ignore_exclude_label,
            )
        ),
        sessions=sessions(configuration, cluster.nodes),
        pools=tuple(
            PlannedPool(name=pool.name, total=usable_count(pool), used=allocation.used.get(pool.name, 0))
            for pool in configuration.pools
        ),
    )


def _after(service: Service, allocation: Allocation) -> Service:
    """The Service as it will be; what others serve stays."""
    verdict = allocation.verdicts.get(service.key)
    if verdict is None:
        return replace(service, ingress=()) if service.key in allocation.released else service
    return replace(service, ingress=verdict.addresses if isinstance(verdict, Granted) else ())


def _planned_services(cluster: Cluster, allocation: Allocation) -> Iterator[PlannedService]:
    for key in sorted(cluster.services):
        service = cluster.services[key]
        verdict = allocation.verdicts.get(key)
        if verdict is not None:
            yield _planned(service, verdict)
        elif key in allocation.released:
            yield PlannedService(service=key, action=Action.RELEASE)
        elif service.is_load_balancer:
            yield PlannedService(service=key, action=Action.NONE)


def _planned(service: Service, verdict: Verdict) -> PlannedService:
    lost = verdict.cleared.reason if verdict.cleared is not None else None
    match verdict:
        case Granted():
            return PlannedService(
                service=service.key,
                addresses=verdict.addresses,
                pool=verdict.pool,
                action=Action.KEEP if verdict.kept else Action.ASSIGN,
                reason=lost.word if lost is not None else "",
                message=lost.message if lost is not None else "",
                shares_with=verdict.shares_with,
            )
        case Refused(reason=reason):
            return PlannedService(
                service=service.key,
                action=Action.RELEASE if service.ingress else Action.NONE,
                reason=reason.word,
                message="; ".join(verdict.sentences),
            )


def _planned_addresses(
    configuration: Configuration, cluster: Cluster, services: Iterable[Service]
) -> Iterator[PlannedAddress]:
    view = AnnouncerView(
        configuration=configuration,
        services=services,
        slices=cluster.slices,
        nodes=cluster.nodes,
        load_balancer_class=cluster.load_balancer_class,
    )
    found = announcers(view)
    unfit = _unfit(cluster)
    holders = _holders(services)
    members = members_of(
        cluster.nodes,
        ignore_exclude_label=cluster.ignore_exclude_label,
        on_cordon=configuration.layer2.on_cordon,
    )
    # A cordon keeps new addresses away, and moves none.
    resting = {name: replace(member, cordoned=False) for name, member in members.items()}
    for_new, for_shown = Fields(members, cluster.nodes), Fields(resting, cluster.nodes)
    shown = {address for service in cluster.services.values() for address in service.ingress}
    named = announce_from(services)
    for group in found.groups.values():
        fields = for_new if shown.isdisjoint(group.addresses) else for_shown
        order = _order(group, fields, named_for(group, named))
        reasons = {
            node.name: _reason(members[node.name], group, order, unfit)
            for node in sorted(cluster.nodes, key=lambda node: node.name)
        }
        for address in group.addresses:
            yield PlannedAddress(address=address, services=holders[address], nodes=order, reasons=reasons)
    yield from _unannounced(found, services, cluster, unfit)


def _unannounced(
    found: Announcers, services: Iterable[Service], cluster: Cluster, unfit: Mapping[NodeName, Refusal]
) -> Iterator[PlannedAddress]:
    """Addresses on layer 2 that nobody announces, since no endpoint serves."""
    holders = _holders(services)
    announced = {address for group in found.groups.values() for address in group.addresses}
    withheld = {
        address: found.withheld[service.key]
        for service in services
        if found.withheld.get(service.key) in (Refusal.NO_ENDPOINTS, Refusal.NO_LOCAL_ENDPOINTS)
        for address in service.ingress
        if address not in announced
    }
    for address in sorted(withheld, key=lambda address: (address.version, int(address))):
        reasons = {
            node.name: str(unfit.get(node.name, withheld[address]))
            for node in sorted(cluster.nodes, key=lambda node: node.name)
        }
        yield PlannedAddress(address=address, services=holders[address], nodes=(), reasons=reasons)


def _unfit(cluster: Cluster) -> dict[NodeName, Refusal]:
    """Nodes that announce nothing at all, and why."""
    refusals = {
        node.name: own_refusal(node, cluster.nodes, ignore_exclude_label=cluster.ignore_exclude_label)
        for node in cluster.nodes
    }
    return {name: refusal for name, refusal in refusals.items() if refusal is not None}


def _order(group: Group, fields: Fields, named: NodeName | None) -> tuple[NodeName, ...]:
    """Who would announce it, one after the other."""
    classes = fields.of(group, named).classes
    return tuple(name for _, names in classes for name in ranked(names, group.key))


def _reason(
    member: Member, group: Group, order: tuple[NodeName, ...], unfit: Mapping[NodeName, Refusal]
) -> str:
    if order and order[0] == member.name:
        return ""
    other = Refusal.NODE_DRAINING if member.draining else Refusal.NOT_OWNER
    return unfit.get(member.name) or group.why_not(member.name) or other


def _holders(services: Iterable[Service]) -> dict[IPAddress, tuple[ServiceKey, ...]]:
    found: dict[IPAddress, tuple[ServiceKey, ...]] = {}
    for service in sorted(services, key=lambda service: service.key):
        for address in service.ingress:
            found[address] = (*found.get(address, ()), service.key)
    return found
