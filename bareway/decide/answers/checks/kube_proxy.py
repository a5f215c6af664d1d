"""kube-proxy in IPVS mode without strictARP: the kernel of every node answers for every Service's address.

Told by its configuration, which can be read before anything is installed, and by the kernel of each node:
kube-proxy reads its configuration at its start only.
"""

from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.strangers import STRANGERS
from bareway.gossip.findings import FindingWord
from bareway.model.answers import Finding

IPVS: Final = "ipvs"
IPVS_LINK: Final = "kube-ipvs0"
"""Holds the address of every Service, on every node; kube-proxy makes it in this mode alone."""
MEANING: Final = STRANGERS[FindingWord.STRICT_ARP_MISSING]
CONSEQUENCE: Final = (
    "Every node answers ARP for every address, whoever announces it: clients reach any of them,"
    " and a failover changes nothing for them."
)


def check(view: DoctorView) -> Iterator[Finding]:
    """By the configuration; where that is well, by the kernels."""
    if not view.needs_layer2:
        return
    loose = [
        one for one in view.surroundings.kube_proxies if one.mode.casefold() == IPVS and not one.strict_arp
    ]
    for proxy in loose:
        yield _finding(
            f"kube-proxy ({proxy.source})",
            "It works in IPVS mode, and strictARP is not true.",
        )
    if not loose:
        yield from _by_kernels(view)


def _by_kernels(view: DoctorView) -> Iterator[Finding]:
    for name, facts in sorted(view.surroundings.nodes.items()):
        if not any(link.name == IPVS_LINK for link in facts.links):
            continue
        answering = [
            link.name
            for link in facts.links
            if link.is_up and link.is_ethernet and link.subnets and not link.arp_ignore
            if link.name != IPVS_LINK
        ]
        if answering:
            yield _finding(
                f"node {name}",
                f"It has {IPVS_LINK}, and arp_ignore is 0 on {', '.join(answering)}.",
            )


def _finding(subject: str, evidence: str) -> Finding:
    return Finding(
        word=FindingWord.STRICT_ARP_MISSING,
        gravity=MEANING.gravity,
        subject=subject,
        evidence=evidence,
        consequence=CONSEQUENCE,
        remedy=MEANING.remedy,
    )
