"""All checks of ``bareway doctor`` together: causes before what follows from them, and not without end."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bareway.decide.answers.checks.registry import CHECKS
from bareway.decide.answers.checks.view import DoctorView
from bareway.model.answers import Finding, Gravity
from bareway.model.cluster import Unknown

ALIKE_MAX: Final = 20
"""Findings of one word that are told; of 5,000 Services that wait for the same thing the first few say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found, what was not found out, and what is merely so."""

    is_installed: bool | None
    facts: tuple[str, ...] = ()
    """Sentences that judge nothing."""
    findings: tuple[Finding, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def diagnose(view: DoctorView) -> Diagnosis:
    """Everything that the checks find, the gravest first; among equals causes before what follows."""
    rank = {gravity: number for number, gravity in enumerate(Gravity)}
    found = [one for check in CHECKS for one in check(view)]
    found = list(dict.fromkeys(found))
    found.sort(
        key=lambda one: rank[one.gravity]
    )  # stable: the order of CHECKS, and within it the check's own
    unknown = (*view.cluster.unknown, *view.surroundings.unknown)
    return Diagnosis(
        is_installed=view.is_installed,
        facts=_facts(view),
        findings=_not_without_end(found),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _not_without_end(found: list[Finding]) -> tuple[Finding, ...]:
    """At most ALIKE_MAX of a word; the last of them says how many more there are."""
    counts = Counter(one.word for one in found)
    told: Counter[str] = Counter()
    kept: list[Finding] = []
    for one in found:
        told[one.word] += 1
        more = counts[one.word] - ALIKE_MAX
        if told[one.word] == ALIKE_MAX and more > 0:
            kept.append(replace(one, evidence=f"{one.evidence} There are {more} more with this word."))
        elif told[one.word] <= ALIKE_MAX:
            kept.append(one)
    return tuple(kept)


def _facts(view: DoctorView) -> tuple[str, ...]:
    cluster = view.cluster
    facts: list[str] = []
    if view.surroundings.kubernetes:
        facts.append(f"Kubernetes {view.surroundings.kubernetes}")
    if cluster.nodes:
        facts.append(f"{len(cluster.nodes)} Node{'s' * (len(cluster.nodes) > 1)}")
    match view.is_installed:
        case False:
            facts.append(f"Bareway is not installed yet in namespace {view.surroundings.namespace}")
        case True:
            facts.append(f"{' and '.join(_answered(view))} answered")
        case None:
            facts.append("whether Bareway is installed could not be found out")
    return tuple(facts)


def _answered(view: DoctorView) -> Iterator[str]:
    """Of both programs, where there are any; on a node there may be one alone."""
    cluster = view.cluster
    for component, told in (("controller", len(cluster.controllers)), ("speaker", len(cluster.speakers))):
        there = max(told, sum(pod.component == component for pod in cluster.pods))
        if there:
            yield f"{told} of {there} {component}s"
