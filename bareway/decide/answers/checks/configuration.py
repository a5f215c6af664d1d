"""What the user wrote: mistakes in it, warnings, or nothing at all."""

from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.model.answers import Finding, Gravity
from bareway.model.problems import Problem, Severity
from bareway.model.status import ControllerStatus, SpeakerStatus

IN_FORCE: Final = "bareway-config"


def check(view: DoctorView) -> Iterator[Finding]:
    """The newest document; a controller that leads and the gathering may both tell of it."""
    cluster = view.cluster
    told = (
        *cluster.offered,
        *(problem for controller in cluster.controllers for problem in controller.configuration.problems),
    )
    for problem in dict.fromkeys(told):
        yield _mistake(view, problem)
    statuses: tuple[ControllerStatus | SpeakerStatus, ...] = (
        *cluster.controllers,
        *cluster.speakers.values(),
    )
    known = cluster.configuration is not None or any(one.configuration.generation for one in statuses)
    nothing = not known and view.is_installed and not told
    if nothing and view.knows(f"ConfigMap {view.surroundings.namespace}/{IN_FORCE}"):
        yield Finding(
            word=Ailment.NO_CONFIGURATION,
            gravity=Gravity.BROKEN,
            subject=f"ConfigMap {view.surroundings.namespace}/config",
            evidence="No configuration is in force, and none with a mistake was offered.",
            consequence="No Service gets an address.",
            remedy="Write one, with a range of free addresses: kubectl apply -f"
            " manifests/examples/configuration.yaml",
        )


def _mistake(view: DoctorView, problem: Problem) -> Finding:
    is_error = problem.severity is Severity.ERROR
    in_force = view.cluster.configuration is not None
    consequence = "What is meant may differ from what is done."
    if is_error:
        consequence = "The document is not used; " + (
            "the last good one stays in force."
            if in_force
            else "there is no other, so no Service gets an address."
        )
    return Finding(
        word=Ailment.CONFIGURATION_MISTAKE if is_error else Ailment.CONFIGURATION_WARNING,
        gravity=(Gravity.AT_RISK if in_force else Gravity.BROKEN) if is_error else Gravity.ODD,
        subject=view.cluster.source or f"ConfigMap {view.surroundings.namespace}/config",
        evidence=f"Its document: {problem}",
        consequence=consequence,
        remedy=(problem.hint or "Correct it") + "; bareway lint -f FILE says the same before it is applied.",
    )
