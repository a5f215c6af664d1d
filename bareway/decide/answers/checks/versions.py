"""Versions: programs of ours that differ, and a Kubernetes that is too old."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity

OLDEST: Final = (1, 21)
"""The first with EndpointSlice v1."""
NUMBERS: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})")


def check(view: DoctorView) -> Iterator[Finding]:
    """What programs say of themselves."""
    yield from _kubernetes(view)
    by_version: defaultdict[str, list[str]] = defaultdict(list)
    for name, speaker in sorted(view.cluster.speakers.items()):
        by_version[speaker.version].append(f"speaker on {name}")
    for controller in view.cluster.controllers:
        by_version[controller.version].append(f"controller {controller.identity}")
    by_version.pop("", None)
    if len(by_version) > 1:
        told = "; ".join(f"{version}: {some(names)}" for version, names in sorted(by_version.items()))
        yield Finding(
            word=Ailment.VERSIONS_DIFFER,
            gravity=Gravity.ODD,
            subject="programs",
            evidence=f"There are several versions: {told}.",
            consequence="Neighbouring versions work together while one replaces the other; it is no state"
            " to stay"
            " in.",
            remedy="Let the roll-out end or repeat it:"
            f" kubectl -n {view.surroundings.namespace} rollout status daemonset bareway-speaker; the same"
            " with"
            " deployment bareway-controller",
        )


def _kubernetes(view: DoctorView) -> Iterator[Finding]:
    found = NUMBERS.match(view.surroundings.kubernetes)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        yield Finding(
            word=Ailment.KUBERNETES_TOO_OLD,
            gravity=Gravity.BROKEN,
            subject="Kubernetes",
            evidence=f"The API server is {view.surroundings.kubernetes}.",
            consequence="It does not serve EndpointSlices as v1; the programs do not start.",
            remedy=f"Upgrade the cluster to v{OLDEST[0]}.{OLDEST[1]} or later.",
        )
