"""Every fault that ``bareway why`` knows, planted alone in a healthy cluster: named first, with a cure."""

import re
from dataclasses import replace

import pytest

from bareway.decide.answers.why.answer import why
from bareway.decide.answers.why.chain import Outcome, Place
from bareway.model.names import IPAddress, ServiceKey
from support.asked import API, ON_LINK, ROUTED, WEB, Fault, healthy
from support.asked_faults import FAULTS

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
each_question = pytest.mark.parametrize("about", [WEB, API, ON_LINK, ROUTED], ids=str)


@each_question
def test_a_healthy_cluster_gets_no_finding(about: ServiceKey | IPAddress) -> None:
    found = why(healthy(), about)
    assert (found.findings, found.outcome, found.word) == ((), Outcome.SERVED, "")


@each_fault
def test_a_planted_fault_is_named_first(fault: Fault) -> None:
    found = why(fault.plant(healthy()), fault.about)
    assert found.word == fault.word
    assert found.findings[0].word == fault.word
    assert found.outcome is Outcome.WRONG


@each_fault
def test_the_remedy_speaks_of_this_very_case(fault: Fault) -> None:
    assert fault.remedy in why(fault.plant(healthy()), fault.about).findings[0].remedy


@each_fault
def test_what_the_remedy_says_cures(fault: Fault) -> None:
    found = why(fault.cure(fault.plant(healthy())), fault.about)
    assert (found.findings, found.outcome) == ((), Outcome.SERVED)


@each_fault
def test_it_ends_with_exactly_one_sentence(fault: Fault) -> None:
    sentence = why(fault.plant(healthy()), fault.about).sentence
    assert re.fullmatch(r"[A-Z0-9][^\n]*\.", sentence)
    assert ". " not in sentence


@each_fault
def test_every_finding_says_what_was_seen_what_follows_and_what_to_do(fault: Fault) -> None:
    for one in why(fault.plant(healthy()), fault.about).findings:
        assert all((one.word, one.subject, one.evidence, one.consequence, one.remedy))
        assert one.evidence[0].isupper() or one.evidence[0].isdigit()
        assert "{" not in one.remedy.replace('{"spec":{', "")


@each_fault
def test_remedies_name_the_namespace_and_the_configmap_of_this_installation(fault: Fault) -> None:
    at_home = why(fault.plant(healthy()), fault.about).findings
    elsewhere = replace(fault.plant(healthy()), place=Place(namespace="lb", config="net/pools"))
    for here, there in zip(at_home, why(elsewhere, fault.about).findings, strict=True):
        assert "-OF-BAREWAY" not in here.remedy
        told = here.remedy.replace("bareway-system/config", "net/pools")
        assert there.remedy == told.replace("-n bareway-system", "-n lb")
