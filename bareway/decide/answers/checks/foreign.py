"""Another controller that serves the same Services as we do."""

from collections.abc import Iterator

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.model.answers import Finding, Gravity


def check(view: DoctorView) -> Iterator[Finding]:
    """One finding a product: its DaemonSet and its Deployment are one thing to remove."""
    ours = view.cluster.load_balancer_class or None
    seen: set[str] = set()
    for other in view.surroundings.foreign:
        if (other.load_balancer_class or None) != ours or other.product in seen:
            continue
        seen.add(other.product)
        yield Finding(
            word=Ailment.OTHER_CONTROLLER,
            gravity=Gravity.BROKEN,
            subject=other.product,
            evidence=f"There is {other.kind} {other.key}, which serves"
            f" {f'Services of class {ours}' if ours else 'Services without a class'}.",
            consequence="Both give addresses to the same Services and take each other's away;"
            " with MetalLB there, Bareway's controller gives none.",
            remedy=other.remedy
            or f"Remove it, or give each its own class: --lb-class for Bareway, spec.loadBalancerClass in"
            f" Services. Removing it: kubectl -n {other.key.namespace} delete"
            f" {other.kind.casefold()} {other.key.name}",
        )
