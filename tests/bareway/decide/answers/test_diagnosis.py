"""All checks together: before the installation, on half a cluster, on any cluster at all, and bounded."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareway.decide.answers.checks import gossip, pods, rights
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.depending import depending
from bareway.decide.answers.checks.registry import CHECKS
from bareway.decide.answers.checks.view import NODES as NODES_SUBJECT
from bareway.decide.answers.checks.view import OUR_PODS, DoctorView, some
from bareway.decide.answers.diagnosis import ALIKE_MAX, diagnose
from bareway.gossip.member import MemberState
from bareway.model.answers import Gravity
from bareway.model.cluster import Cluster, Unknown
from bareway.model.status import (
    WaitingService,
)
from bareway.model.surroundings import (
    Surroundings,
    Unreached,
)
from support.builders import configuration, endpoint_slice, key, node, pool
from support.faults_around import AROUND
from support.faults_within import WITHIN
from support.patients import (
    NODES,
    healthy,
    with_cluster,
    with_facts,
    with_leader,
    with_pod,
    with_speaker,
    with_speakers,
    with_surroundings,
    without_speaker,
)
from support.strange_clusters import CLUSTERS, SURROUNDINGS

ROOT = Path(__file__).resolve().parents[4]
PLANTED = [*AROUND.values(), *WITHIN.values()]


def _words(view: DoctorView) -> set[str]:
    return {one.word for one in diagnose(view).findings}


def _before() -> DoctorView:
    """Nothing of ours is there; the rest is as in the healthy cluster."""
    well = healthy()
    cluster = Cluster(services=well.cluster.services, nodes=well.cluster.nodes)
    around = replace(well.surroundings, nodes={}, missing_rights={})
    return DoctorView(cluster=cluster, surroundings=around)


# -- before the installation


def test_before_the_installation_nothing_of_ours_is_missed_and_it_is_said_as_a_fact() -> None:
    found = diagnose(_before())
    assert found.findings == ()
    assert found.is_installed is False
    assert "Bareway is not installed yet in namespace bareway-system" in found.facts


def test_before_the_installation_what_will_be_in_the_way_is_found() -> None:
    metallb = AROUND["MetalLB serves the same class"].plant
    view = AROUND["kube-proxy in IPVS mode without strictARP"].plant(metallb(_before()))
    assert _words(view) == {"StrictArpMissing", Ailment.OTHER_CONTROLLER}


def test_a_pool_far_from_all_nodes_is_odd_before_subnets_are_known() -> None:
    view = with_cluster(_before(), configuration=configuration(pool("a", "203.0.113.0/28")))
    (found,) = diagnose(view).findings
    assert (found.word, found.gravity) == (Ailment.POOL_OUTSIDE_SUBNETS, Gravity.ODD)
    near = with_cluster(_before(), configuration=configuration(pool("a", "192.0.77.0/28")))
    assert diagnose(near).findings == ()


# -- half a cluster


def test_what_could_not_be_found_out_is_said_and_not_taken_for_an_answer() -> None:
    unknown = (
        Unknown(subject=OUR_PODS, why="a right is missing"),
        Unknown(subject=NODES_SUBJECT, why="a right is missing"),
        Unknown(subject="ConfigMap bareway-system/bareway-config", why="a right is missing"),
    )
    found = diagnose(DoctorView(cluster=Cluster(unknown=unknown)))
    assert found.findings == ()
    assert found.unknown == unknown
    assert found.is_installed is None
    assert "whether Bareway is installed could not be found out" in found.facts


def test_nodes_that_could_not_be_listed_do_not_make_a_list_wrong() -> None:
    view = with_cluster(healthy(), nodes=(), unknown=(Unknown(subject=NODES_SUBJECT, why="no right"),))
    assert diagnose(view).findings == ()


def test_speakers_that_were_left_out_on_purpose_are_no_finding() -> None:
    view = without_speaker(healthy(), NODES[2])
    assert diagnose(with_cluster(view, unasked=(NODES[2],))).findings == ()


def test_a_controller_that_did_not_answer_may_be_the_one_that_leads() -> None:
    (_, standing_by) = healthy().cluster.controllers
    assert diagnose(with_cluster(healthy(), controllers=(standing_by,))).findings == ()


def test_by_bgp_a_silent_speaker_may_announce() -> None:
    view = healthy()
    for name in NODES:
        told = replace(view.cluster.speakers[name].addresses[0], announced_by=None, protocol="bgp", reason="")
        view = with_speaker(view, name, addresses=(told,))
    assert [one.gravity for one in diagnose(view).findings] == [Gravity.BROKEN]
    (found,) = diagnose(without_speaker(view, NODES[0])).findings
    assert found.gravity is Gravity.AT_RISK
    assert "No speaker that answered" in found.evidence


@pytest.mark.parametrize("state", [MemberState.DEAD, MemberState.LEFT])
def test_an_address_whose_holder_is_gone_is_announced_by_nobody(state: MemberState) -> None:
    view = without_speaker(healthy(), NODES[0])
    others = tuple(
        replace(one, state=state) if one.name == NODES[0] else one
        for one in view.cluster.speakers[NODES[1]].members
    )
    for name in NODES[1:]:
        view = with_speaker(view, name, members=others)
    (found,) = [one for one in diagnose(view).findings if one.subject == "Service shop/web"]
    assert (found.word, found.gravity) == (Ailment.NOBODY_ANNOUNCES, Gravity.BROKEN)
    assert found.evidence == "Nobody announces it: 192.0.2.240, and node1 had it, and is gone."


def test_who_answers_that_it_announces_does_so_whoever_holds_it_dead() -> None:
    view = healthy()
    dead = tuple(replace(one, state=MemberState.DEAD) for one in view.cluster.speakers[NODES[0]].members)
    for name in NODES:
        view = with_speaker(view, name, members=dead)
    assert Ailment.NOBODY_ANNOUNCES not in _words(view)


def test_an_address_is_announced_if_one_speaker_holds_its_holder_alive() -> None:
    view = without_speaker(healthy(), NODES[0])
    dead = tuple(replace(one, state=MemberState.DEAD) for one in view.cluster.speakers[NODES[1]].members)
    assert Ailment.NOBODY_ANNOUNCES not in _words(with_speaker(view, NODES[1], members=dead))


def test_of_a_dead_member_it_is_not_claimed_that_others_have_its_addresses() -> None:
    view = without_speaker(healthy(), NODES[2])
    dead = (replace(view.cluster.speakers[NODES[0]].members[2], state=MemberState.DEAD),)
    (found,) = diagnose(with_speaker(view, NODES[0], members=dead)).findings
    assert found.word == Ailment.MEMBER_DEAD
    assert "See what became of it" in found.remedy
    assert "where another node may announce them" in found.consequence


def test_who_takes_no_connection_from_anybody_and_does_not_answer_is_dead_not_blocked() -> None:
    view = without_speaker(healthy(), NODES[2])
    one = Unreached(member=NODES[2], address="192.0.2.13:7947", how="no answer within 1 s")
    for name in NODES[:2]:
        view = with_facts(view, name, tried=(NODES[2],), unreached=(one,))
    (found,) = diagnose(view).findings
    assert found.word == Ailment.MEMBER_DEAD
    assert found.remedy.startswith("See what became of it")


# -- order and bounds


def test_the_gravest_comes_first_and_causes_before_what_follows() -> None:
    view = healthy()
    for fault in ("a clock is wrong", "a pool that is nearly full", "a Service waits for an address"):
        view = {**AROUND, **WITHIN}[fault].plant(view)
    view = AROUND["MetalLB serves the same class"].plant(view)
    found = diagnose(view).findings
    assert found[0].word == Ailment.OTHER_CONTROLLER
    assert [one.gravity for one in found] == sorted((one.gravity for one in found), key=[*Gravity].index)


def test_of_one_word_only_so_many_are_told_and_the_last_says_how_many_more() -> None:
    waiting = tuple(
        WaitingService(service=key(f"shop/s{number:03}"), reason="NoFreeAddress", message="none is left")
        for number in range(ALIKE_MAX + 7)
    )
    found = diagnose(with_leader(healthy(), waiting=waiting)).findings
    assert len(found) == ALIKE_MAX
    assert found[-1].evidence.endswith("There are 7 more with this word.")


def test_names_are_cut_and_counted() -> None:
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_the_same_cluster_gets_the_same_findings_in_any_order() -> None:
    view = healthy()
    for one in PLANTED[:9]:
        view = one.plant(view)
    turned = with_cluster(
        view,
        nodes=view.cluster.nodes[::-1],
        speakers=dict([*view.cluster.speakers.items()][::-1]),
        pods=view.cluster.pods[::-1],
    )
    assert [(one.word, one.subject) for one in diagnose(view).findings] == [
        (one.word, one.subject) for one in diagnose(turned).findings
    ]


# -- causes before what follows


def test_of_a_service_that_only_a_lost_speaker_serves_the_speaker_is_told_first() -> None:
    ends = WITHIN["the only node that serves a Service of policy Local has a speaker that ends"]
    cause, symptom, *_ = diagnose(ends.plant(healthy())).findings
    assert (cause.word, cause.gravity) == (Ailment.POD_CRASHING, Gravity.BROKEN)
    assert "shop/web is not reached" in cause.consequence
    assert symptom.word == "noLocalEndpoints"
    assert symptom.remedy.startswith("Follow what is said of the speaker on node3")


def test_a_service_that_a_running_speaker_serves_too_makes_no_other_speaker_graver() -> None:
    ends = WITHIN["the only node that serves a Service of policy Local has a speaker that ends"]
    view = with_cluster(ends.plant(healthy()), slices=(endpoint_slice("shop/web", "node2", "node3"),))
    found = {one.word: one for one in diagnose(view).findings}
    assert found[Ailment.POD_CRASHING].gravity is Gravity.AT_RISK
    assert "needs a ready Pod" in found["noLocalEndpoints"].remedy


def test_a_speaker_that_says_it_works_keeps_its_services_whatever_its_pods_probe_says() -> None:
    crashing = WITHIN["the only node that serves a Service of policy Local has a speaker that ends"]
    answering = with_cluster(crashing.plant(healthy()), speakers=healthy().cluster.speakers)
    (found,) = diagnose(answering).findings
    assert (found.word, found.gravity) == (Ailment.POD_CRASHING, Gravity.AT_RISK)
    assert found.consequence == "It announces all the same, by its own word; a rollout waits for it."
    ails = with_speaker(answering, NODES[2], not_ready=("it has not joined",))
    silent = with_speakers(ails, addresses=())
    assert "shop/web is not reached" in diagnose(silent).findings[0].consequence
    told = {one.word: one for one in diagnose(ails).findings}  # node1 still shows who announces the address
    assert "not reached" not in told[Ailment.POD_CRASHING].consequence


def test_a_speaker_that_says_it_works_strands_nothing_though_nobody_shows_the_address_yet() -> None:
    crashing = WITHIN["the only node that serves a Service of policy Local has a speaker that ends"]
    answering = with_cluster(crashing.plant(healthy()), speakers=healthy().cluster.speakers)
    silent = with_speakers(answering, addresses=())
    assert [one.gravity for one in diagnose(silent).findings] == [Gravity.AT_RISK]
    assert depending(silent) == {}


def test_the_silence_of_a_speaker_that_was_not_asked_is_not_held_against_it() -> None:
    lost = WITHIN["the only node that serves it is lost"].plant(healthy())
    unasked = with_cluster(lost, unasked=(NODES[2],))
    for ready in (True, False):
        view = with_pod(unasked, f"bareway-speaker-{NODES[2]}", ready=ready)
        told = {one.word: one for one in diagnose(view).findings}
        assert told[Ailment.MEMBER_DEAD].gravity is Gravity.AT_RISK
        assert told[Ailment.MEMBER_DEAD].evidence.endswith("and it was not asked, which --all does.")
        assert "not reached" not in told[Ailment.MEMBER_DEAD].consequence
    ended = with_pod(unasked, f"bareway-speaker-{NODES[2]}", ready=False, running=False)
    assert {one.word: one for one in diagnose(ended).findings}[Ailment.MEMBER_DEAD].gravity is Gravity.BROKEN


def test_a_service_on_nodes_where_no_speaker_can_run_is_not_told_to_follow_one() -> None:
    crashing = WITHIN["the only node that serves a Service of policy Local has a speaker that ends"]
    view = crashing.cure(crashing.plant(healthy()))
    unannounced = crashing.plant(healthy()).cluster.speakers[NODES[0]].addresses
    windows = node("win1", "192.0.2.14", labels={"kubernetes.io/os": "windows"})
    view = with_cluster(
        with_speakers(view, addresses=unannounced),
        nodes=(*view.cluster.nodes, windows),
        slices=(endpoint_slice("shop/web", "win1"),),
    )
    (found,) = diagnose(view).findings
    assert (found.word, "needs a ready Pod" in found.remedy) == ("noLocalEndpoints", True)


# -- any cluster


def test_every_check_has_something_planted_for_it() -> None:
    found = {check for one in PLANTED for check in CHECKS if any(True for _ in check(one.plant(healthy())))}
    assert found == set(CHECKS)


@given(st.sets(st.sampled_from(range(len(PLANTED))), max_size=12))
@settings(max_examples=60, deadline=None)
def test_many_faults_at_once_are_told_without_an_exception(faults: set[int]) -> None:
    view = healthy()
    for number in sorted(faults):
        view = PLANTED[number].plant(view)
    for one in diagnose(view).findings:
        assert all((one.word, one.subject, one.evidence, one.consequence, one.remedy))


@given(CLUSTERS, SURROUNDINGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_cluster_is_too_strange(cluster: Cluster, around: Surroundings) -> None:
    for one in diagnose(DoctorView(cluster=cluster, surroundings=around)).findings:
        assert one.evidence
        assert one.remedy


PARTS = ("services", "nodes", "configuration", "lists", "pods", "controllers", "speakers")
AROUND_PARTS = ("kubernetes", "kube_proxies", "foreign", "missing_rights", "heartbeats", "nodes")


@given(st.sets(st.sampled_from(PARTS)), st.sets(st.sampled_from(AROUND_PARTS)))
@settings(max_examples=60, deadline=None)
def test_any_part_may_be_missing(missing: set[str], missing_around: set[str]) -> None:
    nothing, nowhere = Cluster(), Surroundings()
    for one in (None, *PLANTED[::5]):
        view = healthy() if one is None else one.plant(healthy())
        view = with_cluster(view, **{name: getattr(nothing, name) for name in missing})
        diagnose(with_surroundings(view, **{name: getattr(nowhere, name) for name in missing_around}))


def test_a_healthy_cluster_of_which_only_nodes_are_unknown_gets_no_finding() -> None:
    view = with_cluster(healthy(), nodes=(node("node1"), node("node2"), node("node3")))
    assert diagnose(view).findings == ()


# -- sentences of the programs that checks look for


def test_the_words_that_checks_look_for_are_those_that_programs_say() -> None:
    speaker = (ROOT / "speaker" / "status.py").read_text()
    assert gossip.KEY_IS_MISSING in speaker
    assert gossip.TURNED_AWAY in speaker
    assert pods.NO_CONFIGURATION_YET in speaker
    assert rights.LACKS_RIGHT in (ROOT / "bareway" / "runtime" / "program.py").read_text()
    sockets = (ROOT / "speaker" / "layer2" / "sockets.py").read_text()
    assert rights.NEEDS_CAPABILITY.removesuffix("CAP_") in sockets
    assert '"CAP_NET_RAW"' in sockets
