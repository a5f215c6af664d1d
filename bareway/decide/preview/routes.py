"""Which prefixes each node sends to which BGP peer, as ``bareway plan`` shows them: a function of a View.

Decided by `bareway.decide.routing`, by which speakers announce too. Left out: what a session does with it
(`bareway.bgp` follows), and how traffic is shared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from bareway.bgp.routes import DEFAULT_LOCAL_PREFERENCE, Attributes, community_text
from bareway.decide.announcement.announcers import own_refusal
from bareway.decide.routing.endpoints import Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.routing import Routing
from bareway.decide.routing.sessions import is_internal, selected_peers
from bareway.model.configuration import Configuration, Peer
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import IPNetwork, NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service

Place: TypeAlias = tuple[int, NodeName, int, int, int]


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
    found = [
        (number, node.name, Session(peer=peer, node=node.name))
        for node in nodes
        for number, peer in selected_peers(node, configuration)
    ]
    return tuple(session for *_, session in sorted(found, key=lambda one: one[:2]))


def routes(view: RouteView) -> tuple[Route, ...]:
    """All routes, by peer in the order of the document, then by node and prefix."""
    nodes = tuple(view.nodes)
    services = {service.key: service for service in view.services}
    endpoints = _endpoints(view.slices)
    found: list[tuple[Place, Route]] = []
    for node in nodes:
        refusal = own_refusal(node, nodes, ignore_exclude_label=view.ignore_exclude_label)
        ground = Ground(view.configuration, node, refusal)
        routing = Routing(ground, me=node.name, load_balancer_class=view.load_balancer_class)
        routing.look(services, endpoints, services, now=0.0)
        found += _of_node(node, routing, view.configuration)
    return tuple(route for _, route in sorted(found, key=lambda one: one[0]))


def _endpoints(slices: Iterable[EndpointSlice] | None) -> Endpoints | None:
    if slices is None:
        return None
    known = {one.key: one for one in slices}
    endpoints = Endpoints()
    endpoints.take(known, known)
    return endpoints


def _of_node(node: Node, routing: Routing, configuration: Configuration) -> Iterator[tuple[Place, Route]]:
    told = routing.routes
    for number, peer in selected_peers(node, configuration):
        audience = routing.ground.audience_of[peer.name]
        for prefix, attributes in told[peer.name].items():
            services = tuple(routing.services_behind(prefix, audience))
            place = (number, node.name, prefix.version, int(prefix.network_address), prefix.prefixlen)
            yield place, _route(peer, node, prefix, attributes, services)


def _route(
    peer: Peer, node: Node, prefix: IPNetwork, attributes: Attributes, services: tuple[ServiceKey, ...]
) -> Route:
    preference = attributes.local_preference
    return Route(
        peer=peer,
        node=node.name,
        prefix=prefix,
        local_preference=(preference or DEFAULT_LOCAL_PREFERENCE) if is_internal(peer) else 0,
        communities=tuple(map(community_text, attributes.communities)),
        large_communities=tuple(map(str, attributes.large_communities)),
        services=services,
    )
