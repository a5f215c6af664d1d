"""What a packet from the wire means for the addresses we announce: a reply, a conflict, or why neither.

Pure judgement on one packet (RFC 826; conflicts as in RFC 5227 section 2.4). What to do about a conflict
is decided elsewhere: here it is only seen.
"""

from collections.abc import Callable, Collection
from ipaddress import IPv4Address
from typing import NamedTuple

from bareway.layer2 import arp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import BROADCAST, MacAddress


class Reply(NamedTuple):
    """The frame that tells the one who asked for ``address`` where it is."""

    address: IPv4Address
    frame: bytes


class Conflict(NamedTuple):
    """Another station says that an address which we announce is its own."""

    address: IPv4Address
    mac: MacAddress
    gratuitous: bool
    """It told everybody; otherwise it answered, or asked for something else with our address as its own."""


def answer(
    packet: ArpPacket,
    *,
    my_mac: MacAddress,
    announced: Collection[IPv4Address],
    may_answer: Callable[[IPv4Address], bool],
) -> Reply | DropReason:
    """Answer a request for one of our addresses, heard on the link whose MAC is ``my_mac``.

    A probe (sender 0.0.0.0) is answered like any request: that is how its sender learns that the address
    is taken. ``may_answer`` is asked last, once per reply.
    """
    reason = _not_a_question(packet, my_mac=my_mac)
    if reason is not None:
        return reason
    if packet.target not in announced:
        return DropReason.NOT_ANNOUNCED
    if not may_answer(packet.target):
        return DropReason.FENCED
    return Reply(packet.target, arp.reply(packet, my_mac=my_mac))


def conflict(
    packet: ArpPacket, *, own_macs: Collection[MacAddress], announced: Collection[IPv4Address]
) -> Conflict | None:
    """Whether ``packet`` claims one of our addresses for a MAC that is none of ours.

    ``own_macs`` are those of all our links: two of them on one network hear each other.
    """
    if packet.sender not in announced or packet.sender_mac in own_macs or not packet.sender_mac.is_host:
        return None
    return Conflict(packet.sender, packet.sender_mac, packet.is_gratuitous)


def _not_a_question(packet: ArpPacket, *, my_mac: MacAddress) -> DropReason | None:
    if packet.destination not in (BROADCAST, my_mac):
        return DropReason.NOT_FOR_US
    if packet.operation is not Operation.REQUEST:
        return DropReason.NOT_A_REQUEST
    if packet.is_gratuitous:
        return DropReason.GRATUITOUS
    if not packet.sender_mac.is_host or packet.sender_mac == my_mac:
        return DropReason.BAD_SENDER
    return None
