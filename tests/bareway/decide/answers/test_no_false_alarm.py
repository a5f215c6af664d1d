"""What is well though it looks odd is no finding, and one fault is told once."""

from dataclasses import replace

from bareway.decide.answers.checks import gossip
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.diagnosis import diagnose
from bareway.gossip.member import MemberState
from bareway.model.answers import Gravity
from bareway.model.configuration import Protocol
from bareway.model.names import InterfaceName, NodeName, PoolName
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.status import MemberStatus, PoolStatus
from bareway.model.surroundings import ForeignController, KubeProxy, LinkFacts, Unreached
from support.builders import configuration, key, node, pool
from support.faults_around import AROUND
from support.patients import (
    NODES,
    SUBNET,
    healthy,
    with_cluster,
    with_facts,
    with_leader,
    with_node,
    with_speaker,
    with_surroundings,
    without_speaker,
)
from support.statuses import peer

UNREACHED = (Unreached(member=NODES[2], address="192.0.2.13:7947", how="no answer within 1 s"),)


def _words(view: DoctorView) -> list[str]:
    return [one.word for one in diagnose(view).findings]


def _links(*links: LinkFacts) -> DoctorView:
    return with_facts(healthy(), NODES[1], links=links)


STRICT = LinkFacts(name=InterfaceName("eth0"), subnets=(SUBNET,), rp_filter=1, arp_ignore=1)
UPLINK = LinkFacts(name=InterfaceName("eth1"), subnets=("198.51.100.0/24",), has_default_route=True)


def test_control_planes_may_be_left_out() -> None:
    view = healthy()
    labels = {EXCLUDE_LABEL: "", "node-role.kubernetes.io/control-plane": ""}
    assert diagnose(with_node(view, NODES[2], lambda one: replace(one, labels=labels))).findings == ()


def test_a_labelled_node_that_announces_was_told_to() -> None:
    view = with_node(healthy(), NODES[0], lambda one: replace(one, labels={EXCLUDE_LABEL: ""}))
    assert diagnose(view).findings == ()


def test_a_member_that_said_goodbye_is_no_finding() -> None:
    left = (MemberStatus(name=NODES[2], state=MemberState.LEFT),)
    view = with_speaker(without_speaker(healthy(), NODES[2]), NODES[0], members=left)
    assert diagnose(view).findings == ()


def test_another_controller_with_a_class_of_its_own_is_welcome_and_with_ours_it_is_not() -> None:
    other = ForeignController(
        product="MetalLB", kind="DaemonSet", key=key("a/b"), load_balancer_class="example.com/a"
    )
    view = with_surroundings(healthy(), foreign=(other,))
    assert diagnose(view).findings == ()
    assert _words(with_cluster(view, load_balancer_class="example.com/a")) == [Ailment.OTHER_CONTROLLER]


def test_strict_arp_is_asked_for_only_where_layer_2_is_used() -> None:
    loose = with_surroundings(healthy(), kube_proxies=(KubeProxy(source="x", mode="ipvs"),))
    assert _words(loose) == ["StrictArpMissing"]
    by_bgp = replace(pool("a", "192.0.2.240/28"), protocol=Protocol.BGP)
    assert diagnose(with_cluster(loose, configuration=configuration(by_bgp))).findings == ()


def test_a_port_that_nobody_reaches_is_a_dead_member_where_it_did_not_answer_us_either() -> None:
    view = without_speaker(healthy(), NODES[2])
    unreached = (Unreached(member=NODES[2], address="192.0.2.13:7947", how="no answer within 1 s"),)
    for name in NODES[:2]:
        view = with_facts(view, name, unreached=unreached)
    assert _words(view) == [Ailment.MEMBER_DEAD]


def test_a_strict_rp_filter_is_well_where_the_way_back_leaves_by_the_same_interface() -> None:
    assert _words(_links(STRICT, UPLINK)) == [Ailment.REVERSE_PATH_FILTER]
    assert _words(_links(replace(STRICT, has_default_route=True))) == []
    assert _words(_links(replace(STRICT, has_default_route=True), UPLINK)) == []
    assert _words(_links(STRICT)) == [], "there is no way to elsewhere at all"


def test_a_link_that_is_down_or_in_no_pool_may_be_as_strict_and_deaf_as_it_likes() -> None:
    odd = replace(STRICT, hears_broadcasts=False)
    assert _words(_links(replace(odd, is_up=False), UPLINK)) == []
    assert _words(_links(replace(odd, subnets=("203.0.113.0/24",)), UPLINK)) == []


def test_a_tunnel_in_a_pools_subnet_is_no_deaf_ethernet() -> None:
    tunnel = replace(STRICT, rp_filter=0, is_ethernet=False, hears_broadcasts=False)
    assert _words(_links(tunnel, UPLINK)) == []


def test_who_leaves_ends_its_sessions_on_purpose() -> None:
    down = (peer(state="Idle"),)
    assert _words(with_speaker(healthy(), NODES[1], peers=down, leaving="Drained")) == []
    assert _words(with_speaker(healthy(), NODES[1], peers=down)) == [Ailment.SESSION_DOWN]


def test_a_member_that_is_not_reached_and_held_dead_is_told_once() -> None:
    dead = (MemberStatus(name=NODES[2], state=MemberState.DEAD),)
    view = with_speaker(without_speaker(healthy(), NODES[2]), NODES[0], members=dead)
    for name in NODES[:2]:
        view = with_facts(view, name, unreached=UNREACHED)
    assert _words(view) == [Ailment.MEMBER_DEAD]


def test_no_speaker_is_missed_on_another_operating_system() -> None:
    windows = node("win1", "192.0.2.14", labels={"kubernetes.io/os": "windows"})
    assert _words(with_cluster(healthy(), nodes=(*healthy().cluster.nodes, windows))) == []


def test_a_kube_proxy_without_strict_arp_is_told_once_not_for_each_node() -> None:
    view = AROUND["kube-proxy in IPVS mode without strictARP"].plant(healthy())
    view = AROUND["kube-proxy was told of strictARP and not started anew"].plant(view)
    assert _words(view) == ["StrictArpMissing"]


def test_a_product_is_told_once_whatever_it_consists_of() -> None:
    parts = tuple(
        ForeignController(product="MetalLB", kind=kind, key=key("metallb-system/x"))
        for kind in ("DaemonSet", "Deployment")
    )
    assert _words(with_surroundings(healthy(), foreign=parts)) == [Ailment.OTHER_CONTROLLER]


def test_a_pool_of_one_address_may_be_full() -> None:
    full = (PoolStatus(name=PoolName("default"), total=1, used=1),)
    assert _words(with_leader(healthy(), pools=full)) == []


def test_families_of_a_pool_are_counted_apart() -> None:
    both = PoolStatus(name=PoolName("default"), total=10 + 2**64, used=9, total_ipv6=2**64, used_ipv6=0)
    assert _words(with_leader(healthy(), pools=(both,))) == [Ailment.POOL_NEARLY_FULL]


def test_a_list_that_names_a_node_which_no_longer_leads_it_is_odd_only_if_all_agree_who_announces() -> None:
    told = replace(healthy().cluster.speakers[NODES[0]].addresses[0], announced_by=NodeName("node2"))
    disagreeing = with_speaker(healthy(), NODES[0], addresses=(told,))
    assert _words(disagreeing) == []


def test_remedies_name_the_namespace_that_bareway_is_in() -> None:
    view = with_surroundings(healthy(), namespace="lb")
    (found,) = diagnose(with_cluster(view, pods=view.cluster.pods[2:], controllers=())).findings
    assert found.word == Ailment.NO_CONTROLLER
    assert "kubectl -n lb " in found.remedy


def test_who_is_only_suspect_and_answers_us_cannot_be_heard_by_others() -> None:
    members = tuple(
        MemberStatus(
            name=name, state=MemberState.SUSPECT if name == NODES[2] else MemberState.ALIVE, since_s=5.0
        )
        for name in NODES
    )
    assert _words(with_speaker(healthy(), NODES[0], members=members)) == [Ailment.GOSSIP_BLOCKED]


def test_of_two_nodes_the_one_that_is_dead_and_silent_is_not_told_to_open_a_port() -> None:
    states = (MemberState.DEAD, MemberState.ALIVE)
    dead, alive = (MemberStatus(name=NODES[1], state=state, since_s=5.0) for state in states)
    silent = Unreached(member=NODES[1], address="192.0.2.12:7947", how="no answer within 1 s")
    view = with_facts(healthy(), NODES[0], tried=(NODES[1],), unreached=(silent,))
    for member, speaks, word in (
        (dead, False, Ailment.MEMBER_DEAD),
        (dead, True, Ailment.GOSSIP_BLOCKED),
        (alive, False, Ailment.GOSSIP_BLOCKED),
    ):
        seen = with_speaker(view, NODES[0], members=(member,))
        found = list(gossip.check(seen if speaks else without_speaker(seen, NODES[1])))
        assert [one.word for one in found] == [word]
        assert (found[0].gravity is Gravity.BROKEN) is (speaks and member is dead)


def test_the_node_that_most_cannot_reach_is_told_first() -> None:
    def cut(*others: NodeName) -> tuple[Unreached, ...]:
        return tuple(Unreached(member=one, address="192.0.2.1:7947", how="no answer") for one in others)

    view = with_facts(healthy(), NODES[0], tried=NODES[1:], unreached=cut(*NODES[1:]))
    for name in NODES[1:]:
        view = with_facts(
            view, name, tried=tuple(one for one in NODES if one != name), unreached=cut(NODES[0])
        )
    assert [one.subject for one in gossip.check(view)] == [f"node {name}" for name in NODES]
