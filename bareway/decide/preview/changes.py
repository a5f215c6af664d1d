"""What differs between two previews of one cluster: Services, announcers and BGP sessions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bareway.decide.preview.preview import PlannedAddress, PlannedService, Preview
from bareway.decide.preview.routes import Session
from bareway.model.configuration import Peer
from bareway.model.names import IPAddress, NodeName

_Place: TypeAlias = tuple[IPAddress, int, NodeName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All of it as it will be; what goes away stands under its word."""

    services: tuple[PlannedService, ...] = ()
    announcers: tuple[PlannedAddress, ...] = ()
    """Also those that nobody announces any more, without nodes."""
    reset: tuple[Session, ...] = ()
    """Sessions that must be opened anew, since what they negotiate changes."""
    opened: tuple[Session, ...] = ()
    gone: tuple[Session, ...] = ()


def changes(before: Preview, after: Preview) -> Changes:
    """What ``after`` does that ``before`` does not."""
    services = {one.service: one for one in before.services}
    addresses = {one.address: one for one in before.announcers}
    now = {one.address for one in after.announcers}
    lost = (replace(one, nodes=(), reasons={}) for one in before.announcers if one.address not in now)
    present, future = _by_place(before.sessions), _by_place(after.sessions)
    return Changes(
        services=tuple(one for one in after.services if services.get(one.service) != one),
        announcers=(
            *(one for one in after.announcers if addresses.get(one.address) != one),
            *lost,
        ),
        reset=tuple(
            session
            for place, session in future.items()
            if place in present and _negotiated(present[place].peer) != _negotiated(session.peer)
        ),
        opened=tuple(session for place, session in future.items() if place not in present),
        gone=tuple(session for place, session in present.items() if place not in future),
    )


def _by_place(sessions: Iterable[Session]) -> dict[_Place, Session]:
    return {(one.peer.address, one.peer.port, one.node): one for one in sessions}


def _negotiated(peer: Peer) -> Peer:
    """Without what changes no session: its name, and from which nodes it is opened."""
    return replace(peer, name="", node_selectors=())
