"""OPEN: what we say of ourselves, whether the peer is the right one, and which of two connections stays.

RFC 4271 sections 4.2, 6.2 and 6.8; RFC 6286 for identifiers, RFC 5492 for capabilities.
"""

from typing import Final

from bareway.bgp.capabilities import (
    Capability,
    ExtendedNextHop,
    FourOctetAs,
    MultiProtocol,
    RefreshCapability,
    RestartCapability,
    encode_value,
)
from bareway.bgp.errors import Code, Fault, OpenError
from bareway.bgp.messages import Open
from bareway.bgp.negotiated import families
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import AFI_IPV6, IPV4

IPV4_BY_IPV6: Final = ExtendedNextHop(((IPV4, AFI_IPV6),))


def our_open(
    settings: PeerSettings, *, is_restart: bool, is_over_ipv6: bool, has_capabilities: bool = True
) -> Open:
    """The message that opens a session; without capabilities for a peer that refused them (2/4)."""
    capabilities: list[Capability] = [MultiProtocol(family) for family in settings.families]
    capabilities.append(RefreshCapability())
    if is_over_ipv6 and IPV4 in settings.families:
        capabilities.append(IPV4_BY_IPV6)
    if settings.graceful_restart:
        restart = RestartCapability(
            restart_time_s=settings.restart_time_s,
            is_restarted=is_restart,
            has_notification=settings.notification_support,
            # F: the kernel and the container network forward while a speaker restarts
            families=tuple((family, True) for family in settings.families),
        )
        capabilities.append(restart)
    capabilities.append(FourOctetAs(settings.local_asn))
    return Open(
        asn=settings.local_asn,
        hold_time_s=settings.hold_time_s,
        router_id=settings.router_id,
        capabilities=tuple(capabilities) if has_capabilities else (),
    )


def objection(ours: Open, theirs: Open, settings: PeerSettings) -> Fault | None:
    """Why ``theirs`` is not what was expected."""
    if not settings.takes(theirs.asn):
        return Fault(code=Code.OPEN, subcode=OpenError.BAD_PEER_AS)
    if theirs.asn == ours.asn and theirs.router_id == ours.router_id:  # RFC 6286 section 2.1
        return Fault(code=Code.OPEN, subcode=OpenError.BAD_IDENTIFIER)
    if not families(ours) & families(theirs):
        needed = (encode_value(MultiProtocol(family)) for family in sorted(families(ours)))
        data = b"".join(bytes((code, len(value))) + value for code, value in needed)
        return Fault(code=Code.OPEN, subcode=OpenError.UNSUPPORTED_CAPABILITY, data=data)
    return None


def ours_stays(ours: Open, theirs: Open) -> bool:
    """Of two connections that cross, whether the one that we opened stays (RFC 4271 section 6.8).

    The greater identifier wins; of equal ones the greater AS number (RFC 6286 section 2.3).
    """
    return (int(ours.router_id), ours.asn) > (int(theirs.router_id), theirs.asn)
