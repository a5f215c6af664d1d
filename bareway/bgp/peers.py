"""What one session needs to know of itself and its peer, from the configuration.

Some of it only the transport uses: addresses and port, the key of TCP MD5 (RFC 2385), the TTL of RFC 5082.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final

from bareway.bgp.prefixes import IPV4, IPV6, Family
from bareway.model.configuration import DynamicAsn, GracefulRestart, Peer
from bareway.model.names import IPAddress

CONNECT_RETRY_S: Final = 5.0
"""Between two attempts; RFC 4271 section 10 suggests 120 s, in which a node would be without routes."""
RESTART_TIME_S: Final = 120  # as long as pulling an image takes (RFC 4724 section 3)
PREFIX_LIMIT: Final = 200_000  # of a family; above that somebody is mistaken, and the router would suffer


class Change(StrEnum):
    """What new settings do to a session that runs."""

    NONE = "none"
    LIVE = "live"
    """They count from now on."""
    RESET = "reset"
    """They stand in OPEN, or belong to the connection: the session begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """One session, as it shall be."""

    name: str
    address: IPAddress
    local_asn: int
    """Ours towards this peer."""
    peer_asn: int | None
    """None = whatever OPEN says, within `dynamic_asn`."""
    dynamic_asn: DynamicAsn | None = None
    router_id: IPv4Address
    port: int = 179
    source_address: IPAddress | None = None
    is_passive: bool = False
    """Wait for the peer to connect."""
    is_multihop: bool = False
    ttl_security: bool = False
    """Packets leave with a TTL of 255, and come with one (RFC 5082 section 3)."""
    password: bytes = field(default=b"", repr=False)
    """Key of TCP MD5 (RFC 2385 section 2); the transport sets a new one without a reset."""
    hold_time_s: int = 90
    keepalive_time_s: int | None = None
    """None = a third of the hold time that both agree on."""
    connect_retry_s: float = CONNECT_RETRY_S
    families: tuple[Family, ...] = (IPV4, IPV6)
    graceful_restart: bool = False
    restart_time_s: int = RESTART_TIME_S
    notification_support: bool = False
    """The N bit of RFC 8538: a NOTIFICATION then keeps routes at the router, so it is off."""
    bfd_profile: str = ""
    prefix_limit: int = PREFIX_LIMIT

    @classmethod
    def of(cls, peer: Peer, *, router_id: IPv4Address, password: bytes | None = None) -> "PeerSettings":
        """From the entry ``peer``; ``router_id`` where that names none, ``password`` from its Secret."""
        chosen = peer.router_id
        graceful = peer.graceful_restart
        return cls(
            name=peer.name,
            address=peer.address,
            local_asn=peer.local_asn or peer.my_asn,
            peer_asn=None if peer.dynamic_asn is not None else peer.peer_asn,
            dynamic_asn=peer.dynamic_asn,
            router_id=chosen if isinstance(chosen, IPv4Address) else router_id,
            port=peer.port,
            source_address=peer.source_address,
            is_passive=peer.passive,
            is_multihop=peer.ebgp_multihop,
            ttl_security=peer.ttl_security,
            password=peer.password.encode() if password is None else password,
            hold_time_s=peer.hold_time_s,
            keepalive_time_s=peer.keepalive_time_s,
            graceful_restart=graceful is GracefulRestart.ON
            or (graceful is GracefulRestart.AUTO and bool(peer.bfd_profile)),
            bfd_profile=peer.bfd_profile,
        )

    def takes(self, asn: int) -> bool:
        """Whether a peer of AS ``asn`` is the one that is meant."""
        match self.dynamic_asn:
            case DynamicAsn.INTERNAL:
                return asn == self.local_asn
            case DynamicAsn.EXTERNAL:
                return asn != self.local_asn
            case None:
                return asn == self.peer_asn

    def change_to(self, other: "PeerSettings") -> Change:
        """What follows when ``other`` takes the place of these."""
        if self == other:
            return Change.NONE
        return Change.LIVE if _of_the_session(self) == _of_the_session(other) else Change.RESET


def _of_the_session(settings: PeerSettings) -> tuple[object, ...]:
    """What cannot change while a session lasts."""
    return (
        settings.address,
        settings.port,
        settings.source_address,
        settings.local_asn,
        settings.peer_asn,
        settings.dynamic_asn,
        settings.router_id,
        settings.is_multihop,
        settings.ttl_security,
        settings.hold_time_s,
        settings.keepalive_time_s,
        settings.families,
        settings.graceful_restart,
        settings.restart_time_s,
        settings.notification_support,
    )
