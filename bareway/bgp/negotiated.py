"""What both ends of a session agreed on by their OPEN messages: how to write, read and time what follows."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, TypeVar

from bareway.bgp.capabilities import (
    Capability,
    ExtendedNextHop,
    MultiProtocol,
    RefreshCapability,
    RestartCapability,
)
from bareway.bgp.messages import Open
from bareway.bgp.prefixes import AFI_IPV6, IPV4, Family

MESSAGE_MAX: Final = 4096  # RFC 4271 section 4.1; RFC 8654 would raise it here
KEEPALIVES_PER_HOLD: Final = 3  # RFC 4271 section 4.4
Kind = TypeVar("Kind", bound=Capability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """Before both OPEN are there: what every BGP speaker can do."""

    has_four_octet_as: bool = True
    """Both write AS numbers in four bytes."""
    is_internal: bool = False
    """Both are of one AS."""
    families: frozenset[Family] = frozenset({IPV4})
    has_extended_next_hop: bool = False
    """IPv4 routes may have an IPv6 next hop (RFC 8950)."""
    can_refresh: bool = False
    restart: RestartCapability | None = None
    """The peer's, where both offered graceful restart."""
    has_notification: bool = False
    """Both set the N bit: only a Hard Reset ends what is kept (RFC 8538)."""
    hold_time_s: int = 0
    """0 = for ever."""
    keepalive_s: float = 0.0
    peer_asn: int = 0
    peer_id: IPv4Address = IPv4Address(0)  # noqa: RUF009 - frozen
    message_max: int = MESSAGE_MAX


def negotiate(ours: Open, theirs: Open, *, keepalive_time_s: int | None = None) -> Negotiated:
    """What holds once ``theirs`` has answered ``ours`` (RFC 4271 section 4.2, RFC 5492 section 3)."""
    hold_s = min(ours.hold_time_s, theirs.hold_time_s)
    keepalive_s = hold_s / KEEPALIVES_PER_HOLD
    if keepalive_time_s:
        keepalive_s = min(keepalive_s, keepalive_time_s)
    restart, our_restart = _restart(theirs), _restart(ours)
    both = restart is not None and our_restart is not None
    return Negotiated(
        has_four_octet_as=ours.has_four_octet_as and theirs.has_four_octet_as,
        is_internal=ours.asn == theirs.asn,
        families=families(ours) & families(theirs),
        has_extended_next_hop=_extended(ours) and _extended(theirs),
        can_refresh=_first(theirs, RefreshCapability) is not None,
        restart=restart if both else None,
        has_notification=restart is not None
        and our_restart is not None
        and restart.has_notification
        and our_restart.has_notification,
        hold_time_s=hold_s,
        keepalive_s=keepalive_s,
        peer_asn=theirs.asn,
        peer_id=theirs.router_id,
    )


def families(message: Open) -> frozenset[Family]:
    """Families that an OPEN offers; one that names none means IPv4 (RFC 4760 section 8)."""
    named = [one.family for one in message.capabilities if isinstance(one, MultiProtocol)]
    return frozenset(named or [IPV4])


def _first(message: Open, kind: type[Kind]) -> Kind | None:
    return next((one for one in message.capabilities if isinstance(one, kind)), None)


def _restart(message: Open) -> RestartCapability | None:
    """The last of several counts (RFC 4724 section 3)."""
    found = [one for one in message.capabilities if isinstance(one, RestartCapability)]
    return found[-1] if found else None


def _extended(message: Open) -> bool:
    return any(
        (IPV4, AFI_IPV6) in one.entries for one in message.capabilities if isinstance(one, ExtendedNextHop)
    )
