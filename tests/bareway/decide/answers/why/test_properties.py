"""Whatever is known of a cluster, or is not: one sentence, with the words of those who decide."""

import json
import re
from random import Random

from hypothesis import given

from bareway.decide.allocation.verdicts import Granted, Refused
from bareway.decide.announcement.announcers import AnnouncerView, announcers, own_refusal
from bareway.decide.announcement.leaving import leaving_reason
from bareway.decide.answers.why.answer import completed, page_of, why
from bareway.decide.answers.why.chain import Outcome, Why
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import WhyView
from bareway.model.answers import Gravity
from bareway.model.names import IPAddress, ServiceKey
from bareway.resources.said import read_said
from support.asked_anything import ANY_ADDRESS, draw_asked, without_words
from support.tenancies import NAMES, rngs


def _about(rng: Random) -> ServiceKey | IPAddress:
    return rng.choice((*NAMES, *ANY_ADDRESS))


@given(rngs())
def test_it_ends_with_one_sentence_and_the_first_finding_is_the_reason(rng: Random) -> None:
    found = why(draw_asked(rng), _about(rng))
    assert re.fullmatch(r"[A-Z0-9][^\n]*\.", found.sentence)
    grave = [one for one in found.findings if one.gravity is not Gravity.ODD]
    if grave:
        assert (found.outcome, found.word) == (Outcome.WRONG, found.findings[0].word)
        ranks = [tuple(Gravity).index(one.gravity) for one in found.findings]
        assert ranks == sorted(ranks)
    assert all(one.evidence.endswith(".") and one.remedy for one in found.findings)


@given(rngs())
def test_what_a_service_is_given_is_what_allocate_gives_it(rng: Random) -> None:
    view = draw_asked(rng)
    decided = view.decided()
    for key in (view.services or {}) if decided is not None else {}:
        (answer,) = why(view, key).services
        verdict = decided.verdicts.get(key) if decided is not None else None
        assert answer.is_ours == answer.is_decided == (verdict is not None)
        match verdict:
            case Granted():
                assert (answer.granted, answer.word) == (tuple(map(str, verdict.addresses)), "")
                assert {pool.name for pool in answer.pools if pool.gives} == set(verdict.pools)
            case Refused():
                assert (answer.granted, answer.word) == ((), verdict.reason.word)
                assert all(pool.word and pool.sentence for pool in answer.pools)
            case None:
                assert (answer.granted, answer.word, answer.pools) == ((), "", ())


@given(rngs())
def test_which_nodes_may_announce_is_what_announcers_says(rng: Random) -> None:
    view = without_words(draw_asked(rng))
    if view.services is None or view.configuration is None or view.nodes is None:
        return
    decided = announcers(
        AnnouncerView(
            configuration=view.configuration,
            services=view.services.values(),
            slices=view.slices,
            nodes=view.nodes,
        )
    )
    for group in decided.groups.values():
        for address in group.addresses:
            (answer,) = why(view, address).addresses
            assert answer.layer2 is not None
            assert answer.layer2.word == ""
            assert answer.layer2.together[0] == str(group.key)
            assert {row.node: row.word for row in answer.layer2.nodes} == {
                one.name: own_refusal(one, view.nodes)
                or group.why_not(one.name)
                or leaving_reason(one, view.configuration.layer2.on_cordon)
                or ""
                for one in view.nodes
            }


@given(rngs())
def test_a_service_that_nobody_is_to_announce_has_the_word_of_announcers(rng: Random) -> None:
    view = without_words(draw_asked(rng))
    if view.services is None or view.configuration is None:
        return
    decided = announcers(
        AnnouncerView(
            configuration=view.configuration,
            services=view.services.values(),
            slices=view.slices,
            nodes=view.nodes or (),
        )
    )
    announced = {address for group in decided.groups.values() for address in group.addresses}
    for key, refusal in decided.withheld.items():
        links = [one for one in why(view, key).addresses if one.layer2 is not None and one.layer2.word]
        for one in links:
            assert one.layer2 is not None
            others = [decided.withheld.get(ServiceKey(*name.split("/"))) for name in one.services]
            assert one.layer2.word in (refusal, *others)
            assert one.address not in map(str, announced)


@given(rngs())
def test_laying_the_same_words_over_it_again_changes_nothing(rng: Random) -> None:
    view = draw_asked(rng)
    found = why(view, _about(rng))
    assert completed(found, _hearsay(view)) == found


@given(rngs())
def test_what_is_known_in_two_places_makes_the_same_chain_put_together(rng: Random) -> None:
    view, about = draw_asked(rng), _about(rng)
    if view.services is None or view.configuration is None:
        return  # then the speakers' words are the plan as well
    alone = why(without_words(view), about)
    there = read_said(Why, json.loads(json.dumps(page_of(alone))))
    together = completed(there, _hearsay(view))
    assert page_of(together) == page_of(why(view, about))


def _hearsay(view: WhyView) -> Hearsay:
    return Hearsay(speakers=view.speakers, witnesses=view.witnesses, pods=view.pods, unknown=view.unknown)
