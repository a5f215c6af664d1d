"""Whether exactly one controller leads."""

from collections.abc import Iterator

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity


def check(view: DoctorView) -> Iterator[Finding]:
    """By what the controllers that answered say; one that did not may be the one that leads."""
    controllers = view.cluster.controllers
    leaders = sorted(one.identity for one in controllers if one.leads)
    if len(leaders) > 1:
        yield Finding(
            word=Ailment.TWO_LEADERS,
            gravity=Gravity.BROKEN,
            subject="controllers",
            evidence=f"There are {len(leaders)} that say they lead: {some(leaders)}.",
            consequence="Both write: addresses may be given twice.",
            remedy="Delete one of the two Pods; if it comes again, see the Lease:"
            f" kubectl -n {view.surroundings.namespace} get lease bareway-controller -o yaml",
        )
    answered = {one.identity for one in controllers}
    if controllers and not leaders and all(one.leader in answered | {""} for one in controllers):
        yield Finding(
            word=Ailment.NO_LEADER,
            gravity=Gravity.BROKEN,
            subject="controllers",
            evidence=f"None of {some(sorted(answered))} leads.",
            consequence="No Service gets an address, and announcer lists do not follow.",
            remedy="The logs of the controllers say what keeps them from leading:"
            f" kubectl -n {view.surroundings.namespace} logs -l component=controller --tail=50",
        )
