"""What the API server holds, and what a node makes of it by the very functions that the speaker uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Final

from bareway.bgp.peers import PeerSettings
from bareway.bgp.routes import RouteSet
from bareway.decide.announcement.announcers import own_refusal
from bareway.decide.routing.endpoints import Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.routing import Routing
from bareway.decide.routing.sessions import sessions_of
from bareway.model.addresses import parse_range
from bareway.model.configuration import Advertisement, Configuration, GracefulRestart, Peer, Pool, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import IPAddress, IPNetwork, NodeName, ObjectKey, PoolName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service, TrafficPolicy
from support.builders import endpoint_slice, node, service

NODE_ASN: Final = 64512
ROUTER_ASN: Final = 64600
RETRY_S: Final = 1.0
COLORS: Final = ("64512:1", "64512:2")
"""Communities of the pool; one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterPlan:
    """A router as it is drawn: what it is, and how nodes are configured for it."""

    name: str
    address: IPAddress
    hold_s: int
    restart_s: int
    has_bfd: bool
    keeps_on_bfd_down: bool
    """It takes BFD's word for a restart (BIRD's ``bfd graceful``), not for a death."""
    ends_what_is_kept: bool
    """A path that BFD loses ends what is kept for a restart, too (BIRD's ``bfd on``)."""
    heeds_shutdown: bool
    """GRACEFUL_SHUTDOWN lowers the preference there."""
    has_restart: bool
    """Graceful restart is negotiated."""
    dials: bool
    is_internal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """All that speakers read, at one moment."""

    configuration: Configuration = Configuration()  # noqa: RUF009 - frozen
    services: Mapping[ServiceKey, Service] = field(default_factory=dict)
    slices: Mapping[ObjectKey, EndpointSlice] = field(default_factory=dict)
    nodes: Mapping[NodeName, Node] = field(default_factory=dict)

    def with_service(self, number: int, *, is_local: bool, nodes: tuple[str, ...]) -> "Objects":
        """A Service of that number, served on these nodes."""
        name, address = f"s{number}", address_of(number)
        policy = TrafficPolicy.LOCAL if is_local else TrafficPolicy.CLUSTER
        made, behind = service(name, ingress=[str(address)], policy=policy), endpoint_slice(name, *nodes)
        return replace(
            self,
            services={**self.services, made.key: made},
            slices={**self.slices, behind.key: behind},
        )

    def without_service(self, number: int) -> "Objects":
        """That Service is gone."""
        key = service(f"s{number}").key
        return replace(
            self,
            services={one: it for one, it in self.services.items() if one != key},
            slices={one: it for one, it in self.slices.items() if it.service != key},
        )

    def drained(self, name: str, *, is_drained: bool) -> "Objects":
        """The operator's mark on a Node comes or goes."""
        before = self.nodes[NodeName(name)]
        mark = "maintenance" if is_drained else None
        return replace(self, nodes={**self.nodes, before.name: replace(before, drain=mark)})

    def colored(self, color: str) -> "Objects":
        """Routes carry another community."""
        (pool,) = self.configuration.pools
        advertisement = Advertisement(communities=(color,))
        changed = replace(self.configuration, pools=(replace(pool, advertisements=(advertisement,)),))
        return replace(self, configuration=changed)

    @property
    def color(self) -> tuple[str, ...]:
        """Communities that routes carry now."""
        return self.configuration.pools[0].advertisements[0].communities

    def is_drained(self, name: str) -> bool:
        """That node has the operator's mark."""
        return self.nodes[NodeName(name)].drain is not None

    def serves(self, name: str, prefix: IPNetwork) -> bool:
        """What comes to that node for that prefix gets to an endpoint."""
        for one in self.services.values():
            if any(address in prefix for address in one.ingress):
                nodes = {
                    endpoint.node
                    for behind in self.slices.values()
                    if behind.service == one.key
                    for endpoint in behind.endpoints
                }
                return name in nodes if one.traffic_policy is TrafficPolicy.LOCAL else bool(nodes)
        return False


def address_of(number: int) -> IPAddress:
    """Every third Service has an IPv6 address."""
    return ip_address(f"2001:db8:2::{number}" if number % 3 == 2 else f"198.51.100.{number}")


def at_first(names: list[str], addresses: Mapping[str, IPAddress], routers: list[RouterPlan]) -> Objects:
    """Nodes, a pool and peers; no Services yet."""
    pool = Pool(
        name=PoolName("bgp"),
        protocol=Protocol.BGP,
        ranges=(parse_range("198.51.100.0/24"), parse_range("2001:db8:2::/64")),
        advertisements=(Advertisement(communities=(COLORS[0],)),),
    )
    peers = tuple(
        Peer(
            name=one.name,
            my_asn=NODE_ASN,
            peer_asn=NODE_ASN if one.is_internal else ROUTER_ASN,
            address=one.address,
            hold_time_s=one.hold_s,
            bfd_profile="fast" if one.has_bfd else "",
            graceful_restart=GracefulRestart.ON if one.has_restart else GracefulRestart.OFF,
        )
        for one in routers
    )
    nodes = [node(name, str(addresses[name])) for name in names]
    return Objects(
        configuration=Configuration(pools=(pool,), peers=peers),
        nodes={one.name: one for one in nodes},
    )


def settings_of(name: str, objects: Objects, routers: list[RouterPlan]) -> dict[str, PeerSettings]:
    """One node's sessions, with the patience of a simulation."""
    decided = sessions_of(objects.nodes[NodeName(name)], objects.configuration, {})
    plans = {one.name: one for one in routers}
    return {
        peer: replace(found, restart_time_s=plans[peer].restart_s, connect_retry_s=RETRY_S)
        for peer, found in decided.settings.items()
    }


class Mind:
    """What one speaker has seen and decided: the incremental way of ``speaker.bgp.desk``."""

    def __init__(self, name: str) -> None:
        self._name = NodeName(name)
        self._seen = Objects()
        self._endpoints = Endpoints()
        self._routing: Routing | None = None
        self._standing: object = None

    def look(self, objects: Objects, now: float) -> Mapping[str, RouteSet]:
        """Take what changed; the routes for each peer."""
        before, self._seen = self._seen, objects
        slices = _changed(before.slices, objects.slices)
        services = _changed(before.services, objects.services)
        me = objects.nodes[self._name]
        refusal = own_refusal(me, objects.nodes.values())
        standing = (objects.configuration, me.labels, refusal)
        services |= self._endpoints.take(objects.slices, slices)
        if self._routing is None or standing != self._standing:
            self._standing = standing
            weights = self._routing.weights if self._routing is not None else None
            self._routing = Routing(
                Ground(objects.configuration, me, refusal), me=self._name, weights=weights
            )
            services |= set(objects.services)
        self._routing.look(objects.services, self._endpoints, sorted(services), now=now)
        return self._routing.routes


def decided(name: str, objects: Objects) -> Mapping[str, RouteSet]:
    """What the View decides, from nothing."""
    return Mind(name).look(objects, 0.0)


def _changed(before: Mapping[ObjectKey, object], now: Mapping[ObjectKey, object]) -> set[ObjectKey]:
    return {key for key in before.keys() | now.keys() if before.get(key) is not now.get(key)}
