"""What is asked, and what is not known: names, addresses that nobody has, speakers that say nothing."""

from cProfile import Profile
from dataclasses import replace
from difflib import SequenceMatcher

import pytest

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.announcement.announcers import Refusal as NotAnnounced
from bareway.decide.answers.why.answer import COMPARED_MAX, completed, why, why_text
from bareway.decide.answers.why.chain import Leadership, NodeAnswer, Outcome, Why, WhyReason
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import WhyView, Witness, view_of
from bareway.gossip.member import MemberState
from bareway.model.addresses import parse_range
from bareway.model.answers import Gravity
from bareway.model.cluster import Cluster, Unknown
from bareway.model.configuration import Protocol
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.problems import Problem, Severity
from bareway.model.services import FamilyPolicy, TrafficPolicy
from support.asked import (
    API,
    NODE1,
    NODE2,
    NODE3,
    NODES,
    ON_LINK,
    ROUTED,
    WEB,
    healthy,
    listed,
    on_link,
    pod,
    session,
    silent_about,
    told_of,
    with_others,
    with_pool,
    with_service,
    with_speaker,
    with_speakers,
)
from support.builders import endpoint_slice, ips, key, service
from support.statuses import configuration_status, controller_status

FREE = ips("192.0.2.12")[0]


def rows(found: Why) -> dict[str, NodeAnswer]:
    (address,) = found.addresses
    assert address.layer2 is not None
    return {row.node: row for row in address.layer2.nodes}


# ------------------------------------------------------------ names


def test_a_name_that_only_one_service_has_needs_no_namespace() -> None:
    assert why_text(healthy(), "web") == why_text(healthy(), "shop/web") == why(healthy(), WEB)


def test_a_name_that_several_have_lists_them_all() -> None:
    found = why_text(with_others(healthy(), service("bank/web")), "web")
    assert (found.outcome, found.word) == (Outcome.UNKNOWN, WhyReason.AMBIGUOUS_NAME)
    assert found.candidates == ("bank/web", "shop/web")
    assert found.sentence == "2 Services are called web: bank/web, shop/web."
    assert "bareway why bank/web" in found.findings[0].remedy


def test_a_name_that_nobody_has_is_told_with_those_that_look_like_it() -> None:
    found = why_text(healthy(), "shop/wed")
    assert (found.outcome, found.word) == (Outcome.UNKNOWN, WhyReason.NO_SUCH_SERVICE)
    assert found.candidates == ("shop/web",)
    assert why_text(healthy(), "bank/web").candidates == ("shop/web",)
    assert why_text(healthy(), "completely-different").candidates == ()


def test_without_the_services_names_are_known_from_speakers() -> None:
    found = why_text(replace(healthy(), services=None), "web")
    assert (found.about, found.outcome) == ("Service shop/web", Outcome.SERVED)
    assert found.addresses[0].services == ("shop/web",)


def test_of_thousands_of_names_few_are_compared_and_the_one_that_was_meant_is_among_them() -> None:
    others = (service(f"ns{number}/w-{number:04}-backend") for number in range(3_000))
    view = with_others(replace(healthy(), configuration=None), *others)
    profile = Profile()
    found = profile.runcall(why_text, view, "ns1/w-1234-backed")
    compared = sum(
        int(one.callcount)
        for one in profile.getstats()
        if getattr(one.code, "co_name", "") == SequenceMatcher.set_seq1.__name__
    )
    assert "ns1234/w-1234-backend" in found.candidates
    assert 0 < compared <= COMPARED_MAX + 1


@pytest.mark.parametrize("slip", ["wab", "xweb", "weeb", "we"])
def test_of_few_names_each_is_compared(slip: str) -> None:
    assert why_text(healthy(), f"shop/{slip}").candidates in {("shop/web",), ("shop/api", "shop/web")}


# ------------------------------------------------------------ addresses that nobody has


def test_an_address_outside_all_pools_is_none_of_ours() -> None:
    found = why_text(healthy(), "203.0.113.1")
    assert (found.outcome, found.word) == (Outcome.WRONG, Refusal.NOT_IN_ANY_POOL)


def test_a_free_address_is_no_fault_and_serves_nobody() -> None:
    found = why(healthy(), FREE)
    assert (found.outcome, found.word, found.findings) == (Outcome.WRONG, WhyReason.FREE, ())


def test_an_address_that_is_kept_back_says_for_whom() -> None:
    reserved = why(with_pool(healthy(), "public", reserve={key("shop/new"): (FREE,)}), FREE)
    assert "reserved for shop/new" in reserved.sentence
    hold = AllocationMemory(holds={FREE: Hold(service=key("shop/old"), until=1_060)})
    waits = why(replace(healthy(), memory=hold), FREE)
    assert "waits 60 s more for Service shop/old" in waits.sentence
    assert why(replace(healthy(), memory=hold, now=1_060), FREE).addresses[0].waits_for == ""


def test_an_address_in_quarantine_says_how_long() -> None:
    shunned = replace(healthy(), memory=AllocationMemory(quarantine={FREE: 1_300}))
    found = why(shunned, FREE)
    assert (found.word, found.addresses[0].quarantine_s) == (Refusal.QUARANTINED, 300)
    assert why(replace(shunned, now=1_300), FREE).findings == ()


def test_an_address_that_another_load_balancer_serves_is_told_as_such() -> None:
    foreign = service("shop/lb", ingress=["192.0.2.12"], load_balancer_class="other")
    found = why(with_others(healthy(), foreign), FREE)
    assert (found.word, found.addresses[0].services) == (WhyReason.OTHER_CLASS, ("shop/lb",))
    assert found.addresses[0].layer2 is None


# ------------------------------------------------------------ the chain


def test_every_pool_says_why_not_and_the_one_that_gives_says_nothing() -> None:
    (answer,) = why(healthy(), API).services
    assert [(pool.name, pool.gives, pool.word) for pool in answer.pools] == [
        ("public", False, WhyReason.NOT_NEEDED),
        ("routed", True, ""),
    ]


def test_endpoints_are_counted_by_node_and_those_that_do_not_serve_are_not() -> None:
    slices = (
        endpoint_slice("shop/web", NODE1, NODE1, name="a"),
        endpoint_slice("shop/web", NODE2, serving=False, name="b"),
        endpoint_slice("shop/api", NODE3),
    )
    endpoints = why(replace(healthy(), slices=slices), WEB).services[0].endpoints
    assert (endpoints.serving, dict(endpoints.nodes)) == (2, {NODE1: 2})
    assert why(replace(healthy(), slices=None), WEB).services[0].endpoints.is_known is False


def test_services_that_share_an_address_are_announced_together_and_a_partial_one_is_named() -> None:
    view = with_service(healthy(), WEB, traffic_policy=TrafficPolicy.LOCAL)
    other = service("shop/dns", ingress=[str(ON_LINK)], policy=TrafficPolicy.LOCAL)
    view = replace(
        with_others(view, other),
        slices=(endpoint_slice("shop/web", NODE1), endpoint_slice("shop/dns", NODE2)),
    )
    found = why(view, ON_LINK)
    assert rows(found)[NODE1].leaves_out == ("shop/dns",)
    assert NotAnnounced.SHARED_LOCAL_PARTIAL in [one.word for one in found.findings]


def test_both_families_are_told_in_one_sentence() -> None:
    six = ips("2001:db8::10")[0]
    view = with_service(
        with_pool(
            healthy(), "public", ranges=(parse_range("192.0.2.10-192.0.2.12"), parse_range(f"{six}/128"))
        ),
        WEB,
        ingress=(ON_LINK, six),
        cluster_addresses=ips("10.96.0.10", "fd00::10"),
        family_policy=FamilyPolicy.PREFER_DUAL_STACK,
    )
    view = with_speaker(view, NODE1, addresses=(on_link(NODE1, ""), replace(on_link(NODE1, ""), address=six)))
    found = why(view, WEB)
    assert (found.outcome, found.findings) == (Outcome.SERVED, ())
    assert found.sentence.count("Node node1 answers for") == 2
    assert found.addresses[0].layer2 is not None
    assert found.addresses[0].layer2.together == (str(ON_LINK), str(six))


# ------------------------------------------------------------ what nobody said


def test_a_speaker_that_gave_no_answer_is_named_and_nothing_is_concluded() -> None:
    view = replace(
        with_speakers(healthy(), lambda one: one),
        speakers={NODE2: healthy().speakers[NODE2]},
        unknown=(Unknown(subject="speaker on node3", why="no answer within 3 s"),),
    )
    found = why(view, ON_LINK)
    silent = rows(found)[NODE3]
    assert (silent.announces, silent.word, silent.sentence) == (
        None,
        WhyReason.NOT_ASKED,
        "no answer within 3 s",
    )
    assert found.addresses[0].layer2 is not None
    assert found.addresses[0].layer2.told_by == "1 other speaker"
    assert found.outcome is Outcome.SERVED


def test_where_nobody_was_asked_it_is_not_known_who_announces() -> None:
    view = replace(healthy(), speakers={}, pods=None)
    for about in (ON_LINK, ROUTED):
        found = why(view, about)
        assert (found.outcome, found.findings) == (Outcome.UNKNOWN, ())
        assert found.sentence.startswith("Whether ")


def test_who_denies_that_it_holds_an_address_is_believed_more_than_the_others() -> None:
    view = with_speaker(healthy(), NODE1, addresses=(on_link(NODE1, NotAnnounced.NOT_OWNER),))
    assert why(view, ON_LINK).word == WhyReason.NO_CLAIM


def test_the_controller_sees_claims_of_nodes_whose_speakers_were_not_asked() -> None:
    witness = Witness(
        name="the controller",
        holders={ON_LINK: NODE1},
        states={NODE1: MemberState.ALIVE, NODE2: MemberState.DEAD},
    )
    found = why(replace(healthy(), speakers={}, pods=None, witnesses=(witness,)), ON_LINK)
    assert found.addresses[0].layer2 is not None
    assert (found.addresses[0].layer2.holder, found.addresses[0].layer2.told_by) == (NODE1, "the controller")
    assert {name: row.word for name, row in rows(found).items()} == {
        NODE1: "",
        NODE2: MemberState.DEAD,
        NODE3: NotAnnounced.NOT_OWNER,
    }


def test_a_speaker_that_does_not_know_the_address_says_so_with_its_reason() -> None:
    found = why(silent_about(healthy(), ON_LINK), ON_LINK)
    assert {row.word for row in rows(found).values()} == {WhyReason.NOT_SEEN}
    cut_off = with_speakers(silent_about(healthy(), ON_LINK), lambda one: replace(one, api_connected=False))
    assert "API server" in rows(why(cut_off, ON_LINK))[NODE1].sentence


def test_a_pod_that_is_not_ready_explains_the_silence_of_its_speaker() -> None:
    view = replace(healthy(), speakers={}, pods={name: pod(name, "CrashLoopBackOff") for name in NODES})
    found = why(view, ON_LINK)
    assert found.word == WhyReason.NO_SPEAKER
    assert "CrashLoopBackOff" in found.sentence


def test_the_states_of_members_are_those_that_most_others_say() -> None:
    view = with_speaker(healthy(), NODE2, members=())
    assert rows(why(view, ON_LINK))[NODE1].state == MemberState.ALIVE


def test_a_route_that_waits_is_on_its_way() -> None:
    waiting = with_speakers(
        healthy(), lambda one: replace(one, peers=(session(1, owed=3), session(2, owed=3)))
    )
    found = why(waiting, API)
    assert (found.outcome, found.findings) == (Outcome.SERVED, ())
    assert "is on its way" in found.sentence
    assert found.addresses[0].bgp is not None
    assert {r.word for row in found.addresses[0].bgp.nodes for r in row.routers} == {WhyReason.ROUTE_WAITS}


def test_a_route_that_may_be_held_back_is_not_said_to_be_missing() -> None:
    held = with_speakers(
        healthy(), lambda one: replace(one, peers=(session(1, held_back=2), session(2, held_back=2)))
    )
    found = why(held, API)
    assert {one.gravity for one in found.findings} == {Gravity.AT_RISK}
    assert "may lack" in found.sentence


def test_who_a_route_is_not_meant_for_lacks_nothing() -> None:
    advertisements = (replace(healthy().configuration.pools[1].advertisements[0], peers=("peer2",)),)  # type: ignore[union-attr]
    view = with_pool(healthy(), "routed", advertisements=advertisements)
    view = with_speaker(view, NODE1, peers=(session(1, state="Idle"), session(2)))
    found = why(view, API)
    assert found.findings == ()
    assert "peer1" not in found.sentence


def test_a_pool_for_routers_that_becomes_one_for_the_link_is_told_by_the_link() -> None:
    found = why(with_pool(healthy(), "routed", protocol=Protocol.LAYER2), ROUTED)
    assert found.addresses[0].bgp is None
    assert found.addresses[0].layer2 is not None


# ------------------------------------------------------------ what was gathered


def test_what_could_not_be_listed_is_not_taken_for_nothing() -> None:
    subjects = ("Services", "Nodes", "EndpointSlices", "ConfigMap bareway-system/bareway-config", "our Pods")
    view = view_of(Cluster(unknown=tuple(Unknown(subject=one, why="no right") for one in subjects)), now=1)
    assert (view.services, view.nodes, view.slices, view.pods) == (None, None, None, None)
    assert not view.is_configuration_known
    found = why(view, WEB)
    assert (found.outcome, len(found.unknown)) == (Outcome.UNKNOWN, 5)
    assert "no right" in found.sentence


def test_an_empty_cluster_is_known_to_be_empty() -> None:
    view = view_of(Cluster(), now=1)
    assert (view.services, view.nodes, view.slices) == ({}, (), ())
    assert why_text(view, "web").word == WhyReason.NO_SUCH_SERVICE


def test_leadership_and_refused_documents_are_those_that_controllers_tell() -> None:
    mistake = Problem(path="x", message="no")
    warning = Problem(path="y", message="odd", severity=Severity.WARNING)
    told = replace(controller_status(), configuration=configuration_status(mistake, warning))
    follower = replace(controller_status(), leads=False, leader="", identity="b")
    view = view_of(Cluster(controllers=(follower, told)), now=1)
    assert view.leadership == Leadership(is_known=True, leader=told.identity)
    assert view.offered == (mistake,)
    assert view_of(Cluster(controllers=(follower,)), now=1).leadership == Leadership(is_known=True)
    assert view_of(Cluster(), now=1).leadership == Leadership(is_known=True)  # no controller runs


def test_a_controller_that_runs_and_does_not_answer_may_lead() -> None:
    running = replace(pod(NODE1), name="bareway-controller-1", component="controller")
    assert view_of(Cluster(pods=(running,)), now=1).leadership == Leadership()
    ended = replace(running, running=False)
    assert view_of(Cluster(pods=(ended,)), now=1).leadership == Leadership(is_known=True)
    unlisted = Cluster(unknown=(Unknown(subject="our Pods", why="no right"),))
    assert view_of(unlisted, now=1).leadership == Leadership()


def test_a_list_is_told_with_its_generation_and_by_speakers_where_it_could_not_be_read() -> None:
    def told(view: WhyView) -> tuple[tuple[str, ...], int]:
        layer2 = why(view, ON_LINK).addresses[0].layer2
        assert layer2 is not None
        return layer2.listed, layer2.generation

    assert told(replace(healthy(), lists=listed(ON_LINK, NODE3))) == ((NODE3,), 5)
    assert told(replace(healthy(), lists=WhyView().lists)) == (NODES, 0)


def test_what_was_told_completes_a_chain_and_nobody_is_not_completed() -> None:
    chain = why(replace(healthy(), speakers={}, pods=None), ON_LINK)
    assert chain.outcome is Outcome.UNKNOWN
    found = completed(chain, Hearsay(speakers=healthy().speakers))
    assert (found.outcome, found.sentence) == (Outcome.SERVED, why(healthy(), ON_LINK).sentence)
    assert completed(found, Hearsay(pods={})) == found  # who tells nothing takes back nothing
    nobody = why_text(healthy(), "nobody")
    assert completed(nobody, Hearsay(speakers=healthy().speakers)) == nobody


def test_an_older_speaker_that_does_not_tell_of_links_is_not_suspected() -> None:
    found = why(told_of(healthy(), ON_LINK, on_link=None), ON_LINK)
    assert (found.findings, found.sentence) == ((), "Node node1 answers for 192.0.2.10 of shop/web.")
