"""``doctor`` and ``why`` say the same of a station that answers for an address of ours."""

from dataclasses import replace

import pytest

from bareway.decide.answers.checks import strangers
from bareway.decide.answers.reasons.registry import find
from bareway.decide.answers.strangers import STRANGERS
from bareway.decide.answers.why.chain import AddressAnswer, Layer2Answer, StrangerAnswer
from bareway.decide.answers.why.faults import of_link
from bareway.gossip.findings import KEPT_S, LASTS_S, REPEAT_S, FindingWord
from bareway.model.status import FindingStatus
from support.patients import ADDRESS, healthy, with_speaker
from support.planting import NODE1, NODE2

MAC = "02:00:00:00:00:99"


def test_every_word_for_a_stranger_is_in_the_table() -> None:
    assert set(STRANGERS) == set(FindingWord)


@pytest.mark.parametrize("word", FindingWord)
def test_doctor_and_why_tell_it_alike(word: FindingWord) -> None:
    found = FindingStatus(address=ADDRESS, reason=word, mac=MAC, node=NODE2)
    (told_by_doctor,) = strangers.check(with_speaker(healthy(), NODE1, findings=(found,)))
    link = Layer2Answer(holder=NODE1, strangers=(StrangerAnswer(word=word, mac=MAC, node=NODE2),))
    (told_by_why,) = of_link(AddressAnswer(address=str(ADDRESS)), link)
    assert replace(told_by_why, evidence="") == replace(told_by_doctor, evidence="")
    assert told_by_why.remedy.endswith(f"After that it is told for up to {REPEAT_S + LASTS_S:g} s more.")
    assert "{" not in told_by_why.consequence + told_by_why.remedy + told_by_why.evidence


def test_who_asks_what_the_word_of_a_services_condition_means_is_told_how_long_it_may_stand_there() -> None:
    (explained,) = find("AddressInUse")
    assert explained.explanation.remedy.endswith(f"for up to {REPEAT_S + LASTS_S + KEPT_S:g} s more.")


def test_a_node_that_answers_on_two_interfaces_is_one_station() -> None:
    on_both = tuple(
        FindingStatus(address=ADDRESS, reason=FindingWord.DOUBLE_ANNOUNCER, mac=mac, node=NODE2)
        for mac in (MAC, "02:00:00:00:01:99")
    )
    (told,) = strangers.check(with_speaker(healthy(), NODE1, findings=on_both))
    assert f"node {NODE2} ({MAC})" in told.evidence
    unknown = tuple(replace(one, node=None) for one in on_both)
    assert len(list(strangers.check(with_speaker(healthy(), NODE1, findings=unknown)))) == len(unknown)
