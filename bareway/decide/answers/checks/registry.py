"""Every check, in the order in which equals are told."""

from collections.abc import Callable, Iterator
from typing import Final

from bareway.decide.answers.checks import (
    clocks,
    configuration,
    exclusion,
    foreign,
    gossip,
    kube_proxy,
    leading,
    links,
    lists,
    pods,
    pools,
    rights,
    services,
    sessions,
    strangers,
    versions,
)
from bareway.decide.answers.checks.view import DoctorView
from bareway.model.answers import Finding

CHECKS: Final[tuple[Callable[[DoctorView], Iterator[Finding]], ...]] = (
    versions.check,
    foreign.check,
    kube_proxy.check,
    rights.check,
    pods.check,
    leading.check,
    configuration.check,
    gossip.check,
    strangers.check,
    links.check,
    exclusion.check,
    pools.check,
    sessions.check,
    services.check,
    lists.check,
    clocks.check,
)
