"""Neighbour discovery for IPv6 on Ethernet: who has an address, and who says so (RFC 4861 sections 4.3, 4.4).

Reads and writes whole frames. A message is checked as RFC 4861 sections 7.1.1 and 7.1.2 ask; the probe of
somebody who wants an address for himself comes from ``::`` (RFC 4862 section 5.4.2). Not covered: routers,
prefixes, redirects, secured messages (their options are skipped), IPv6 extension headers.
"""

import struct
from ipaddress import IPv6Address
from typing import Final, NamedTuple, TypeAlias

from bareway.layer2 import ethernet, ipv6
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import ETHERTYPE_IPV6
from bareway.layer2.ipv6 import ALL_NODES, ICMPV6, UNSPECIFIED, group_mac, solicited_node
from bareway.model.mac import MacAddress

# 0      1      2          4             8        24
# | type | code | checksum | flags, rest | target | options: type 1, length in eights 1, address 6 |
BODY: Final = struct.Struct("!BBHI16s")
OPTION: Final = struct.Struct("!BB6s")
OPTION_UNIT: Final = 8
HOP_LIMIT: Final = 255
"""What no router lets through: the sender is on the link."""


SOLICITATION: Final = 135
ADVERTISEMENT: Final = 136
SOURCE_LINK_ADDRESS: Final = 1
TARGET_LINK_ADDRESS: Final = 2
ROUTER: Final = 1 << 31
SOLICITED: Final = 1 << 30
OVERRIDE: Final = 1 << 29
OPTIONS: Final = {SOLICITATION: SOURCE_LINK_ADDRESS, ADVERTISEMENT: TARGET_LINK_ADDRESS}
"""The messages, and the option of each that says where somebody is (RFC 4861 section 4.6.1)."""
ALL_NODES_MAC: Final = group_mac(ALL_NODES)
MULTICAST: Final = 0xFF
"""The first byte of every group's address."""


class Solicitation(NamedTuple):
    """A question for ``target``."""

    frame_destination: MacAddress
    frame_source: MacAddress
    source: IPv6Address
    destination: IPv6Address
    target: IPv6Address
    link_address: MacAddress | None = None
    """Where the sender says that it is; many leave it out when they only confirm what they know."""

    @property
    def is_probe(self) -> bool:
        """Asks before it takes the address for itself (RFC 4862 section 5.4)."""
        return self.source == UNSPECIFIED

    @property
    def is_to_group(self) -> bool:
        """Asks whoever listens, not one station alone."""
        return self.destination.packed[0] == MULTICAST


class Advertisement(NamedTuple):
    """``target`` is at ``link_address``."""

    frame_destination: MacAddress
    frame_source: MacAddress
    source: IPv6Address
    destination: IPv6Address
    target: IPv6Address
    link_address: MacAddress | None = None
    is_router: bool = False
    is_solicited: bool = False
    """It answers a question; else it is told unasked, or to a prober."""
    overrides: bool = False
    """Whoever knows the address at another place shall forget that."""

    @property
    def mac(self) -> MacAddress:
        """Whom it names."""
        return self.link_address or self.frame_source


Message: TypeAlias = Solicitation | Advertisement


def decode(data: bytes) -> Message:
    """Read a whole Ethernet frame; bytes after the IPv6 packet are padding.

    Raises:
        PacketError: and nothing else, whatever the bytes.
    """
    frame = ethernet.decode(data)
    if frame.ethertype != ETHERTYPE_IPV6:
        raise PacketError(DropReason.NOT_NDP)
    packet = ipv6.decode(frame.payload)
    kind, rest, target = _body(packet)
    link_address = _link_address(packet.payload, wanted=OPTIONS[kind])
    source, destination = IPv6Address(packet.source), IPv6Address(packet.destination)
    ends = (frame.destination, frame.source, source, destination, IPv6Address(target), link_address)
    if kind == SOLICITATION:
        return _sound(Solicitation(*ends))
    if rest & SOLICITED and packet.destination[0] == MULTICAST:
        raise PacketError(DropReason.BAD_TARGET)
    return Advertisement(*ends, bool(rest & ROUTER), bool(rest & SOLICITED), bool(rest & OVERRIDE))


def encode(message: Message) -> bytes:
    """The whole frame."""
    kind, rest = SOLICITATION, 0
    if isinstance(message, Advertisement):
        kind = ADVERTISEMENT
        rest = ROUTER * message.is_router | SOLICITED * message.is_solicited | OVERRIDE * message.overrides
    option = OPTION.pack(OPTIONS[kind], 1, message.link_address) if message.link_address else b""
    source, destination, target = message.source.packed, message.destination.packed, message.target.packed
    checksum = ipv6.checksum(source, destination, BODY.pack(kind, 0, 0, rest, target) + option)
    body = BODY.pack(kind, 0, checksum, rest, target) + option
    payload = ipv6.encode(ipv6.Packet(ICMPV6, HOP_LIMIT, source, destination, body))
    frame = ethernet.Frame(message.frame_destination, message.frame_source, ETHERTYPE_IPV6, payload)
    return ethernet.encode(frame)


def reply(asked: Solicitation, *, my_mac: MacAddress, override: bool = True) -> bytes:
    """The frame that answers ``asked`` (RFC 4861 section 7.2.4): to the one who asked, a probe to everybody.

    ``override`` tells others to forget who they thought has the address.
    """
    if asked.is_probe:
        destination, frame_destination = ALL_NODES, ALL_NODES_MAC
    else:
        destination, frame_destination = asked.source, asked.link_address or asked.frame_source
    return encode(
        Advertisement(
            frame_destination=frame_destination,
            frame_source=my_mac,
            source=asked.target,
            destination=destination,
            target=asked.target,
            link_address=my_mac,
            is_solicited=not asked.is_probe,
            overrides=override,
        )
    )


def unsolicited(address: IPv6Address, *, my_mac: MacAddress) -> bytes:
    """The frame that tells everybody on the link that ``address`` is at ``my_mac`` now.

    As RFC 4861 section 7.2.6 has it, but more often, since loss of these frames is loss of service. Routers
    that keep RFC 9131 learn the address from it even if they never asked.
    """
    return encode(
        Advertisement(
            frame_destination=ALL_NODES_MAC,
            frame_source=my_mac,
            source=address,
            destination=ALL_NODES,
            target=address,
            link_address=my_mac,
            overrides=True,
        )
    )


def probe(address: IPv6Address, *, my_mac: MacAddress) -> bytes:
    """The frame that asks who has ``address`` without claiming anything (RFC 4862 section 5.4.2)."""
    group = solicited_node(address)
    return encode(
        Solicitation(
            frame_destination=group_mac(group),
            frame_source=my_mac,
            source=UNSPECIFIED,
            destination=group,
            target=address,
        )
    )


def _body(packet: ipv6.Packet) -> tuple[int, int, bytes]:
    """Its type, flags and target, if it is one of the two messages and comes from this link."""
    if packet.following != ICMPV6 or len(packet.payload) < BODY.size:
        raise PacketError(DropReason.NOT_NDP)
    kind, code, _, rest, target = BODY.unpack_from(packet.payload)
    if kind not in OPTIONS:
        raise PacketError(DropReason.NOT_NDP)
    if packet.hop_limit != HOP_LIMIT or code != 0:
        raise PacketError(DropReason.NOT_FROM_THE_LINK)
    if ipv6.checksum(packet.source, packet.destination, packet.payload):
        raise PacketError(DropReason.BAD_CHECKSUM)
    if packet.source[0] == MULTICAST:  # RFC 4291 section 2.7
        raise PacketError(DropReason.BAD_SENDER)
    if target[0] == MULTICAST:
        raise PacketError(DropReason.BAD_TARGET)
    return kind, rest, target


def _link_address(body: bytes, *, wanted: int) -> MacAddress | None:
    """What the first option of the type ``wanted`` says; all options are looked at, since one may be bad."""
    at = BODY.size
    found = None
    while at < len(body):
        length = body[at + 1] * OPTION_UNIT if at + 1 < len(body) else 0
        if length == 0 or at + length > len(body):
            raise PacketError(DropReason.BAD_OPTION)
        if body[at] == wanted and length == OPTION.size and found is None:
            found = MacAddress(body[at + 2 : at + length])
        at += length
    return found


def _sound(message: Solicitation) -> Solicitation:
    """The same, if it is no probe or a right one (RFC 4861 section 7.1.1)."""
    if message.is_probe and (message.link_address or not _is_solicited_node(message.destination)):
        raise PacketError(DropReason.BAD_PROBE)
    return message


def _is_solicited_node(group: IPv6Address) -> bool:
    return int(group) & ~ipv6.SOLICITED_NODE_BITS == ipv6.SOLICITED_NODE
