"""Clocks of nodes, by the Leases that their kubelets renew every ten seconds by their own clock.

Bareway measures time by clocks that only run forward, so nothing of it fails by this. What is not seen: a
difference of less than half a minute.
"""

from collections.abc import Iterator
from statistics import median_low
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.model.answers import Finding, Gravity

SKEW_S: Final = 30.0
"""Kubelets renew every 10 s; a Node that misses 40 s is no longer Ready."""


def check(view: DoctorView) -> Iterator[Finding]:
    """Each node against the middle of all."""
    beats = view.surroundings.heartbeats
    if not beats:
        return
    middle = median_low(beats.values())
    for node, beat in sorted(beats.items()):
        if abs(beat - middle) > SKEW_S:
            yield Finding(
                word=Ailment.CLOCK_SKEW,
                gravity=Gravity.ODD,
                subject=f"node {node}",
                evidence=f"By its clock its kubelet was heard {abs(beat - middle):.0f} s"
                f" {'after' if beat > middle else 'before'} those of the other nodes.",
                consequence="Times in Events, logs and bareway history do not match; tokens and"
                " certificates may"
                " count as expired or not valid yet.",
                remedy="Set its clock by NTP: on the node, timedatectl set-ntp true; chronyc tracking shows"
                " the"
                " difference.",
            )
