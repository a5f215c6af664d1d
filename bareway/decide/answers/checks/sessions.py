"""BGP: sessions that are down, routes that cannot be told, and what keeps BGP from its work."""

from collections.abc import Iterator, Mapping
from typing import Final

from bareway.bgp.fsm import State
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.answers import Finding, Gravity
from bareway.model.status import PeerStatus

UP: Final = State.ESTABLISHED.name.capitalize()
KEY_REMEDY: Final = (
    "Make a Secret with a field password of 1 to 80 bytes, under the name that password-secret gives, in"
    " Bareway's namespace."
)
REMEDIES: Final[Mapping[str, str]] = {
    SessionRefusal.KEY_MISSING: KEY_REMEDY,
    SessionRefusal.KEY_UNUSABLE: KEY_REMEDY,
}


def check(view: DoctorView) -> Iterator[Finding]:
    """Of every speaker that answered; one that leaves ends its sessions on purpose."""
    for name, speaker in sorted(view.cluster.speakers.items()):
        for problem in speaker.bgp_problems:
            yield Finding(
                word=Ailment.BGP_PROBLEM,
                gravity=Gravity.AT_RISK,
                subject=f"node {name}",
                evidence=f"Its speaker says: {problem}.",
                consequence="Not all that is configured for BGP is done on this node.",
                remedy=problem.hint or "bareway bgp on that node shows its sessions.",
            )
        for peer in speaker.peers if not speaker.leaving else ():
            yield from _of(view, name, peer)


def _of(view: DoctorView, node: str, peer: PeerStatus) -> Iterator[Finding]:
    subject = f"peer {peer.name} ({peer.address}) of node {node}"
    if peer.state != UP and peer.reason != SessionRefusal.NODE_NOT_SELECTED:
        heard = f"it sent {peer.last_received}" if peer.last_received else ""
        details = "; ".join(filter(None, (peer.reason, peer.state, peer.trouble, heard)))
        alone = not any(
            other.state == UP for speaker in view.cluster.speakers.values() for other in speaker.peers
        )
        yield Finding(
            word=peer.reason or Ailment.SESSION_DOWN,
            gravity=Gravity.BROKEN if alone else Gravity.AT_RISK,
            subject=subject,
            evidence=f"The session is not up: {details or 'no state is told'}.",
            consequence="The router has no route by this node from us.",
            remedy=REMEDIES.get(peer.reason)
            or f"See that the router knows this node as a neighbour with the same AS numbers and password,"
            " and"
            f" that TCP port {peer.port} is open between them; bareway bgp shows both sides' words.",
        )
    if peer.held_back:
        yield Finding(
            word=Ailment.ROUTES_HELD_BACK,
            gravity=Gravity.BROKEN,
            subject=subject,
            evidence=f"{peer.held_back} routes cannot be told to it.",
            consequence="These addresses are not reached by this router.",
            remedy="Without a next hop of an IPv6 route's family give the node such an address; with too many"
            " routes aggregate them (aggregation-length).",
        )
