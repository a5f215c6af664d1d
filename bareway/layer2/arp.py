"""ARP for IPv4 on Ethernet: read and write whole frames (RFC 826; forms and names of RFC 5227 section 1.1).

Not covered: other hardware and protocols, reverse and inverse ARP.
"""

import struct
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final, NamedTuple

from bareway.layer2 import ethernet
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import BROADCAST, ETHERTYPE_ARP
from bareway.model.mac import MacAddress

# 0        2        4    5    6        8                14           18               24           28
# | htype  | ptype  | hl | pl | oper   | sender MAC     | sender IP  | target MAC     | target IP  |
BODY: Final = struct.Struct("!6sH6s4s6s4s")  # the first four in one
FRAME_BYTES: Final = ethernet.HEADER_BYTES + BODY.size
ETHERNET_IPV4: Final = bytes.fromhex("0001 0800 06 04")
"""Hardware type Ethernet, protocol type IPv4, and the lengths of their addresses."""
UNSPECIFIED: Final = IPv4Address(0)


class Operation(IntEnum):
    """What the sender wants (RFC 826, field ar$op)."""

    REQUEST = 1
    REPLY = 2


OPERATIONS: Final = {operation.value: operation for operation in Operation}


class ArpPacket(NamedTuple):
    """An ARP packet and the Ethernet address that its frame was sent to."""

    destination: MacAddress
    operation: Operation
    sender_mac: MacAddress
    sender: IPv4Address
    target_mac: MacAddress
    target: IPv4Address

    @property
    def is_gratuitous(self) -> bool:
        """Tells everybody who has an address rather than asks: sender and target address are the same."""
        return self.sender == self.target

    @property
    def is_probe(self) -> bool:
        """Asks before it takes the address for itself (RFC 5227 section 2.1.1)."""
        return self.sender == UNSPECIFIED and self.operation is Operation.REQUEST


def decode(data: bytes) -> ArpPacket:
    """Read a whole Ethernet frame; bytes after the 42 that count are padding.

    Raises:
        PacketError: and nothing else, whatever the bytes.
    """
    frame = ethernet.decode(data)
    if frame.ethertype != ETHERTYPE_ARP:
        raise PacketError(DropReason.NOT_ARP)
    if len(data) < FRAME_BYTES:
        raise PacketError(DropReason.TRUNCATED)
    kind, code, sender_mac, sender, target_mac, target = BODY.unpack_from(frame.payload)
    if kind != ETHERNET_IPV4:
        raise PacketError(DropReason.NOT_ETHERNET_IPV4)
    operation = OPERATIONS.get(code)
    if operation is None:
        raise PacketError(DropReason.UNKNOWN_OPERATION)
    return ArpPacket(
        frame.destination,
        operation,
        MacAddress(sender_mac),
        IPv4Address(sender),
        MacAddress(target_mac),
        IPv4Address(target),
    )


def encode(packet: ArpPacket) -> bytes:
    """The whole frame of 42 bytes; it leaves from the sender's MAC."""
    body = BODY.pack(
        ETHERNET_IPV4,
        packet.operation,
        packet.sender_mac,
        packet.sender.packed,
        packet.target_mac,
        packet.target.packed,
    )
    frame = ethernet.Frame(packet.destination, packet.sender_mac, ETHERTYPE_ARP, body)
    return ethernet.encode(frame)


def reply(request: ArpPacket, *, my_mac: MacAddress) -> bytes:
    """The frame that answers ``request``, to the one who asked alone (RFC 826, packet reception)."""
    return encode(
        ArpPacket(
            destination=request.sender_mac,
            operation=Operation.REPLY,
            sender_mac=my_mac,
            sender=request.target,
            target_mac=request.sender_mac,
            target=request.sender,
        )
    )


def gratuitous(address: IPv4Address, *, my_mac: MacAddress, operation: Operation) -> bytes:
    """The frame that tells everybody on the link that ``address`` is at ``my_mac``.

    Both forms exist because some receivers learn from requests only and some from replies only; the
    target MAC is all ones in both, as MetalLB sends it.
    """
    return encode(
        ArpPacket(
            destination=BROADCAST,
            operation=operation,
            sender_mac=my_mac,
            sender=address,
            target_mac=BROADCAST,
            target=address,
        )
    )


def probe(address: IPv4Address, *, my_mac: MacAddress) -> bytes:
    """The frame that asks who has ``address`` without claiming anything (RFC 5227 section 2.1.1)."""
    return encode(
        ArpPacket(
            destination=BROADCAST,
            operation=Operation.REQUEST,
            sender_mac=my_mac,
            sender=UNSPECIFIED,
            target_mac=MacAddress(bytes(6)),
            target=address,
        )
    )
