"""What each word for another station that answers for our addresses means to users, and what to do.

One table for ``bareway doctor`` and ``bareway why``: they look at the same link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bareway.gossip.findings import LASTS_S, REPEAT_S, FindingWord
from bareway.model.answers import Gravity


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Of one word; ``{who}``, ``{address}`` and ``{mac}`` stand for those of the case."""

    gravity: Gravity
    evidence: str
    consequence: str
    remedy: str

    @property
    def told_remedy(self) -> str:
        """As it is told of what a speaker found: who follows it and asks at once is not to doubt it."""
        return f"{self.remedy} {LASTS}"


LASTS: Final = f"After that it is told for up to {REPEAT_S + LASTS_S:g} s more."
"""Until the speaker that found it has asked the link again."""
STRANGERS: Final[Mapping[str, Stranger]] = {
    FindingWord.ADDRESS_IN_USE: Stranger(
        gravity=Gravity.BROKEN,
        evidence="{who} answers for {address} too",
        consequence="Some clients reach that station instead of the Service, by chance.",
        remedy="Find the station with MAC {mac} and give it another address, or take {address} out of the"
        " pool.",
    ),
    FindingWord.STRICT_ARP_MISSING: Stranger(
        gravity=Gravity.BROKEN,
        evidence="The kernel of {who} answers ARP for addresses that others announce",
        consequence="Clients reach {address} by that node, whoever announces it; a failover changes nothing"
        " for them.",
        remedy="Set ipvs.strictARP: true (kubectl -n kube-system edit configmap kube-proxy) and start"
        " kube-proxy anew: kubectl -n kube-system rollout restart daemonset kube-proxy (k3s and RKE2:"
        " kube-proxy-arg ipvs-strict-arp=true).",
    ),
    FindingWord.PROXY_ARP_SUSPECTED: Stranger(
        gravity=Gravity.BROKEN,
        evidence="{who} answers for many addresses, as proxy ARP does",
        consequence="Some clients send to that station what is meant for {address}.",
        remedy="Switch proxy ARP off at the station with MAC {mac}, at least on this link.",
    ),
    FindingWord.DOUBLE_ANNOUNCER: Stranger(
        gravity=Gravity.BROKEN,
        evidence="{who} announces {address} too, without gossip between the two",
        consequence="Clients change from one to the other, and connections break.",
        remedy="Open TCP port 7947 between the nodes, in both directions: bareway members.",
    ),
}
