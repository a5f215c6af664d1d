"""Faults of our own programs and of what they are told, each with what cures it."""

from dataclasses import replace

from bareway.decide.allocation.verdicts import Refusal as AllocationRefusal
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.routing.sessions import SessionRefusal
from bareway.gossip.member import MemberState
from bareway.model.problems import Problem, Severity
from bareway.model.services import TrafficPolicy
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    WaitingService,
)
from support.builders import configuration, endpoint_slice, key, node, pool, service
from support.patients import (
    ADDRESS,
    BEAT,
    NODES,
    controller,
    healthy,
    listed,
    pod,
    with_cluster,
    with_leader,
    with_pod,
    with_service,
    with_speaker,
    with_speakers,
    with_surroundings,
    without_speaker,
)
from support.planting import NODE1, NODE2, NODE3, NODE4, Planted
from support.statuses import peer


def _nobody(reason: str) -> tuple[AddressStatus, ...]:
    told = AddressStatus(address=ADDRESS, services=(key("shop/web"),), announced_by=None, reason=reason)
    return (replace(told, listed=NODES),)


def _announced(view: DoctorView) -> DoctorView:
    for name, one in healthy().cluster.speakers.items():
        view = with_speaker(view, name, addresses=one.addresses)
    return view


def _mistake(severity: Severity) -> Problem:
    return Problem(
        path="address-pools[0].addresses[0]", message='invalid CIDR "x"', line=4, severity=severity
    )


def _crash(view: DoctorView, words: str) -> DoctorView:
    name = f"bareway-speaker-{NODE3}"
    view = with_pod(without_speaker(view, NODE3), name, ready=False, reason="CrashLoopBackOff", restarts=7)
    return with_surroundings(view, last_words={name: words})


def _served_there_alone(view: DoctorView) -> DoctorView:
    """Of policy Local, with endpoints on the third node, as the speakers see it that are left."""
    web = service("shop/web", ingress=[str(ADDRESS)], policy=TrafficPolicy.LOCAL)
    view = with_cluster(with_service(view, web), slices=(endpoint_slice("shop/web", NODE3),))
    return with_speakers(view, addresses=_nobody(Refusal.NO_LOCAL_ENDPOINTS))


def _served_again(view: DoctorView) -> DoctorView:
    return _announced(_runs_again(view))


def _member_lost(view: DoctorView) -> DoctorView:
    view = without_speaker(_served_there_alone(view), NODE3)
    for name in view.cluster.speakers:
        members = view.cluster.speakers[name].members
        lost = (replace(one, state=MemberState.DEAD) if one.name == NODE3 else one for one in members)
        view = with_speaker(view, name, members=tuple(lost))
    return view


def _runs_again(view: DoctorView) -> DoctorView:
    well = healthy()
    return with_surroundings(
        with_cluster(view, pods=well.cluster.pods, speakers=well.cluster.speakers),
        last_words={},
        nodes=well.surroundings.nodes,
    )


def _without_configuration(view: DoctorView) -> DoctorView:
    nothing = ConfigurationStatus()
    view = with_speakers(with_cluster(view, configuration=None, source=""), configuration=nothing)
    told = tuple(replace(one, configuration=nothing) for one in view.cluster.controllers)
    return with_cluster(view, controllers=told)


WITHIN: dict[str, Planted] = {
    "a right is missing": Planted(
        word=Ailment.RIGHT_MISSING,
        subject="ServiceAccount bareway-controller",
        plant=lambda view: with_surroundings(
            view, missing_rights={"bareway-controller": ("patch services/status in all namespaces",)}
        ),
        cure=lambda view: with_surroundings(view, missing_rights={"bareway-controller": ()}),
    ),
    "a program ended for want of a right": Planted(
        word=Ailment.RIGHT_MISSING,
        subject="Pod bareway-speaker-node3",
        plant=lambda view: _crash(
            view, "bareway-speaker: the service account lacks the right to list nodes in all namespaces\n"
        ),
        cure=_runs_again,
    ),
    "a capability is missing": Planted(
        word=Ailment.CAPABILITY_MISSING,
        subject="Pod bareway-speaker-node3",
        plant=lambda view: _crash(
            view, "bareway-speaker: the speaker needs CAP_NET_RAW to answer ARP: run it\n"
        ),
        cure=_runs_again,
    ),
    "a speaker ends again and again": Planted(
        word=Ailment.POD_CRASHING,
        subject="Pod bareway-speaker-node3",
        plant=lambda view: _crash(view, "ended by a mistake of ours"),
        cure=_runs_again,
    ),
    "the only node that serves a Service of policy Local has a speaker that ends": Planted(
        word=Ailment.POD_CRASHING,
        subject="Pod bareway-speaker-node3",
        plant=lambda view: _served_there_alone(_crash(view, "ended by a mistake of ours")),
        cure=_served_again,
    ),
    "the only node that serves it has no speaker": Planted(
        word=Ailment.SPEAKER_MISSING,
        subject="node node3",
        plant=lambda view: _served_there_alone(
            with_cluster(
                without_speaker(view, NODE3),
                pods=tuple(one for one in view.cluster.pods if one.name != f"bareway-speaker-{NODE3}"),
            )
        ),
        cure=_served_again,
    ),
    "the only node that serves it is lost": Planted(
        word=Ailment.MEMBER_DEAD,
        subject="node node3",
        plant=_member_lost,
        cure=_served_again,
    ),
    "a Pod is not ready": Planted(
        word=Ailment.POD_NOT_READY,
        subject="Pod bareway-controller-b",
        plant=lambda view: with_pod(view, "bareway-controller-b", ready=False, reason="ContainersNotReady"),
        cure=lambda view: with_pod(view, "bareway-controller-b", ready=True, reason=""),
    ),
    "a node without a speaker": Planted(
        word=Ailment.SPEAKER_MISSING,
        subject="node node4",
        plant=lambda view: with_cluster(view, nodes=(*view.cluster.nodes, node(NODE4, "192.0.2.14"))),
        cure=lambda view: with_cluster(
            view, pods=(*view.cluster.pods, pod(f"bareway-speaker-{NODE4}", "speaker", NODE4))
        ),
    ),
    "there is no controller": Planted(
        word=Ailment.NO_CONTROLLER,
        subject="controller",
        plant=lambda view: with_cluster(
            view, pods=tuple(one for one in view.cluster.pods if one.component == "speaker"), controllers=()
        ),
        cure=lambda view: with_cluster(
            view, pods=healthy().cluster.pods, controllers=(controller("c", leads=True),)
        ),
    ),
    "no controller leads": Planted(
        word=Ailment.NO_LEADER,
        subject="controllers",
        plant=lambda view: with_leader(view, leads=False),
        cure=lambda view: with_leader(view, leads=True),
    ),
    "two controllers lead": Planted(
        word=Ailment.TWO_LEADERS,
        subject="controllers",
        plant=lambda view: with_cluster(
            view, controllers=(controller("a", leads=True), controller("b", leads=True))
        ),
        cure=lambda view: with_cluster(view, controllers=(controller("b", leads=True),)),
    ),
    "a speaker does not reach the API server": Planted(
        word=Ailment.API_UNREACHABLE,
        subject="speaker on node2",
        plant=lambda view: with_speaker(view, NODE2, api_connected=False),
        cure=lambda view: with_speaker(view, NODE2, api_connected=True),
    ),
    "a mistake in the configuration": Planted(
        word=Ailment.CONFIGURATION_MISTAKE,
        subject="ConfigMap bareway-system/config",
        plant=lambda view: with_cluster(view, offered=(_mistake(Severity.ERROR),)),
        cure=lambda view: with_cluster(view, offered=()),
    ),
    "a warning about the configuration": Planted(
        word=Ailment.CONFIGURATION_WARNING,
        subject="ConfigMap bareway-system/config",
        plant=lambda view: with_cluster(view, offered=(_mistake(Severity.WARNING),)),
        cure=lambda view: with_cluster(view, offered=()),
    ),
    "there is no configuration": Planted(
        word=Ailment.NO_CONFIGURATION,
        subject="ConfigMap bareway-system/config",
        plant=_without_configuration,
        cure=lambda view: with_cluster(view, configuration=configuration(pool("a", "192.0.2.32/28"))),
    ),
    "a session with a router is down": Planted(
        word=Ailment.SESSION_DOWN,
        subject="peer peer1 (10.9.0.1) of node node2",
        plant=lambda view: with_speaker(
            view, NODE2, peers=(peer(state="Active", trouble="No route to host"),)
        ),
        cure=lambda view: with_speaker(view, NODE2, peers=(peer(),)),
    ),
    "a router's key is not there": Planted(
        word=SessionRefusal.KEY_MISSING,
        subject="peer peer1 (10.9.0.1) of node node2",
        plant=lambda view: with_speaker(
            view, NODE2, peers=(peer(state="", reason=SessionRefusal.KEY_MISSING.value),)
        ),
        cure=lambda view: with_speaker(view, NODE2, peers=(peer(),)),
    ),
    "routes that cannot be told": Planted(
        word=Ailment.ROUTES_HELD_BACK,
        subject="peer peer1 (10.9.0.1) of node node2",
        plant=lambda view: with_speaker(view, NODE2, peers=(replace(peer(), held_back=4),)),
        cure=lambda view: with_speaker(view, NODE2, peers=(peer(),)),
    ),
    "BGP cannot do its work": Planted(
        word=Ailment.BGP_PROBLEM,
        subject="node node2",
        plant=lambda view: with_speaker(
            view, NODE2, bgp_problems=(Problem(path="peers[0]", message="port 179 is taken"),)
        ),
        cure=lambda view: with_speaker(view, NODE2, bgp_problems=()),
    ),
    "a Service waits for an address": Planted(
        word=AllocationRefusal.NO_FREE_ADDRESS,
        subject="Service shop/db",
        plant=lambda view: with_leader(
            view,
            waiting=(
                WaitingService(
                    service=key("shop/db"),
                    reason=AllocationRefusal.NO_FREE_ADDRESS,
                    message="no pool has one",
                ),
            ),
        ),
        cure=lambda view: with_leader(view, waiting=()),
    ),
    "a Service without endpoints": Planted(
        word=Refusal.NO_ENDPOINTS,
        subject="Service shop/web",
        plant=lambda view: with_speakers(view, addresses=_nobody(Refusal.NO_ENDPOINTS)),
        cure=_announced,
    ),
    "nobody claims an address": Planted(
        word=Ailment.NOBODY_ANNOUNCES,
        subject="Service shop/web",
        plant=lambda view: with_speakers(view, addresses=_nobody(Refusal.NOT_OWNER)),
        cure=_announced,
    ),
    "the lists name another node": Planted(
        word=Ailment.LISTS_BEHIND,
        subject="announcer lists",
        plant=lambda view: with_cluster(view, lists=listed(NODE2, NODE1)),
        cure=lambda view: with_cluster(view, lists=listed(NODE1, NODE2)),
    ),
    "the lists name a node that is gone": Planted(
        word=Ailment.LISTED_AT_UNFIT_NODE,
        subject="node node4",
        plant=lambda view: with_cluster(view, lists=listed(NODE4, NODE1)),
        cure=lambda view: with_cluster(view, lists=listed(NODE1, NODE2)),
    ),
    "a clock is wrong": Planted(
        word=Ailment.CLOCK_SKEW,
        subject="node node3",
        plant=lambda view: with_surroundings(
            view, heartbeats={NODE1: BEAT, NODE2: BEAT + 4, NODE3: BEAT + 120}
        ),
        cure=lambda view: with_surroundings(view, heartbeats={NODE1: BEAT, NODE2: BEAT + 4, NODE3: BEAT + 9}),
    ),
    "programs of two versions": Planted(
        word=Ailment.VERSIONS_DIFFER,
        subject="programs",
        plant=lambda view: with_speaker(view, NODE2, version="0.0.9"),
        cure=lambda view: with_speaker(view, NODE2, version="0.1.0"),
    ),
    "a Kubernetes that is too old": Planted(
        word=Ailment.KUBERNETES_TOO_OLD,
        subject="Kubernetes",
        plant=lambda view: with_surroundings(view, kubernetes="v1.20.15"),
        cure=lambda view: with_surroundings(view, kubernetes="v1.21.0"),
    ),
}
