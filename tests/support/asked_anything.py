"""Clusters for ``bareway why``, drawn by chance: anything may be asked for, told, denied or not known."""

from dataclasses import replace
from random import Random
from typing import TypeVar

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.why.chain import Leadership
from bareway.decide.answers.why.view import WhyView, Witness
from bareway.decide.routing.sessions import SessionRefusal
from bareway.gossip.findings import FindingWord
from bareway.gossip.member import MemberState
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.cluster import Unknown
from bareway.model.configuration import Advertisement, Configuration, Peer, Protocol
from bareway.model.endpoints import EndpointSlice
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.problems import Problem
from bareway.model.selectors import Selector
from bareway.model.status import (
    AddressStatus,
    FindingStatus,
    MemberStatus,
    OnLinkStatus,
    PeerStatus,
    SpeakerStatus,
)
from support.asked import listed, pod
from support.builders import endpoint_slice, ips, node
from support.tenancies import ADDRESSES, NAMES, draw_view

T = TypeVar("T")

NODES = tuple(NodeName(name) for name in ("n1", "n2", "n3"))
ANY_ADDRESS = ips(*ADDRESSES)
SOME = 0.25
RACK = Selector(labels={"rack": "a"})


def draw_asked(rng: Random) -> WhyView:
    """A cluster; a part of it may not be known."""
    drawn = draw_view(rng)
    services = {service.key: service for service in drawn.services}
    return WhyView(
        services=_or_none(rng, services),
        nodes=_or_none(rng, tuple(_node(rng, name) for name in rng.sample(NODES, k=rng.randrange(4)))),
        slices=_or_none(rng, tuple(_slice(rng, str(key)) for key in NAMES)),
        namespaces=drawn.namespaces,
        configuration=_or_none(rng, _configured(rng, drawn.configuration)),
        is_configuration_known=rng.random() > SOME,
        offered=(Problem(path="x", message="no"),) if rng.random() < SOME else (),
        memory=drawn.memory,
        lists=listed(rng.choice(ANY_ADDRESS), *NODES) if rng.random() < SOME else AnnouncerLists(),
        leadership=Leadership(is_known=rng.random() > SOME, leader=rng.choice(("a", "a", ""))),
        witnesses=(_witness(rng),) if rng.random() < SOME else (),
        speakers={name: _speaker(rng, name) for name in NODES if rng.random() > SOME},
        pods=_or_none(rng, {name: pod(name, rng.choice(("", "OOMKilled"))) for name in NODES[:2]}),
        now=drawn.now,
        unknown=(Unknown(subject="speaker on n1", why="it hangs"),) if rng.random() < SOME else (),
    )


def without_words(view: WhyView) -> WhyView:
    """The same, of which everything is known but what programs say."""
    return replace(view, speakers={}, witnesses=(), pods=None, unknown=())


def _or_none(rng: Random, value: T) -> T | None:
    return None if rng.random() < SOME / 2 else value


def _node(rng: Random, name: NodeName) -> Node:
    return node(
        name,
        labels=rng.choice(({}, {"rack": "a"}, {EXCLUDE_LABEL: ""})),
        network_unavailable=rng.random() < SOME / 2,
        drain="x" if rng.random() < SOME / 2 else None,
        unschedulable=rng.random() < SOME,
    )


def _slice(rng: Random, name: str) -> EndpointSlice:
    return endpoint_slice(name, *rng.choices((*NODES, None), k=rng.randrange(3)), serving=rng.random() > SOME)


def _configured(rng: Random, configuration: Configuration) -> Configuration:
    pools = tuple(
        replace(
            one,
            protocol=rng.choice((Protocol.LAYER2, Protocol.LAYER2, Protocol.BGP)),
            node_selectors=(RACK,) if rng.random() < SOME / 2 else (),
            advertisements=(Advertisement(peers=rng.choice(((), ("p1",), ("p9",)))),),
        )
        for one in configuration.pools
    )
    peers = tuple(
        Peer(
            name=name,
            my_asn=1,
            peer_asn=2,
            address=ips("10.9.0.1")[0],
            node_selectors=(RACK,) if rng.random() < SOME else (),
        )
        for name in rng.sample(("p1", "p2"), k=rng.randrange(3))
    )
    return replace(configuration, pools=pools, peers=peers)


def _witness(rng: Random) -> Witness:
    return Witness(
        name="the controller",
        holders={rng.choice(ANY_ADDRESS): rng.choice(NODES)},
        states={rng.choice(NODES): rng.choice(tuple(MemberState))},
        findings=((rng.choice(NODES), _finding(rng)),),
    )


def _finding(rng: Random) -> FindingStatus:
    return FindingStatus(
        address=rng.choice(ANY_ADDRESS),
        reason=rng.choice(tuple(FindingWord)),
        mac="02:00:00:00:00:99",
        node=rng.choice((None, *NODES)),
    )


def _speaker(rng: Random, name: NodeName) -> SpeakerStatus:
    return SpeakerStatus(
        version="0.1.0",
        node=name,
        api_connected=rng.random() > SOME,
        not_ready=("caches",) if rng.random() < SOME / 2 else (),
        members=tuple(MemberStatus(name=one, state=rng.choice(tuple(MemberState))) for one in NODES),
        addresses=tuple(_address(rng, one) for one in rng.sample(ANY_ADDRESS, k=rng.randrange(6))),
        findings=(_finding(rng),) if rng.random() < SOME else (),
        peers=tuple(_peer(rng, name) for name in ("p1", "p2") if rng.random() > SOME),
        leaving=rng.choice(("", "", "Drained")),
    )


def _address(rng: Random, address: IPAddress) -> AddressStatus:
    reason = rng.choice(("", Refusal.NOT_OWNER, *Refusal, "Drained"))
    links = tuple(map(InterfaceName, rng.choice(((), ("eth0",)))))
    return AddressStatus(
        address=address,
        services=tuple(rng.sample(NAMES, k=1)),
        announced_by=rng.choice((None, *NODES)),
        reason=reason,
        protocol=rng.choice(("layer2", "layer2", "bgp")),
        on_link=OnLinkStatus(links=links) if not reason and rng.random() > SOME else None,
    )


def _peer(rng: Random, name: str) -> PeerStatus:
    return PeerStatus(
        name=name,
        address=ips("10.9.0.1")[0],
        state=rng.choice(("Established", "Idle", "")),
        reason=rng.choice(("", *SessionRefusal)),
        owed=rng.choice((0, 0, 3)),
        held_back=rng.choice((0, 0, 2)),
    )
