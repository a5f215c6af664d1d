"""What a status tells that somebody should look at: sentences, each with what it is about."""

from bareway.gossip.member import MemberState
from bareway.model.problems import Severity
from bareway.model.status import ConfigurationStatus, ControllerStatus, SpeakerStatus

TROUBLED = frozenset({MemberState.SUSPECT, MemberState.DEAD})
"""States of a member that want a look; one that left did so on purpose."""


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
    unannounced = (one for one in status.addresses if one.announced_by is None)
    return (
        *_wrong_anywhere(name, status.not_ready, status.configuration, api_connected=status.api_connected),
        *(f"{name}: member {one.name} is {one.state}" for one in status.members if one.state in TROUBLED),
        *(f"{name}: nobody announces {one.address}: {one.reason or 'no claim'}" for one in unannounced),
        *(
            f"{name}: {one.reason}: {one.node or 'a stranger'} ({one.mac}) answers for {one.address}"
            for one in status.findings
        ),
    )


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
