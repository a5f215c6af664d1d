"""A healthy cluster as ``bareway doctor`` sees it, and ways to change one thing of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bareway.decide.answers.checks.view import DoctorView
from bareway.gossip.member import MemberState
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Entry, Shard, shard_of
from bareway.model.cluster import Cluster, PodState
from bareway.model.names import InterfaceName, NodeName, PoolName
from bareway.model.nodes import Node
from bareway.model.services import Service
from bareway.model.status import (
    AddressStatus,
    ControllerStatus,
    LinkStatus,
    MemberStatus,
    PoolStatus,
    SpeakerStatus,
)
from bareway.model.surroundings import KubeProxy, LinkFacts, NodeFacts, Surroundings
from support.builders import configuration, ips, key, node, pool, service
from support.statuses import configuration_status, peer

NODES: Final = tuple(NodeName(f"node{number}") for number in (1, 2, 3))
ADDRESS: Final = ips("192.0.2.240")[0]
SUBNET: Final = "192.0.2.0/24"
BEAT: Final = 1_790_000_000.0


def healthy() -> DoctorView:
    """Three nodes, two controllers, one Service that node1 announces, one router."""
    return DoctorView(cluster=_cluster(), surroundings=_surroundings())


def _cluster() -> Cluster:
    web = service("shop/web", ingress=[str(ADDRESS)])
    return Cluster(
        services={web.key: web},
        nodes=tuple(node(name, f"192.0.2.{number}") for number, name in enumerate(NODES, 11)),
        configuration=configuration(pool("default", "192.0.2.240/28")),
        generation=3,
        source="ConfigMap bareway-system/config",
        lists=listed(*NODES),
        pods=(
            *(pod(f"bareway-controller-{letter}", "controller", NODES[0]) for letter in "ab"),
            *(pod(f"bareway-speaker-{name}", "speaker", name) for name in NODES),
        ),
        controllers=(controller("a", leads=True), controller("b", leads=False)),
        speakers={name: speaker(name) for name in NODES},
    )


def _surroundings() -> Surroundings:
    return Surroundings(
        kubernetes="v1.30.2",
        kube_proxies=(KubeProxy(source="ConfigMap kube-system/kube-proxy", mode="ipvs", strict_arp=True),),
        missing_rights={"bareway-controller": (), "bareway-speaker": ()},
        heartbeats={name: BEAT + number * 4 for number, name in enumerate(NODES)},
        nodes={name: facts(name) for name in NODES},
    )


def listed(*nodes: NodeName) -> AnnouncerLists:
    """Lists with one entry for the one address."""
    shard = Shard(generation=5, entries={ADDRESS: Entry(generation=5, nodes=nodes)})
    shards = [shard if number == shard_of(ADDRESS) else Shard() for number in range(SHARDS)]
    return AnnouncerLists(shards=tuple(shards))


def pod(name: str, component: str, on: NodeName, *, reason: str = "", restarts: int = 0) -> PodState:
    return PodState(
        name=name,
        component=component,
        node=on,
        ready=not reason,
        reason=reason,
        restarts=restarts,
        version="0.1.0",
        running=True,
    )


def controller(name: str, *, leads: bool) -> ControllerStatus:
    return ControllerStatus(
        version="0.1.0",
        api_connected=True,
        configuration=configuration_status(),
        identity=name,
        leader="a",
        leads=leads,
        pools=(PoolStatus(name=PoolName("default"), total=16, used=1),),
        members_alive=3,
        members_known=3,
        list_generation=5,
    )


def speaker(name: NodeName) -> SpeakerStatus:
    return SpeakerStatus(
        version="0.1.0",
        node=name,
        api_connected=True,
        configuration=configuration_status(),
        members=tuple(MemberStatus(name=one, state=MemberState.ALIVE, since_s=99.0) for one in NODES),
        addresses=(
            AddressStatus(
                address=ADDRESS,
                services=(key("shop/web"),),
                announced_by=NODES[0],
                reason="" if name == NODES[0] else "notOwner",
                listed=NODES,
            ),
        ),
        links=(
            LinkStatus(name=InterfaceName("eth0"), mac="02:00:c0:00:02:0b", subnets=(SUBNET,)),
            LinkStatus(name=InterfaceName("lo"), reason="ExcludedByName"),
        ),
        list_generation=5,
        profile="default",
        partition="available",
        peers=(peer(),),
    )


def facts(name: NodeName) -> NodeFacts:
    return NodeFacts(
        node=name,
        links=(
            LinkFacts(
                name=InterfaceName("eth0"),
                subnets=(SUBNET,),
                has_default_route=True,
                rp_filter=2,
                arp_ignore=1,
            ),
            LinkFacts(
                name=InterfaceName("kube-ipvs0"), is_ethernet=True, hears_broadcasts=False, arp_ignore=1
            ),
        ),
        tried=tuple(one for one in NODES if one != name),
    )


# -- one thing changed


def with_cluster(view: DoctorView, **changes: object) -> DoctorView:
    return replace(view, cluster=replace(view.cluster, **changes))  # type: ignore[arg-type]  # by name, in tests


def with_surroundings(view: DoctorView, **changes: object) -> DoctorView:
    around = replace(view.surroundings, **changes)  # type: ignore[arg-type]  # as above
    return replace(view, surroundings=around)


def with_node(view: DoctorView, name: NodeName, change: Callable[[Node], Node]) -> DoctorView:
    return with_cluster(
        view, nodes=tuple(change(one) if one.name == name else one for one in view.cluster.nodes)
    )


def with_speaker(view: DoctorView, name: NodeName, **changes: object) -> DoctorView:
    """Nothing where it did not answer."""
    if name not in view.cluster.speakers:
        return view
    one = replace(view.cluster.speakers[name], **changes)  # type: ignore[arg-type]  # as above
    return with_cluster(view, speakers={**view.cluster.speakers, name: one})


def with_speakers(view: DoctorView, **changes: object) -> DoctorView:
    for name in view.cluster.speakers:
        view = with_speaker(view, name, **changes)
    return view


def with_leader(view: DoctorView, **changes: object) -> DoctorView:
    if not view.cluster.controllers:
        return view
    first, *others = view.cluster.controllers
    return with_cluster(view, controllers=(replace(first, **changes), *others))  # type: ignore[arg-type]  # as above


def with_pod(view: DoctorView, name: str, **changes: object) -> DoctorView:
    pods = (replace(one, **changes) if one.name == name else one for one in view.cluster.pods)  # type: ignore[arg-type]  # as above
    return with_cluster(view, pods=tuple(pods))


def with_facts(view: DoctorView, name: NodeName, **changes: object) -> DoctorView:
    """Nothing where it was not asked."""
    if name not in view.surroundings.nodes:
        return view
    one = replace(view.surroundings.nodes[name], **changes)  # type: ignore[arg-type]  # as above
    return with_surroundings(view, nodes={**view.surroundings.nodes, name: one})


def with_service(view: DoctorView, one: Service) -> DoctorView:
    return with_cluster(view, services={**view.cluster.services, one.key: one})


def without_speaker(view: DoctorView, name: NodeName) -> DoctorView:
    """It did not answer, nor did it run the command that looks at its kernel."""
    speakers: Mapping[NodeName, SpeakerStatus] = view.cluster.speakers
    around = {one: it for one, it in view.surroundings.nodes.items() if one != name}
    view = with_cluster(view, speakers={one: it for one, it in speakers.items() if one != name})
    return with_surroundings(view, nodes=around)
