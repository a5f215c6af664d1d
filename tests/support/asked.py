"""A healthy cluster as ``bareway why`` sees it, and ways to change one thing of it.

Three nodes; ``shop/web`` at 192.0.2.10 on layer 2, announced by node1; ``shop/api`` at 198.51.100.10 by BGP,
of which all nodes tell two routers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bareway.decide.answers.why.chain import Leadership
from bareway.decide.answers.why.view import WhyView
from bareway.gossip.member import MemberState
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard, shard_of
from bareway.model.cluster import PodState
from bareway.model.configuration import Advertisement, Configuration, Peer, Pool, Protocol
from bareway.model.names import InterfaceName, IPAddress, NodeName, ServiceKey
from bareway.model.services import Service
from bareway.model.status import (
    AddressStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    OnLinkStatus,
    PeerStatus,
    SpeakerStatus,
)
from support.builders import endpoint_slice, ips, key, node, pool, service

NODES: Final = tuple(NodeName(f"node{number}") for number in (1, 2, 3))
NODE1, NODE2, NODE3 = NODES
WEB: Final = key("shop/web")
API: Final = key("shop/api")
ON_LINK: Final = ips("192.0.2.10")[0]
ROUTED: Final = ips("198.51.100.10")[0]
ROUTERS: Final = ("10.9.0.1", "10.9.0.2")
NOW: Final = 1_000


def healthy() -> WhyView:
    web = service("shop/web", ingress=[str(ON_LINK)])
    api = service("shop/api", ingress=[str(ROUTED)])
    return WhyView(
        services={one.key: one for one in (web, api)},
        nodes=tuple(node(name, f"10.0.0.{number}") for number, name in enumerate(NODES, 1)),
        slices=(endpoint_slice("shop/web", *NODES), endpoint_slice("shop/api", *NODES)),
        configuration=Configuration(
            pools=(
                pool("public", "192.0.2.10-192.0.2.12"),
                replace(
                    pool("routed", "198.51.100.0/24", protocol=Protocol.BGP),
                    advertisements=(Advertisement(),),
                    auto_assign=False,
                ),
            ),
            peers=tuple(
                Peer(name=f"peer{n}", my_asn=64512, peer_asn=64513, address=ips(at)[0])
                for n, at in enumerate(ROUTERS, 1)
            ),
        ),
        generation=3,
        source="ConfigMap bareway-system/config",
        lists=listed(ON_LINK, *NODES),
        leadership=Leadership(is_known=True, leader="bareway-controller-1"),
        speakers={name: speaker(name) for name in NODES},
        pods={name: pod(name) for name in NODES},
        now=NOW,
    )


def listed(address: IPAddress, *nodes: NodeName) -> AnnouncerLists:
    shard = Shard(generation=5, entries={address: Entry(generation=5, nodes=nodes)})
    return AnnouncerLists(
        shards=tuple(shard if number == shard_of(address) else Shard() for number in range(SHARDS))
    )


def pod(name: NodeName, reason: str = "") -> PodState:
    return PodState(
        name=f"speaker-{name}", component="speaker", node=name, ready=not reason, reason=reason, running=True
    )


def on_link(by: NodeName | None, reason: str) -> AddressStatus:
    there = OnLinkStatus(links=(InterfaceName("eth0"),), last_unsolicited_s=12.0, last_answer_s=0.4)
    return AddressStatus(
        address=ON_LINK,
        services=(WEB,),
        announced_by=by,
        reason=reason,
        listed=NODES,
        on_link=None if reason else there,
    )


def routed(me: NodeName, reason: str = "") -> AddressStatus:
    return AddressStatus(
        address=ROUTED,
        services=(API,),
        announced_by=None if reason else me,
        reason=reason,
        protocol="bgp",
    )


def session(number: int, **changes: Any) -> PeerStatus:
    up = PeerStatus(
        name=f"peer{number}",
        address=ips(ROUTERS[number - 1])[0],
        state="Established",
        up_s=300.0,
        told={"ipv4-unicast": 1},
    )
    return replace(up, **changes)


def speaker(name: NodeName) -> SpeakerStatus:
    return SpeakerStatus(
        version="0.1.0",
        node=name,
        api_connected=True,
        members=tuple(MemberStatus(name=one, state=MemberState.ALIVE, since_s=99.0) for one in NODES),
        addresses=(on_link(NODE1, "" if name == NODE1 else "notOwner"), routed(name)),
        links=(LinkStatus(name=InterfaceName("eth0"), subnets=("192.0.2.0/24",)),),
        peers=(session(1), session(2)),
        profile="default",
    )


# -- one thing changed


def with_service(view: WhyView, about: ServiceKey, **changes: Any) -> WhyView:
    services: Mapping[ServiceKey, Service] = view.services or {}
    return replace(view, services={**services, about: replace(services[about], **changes)})


def with_others(view: WhyView, *others: Service) -> WhyView:
    return replace(view, services={**(view.services or {}), **{one.key: one for one in others}})


def with_configuration(view: WhyView, **changes: Any) -> WhyView:
    assert view.configuration is not None
    return replace(view, configuration=replace(view.configuration, **changes))


def with_pool(view: WhyView, name: str, **changes: Any) -> WhyView:
    assert view.configuration is not None
    pools: tuple[Pool, ...] = tuple(
        replace(one, **changes) if one.name == name else one for one in view.configuration.pools
    )
    return with_configuration(view, pools=pools)


def with_speaker(view: WhyView, name: NodeName, **changes: Any) -> WhyView:
    return replace(view, speakers={**view.speakers, name: replace(view.speakers[name], **changes)})


def with_speakers(view: WhyView, change: Callable[[SpeakerStatus], SpeakerStatus]) -> WhyView:
    return replace(view, speakers={name: change(one) for name, one in view.speakers.items()})


def with_nodes(view: WhyView, **changes: Any) -> WhyView:
    return replace(view, nodes=tuple(replace(one, **changes) for one in view.nodes or ()))


def told_of(view: WhyView, address: IPAddress, **changes: Any) -> WhyView:
    """What every speaker tells of an address."""

    def change(one: SpeakerStatus) -> SpeakerStatus:
        rows = (replace(row, **changes) if row.address == address else row for row in one.addresses)
        return replace(one, addresses=tuple(rows))

    return with_speakers(view, change)


def silent_about(view: WhyView, address: IPAddress) -> WhyView:
    """No speaker says anything of an address."""

    def change(one: SpeakerStatus) -> SpeakerStatus:
        return replace(one, addresses=tuple(row for row in one.addresses if row.address != address))

    return with_speakers(view, change)


def found(word: str, *, node: NodeName | None = None, address: IPAddress = ON_LINK) -> FindingStatus:
    return FindingStatus(address=address, reason=word, mac="02:00:00:00:00:99", node=node)


# -- faults


Change = Callable[[WhyView], WhyView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong, of which ``why`` shall name the ``word`` first."""

    word: str
    about: ServiceKey | IPAddress
    plant: Change
    cure: Change
    """What the remedy says, done to the faulty cluster."""
    remedy: str
    """What the remedy must speak of."""
