"""Remedies name the things of this installation, and no thing that nobody knows."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.answers.why.answer import why
from bareway.decide.answers.why.chain import Place
from bareway.decide.answers.why.remedies import CONFIG, OURS, REMEDIES, placed, remedy_of
from support.asked import healthy
from support.builders import ips


@pytest.mark.parametrize("word", [word for word, text in REMEDIES.items() if CONFIG in text])
def test_a_configmap_that_nobody_knows_is_said_by_the_flags_that_name_it(word: str) -> None:
    known = placed(remedy_of(word), Place(namespace="lb", config="metallb-system/config"))
    unknown = placed(remedy_of(word), Place(namespace="lb", config=""))
    assert " ConfigMap metallb-system/config" in known
    assert " the ConfigMap that the speakers' --config-namespace and --config name" in unknown


def test_no_stand_in_is_left_in_any_remedy() -> None:
    said = [placed(remedy_of(word), Place()) for word in REMEDIES]
    assert not [text for text in said if OURS in text or CONFIG in text]


def test_the_findings_of_an_answer_name_the_place() -> None:
    outside = ips("203.0.113.1")[0]
    found = why(replace(healthy(), place=Place(namespace="lb", config="")), outside)
    (finding,) = found.findings
    assert finding.word == Refusal.NOT_IN_ANY_POOL
    assert "the ConfigMap that the speakers' --config-namespace" in finding.remedy
