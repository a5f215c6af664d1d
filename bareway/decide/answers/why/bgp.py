"""Which nodes send which routers a route to an address, by the objects of the API; sessions are told later.

The same decision that every speaker makes (`bareway.decide.routing`), of the Services alone that show the
address.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bareway.decide.announcement.announcers import Refusal, own_refusal
from bareway.decide.answers.why.chain import BgpAnswer, BgpNodeAnswer, RouterAnswer
from bareway.decide.answers.why.layer2 import excluded
from bareway.decide.answers.why.sentences import meaning
from bareway.decide.answers.why.view import WhyView
from bareway.decide.routing.endpoints import Endpoints
from bareway.decide.routing.ground import Ground
from bareway.decide.routing.routing import Routing
from bareway.decide.routing.sessions import SessionRefusal, selected_peers
from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service, is_ours


def bgp_answer(address: IPAddress, view: WhyView) -> BgpAnswer | None:
    """The plan for an address of a bgp pool that a Service of ours shows; None if nobody of ours does."""
    if view.services is None or view.configuration is None:
        return None
    holding = {
        key: service
        for key, service in view.services.items()
        if address in service.ingress and is_ours(service, view.load_balancer_class)
    }
    if not holding:
        return None
    known = _Known(view, view.configuration, holding, _endpoints(holding, view))
    nodes = view.nodes or ()
    return BgpAnswer(
        has_routers=bool(view.configuration.peers),
        nodes=tuple(_nodes(address, known, nodes)),
        despite_label=tuple(_nodes(address, known, excluded(nodes), ignore_exclude_label=True)),
    )


def _endpoints(holding: Mapping[ServiceKey, Service], view: WhyView) -> Endpoints | None:
    if view.slices is None:
        return None
    slices = {one.key: one for one in view.slices if one.service in holding}
    endpoints = Endpoints()
    endpoints.take(slices, slices)
    return endpoints


class _Known(NamedTuple):
    """What is the same for every node."""

    view: WhyView
    configuration: Configuration
    holding: Mapping[ServiceKey, Service]
    endpoints: Endpoints | None


def _nodes(
    address: IPAddress, known: _Known, nodes: Sequence[Node], *, ignore_exclude_label: bool = False
) -> Iterator[BgpNodeAnswer]:
    for node in sorted(nodes, key=lambda node: node.name):
        refusal = own_refusal(node, nodes, ignore_exclude_label=ignore_exclude_label)
        yield _node(address, node, refusal, known)


def _node(address: IPAddress, node: Node, refusal: Refusal | None, known: _Known) -> BgpNodeAnswer:
    view, configuration = known.view, known.configuration
    ground = Ground(configuration, node, refusal)
    routing = Routing(ground, me=node.name, load_balancer_class=view.load_balancer_class)
    routing.look(known.holding, known.endpoints, known.holding, now=0.0)
    announces = any(address in addresses for addresses in routing.announced.values())
    word = "" if announces else next((why for _, why in sorted(routing.withheld.items())), "")
    prefixes = {one.prefix(address) for one in ground.terms(address) or ()}
    meant = {name for name, routes in routing.routes.items() if any(prefix in routes for prefix in prefixes)}
    return BgpNodeAnswer(
        node=node.name,
        announces=announces,
        word=str(word),
        sentence=meaning(str(word)),
        prefixes=tuple(sorted(map(str, prefixes))),
        routers=tuple(_routers(node, configuration, meant)),
    )


def _routers(node: Node, configuration: Configuration, meant: set[str]) -> Iterator[RouterAnswer]:
    selected = {peer.name for _, peer in selected_peers(node, configuration)}
    for peer in configuration.peers:
        word = "" if peer.name in selected else SessionRefusal.NODE_NOT_SELECTED
        yield RouterAnswer(
            name=peer.name,
            address=str(peer.address),
            is_meant=peer.name in meant,
            has_route=None if peer.name in meant else False,
            word=str(word),
            sentence=meaning(str(word)),
        )
