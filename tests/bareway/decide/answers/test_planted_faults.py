"""Every fault that ``bareway doctor`` knows, planted alone in a healthy cluster: told first, with a remedy.

``cure`` is what the remedy says, done to the faulty cluster; it is not the healthy one put back.
"""

import pytest

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.diagnosis import diagnose
from support.faults_around import AROUND
from support.faults_within import WITHIN
from support.patients import healthy
from support.planting import Planted

PLANTED = AROUND | WITHIN

each_fault = pytest.mark.parametrize("fault", PLANTED.values(), ids=PLANTED.keys())


def test_a_healthy_cluster_gets_no_finding() -> None:
    assert diagnose(healthy()).findings == ()


@each_fault
def test_a_planted_fault_is_named_first_with_its_subject(fault: Planted) -> None:
    first = diagnose(fault.plant(healthy())).findings[0]
    assert (first.word, first.subject) == (fault.word, fault.subject)


@each_fault
def test_every_finding_tells_evidence_consequence_and_remedy_as_sentences(fault: Planted) -> None:
    for one in diagnose(fault.plant(healthy())).findings:
        assert all((one.word, one.subject, one.evidence, one.consequence, one.remedy))
        assert one.evidence[0].isupper() or one.evidence[0].isdigit()
        assert one.consequence.endswith(".")


@each_fault
def test_what_the_remedy_says_cures(fault: Planted) -> None:
    assert diagnose(fault.cure(fault.plant(healthy()))).findings == ()


def test_every_word_of_the_doctor_is_planted() -> None:
    assert {one.word for one in PLANTED.values()} >= set(Ailment)
