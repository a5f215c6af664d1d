"""Who else answers for our addresses: what speakers found on their links."""

from collections.abc import Iterator, Mapping
from typing import Final

from bareway.decide.answers.checks.view import DoctorView
from bareway.gossip.findings import FindingWord
from bareway.model.answers import Finding, Gravity
from bareway.model.status import FindingStatus

CONSEQUENCES: Final[Mapping[str, str]] = {
    FindingWord.ADDRESS_IN_USE: "Some clients reach that station instead of the Service, by chance.",
    FindingWord.STRICT_ARP_MISSING: "Clients reach that node's kernel, whoever announces; a failover changes"
    " nothing for them.",
    FindingWord.PROXY_ARP_SUSPECTED: "Clients may reach that station for every address of ours.",
    FindingWord.DOUBLE_ANNOUNCER: "Clients reach one or the other, and connections break where that changes.",
}
REMEDIES: Final[Mapping[str, str]] = {
    FindingWord.ADDRESS_IN_USE: "Take the address away from the station with this MAC, or out of the pool.",
    FindingWord.STRICT_ARP_MISSING: "Set strictARP: true in kube-proxy's configuration (kubectl -n"
    " kube-system"
    " edit configmap kube-proxy), then kubectl -n kube-system rollout restart daemonset kube-proxy",
    FindingWord.PROXY_ARP_SUSPECTED: "Switch proxy ARP off on that station, at least on this link.",
    FindingWord.DOUBLE_ANNOUNCER: "Let the two nodes reach each other's gossip port (TCP 7947).",
}
ELSE_CONSEQUENCE: Final = "Clients may reach the wrong station."
ELSE_REMEDY: Final = "See what the station with this MAC is, and take the address away from it."


def check(view: DoctorView) -> Iterator[Finding]:
    """Each station and word once, with one of its addresses; several speakers see the same."""
    found: dict[tuple[str, str], list[tuple[str, FindingStatus]]] = {}
    for name, speaker in sorted(view.cluster.speakers.items()):
        for one in speaker.findings:
            found.setdefault((one.reason, one.mac), []).append((name, one))
    for (word, mac), sightings in sorted(found.items()):
        by, first = sightings[0]
        addresses = sorted({one.address for _, one in sightings}, key=lambda it: (it.version, int(it)))
        more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        who = f"node {first.node} ({mac})" if first.node else f"a station that is no node of ours ({mac})"
        yield Finding(
            word=word,
            gravity=Gravity.BROKEN,
            subject=str(addresses[0]),
            evidence=f"As the speaker on {by} sees it, {who} answers for {addresses[0]}{more}.",
            consequence=CONSEQUENCES.get(word, ELSE_CONSEQUENCE),
            remedy=REMEDIES.get(word, ELSE_REMEDY),
        )
