"""What a packet from the wire means for the addresses we announce: a question, a sighting, or why neither.

Pure judgement on one packet (RFC 826, RFC 4861 section 7.2; conflicts as in RFC 5227 section 2.4 and RFC 4862
section 5.4.4). Whether we may answer, and what to do about a conflict, is decided elsewhere: here it is seen.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, TypeAlias

from bareway.layer2 import arp, ndp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import BROADCAST, ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.ndp import Advertisement, Solicitation
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

Packet: TypeAlias = ArpPacket | Solicitation | Advertisement

ETHERTYPES: Final = {4: ETHERTYPE_ARP, 6: ETHERTYPE_IPV6}
"""What carries the questions for addresses of a version of IP."""
DECODE: Final[Mapping[int, Callable[[bytes], Packet]]] = {
    ETHERTYPE_ARP: arp.decode,
    ETHERTYPE_IPV6: ndp.decode,
}
GROUP_BIT: Final = 0x01
"""Of a MAC's first byte."""


class Question(NamedTuple):
    """Somebody wants to know where an address of ours is."""

    address: IPAddress
    asked: ArpPacket | Solicitation

    @property
    def is_probe(self) -> bool:
        """The asker has no address yet: whatever he is told, he puts it into no cache."""
        return self.asked.is_probe

    def reply(self, *, my_mac: MacAddress, is_sure: bool = True) -> bytes:
        """The frame that answers, to the asker alone; a prober of IPv6 has no address, so everybody hears it.

        They are then told to believe it only if we are ``is_sure`` that nobody else has the address.
        """
        if isinstance(self.asked, ArpPacket):
            return arp.reply(self.asked, my_mac=my_mac)
        return ndp.reply(self.asked, my_mac=my_mac, override=is_sure)


class Sighting(NamedTuple):
    """Another station says that an address which we announce is its own."""

    address: IPAddress
    mac: MacAddress
    is_solicited: bool
    """It answered a question or made use of the address; otherwise it told everybody."""


def question(
    packet: Packet, *, my_mac: MacAddress, announced: Collection[IPAddress]
) -> Question | DropReason:
    """Whether the packet, heard on the link whose MAC is ``my_mac``, asks for one of our addresses.

    A probe (sender 0.0.0.0 or ::) is answered like any request: that is how its sender learns that the
    address is taken.
    """
    if isinstance(packet, Advertisement):
        return DropReason.NOT_A_REQUEST
    reason = _arp_refusal(packet, my_mac) if isinstance(packet, ArpPacket) else _ndp_refusal(packet, my_mac)
    if reason is not None:
        return reason
    if packet.target not in announced:
        return DropReason.NOT_ANNOUNCED
    return Question(packet.target, packet)


def sighting(
    packet: Packet, *, own_macs: Collection[MacAddress], announced: Collection[IPAddress]
) -> Sighting | None:
    """Whether ``packet`` claims one of our addresses for a MAC that is none of ours.

    ``own_macs`` are those of all our links: two of them on one network hear each other.
    """
    claim = claimed(packet)
    if claim.address not in announced or claim.mac in own_macs or not claim.mac.is_host:
        return None
    return claim


def claimed(packet: Packet) -> Sighting:
    """Which address the packet's sender has, by its own words; a probe's is 0.0.0.0 or ::."""
    match packet:
        case ArpPacket():
            return Sighting(packet.sender, packet.sender_mac, not packet.is_gratuitous)
        case Solicitation():
            return Sighting(packet.source, packet.link_address or packet.frame_source, is_solicited=True)
        case Advertisement():
            return Sighting(packet.target, packet.mac, packet.is_solicited)


def _arp_refusal(packet: ArpPacket, my_mac: MacAddress) -> DropReason | None:
    if packet.destination not in (BROADCAST, my_mac):
        return DropReason.NOT_FOR_US
    if packet.operation is not Operation.REQUEST:
        return DropReason.NOT_A_REQUEST
    if packet.is_gratuitous:
        return DropReason.GRATUITOUS
    if not packet.sender_mac.is_host or packet.sender_mac == my_mac:
        return DropReason.BAD_SENDER
    return None


def _ndp_refusal(packet: Solicitation, my_mac: MacAddress) -> DropReason | None:
    if packet.frame_destination != my_mac and not packet.frame_destination[0] & GROUP_BIT:
        return DropReason.NOT_FOR_US
    if packet.destination != packet.target and not packet.is_to_group:
        return DropReason.NOT_FOR_US
    asker = packet.link_address or packet.frame_source
    if not asker.is_host or asker == my_mac or packet.source.is_multicast:
        return DropReason.BAD_SENDER
    return None
