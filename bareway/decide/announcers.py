"""Which addresses are to be announced, together with which others, and which nodes may; or why not.

Every node computes the same from the same objects: what a node knows about itself (drain, links, readiness)
is not decided here but told by it in gossip. Who of the permitted nodes announces is decided by claims
(`bareway.gossip`). Not covered: node selectors, interfaces, sharing of policy Local.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bareway.model.configuration import Configuration, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.services import Service, TrafficPolicy, is_ours


class Refusal(StrEnum):
    """Why nobody, or not this node, announces; MetalLB's words where it has one: people search for them."""

    NO_IP_ALLOCATED = "noIPAllocated"
    IP_NOT_ALLOWED = "ipNotAllowed"
    NO_ENDPOINTS = "noEndpoints"
    NO_LOCAL_ENDPOINTS = "noLocalEndpoints"
    NODE_NETWORK_UNAVAILABLE = "nodeNetworkUnavailable"
    NODE_LABELED_EXCLUDE_BALANCERS = "nodeLabeledExcludeBalancers"
    NO_USABLE_LINK = "noUsableLink"
    NOT_OWNER = "notOwner"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncerView:
    """What the decision looks at, at one moment."""

    configuration: Configuration
    services: Iterable[Service]
    slices: Iterable[EndpointSlice]
    load_balancer_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Addresses that one node announces together, since Services link them."""

    key: IPAddress
    """The first address, IPv4 before IPv6: claims and rank go by it."""
    addresses: tuple[IPAddress, ...]
    """All of them in order, ``key`` first."""
    services: tuple[ServiceKey, ...]
    permitted: frozenset[NodeName] | None
    """Nodes that may announce it as far as the API's objects tell; None = every node."""
    refusal: Refusal | None = None
    """Why ``permitted`` leaves a node out; None where it leaves out none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcers:
    """The decision for every Service of type LoadBalancer."""

    groups: Mapping[IPAddress, Group] = field(default_factory=dict)
    """By key, in the order of addresses."""
    withheld: Mapping[ServiceKey, Refusal] = field(default_factory=dict)
    """Services of ours that nobody is to announce, and why."""


def announcers(view: AnnouncerView) -> Announcers:
    """Decide what is announced and who may; equal views give equal answers whatever their order."""
    serving = _serving_nodes(view.slices)
    withheld: dict[ServiceKey, Refusal] = {}
    announced: list[Service] = []
    for service in sorted(view.services, key=lambda service: service.key):
        if not is_ours(service, view.load_balancer_class):
            continue
        refusal = _withheld(service, view.configuration, serving.get(service.key, frozenset()))
        if refusal is None:
            announced.append(service)
        else:
            withheld[service.key] = refusal
    groups = [_group(linked, serving) for linked in _linked(announced)]
    groups.sort(key=lambda group: (group.key.version, int(group.key)))
    return Announcers(groups={group.key: group for group in groups}, withheld=withheld)


def own_refusal(
    me: Node | None, nodes: Iterable[Node], *, ignore_exclude_label: bool = False
) -> Refusal | None:
    """Why this node may announce nothing, from its own Node object; None when it may.

    The exclude label counts only while some node is without it: where every node carries it, excluding all
    would announce nothing (MetalLB up to v0.12 ignored the label).
    """
    if me is None:
        return None
    if me.network_unavailable:
        return Refusal.NODE_NETWORK_UNAVAILABLE
    if EXCLUDE_LABEL not in me.labels or ignore_exclude_label:
        return None
    if all(EXCLUDE_LABEL in node.labels for node in nodes):
        return None
    return Refusal.NODE_LABELED_EXCLUDE_BALANCERS


def _serving_nodes(slices: Iterable[EndpointSlice]) -> dict[ServiceKey, frozenset[NodeName | None]]:
    """For each Service the nodes on which an endpoint serves; None stands for an endpoint without a node."""
    found: dict[ServiceKey, set[NodeName | None]] = {}
    for piece in slices:
        if piece.service is not None:
            nodes = {
                endpoint.node for endpoint in piece.endpoints if endpoint.can_serve and endpoint.addresses
            }
            found.setdefault(piece.service, set()).update(nodes)
    return {service: frozenset(nodes) for service, nodes in found.items()}


def _withheld(
    service: Service, configuration: Configuration, nodes: frozenset[NodeName | None]
) -> Refusal | None:
    if not service.ingress:
        return Refusal.NO_IP_ALLOCATED
    pools = [pool for pool in configuration.pools if pool.protocol is Protocol.LAYER2]
    if not all(any(address in r for pool in pools for r in pool.ranges) for address in service.ingress):
        return Refusal.IP_NOT_ALLOWED
    if not nodes:
        return Refusal.NO_ENDPOINTS
    if service.traffic_policy is TrafficPolicy.LOCAL and nodes == {None}:
        return Refusal.NO_LOCAL_ENDPOINTS
    return None


def _linked(services: Iterable[Service]) -> list[list[Service]]:
    """Services in sets that are linked by shared addresses, directly or through others."""
    sets: dict[IPAddress, list[Service]] = {}
    for service in services:
        touched = {id(found): found for a in service.ingress if (found := sets.get(a)) is not None}
        merged = [*(other for found in touched.values() for other in found), service]
        for member in merged:
            sets.update(dict.fromkeys(member.ingress, merged))
    return list({id(found): found for found in sets.values()}.values())


def _group(services: list[Service], serving: Mapping[ServiceKey, frozenset[NodeName | None]]) -> Group:
    addresses = sorted({a for s in services for a in s.ingress}, key=lambda a: (a.version, int(a)))
    local = [serving[s.key] for s in services if s.traffic_policy is TrafficPolicy.LOCAL]
    permitted: frozenset[NodeName] | None = None
    if local:
        # Who serves all of them, or, where nobody does, who serves any: a partial service beats none.
        nodes = frozenset[NodeName | None].intersection(*local) or frozenset[NodeName | None].union(*local)
        permitted = frozenset(node for node in nodes if node is not None)
    return Group(
        key=addresses[0],
        addresses=tuple(addresses),
        services=tuple(sorted(s.key for s in services)),
        permitted=permitted,
        refusal=Refusal.NO_LOCAL_ENDPOINTS if local else None,
    )
