"""Which addresses are to be announced, together with which others, and which nodes may; or why not.

Every node computes the same from the same objects: what a node knows about itself (drain, links, readiness)
is not decided here but told by it in gossip. Who of the permitted nodes announces is decided by claims
(`bareway.gossip`), who shall by announcer lists (`bareway.decide.announcement.spread`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bareway.decide.announcement.interfaces import allows
from bareway.decide.announcement.layer2_pools import Layer2Pools
from bareway.decide.announcement.serving import Serving, serving_in_steps
from bareway.model.configuration import Configuration, Pool
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import InterfaceName, IPAddress, NodeName, ServiceKey
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selectors import any_matches
from bareway.model.services import Service, TrafficPolicy, is_ours
from bareway.model.steps import Steps, finish, pieces

IPV6: Final = 6


class Refusal(StrEnum):
    """Why nobody, or not this node, announces; MetalLB's words where it has one: people search for them."""

    NO_IP_ALLOCATED = "noIPAllocated"
    IP_NOT_ALLOWED = "ipNotAllowed"
    NO_ENDPOINTS = "noEndpoints"
    NO_LOCAL_ENDPOINTS = "noLocalEndpoints"
    NO_MATCHING_ADVERTISEMENT = "noMatchingAdvertisement"
    """The node selectors of a pool leave it out."""
    SHARED_LOCAL_PARTIAL = "SharedLocalPartial"
    """It serves fewer of the Services of policy Local that share the address than others do."""
    NODE_NETWORK_UNAVAILABLE = "nodeNetworkUnavailable"
    NODE_LABELED_EXCLUDE_BALANCERS = "nodeLabeledExcludeBalancers"
    NODE_DRAINING = "nodeDraining"
    """It announces only what no other node can."""
    NO_USABLE_LINK = "noUsableLink"
    NO_ALLOWED_LINK = "noAllowedLink"
    """It has usable links, but none that a pool of the address lists under ``interfaces``."""
    NO_IPV6_LINK = "noIPv6Link"
    """None of the links that the address may be announced on speaks IPv6."""
    NOT_OWNER = "notOwner"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncerView:
    """What the decision looks at, at one moment."""

    configuration: Configuration
    services: Iterable[Service]
    slices: Iterable[EndpointSlice] | None
    """None = nothing is known about endpoints: every Service is served on every node."""
    nodes: Iterable[Node] = ()
    """For the node selectors of pools; a node that is not known is selected by none."""
    load_balancer_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Addresses that one node announces together, since Services link them."""

    key: IPAddress
    """Its first address, IPv4 before IPv6: claims, lists and rank go by it. It stays while endpoints come and
    go, so it may be one of ``idle``."""
    addresses: tuple[IPAddress, ...]
    """Those to announce, in order."""
    services: tuple[ServiceKey, ...]
    """The Services behind ``addresses``."""
    permitted: frozenset[NodeName] | None
    """Nodes that may announce it as far as the API's objects tell, without ``lesser``; None = every node."""
    refusal: Refusal | None = None
    """Why ``permitted`` leaves a node out; None where it leaves out none."""
    lesser: tuple[frozenset[NodeName], ...] = ()
    """Nodes that serve fewer of its Services of policy Local than those permitted: they follow, in this
    order, where none of these lives."""
    partial: Mapping[NodeName, tuple[ServiceKey, ...]] = field(default_factory=dict)
    """What a node, permitted or lesser, leaves unserved if it announces (``SharedLocalPartial``)."""
    selected: frozenset[NodeName] | None = None
    """Nodes that the pools select; None = every node."""
    idle: tuple[IPAddress, ...] = ()
    """Its addresses that are not announced now, since nothing serves their Services."""
    pools: tuple[Pool, ...] = ()
    """The pools of all its addresses, in the order of the document."""

    @property
    def has_both(self) -> bool:
        """Whether it has addresses of both families."""
        return len({address.version for address in (*self.addresses, *self.idle)}) > 1

    @property
    def tiers(self) -> tuple[frozenset[NodeName], ...] | None:
        """All nodes that may announce it, the best first; None = every node alike."""
        return None if self.permitted is None else (self.permitted, *self.lesser)

    def why_not(self, node: NodeName) -> Refusal | None:
        """Why ``node`` may not announce it while a permitted one can; None = it may."""
        if self.permitted is None or node in self.permitted:
            return None
        if self.selected is not None and node not in self.selected:
            return Refusal.NO_MATCHING_ADVERTISEMENT
        if any(node in tier for tier in self.lesser):
            return Refusal.SHARED_LOCAL_PARTIAL
        return Refusal.NO_LOCAL_ENDPOINTS

    def link_refusal(self, links: Collection[InterfaceName]) -> Refusal | None:
        """Why a node with these usable links may not announce it: each of its pools needs one of them."""
        if not links:
            return Refusal.NO_USABLE_LINK
        if all(any(allows(pool, link) for link in links) for pool in self.pools):
            return None
        return Refusal.NO_ALLOWED_LINK

    def lacks_ipv6(self, links: Mapping[InterfaceName, bool]) -> bool:
        """Whether it has IPv6 addresses that a node with these links could not answer for.

        Args:
            links: by name, whether IPv6 is spoken there.
        """
        if all(address.version != IPV6 for address in (*self.addresses, *self.idle)):
            return False
        speaking = [name for name, speaks in links.items() if speaks]
        pools = [pool for pool in self.pools if any(one.version == IPV6 for one in pool.ranges)]
        return not speaking or any(not any(allows(pool, link) for link in speaking) for pool in pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcers:
    """The decision for every Service of type LoadBalancer."""

    groups: Mapping[IPAddress, Group] = field(default_factory=dict)
    """By key, in the order of addresses."""
    withheld: Mapping[ServiceKey, Refusal] = field(default_factory=dict)
    """Services of ours that nobody is to announce, and why."""
    resting: Mapping[IPAddress, Group] = field(default_factory=dict)
    """Groups of which nothing is to be announced now: listed all the same, so that they begin as planned."""


def announcers(view: AnnouncerView) -> Announcers:
    """Decide what is announced and who may; equal views give equal answers whatever their order."""
    return finish(announcers_in_steps(view))


def announcers_in_steps(view: AnnouncerView) -> Steps[Announcers]:
    """The same, so that thousands of Services keep no loop; the view must stay as it is meanwhile."""
    withheld: dict[ServiceKey, Refusal] = {}
    placed = yield from _place(view, withheld)
    look = _Look(view, None if view.slices is None else (yield from serving_in_steps(view.slices)))
    groups: dict[IPAddress, Group] = {}
    resting: dict[IPAddress, Group] = {}
    linked = yield from _linked(placed)
    for piece in pieces(linked):
        for services in piece:
            refusals = {one.service.key: why for one in services if (why := look.refusal(one.service))}
            withheld.update(refusals)
            served = [one for one in services if one.service.key not in refusals]
            group = look.group(services, served)
            (groups if served else resting)[group.key] = group
        yield
    return Announcers(groups=_ordered(groups), withheld=withheld, resting=_ordered(resting))


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


@dataclass(frozen=True, slots=True)
class _Placed:
    """A Service with addresses that belong on the link."""

    service: Service
    addresses: tuple[IPAddress, ...]
    pools: tuple[int, ...]
    """Of each address one, as its place in the document."""


def _place(view: AnnouncerView, withheld: dict[ServiceKey, Refusal]) -> Steps[list[_Placed]]:
    """Those of our Services that have addresses on the link; of the others it is noted why not."""
    pools = Layer2Pools(view.configuration.pools)
    placed: list[_Placed] = []
    for piece in pieces(sorted(view.services, key=lambda service: service.key)):
        for service in piece:
            if is_ours(service, view.load_balancer_class):
                found = _placed(service, pools)
                if isinstance(found, Refusal):
                    withheld[service.key] = found
                else:
                    placed.append(found)
        yield
    return placed


def _placed(service: Service, pools: Layer2Pools) -> _Placed | Refusal:
    if not service.ingress:
        return Refusal.NO_IP_ALLOCATED
    found = [(address, pools.find(address)) for address in service.ingress]
    if any(place is None for _, place in found):
        return Refusal.IP_NOT_ALLOWED
    here = [(address, place) for address, place in found if place is not None and pools.on_link(place)]
    if not here:
        return Refusal.IP_NOT_ALLOWED
    return _Placed(service, tuple(address for address, _ in here), tuple(place for _, place in here))


def _linked(services: Iterable[_Placed]) -> Steps[list[list[_Placed]]]:
    """Services in sets that are linked by shared addresses, directly or through others."""
    sets: dict[IPAddress, list[_Placed]] = {}
    for piece in pieces(services):
        for service in piece:
            _link(service, sets)
        yield
    return list({id(found): found for found in sets.values()}.values())


def _link(service: _Placed, sets: dict[IPAddress, list[_Placed]]) -> None:
    touched = {id(found): found for a in service.addresses if (found := sets.get(a)) is not None}
    merged = max(touched.values(), key=len, default=[])  # the smaller go into the greatest
    for other in touched.values():
        if other is not merged:
            merged += other
            sets.update(dict.fromkeys((a for one in other for a in one.addresses), merged))
    merged.append(service)
    sets.update(dict.fromkeys(service.addresses, merged))


def _ordered(groups: Mapping[IPAddress, Group]) -> dict[IPAddress, Group]:
    return {key: groups[key] for key in sorted(groups, key=by_family)}


def by_family(address: IPAddress) -> tuple[int, int]:
    """Sort key of addresses: IPv4 before IPv6, then ascending."""
    return (address.version, int(address))


class _Look:
    """What is known about endpoints and nodes, while one decision is made."""

    def __init__(self, view: AnnouncerView, serving: Serving | None) -> None:
        self._pools = view.configuration.pools
        self._nodes = tuple(view.nodes)
        self._serving = serving
        self._selected: dict[tuple[int, ...], frozenset[NodeName] | None] = {}

    def refusal(self, service: Service) -> Refusal | None:
        """Why nothing serves it."""
        if self._serving is None:
            return None
        nodes = self._serving.get(service.key)
        if not nodes:
            return Refusal.NO_ENDPOINTS
        if service.traffic_policy is TrafficPolicy.LOCAL and nodes == {None}:
            return Refusal.NO_LOCAL_ENDPOINTS
        return None

    def group(self, linked: list[_Placed], served: list[_Placed]) -> Group:
        every = sorted({a for one in linked for a in one.addresses}, key=by_family)
        announced = {a for one in served for a in one.addresses}
        places = tuple(sorted({place for one in linked for place in one.pools}))
        selected = self._select(places)
        local = [one.service.key for one in served if one.service.traffic_policy is TrafficPolicy.LOCAL]
        tiers, partial = self._tiers(sorted(local), selected)
        refusal = None if selected is None else Refusal.NO_MATCHING_ADVERTISEMENT
        return Group(
            key=every[0],
            addresses=tuple(a for a in every if a in announced),
            services=tuple(sorted(one.service.key for one in served)),
            permitted=selected if tiers is None else tiers[0] if tiers else frozenset(),
            refusal=refusal if tiers is None else Refusal.NO_LOCAL_ENDPOINTS,
            lesser=() if tiers is None else tiers[1:],
            partial=partial,
            selected=selected,
            idle=tuple(a for a in every if a not in announced),
            pools=tuple(self._pools[place] for place in places),
        )

    def _select(self, places: tuple[int, ...]) -> frozenset[NodeName] | None:
        if places not in self._selected:
            choosy = [self._pools[place] for place in places if self._pools[place].node_selectors]
            self._selected[places] = (
                frozenset(
                    node.name
                    for node in self._nodes
                    if all(any_matches(pool.node_selectors, node.labels) for pool in choosy)
                )
                if choosy
                else None
            )
        return self._selected[places]

    def _tiers(
        self, local: list[ServiceKey], selected: frozenset[NodeName] | None
    ) -> tuple[tuple[frozenset[NodeName], ...] | None, dict[NodeName, tuple[ServiceKey, ...]]]:
        """Nodes by how many of the Services of policy Local they serve, and what each leaves out."""
        if not local or self._serving is None:
            return None, {}
        serving = {key: self._serving[key] for key in local}
        by_missing: dict[int, set[NodeName]] = {}
        partial: dict[NodeName, tuple[ServiceKey, ...]] = {}
        for node in sorted({n for nodes in serving.values() for n in nodes if n is not None}):
            if selected is not None and node not in selected:
                continue
            missing = tuple(key for key in local if node not in serving[key])
            by_missing.setdefault(len(missing), set()).add(node)
            if missing:
                partial[node] = missing
        return tuple(frozenset(by_missing[count]) for count in sorted(by_missing)), partial
