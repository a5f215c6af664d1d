"""Faults for ``bareway why``, each planted alone in a healthy cluster, with what its remedy says."""

from dataclasses import replace
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.why.chain import WhyReason
from bareway.decide.answers.why.view import WhyView, Witness
from bareway.decide.routing.sessions import SessionRefusal
from bareway.gossip.findings import FindingWord
from bareway.gossip.member import MemberState
from bareway.model.configuration import Advertisement
from bareway.model.endpoints import EndpointSlice
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.services import TrafficPolicy
from bareway.model.status import MemberStatus, OnLinkStatus
from support.asked import (
    API,
    NODE1,
    NODE2,
    NODE3,
    NODES,
    ON_LINK,
    ROUTED,
    WEB,
    Change,
    Fault,
    found,
    healthy,
    on_link,
    routed,
    session,
    silent_about,
    told_of,
    with_configuration,
    with_nodes,
    with_pool,
    with_service,
    with_speaker,
    with_speakers,
)
from support.asked_refusals import ALLOCATION, SELECTOR, announced, of_pool, then
from support.builders import endpoint_slice, ips


def _local_slices(*nodes: str) -> tuple[EndpointSlice, ...]:
    return (endpoint_slice("shop/web", *nodes), endpoint_slice("shop/api", *NODES))


def _labelled(view: WhyView) -> WhyView:
    """The label counts only where some node is without it."""
    view = with_nodes(view, labels={EXCLUDE_LABEL: ""})
    nodes = tuple(replace(one, labels={}) if one.name == NODE2 else one for one in view.nodes or ())
    view = replace(view, nodes=nodes, slices=_local_slices(NODE1))
    view = with_service(view, WEB, traffic_policy=TrafficPolicy.LOCAL)
    return told_of(
        view, ON_LINK, announced_by=None, reason=Refusal.NODE_LABELED_EXCLUDE_BALANCERS, on_link=None
    )


def _local_at_a_labelled_node(view: WhyView) -> WhyView:
    """The two others have no endpoint, and are more."""
    nodes = tuple(
        replace(one, labels={EXCLUDE_LABEL: ""}) if one.name == NODE3 else one for one in view.nodes or ()
    )
    view = with_service(
        replace(view, nodes=nodes, slices=_local_slices(NODE3)), WEB, traffic_policy=TrafficPolicy.LOCAL
    )
    view = told_of(view, ON_LINK, announced_by=None, reason=Refusal.NO_LOCAL_ENDPOINTS, on_link=None)
    told = on_link(None, Refusal.NODE_LABELED_EXCLUDE_BALANCERS)
    return with_speaker(view, NODE3, addresses=(told, routed(NODE3)))


def _of_link(word: str, plant: Change, cure: Change, remedy: str) -> Fault:
    return Fault(word=word, about=ON_LINK, plant=plant, cure=then(cure, announced), remedy=remedy)


def _nobody(word: str) -> Change:
    return lambda view: told_of(view, ON_LINK, announced_by=None, reason=word, on_link=None)


ON_THE_LINK: Final = {
    "no endpoint": _of_link(
        Refusal.NO_ENDPOINTS,
        then(lambda view: replace(view, slices=_local_slices()), _nobody(Refusal.NO_ENDPOINTS)),
        lambda view: replace(view, slices=healthy().slices),
        "kubernetes.io/service-name=web",
    ),
    "no endpoint on any node": _of_link(
        Refusal.NO_LOCAL_ENDPOINTS,
        then(
            lambda view: replace(
                with_service(view, WEB, traffic_policy=TrafficPolicy.LOCAL),
                slices=(
                    EndpointSlice(key=WEB, service=WEB, endpoints=endpoint_slice("shop/web", None).endpoints),
                ),
            ),
            _nobody(Refusal.NO_LOCAL_ENDPOINTS),
        ),
        lambda view: with_service(view, WEB, traffic_policy=TrafficPolicy.CLUSTER),
        "externalTrafficPolicy: Cluster",
    ),
    "selectors leave all out": _of_link(
        Refusal.NO_MATCHING_ADVERTISEMENT,
        then(of_pool(node_selectors=(SELECTOR,)), _nobody(Refusal.NO_MATCHING_ADVERTISEMENT)),
        of_pool(node_selectors=()),
        "node-selectors",
    ),
    "networks down": _of_link(
        Refusal.NODE_NETWORK_UNAVAILABLE,
        then(
            lambda view: with_nodes(view, network_unavailable=True), _nobody(Refusal.NODE_NETWORK_UNAVAILABLE)
        ),
        lambda view: with_nodes(view, network_unavailable=False),
        "network plug-in",
    ),
    "exclude labels": _of_link(
        Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        _labelled,
        lambda view: replace(
            with_service(with_nodes(view, labels={}), WEB, traffic_policy=TrafficPolicy.CLUSTER),
            slices=healthy().slices,
        ),
        "kubectl label nodes",
    ),
    "the exclude label on the only node with an endpoint": _of_link(
        Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        _local_at_a_labelled_node,
        lambda view: with_nodes(view, labels={}),
        "kubectl label nodes node3",
    ),
    "no link is allowed": _of_link(
        Refusal.NO_ALLOWED_LINK,
        _nobody(Refusal.NO_ALLOWED_LINK),
        lambda view: view,
        "interfaces of pool public",
    ),
    "no link is up": _of_link(
        Refusal.NO_USABLE_LINK, _nobody(Refusal.NO_USABLE_LINK), lambda view: view, "interface"
    ),
    "the holder has no link for it": _of_link(
        Refusal.NO_ALLOWED_LINK,
        lambda view: with_speaker(
            view, NODE1, addresses=(replace(on_link(NODE1, ""), on_link=OnLinkStatus()),)
        ),
        lambda view: view,
        "interfaces",
    ),
    "nobody claims": _of_link(
        WhyReason.NO_CLAIM, _nobody(Refusal.NOT_OWNER), lambda view: view, "bareway members"
    ),
    "no speaker is ready": _of_link(
        WhyReason.NOT_READY,
        lambda view: with_speakers(
            silent_about(view, ON_LINK), lambda one: replace(one, not_ready=("there is no gossip key",))
        ),
        lambda view: view,
        "component=speaker",
    ),
    "no speaker runs": _of_link(
        WhyReason.NO_SPEAKER,
        lambda view: replace(view, speakers={}, pods={}),
        lambda view: replace(view, pods=healthy().pods),
        "component=speaker",
    ),
    "all nodes are dead": _of_link(
        MemberState.DEAD,
        lambda view: replace(
            view,
            speakers={},
            pods=None,
            witnesses=(_witness(),),
        ),
        lambda view: replace(view, witnesses=()),
        "node1",
    ),
    "the only node that may is dead": _of_link(
        MemberState.DEAD,
        lambda view: _left_behind(
            replace(with_service(view, WEB, traffic_policy=TrafficPolicy.LOCAL), slices=_local_slices(NODE1)),
            Refusal.NO_LOCAL_ENDPOINTS,
        ),
        lambda view: replace(view, speakers=healthy().speakers),
        "node1",
    ),
    "nobody takes over from a dead node": _of_link(
        WhyReason.NO_CLAIM,
        lambda view: _left_behind(view, Refusal.NOT_OWNER),
        lambda view: replace(view, speakers=healthy().speakers),
        "bareway members",
    ),
    "two announce": _of_link(
        FindingWord.DOUBLE_ANNOUNCER,
        lambda view: with_speaker(view, NODE2, addresses=(on_link(NODE2, ""),)),
        lambda view: view,
        "7947",
    ),
    "a stranger answers": _of_link(
        FindingWord.ADDRESS_IN_USE,
        lambda view: with_speaker(view, NODE1, findings=(found(FindingWord.ADDRESS_IN_USE),)),
        lambda view: view,
        "02:00:00:00:00:99",
    ),
    "proxy ARP": _of_link(
        FindingWord.PROXY_ARP_SUSPECTED,
        lambda view: with_speaker(
            view, NODE1, findings=(found(FindingWord.PROXY_ARP_SUSPECTED, address=ips("192.0.2.99")[0]),)
        ),
        lambda view: view,
        "proxy ARP",
    ),
    "strictARP is missing": _of_link(
        FindingWord.STRICT_ARP_MISSING,
        lambda view: with_speaker(view, NODE1, findings=(found(FindingWord.STRICT_ARP_MISSING, node=NODE2),)),
        lambda view: view,
        "strictARP: true",
    ),
}


def _left_behind(view: WhyView, word: str) -> WhyView:
    """Node1 is dead, and the others still hear its claim."""
    view = told_of(view, ON_LINK, announced_by=NODE1, reason=word, on_link=None)
    dead = MemberStatus(name=NODE1, state=MemberState.DEAD)
    view = with_speakers(
        view, lambda one: replace(one, members=(dead, *(m for m in one.members if m.name != NODE1)))
    )
    return replace(view, speakers={name: one for name, one in view.speakers.items() if name != NODE1})


def _witness() -> Witness:
    return Witness(name="the controller", states=dict.fromkeys(NODES, MemberState.DEAD))


def _of_routes(word: str, plant: Change, cure: Change, remedy: str) -> Fault:
    return Fault(word=word, about=API, plant=plant, cure=then(cure, announced), remedy=remedy)


def _down(**changes: object) -> Change:
    down = {"state": "Idle", "up_s": 0.0, "told": {}, **changes}
    return lambda view: with_speakers(
        view, lambda one: replace(one, peers=(session(1, **down), session(2, **down)))
    )


BY_ROUTES: Final = {
    "no router": _of_routes(
        WhyReason.NO_ROUTER,
        lambda view: with_speakers(with_configuration(view, peers=()), lambda one: replace(one, peers=())),
        lambda view: with_configuration(view, peers=healthy().configuration.peers),  # type: ignore[union-attr]
        "peers",
    ),
    "no node is selected": _of_routes(
        SessionRefusal.NODE_NOT_SELECTED,
        lambda view: _down(state="", reason=SessionRefusal.NODE_NOT_SELECTED)(
            with_configuration(
                view,
                peers=tuple(replace(one, node_selectors=(SELECTOR,)) for one in view.configuration.peers),  # type: ignore[union-attr]
            )
        ),
        lambda view: with_configuration(view, peers=healthy().configuration.peers),  # type: ignore[union-attr]
        "selectors",
    ),
    "no node is selected, and speakers say that no advertisement is for them": _of_routes(
        SessionRefusal.NODE_NOT_SELECTED,
        lambda view: told_of(
            _down(state="", reason=SessionRefusal.NODE_NOT_SELECTED)(
                with_configuration(
                    view,
                    peers=tuple(replace(one, node_selectors=(SELECTOR,)) for one in view.configuration.peers),  # type: ignore[union-attr]
                )
            ),
            ROUTED,
            announced_by=None,
            reason=Refusal.NO_MATCHING_ADVERTISEMENT,
        ),
        lambda view: with_configuration(view, peers=healthy().configuration.peers),  # type: ignore[union-attr]
        "change the selectors",
    ),
    "the Secret is missing": _of_routes(
        SessionRefusal.KEY_MISSING,
        _down(state="", reason=SessionRefusal.KEY_MISSING),
        lambda view: view,
        "Secret",
    ),
    "sessions are down": _of_routes(
        WhyReason.SESSION_DOWN, _down(trouble="Connection refused"), lambda view: view, "peer1 (10.9.0.1)"
    ),
    "one session is down": _of_routes(
        WhyReason.SESSION_DOWN,
        lambda view: with_speaker(view, NODE1, peers=(session(1, state="Active"), session(2))),
        lambda view: view,
        "peer1 (10.9.0.1)",
    ),
    "routes are held back": _of_routes(
        WhyReason.ROUTE_HELD_BACK,
        lambda view: with_speakers(
            view, lambda one: replace(one, peers=(session(1, held_back=2), session(2, held_back=2)))
        ),
        lambda view: view,
        "limit",
    ),
    "no advertisement": _of_routes(
        Refusal.NO_MATCHING_ADVERTISEMENT,
        lambda view: told_of(
            with_pool(view, "routed", advertisements=(Advertisement(peers=("peer9",)),)),
            ROUTED,
            announced_by=None,
            reason=Refusal.NO_MATCHING_ADVERTISEMENT,
        ),
        lambda view: with_pool(view, "routed", advertisements=(Advertisement(),)),
        "bgp-advertisements of pool routed",
    ),
    "no endpoint for routes": _of_routes(
        Refusal.NO_ENDPOINTS,
        lambda view: told_of(
            replace(view, slices=(endpoint_slice("shop/web", *NODES),)),
            ROUTED,
            announced_by=None,
            reason=Refusal.NO_ENDPOINTS,
        ),
        lambda view: replace(view, slices=healthy().slices),
        "kubernetes.io/service-name=api",
    ),
}

FAULTS: Final = ALLOCATION | ON_THE_LINK | BY_ROUTES
