"""Who may answer for an address on the link, by the objects of the API; what is really done is told later.

The same decision that every speaker makes (`bareway.decide.announcement.announcers`), of those Services alone
that the address links. Words of nodes are in the order in which a speaker tells them of itself: what speaks
against the node as such, then against it for this address, then that it leaves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bareway.decide.announcement.announcers import (
    Announcers,
    AnnouncerView,
    Group,
    Refusal,
    announcers,
    own_refusal,
)
from bareway.decide.announcement.leaving import leaving_reason
from bareway.decide.answers.why.chain import Layer2Answer, NodeAnswer
from bareway.decide.answers.why.sentences import meaning
from bareway.decide.answers.why.view import WhyView
from bareway.model.configuration import Configuration, Layer2Settings
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import Service, is_ours


def layer2_answer(address: IPAddress, view: WhyView) -> Layer2Answer | None:
    """The plan for an address of a layer2 pool that a Service of ours shows; None if nobody of ours does."""
    if view.services is None or view.configuration is None:
        return None
    linked = linked_services(address, view.services.values(), view.load_balancer_class)
    if not linked:
        return None
    found = _decide(linked, view, view.configuration)
    group = _group_of(address, found)
    withheld = _withheld(address, linked, found) if group is None or address in group.idle else None
    if group is None:
        word = withheld or Refusal.IP_NOT_ALLOWED
        return Layer2Answer(together=(str(address),), word=word.value, sentence=meaning(str(word)))
    entry = view.lists.entry((*group.addresses, *group.idle), group.key)
    return Layer2Answer(
        together=tuple(map(str, dict.fromkeys((group.key, *group.addresses, *group.idle)))),
        listed=entry.nodes if entry is not None else (),
        generation=entry.generation if entry is not None else 0,
        word=withheld.value if withheld is not None else "",
        sentence=meaning(withheld) if withheld is not None else "",
        nodes=tuple(_nodes(group, view, view.nodes or ())),
        despite_label=tuple(_nodes(group, view, excluded(view.nodes or ()), ignore_exclude_label=True)),
    )


def linked_services(
    address: IPAddress, services: Iterable[Service], load_balancer_class: str | None
) -> dict[ServiceKey, Service]:
    """Ours that show the address, and those that are announced together with it."""
    rest = [one for one in services if one.ingress and is_ours(one, load_balancer_class)]
    addresses, linked = {address}, dict[ServiceKey, Service]()
    while found := [one for one in rest if not addresses.isdisjoint(one.ingress)]:
        linked.update((one.key, one) for one in found)
        rest = [one for one in rest if one.key not in linked]
        addresses.update(one for service in found for one in service.ingress)
    return linked


def _decide(linked: Mapping[ServiceKey, Service], view: WhyView, configuration: Configuration) -> Announcers:
    slices = None if view.slices is None else [one for one in view.slices if one.service in linked]
    return announcers(
        AnnouncerView(
            configuration=configuration,
            services=linked.values(),
            slices=slices,
            nodes=view.nodes or (),
            load_balancer_class=view.load_balancer_class,
        )
    )


def _group_of(address: IPAddress, found: Announcers) -> Group | None:
    groups = (*found.groups.values(), *found.resting.values())
    return next((one for one in groups if address in one.addresses or address in one.idle), None)


def _withheld(address: IPAddress, linked: Mapping[ServiceKey, Service], found: Announcers) -> Refusal | None:
    """Why none of the Services on the address is to be announced."""
    keys = sorted(key for key, service in linked.items() if address in service.ingress)
    return next((found.withheld[key] for key in keys if key in found.withheld), None)


def excluded(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Those that only their label keeps from announcing, unless their speaker ignores it."""
    label = Refusal.NODE_LABELED_EXCLUDE_BALANCERS
    return tuple(node for node in nodes if own_refusal(node, nodes) is label)


def _nodes(
    group: Group, view: WhyView, nodes: Sequence[Node], *, ignore_exclude_label: bool = False
) -> Iterator[NodeAnswer]:
    settings = view.configuration.layer2 if view.configuration is not None else Layer2Settings()
    for node in sorted(nodes, key=lambda node: node.name):
        by_node = own_refusal(node, nodes, ignore_exclude_label=ignore_exclude_label)
        word: str = by_node or group.why_not(node.name) or leaving_reason(node, settings.on_cordon) or ""
        yield NodeAnswer(
            node=node.name,
            word=str(word),
            sentence=meaning(str(word)),
            may=_may(node.name, group, by_node),
            leaves_out=tuple(map(str, group.partial.get(node.name, ()))),
        )


def _may(name: NodeName, group: Group, by_node: Refusal | None) -> bool:
    tiers = group.tiers
    return by_node is None and (tiers is None or any(name in tier for tier in tiers))
