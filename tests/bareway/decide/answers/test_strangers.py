"""``doctor`` and ``why`` say the same of a station that answers for an address of ours."""

from dataclasses import replace

import pytest

from bareway.decide.answers.checks import strangers
from bareway.decide.answers.reasons.registry import find
from bareway.decide.answers.strangers import LASTS, STRANGERS
from bareway.decide.answers.why.chain import AddressAnswer, Layer2Answer, StrangerAnswer
from bareway.decide.answers.why.faults import of_link
from bareway.gossip.findings import FindingWord
from bareway.model.status import FindingStatus
from speaker.findings import OVER_AFTER_S
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
    assert "{" not in told_by_why.consequence + told_by_why.remedy + told_by_why.evidence


def test_who_takes_the_address_away_there_is_told_how_long_speakers_keep_what_they_found() -> None:
    assert f"told for up to {OVER_AFTER_S:g} s more" in STRANGERS[FindingWord.ADDRESS_IN_USE].remedy
    (explained,) = find("AddressInUse")
    assert LASTS in explained.explanation.remedy
