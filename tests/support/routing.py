"""Peers, pools and a node for tests of routes."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network

from bareway.bgp.routes import Attributes, RouteSet
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.routing.endpoints import Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.routing import Routing
from bareway.model.configuration import Advertisement, Configuration, Peer, Pool, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import NodeName, ObjectKey, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service
from support.builders import ips, node, pool

ME = node("a", "10.9.0.11", labels={"rack": "1"})
ROUTER = Peer(name="peer1", my_asn=64601, peer_asn=64512, address=ips("10.9.0.1")[0])
OTHER = replace(ROUTER, name="peer2", address=ips("10.9.0.2")[0])


def bgp_pool(*advertisements: Advertisement, addresses: Iterable[str] = ()) -> Pool:
    ranges = tuple(addresses) or ("198.51.100.0/24", "2001:db8::/120")
    return replace(
        pool("office", *ranges, protocol=Protocol.BGP), advertisements=advertisements or (Advertisement(),)
    )


def ground(
    *pools: Pool,
    peers: Iterable[Peer] = (ROUTER,),
    on: Node | None = ME,
    refusal: Refusal | None = None,
) -> Ground:
    return Ground(Configuration(pools=pools or (bgp_pool(),), peers=tuple(peers)), on, refusal)


class Cluster:
    """Services and slices as they are now, and the routes of one node that follow them."""

    def __init__(self, of: Ground | None = None) -> None:
        self.services: dict[ServiceKey, Service] = {}
        self.slices: dict[ObjectKey, EndpointSlice] = {}
        self.endpoints = Endpoints()
        self.routing = Routing(of or ground(), me=NodeName("a"))
        self.now = 0.0

    def put(self, *services: Service) -> None:
        self.services |= {one.key: one for one in services}
        self._look(one.key for one in services)

    def remove(self, *services: Service) -> None:
        for one in services:
            del self.services[one.key]
        self._look(one.key for one in services)

    def serve(self, *slices: EndpointSlice) -> None:
        self.slices |= {one.key: one for one in slices}
        self._look(self.endpoints.take(self.slices, [one.key for one in slices]))

    def empty(self, *slices: EndpointSlice) -> None:
        for one in slices:
            del self.slices[one.key]
        self._look(self.endpoints.take(self.slices, [one.key for one in slices]))

    def told(self, peer: str = "peer1") -> dict[str, Attributes]:
        return {str(prefix): attributes for prefix, attributes in self.routing.routes[peer].items()}

    def _look(self, keys: Iterable[ServiceKey]) -> None:
        self.routing.look(self.services, self.endpoints, sorted(keys), now=self.now)


def prefixes(routes: RouteSet) -> set[str]:
    return set(map(str, routes))


def bandwidth(routes: RouteSet, prefix: str) -> float | None:
    return routes[ip_network(prefix)].link_bandwidth
