"""Faults around Bareway, each with what cures it: kube-proxy, other controllers, Nodes, links, pools."""

from dataclasses import replace

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.foreigners import recognised
from bareway.gossip.findings import FindingWord
from bareway.gossip.member import MemberState
from bareway.model.configuration import Pool
from bareway.model.names import InterfaceName, NodeName, ObjectKey, PoolName
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.selectors import Selector
from bareway.model.status import (
    FindingStatus,
    LinkStatus,
    MemberStatus,
    PoolStatus,
)
from bareway.model.surroundings import ForeignController, KubeProxy, LinkFacts, Unreached, Workload
from support.builders import configuration, pool, service
from support.patients import (
    ADDRESS,
    NODES,
    SUBNET,
    facts,
    healthy,
    with_cluster,
    with_facts,
    with_leader,
    with_node,
    with_service,
    with_speaker,
    with_surroundings,
    without_speaker,
)
from support.planting import NODE1, NODE2, NODE3, Change, Planted


def _with_pool(view: DoctorView, **changes: object) -> DoctorView:
    one: Pool = replace(pool("default", "192.0.2.240/28"), **changes)  # type: ignore[arg-type]  # by name
    return with_cluster(view, configuration=configuration(one))


def _proxy(view: DoctorView, mode: str, *, strict: bool) -> DoctorView:
    told = KubeProxy(source="ConfigMap kube-system/kube-proxy", mode=mode, strict_arp=strict)
    return with_surroundings(view, kube_proxies=(told,))


def _foreign(view: DoctorView, *others: ForeignController) -> DoctorView:
    return with_surroundings(view, foreign=others)


def _labels(*names: NodeName, labels: dict[str, str]) -> Change:
    def change(view: DoctorView) -> DoctorView:
        for name in names:
            view = with_node(view, name, lambda one: replace(one, labels=labels))
        return view

    return change


def _members(state: MemberState) -> tuple[MemberStatus, ...]:
    """node3 in this state, as another sees it."""
    return tuple(
        MemberStatus(name=name, state=state if name == NODE3 else MemberState.ALIVE, since_s=5.0)
        for name in NODES
    )


def _unreached(how: str) -> tuple[Unreached, ...]:
    return (Unreached(member=NODE3, address="192.0.2.13:7947", how=how),)


def _found(word: FindingWord, by: NodeName | None = None) -> tuple[FindingStatus, ...]:
    return (FindingStatus(address=ADDRESS, reason=word, mac="02:00:00:00:00:99", node=by),)


def _doubled(node: NodeName) -> tuple[FindingStatus, ...]:
    """On both interfaces of that node."""
    (one,) = _found(FindingWord.DOUBLE_ANNOUNCER, node)
    return (one, replace(one, mac="02:00:00:00:01:99"))


def _apart(view: DoctorView) -> DoctorView:
    """Nobody reaches node3's gossip port, and node3 reaches one of them."""
    for name in (NODE1, NODE2):
        view = with_facts(view, name, tried=(NODE3,), unreached=_unreached("no answer within 1 s"))
    return view


def _cable(view: DoctorView, *, reason: str) -> DoctorView:
    """node2 has another interface that is used, and this in the subnet of the pool."""
    view = _link(view)
    links = (LinkStatus(name=InterfaceName("eth0"), reason=reason), LinkStatus(name=InterfaceName("eth1")))
    return with_speaker(view, NODE2, links=links)


def _link(view: DoctorView, **changes: object) -> DoctorView:
    """node2 gets a second interface, through which its default route goes."""
    uplink = LinkFacts(name=InterfaceName("eth1"), subnets=("198.51.100.0/24",), has_default_route=True)
    inside = LinkFacts(name=InterfaceName("eth0"), subnets=(SUBNET,), rp_filter=2, arp_ignore=1)
    inside = replace(inside, **changes)  # type: ignore[arg-type]  # by name
    return with_facts(view, NODE2, links=(inside, uplink))


def _runs_again(view: DoctorView) -> DoctorView:
    well = healthy()
    return with_surroundings(
        with_cluster(view, pods=well.cluster.pods, speakers=well.cluster.speakers),
        last_words={},
        nodes=well.surroundings.nodes,
    )


METALLB = recognised(
    [Workload(kind="DaemonSet", key=ObjectKey("metallb-system", "speaker"), labels={"app": "metallb"})],
    "bareway-system",
)[0]


AROUND: dict[str, Planted] = {
    "kube-proxy in IPVS mode without strictARP": Planted(
        word=FindingWord.STRICT_ARP_MISSING,
        subject="kube-proxy (ConfigMap kube-system/kube-proxy)",
        plant=lambda view: _proxy(view, "ipvs", strict=False),
        cure=lambda view: _proxy(view, "ipvs", strict=True),
    ),
    "kube-proxy was told of strictARP and not started anew": Planted(
        word=FindingWord.STRICT_ARP_MISSING,
        subject="node node2",
        plant=lambda view: with_facts(
            view, NODE2, links=tuple(replace(one, arp_ignore=0) for one in facts(NODE2).links)
        ),
        cure=lambda view: with_facts(view, NODE2, links=facts(NODE2).links),
    ),
    "MetalLB serves the same class": Planted(
        word=Ailment.OTHER_CONTROLLER,
        subject="MetalLB",
        plant=lambda view: _foreign(view, METALLB),
        cure=lambda view: _foreign(view, replace(METALLB, load_balancer_class="metallb.io/other")),
    ),
    "every node is labelled to be left out": Planted(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        subject="all nodes",
        plant=_labels(*NODES, labels={EXCLUDE_LABEL: ""}),
        cure=_labels(*NODES, labels={}),
    ),
    "a worker is labelled to be left out": Planted(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        subject="node node3",
        plant=_labels(NODE3, labels={EXCLUDE_LABEL: ""}),
        cure=_labels(NODE3, labels={}),
    ),
    "only one node may announce": Planted(
        word=Ailment.FEW_NODES_LEFT,
        subject="node node1",
        plant=_labels(NODE2, NODE3, labels={EXCLUDE_LABEL: "", "node-role.kubernetes.io/control-plane": ""}),
        cure=_labels(NODE2, labels={}),
    ),
    "a node without a network": Planted(
        word=Refusal.NODE_NETWORK_UNAVAILABLE,
        subject="node node3",
        plant=lambda view: with_node(view, NODE3, lambda one: replace(one, network_unavailable=True)),
        cure=lambda view: with_node(view, NODE3, lambda one: replace(one, network_unavailable=False)),
    ),
    "the gossip port is blocked between two nodes": Planted(
        word=Ailment.GOSSIP_BLOCKED,
        subject="node node3",
        plant=lambda view: with_facts(view, NODE1, unreached=_unreached("no answer within 2 s")),
        cure=lambda view: with_facts(view, NODE1, unreached=()),
    ),
    "the gossip port is closed to all, and two announce": Planted(
        word=Ailment.GOSSIP_BLOCKED,
        subject="node node3",
        plant=lambda view: _apart(with_speaker(view, NODE2, findings=_doubled(NODE3))),
        cure=lambda view: with_facts(
            with_facts(with_speaker(view, NODE2, findings=()), NODE1, unreached=()), NODE2, unreached=()
        ),
    ),
    "one speaker holds another dead that answers": Planted(
        word=Ailment.GOSSIP_BLOCKED,
        subject="node node3",
        plant=lambda view: with_speaker(view, NODE1, members=_members(MemberState.DEAD)),
        cure=lambda view: with_speaker(view, NODE1, members=_members(MemberState.ALIVE)),
    ),
    "a member is dead": Planted(
        word=Ailment.MEMBER_DEAD,
        subject="node node3",
        plant=lambda view: with_speaker(
            without_speaker(view, NODE3), NODE1, members=_members(MemberState.DEAD)
        ),
        cure=lambda view: with_speaker(_runs_again(view), NODE1, members=_members(MemberState.ALIVE)),
    ),
    "there is no gossip key": Planted(
        word=Ailment.GOSSIP_KEY_MISSING,
        subject="node node1",
        plant=lambda view: with_speaker(
            view,
            NODE1,
            not_ready=("Secret bareway-system/memberlist with the gossip key is not there yet",),
        ),
        cure=lambda view: with_speaker(view, NODE1, not_ready=()),
    ),
    "a speaker has another gossip key": Planted(
        word=Ailment.GOSSIP_KEY_DIFFERS,
        subject="node node1",
        plant=lambda view: with_speaker(
            view,
            NODE1,
            not_ready=(
                "node2 turn this speaker away: it has another gossip key or Node name than they know",
            ),
        ),
        cure=lambda view: with_speaker(view, NODE1, not_ready=()),
    ),
    "a stranger answers for an address": Planted(
        word=FindingWord.ADDRESS_IN_USE,
        subject=str(ADDRESS),
        plant=lambda view: with_speaker(view, NODE1, findings=_found(FindingWord.ADDRESS_IN_USE)),
        cure=lambda view: with_speaker(view, NODE1, findings=()),
    ),
    "a station answers for everything": Planted(
        word=FindingWord.PROXY_ARP_SUSPECTED,
        subject=str(ADDRESS),
        plant=lambda view: with_speaker(view, NODE1, findings=_found(FindingWord.PROXY_ARP_SUSPECTED)),
        cure=lambda view: with_speaker(view, NODE1, findings=()),
    ),
    "two nodes announce": Planted(
        word=FindingWord.DOUBLE_ANNOUNCER,
        subject=str(ADDRESS),
        plant=lambda view: with_speaker(view, NODE1, findings=_found(FindingWord.DOUBLE_ANNOUNCER, NODE2)),
        cure=lambda view: with_speaker(view, NODE1, findings=()),
    ),
    "a pool in nobody's subnet": Planted(
        word=Ailment.POOL_OUTSIDE_SUBNETS,
        subject="pool default",
        plant=lambda view: _with_pool(view, ranges=pool("x", "203.0.113.0/28").ranges),
        cure=lambda view: _with_pool(view, ranges=pool("x", "192.0.2.224/28").ranges),
    ),
    "a pool with a node's own address": Planted(
        word=Ailment.POOL_HOLDS_NODE_ADDRESS,
        subject="pool default",
        plant=lambda view: _with_pool(view, ranges=pool("x", "192.0.2.0/28").ranges),
        cure=lambda view: _with_pool(view, ranges=pool("x", "192.0.2.0-192.0.2.10").ranges),
    ),
    "a pool with a clusterIP": Planted(
        word=Ailment.POOL_HOLDS_CLUSTER_ADDRESS,
        subject="pool default",
        plant=lambda view: with_service(view, service("shop/db", cluster=["192.0.2.250"])),
        cure=lambda view: _with_pool(view, ranges=pool("x", "192.0.2.240-192.0.2.249").ranges),
    ),
    "a pool that selects no node": Planted(
        word=Refusal.NO_MATCHING_ADVERTISEMENT,
        subject="pool default",
        plant=lambda view: _with_pool(view, node_selectors=(Selector(labels={"rack": "7"}),)),
        cure=_labels(NODE1, labels={"rack": "7"}),
    ),
    "a pool for an interface that no node uses": Planted(
        word=Refusal.NO_ALLOWED_LINK,
        subject="pool default",
        plant=lambda view: _with_pool(view, interfaces=("bond0",)),
        cure=lambda view: _with_pool(view, interfaces=("eth0",)),
    ),
    "a pool that is nearly full": Planted(
        word=Ailment.POOL_NEARLY_FULL,
        subject="pool default",
        plant=lambda view: with_leader(view, pools=(PoolStatus(name=PoolName("default"), total=10, used=9),)),
        cure=lambda view: with_leader(view, pools=(PoolStatus(name=PoolName("default"), total=20, used=9),)),
    ),
    "no interface can be used": Planted(
        word=Refusal.NO_USABLE_LINK,
        subject="node node2",
        plant=lambda view: with_speaker(
            view, NODE2, links=(LinkStatus(name=InterfaceName("eth0"), reason="NoCarrier"),)
        ),
        cure=lambda view: with_speaker(view, NODE2, links=(LinkStatus(name=InterfaceName("eth0")),)),
    ),
    "a cable is out": Planted(
        word=Ailment.NO_CARRIER,
        subject="node node2",
        plant=lambda view: _cable(view, reason="NoCarrier"),
        cure=lambda view: _cable(view, reason=""),
    ),
    "an interface hears no broadcasts": Planted(
        word=Ailment.DEAF_INTERFACE,
        subject="node node2",
        plant=lambda view: _link(view, hears_broadcasts=False),
        cure=lambda view: _link(view, hears_broadcasts=True),
    ),
    "strict rp_filter and the way back elsewhere": Planted(
        word=Ailment.REVERSE_PATH_FILTER,
        subject="node node2",
        plant=lambda view: _link(view, rp_filter=1),
        cure=lambda view: _link(view, rp_filter=2),
    ),
}
