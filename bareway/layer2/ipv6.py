"""IPv6 on Ethernet, as much of it as neighbour discovery needs: the header, the checksum, the groups.

The header is that of RFC 8200 section 3, the checksum that of RFC 8200 section 8.1, a solicited-node group is
made by RFC 4291 section 2.7.1, and a group's hardware address by RFC 2464 section 7. Not covered: extension
headers, fragments, traffic classes, flows.
"""

import struct
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from bareway.layer2.drops import DropReason, PacketError
from bareway.model.mac import MacAddress

# 0                4          6      7       8          24
# | version, class, flow | length | next | hops | source | destination |
HEADER: Final = struct.Struct("!IHBB16s16s")
VERSION: Final = 6
VERSION_SHIFT: Final = 28  # above traffic class and flow label
ICMPV6: Final = 58
PSEUDO_HEADER_TAIL: Final = struct.Struct("!II")  # length, then the next header after three zero bytes
ONES: Final = 0xFFFF

UNSPECIFIED: Final = IPv6Address(0)
ALL_NODES: Final = IPv6Address("ff02::1")
SOLICITED_NODE: Final = int(IPv6Address("ff02::1:ff00:0"))
SOLICITED_NODE_BITS: Final = 0xFF_FFFF
GROUP_MAC: Final = b"\x33\x33"


class Packet(NamedTuple):
    """An IPv6 packet without extension headers; the addresses as bytes, since most are never looked at."""

    following: int
    """The protocol of the payload."""
    hop_limit: int
    source: bytes
    destination: bytes
    payload: bytes


def decode(data: bytes) -> Packet:
    """Take a packet apart; what comes after it is padding.

    Raises:
        PacketError: NOT_NDP for another version, TRUNCATED for less than the header says.
    """
    if len(data) < HEADER.size:
        raise PacketError(DropReason.TRUNCATED)
    first, length, following, hop_limit, source, destination = HEADER.unpack_from(data)
    if first >> VERSION_SHIFT != VERSION:
        raise PacketError(DropReason.NOT_NDP)
    payload = data[HEADER.size : HEADER.size + length]
    if len(payload) < length:
        raise PacketError(DropReason.TRUNCATED)
    return Packet(following, hop_limit, source, destination, payload)


def encode(packet: Packet) -> bytes:
    """The bytes of the packet."""
    following, hop_limit, source, destination, payload = packet
    first = VERSION << VERSION_SHIFT
    return HEADER.pack(first, len(payload), following, hop_limit, source, destination) + payload


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The group in which a question for ``address`` is heard."""
    return IPv6Address(SOLICITED_NODE | int(address) & SOLICITED_NODE_BITS)


def group_mac(group: IPv6Address) -> MacAddress:
    """Where frames to ``group`` go."""
    return MacAddress(GROUP_MAC + group.packed[-4:])


def checksum(source: bytes, destination: bytes, message: bytes) -> int:
    """That of an ICMPv6 message between two addresses; 0 if the one in ``message`` is right.

    A sum of 16-bit words with the carry brought round is what remains of the whole number by 65,535.
    """
    tail = PSEUDO_HEADER_TAIL.pack(len(message), ICMPV6)
    padding = b"\0" if len(message) % 2 else b""
    words = int.from_bytes(b"".join((source, destination, tail, message, padding)), "big")
    return (ONES - words % ONES) % ONES
