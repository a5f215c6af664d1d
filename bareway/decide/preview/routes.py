"""Which prefixes each node sends to which BGP peer, with which attributes: a pure function of a View.

A node sends the addresses of a Service in a bgp pool while it may announce at all and an endpoint serves: on
this node with policy Local, anywhere with policy Cluster. An advertisement widens the address to its
aggregation length; what several Services or advertisements lead to the same prefix is one route. Left out:
what a session does with it (`bareway.bgp` follows).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, TypeAlias

from bareway.decide.allocation.free import FreeAddresses
from bareway.decide.announcement.announcers import own_refusal
from bareway.decide.announcement.serving import serving_nodes
from bareway.model.configuration import Advertisement, Configuration, Peer, Pool, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.selectors import Selector, any_matches
from bareway.model.services import Service, TrafficPolicy, is_ours

IPNetwork: TypeAlias = IPv4Network | IPv6Network
DEFAULT_LOCAL_PREFERENCE: Final = 100  # what routers take where an iBGP peer sends none


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """What the decision looks at, at one moment."""

    configuration: Configuration
    services: Iterable[Service]
    nodes: Iterable[Node]
    slices: Iterable[EndpointSlice] | None
    """None = nothing is known about endpoints: every Service is served on every node."""
    load_balancer_class: str | None = None
    ignore_exclude_label: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A node has a session with a peer."""

    peer: Peer
    node: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One prefix that a node sends to one peer."""

    peer: Peer
    node: NodeName
    prefix: IPNetwork
    local_preference: int
    """0 where none is sent: outside our own AS (RFC 4271 section 5.1.5)."""
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    services: tuple[ServiceKey, ...] = field(default=())


def sessions(configuration: Configuration, nodes: Iterable[Node]) -> tuple[Session, ...]:
    """Who opens a session with whom, by peer in the order of the document, then by node."""
    ordered = sorted(nodes, key=lambda node: node.name)
    return tuple(
        Session(peer=peer, node=node.name)
        for peer in configuration.peers
        for node in ordered
        if _selected(peer.node_selectors, node)
    )


def routes(view: RouteView) -> tuple[Route, ...]:
    """All routes, by peer in the order of the document, then by node and prefix."""
    nodes = sorted(view.nodes, key=lambda node: node.name)
    serving = serving_nodes(view.slices) if view.slices is not None else None
    found: dict[tuple[int, NodeName, IPNetwork], Route] = {}
    for service, address, pool in _announced(view):
        for node in nodes:
            if own_refusal(node, nodes, ignore_exclude_label=view.ignore_exclude_label) is not None:
                continue
            if not _selected(pool.node_selectors, node) or not _serves(service, node, serving):
                continue
            for number, route in _advertised(service, address, pool, node, view.configuration):
                place = (number, node.name, route.prefix)
                found[place] = _merged(found[place], route) if place in found else route
    return tuple(found[place] for place in sorted(found, key=_order))


def _announced(view: RouteView) -> Iterator[tuple[Service, IPAddress, Pool]]:
    """Every address of a Service of ours in a bgp pool."""
    free = FreeAddresses(view.configuration)
    for service in sorted(view.services, key=lambda service: service.key):
        for address in service.ingress if is_ours(service, view.load_balancer_class) else ():
            pool = free.pool_of(address)
            if pool is not None and pool.protocol is Protocol.BGP:
                yield service, address, pool


def _advertised(
    service: Service, address: IPAddress, pool: Pool, node: Node, configuration: Configuration
) -> Iterator[tuple[int, Route]]:
    for advertisement in pool.advertisements or (Advertisement(),):
        if not _selected(advertisement.node_selectors, node):
            continue
        for number, peer in enumerate(configuration.peers):
            is_meant = not advertisement.peers or peer.name in advertisement.peers
            if is_meant and _selected(peer.node_selectors, node):
                route = Route(
                    peer=peer,
                    node=node.name,
                    prefix=_prefix(address, advertisement),
                    local_preference=_local_preference(peer, advertisement),
                    communities=tuple(sorted(advertisement.communities, key=_numbers)),
                    large_communities=tuple(sorted(advertisement.large_communities, key=_numbers)),
                    services=(service.key,),
                )
                yield number, route


def _prefix(address: IPAddress, advertisement: Advertisement) -> IPNetwork:
    is_v4 = address.version == 4  # noqa: PLR2004 - the family
    length = advertisement.aggregation_length if is_v4 else advertisement.aggregation_length_v6
    return ip_network(f"{address}/{length}", strict=False)


def _local_preference(peer: Peer, advertisement: Advertisement) -> int:
    if peer.my_asn != peer.peer_asn:
        return 0
    return advertisement.local_preference or DEFAULT_LOCAL_PREFERENCE


def _merged(one: Route, other: Route) -> Route:
    """The same prefix for two reasons: the greater preference, and all communities."""
    return Route(
        peer=one.peer,
        node=one.node,
        prefix=one.prefix,
        local_preference=max(one.local_preference, other.local_preference),
        communities=tuple(sorted({*one.communities, *other.communities}, key=_numbers)),
        large_communities=tuple(sorted({*one.large_communities, *other.large_communities}, key=_numbers)),
        services=tuple(sorted({*one.services, *other.services})),
    )


def _serves(
    service: Service, node: Node, serving: Mapping[ServiceKey, frozenset[NodeName | None]] | None
) -> bool:
    if serving is None:
        return True
    nodes = serving.get(service.key, frozenset())
    return node.name in nodes if service.traffic_policy is TrafficPolicy.LOCAL else bool(nodes)


def _selected(selectors: tuple[Selector, ...], node: Node) -> bool:
    return not selectors or any_matches(selectors, node.labels)


def _numbers(community: str) -> tuple[int, ...]:
    return tuple(int(part) for part in community.split(":"))


def _order(place: tuple[int, NodeName, IPNetwork]) -> tuple[int, NodeName, int, int, int]:
    number, node, prefix = place
    return number, node, prefix.version, int(prefix.network_address), prefix.prefixlen
