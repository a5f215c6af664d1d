"""What a program's status tells that somebody should look at: sentences, each with what it is about."""

from bareway.bgp.fsm import State
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.members import TROUBLED
from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.problems import Severity
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    ControllerStatus,
    PeerStatus,
    SpeakerStatus,
)

ELSEWHERE = frozenset(
    {
        Refusal.NO_LOCAL_ENDPOINTS,
        Refusal.NO_MATCHING_ADVERTISEMENT,
        Refusal.NODE_NETWORK_UNAVAILABLE,
        Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
    }
)
"""Why this node does not announce an address by BGP that others do."""
UP = State.ESTABLISHED.name.capitalize()


def wrong_in_controller(status: ControllerStatus) -> tuple[str, ...]:
    """Everything wrong in what a controller says, in a stable order."""
    return (
        *_wrong_anywhere(
            "controller", status.not_ready, status.configuration, api_connected=status.api_connected
        ),
        *(f"Service {one.service} waits: {one.reason}: {one.message}" for one in status.waiting),
    )


def wrong_in_speaker(status: SpeakerStatus) -> tuple[str, ...]:
    """Everything wrong in what a speaker says, in a stable order."""
    name = f"speaker on {status.node}"
    unannounced = (one for one in status.addresses if one.announced_by is None and not _is_elsewhere(one))
    return (
        *_wrong_anywhere(name, status.not_ready, status.configuration, api_connected=status.api_connected),
        *(f"{name}: member {one.name} is {one.state}" for one in status.members if one.state in TROUBLED),
        *(f"{name}: nobody announces {one.address}: {one.reason or 'no claim'}" for one in unannounced),
        *(
            f"{name}: {one.reason}: {one.node or 'a stranger'} ({one.mac}) answers for {one.address}"
            for one in status.findings
        ),
        *wrong_in_peers(status),
    )


def wrong_in_peers(status: SpeakerStatus) -> tuple[str, ...]:
    """What a speaker says of its routers that somebody should look at; while it leaves, sessions may end."""
    name = f"speaker on {status.node}"
    return (
        *(f"{name}: {one}" for one in status.bgp_problems),
        *(
            f"{name}: session with {one.name} ({one.address}): {why}"
            for one in status.peers
            if not status.leaving and (why := _why_not_up(one))
        ),
        *(
            f"{name}: {one.held_back} routes cannot be told to {one.name} ({one.address})"
            for one in status.peers
            if one.held_back
        ),
    )


def _why_not_up(peer: PeerStatus) -> str:
    if peer.reason == SessionRefusal.NODE_NOT_SELECTED or peer.state == UP:
        return ""
    details = (peer.reason, peer.state, peer.trouble, peer.last_received and f"received {peer.last_received}")
    return "; ".join(detail for detail in details if detail)


def _is_elsewhere(address: AddressStatus) -> bool:
    return address.protocol == "bgp" and address.reason in ELSEWHERE


def _wrong_anywhere(
    name: str, not_ready: tuple[str, ...], configuration: ConfigurationStatus, *, api_connected: bool
) -> tuple[str, ...]:
    return (
        *(f"{name}: not ready: {sentence}" for sentence in not_ready),
        *(() if api_connected else (f"{name}: the API server does not answer",)),
        *(
            f"{name}: configuration: {one}"
            for one in configuration.problems
            if one.severity is Severity.ERROR
        ),
    )
