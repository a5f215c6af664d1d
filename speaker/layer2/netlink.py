"""Route netlink as bytes: what to ask the kernel about links and addresses, and how to read what it says.

No sockets here. Layout by linux/netlink.h, rtnetlink.h, if_link.h and if_addr.h; only what decides where
we announce is read, all else is skipped by its length.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Final, TypeAlias

from bareway.model.mac import MacAddress

# Numbers are in the machine's own byte order; a message and an attribute begin on a multiple of 4.
# nlmsghdr  | length 4 | type 2 | flags 2 | sequence 4 | port 4 |
# ifinfomsg | family 1 | pad 1 | hardware 2 | index 4 | flags 4 | change 4 |
# ifaddrmsg | family 1 | prefix length 1 | flags 1 | scope 1 | index 4 |
# rtattr    | length 2 (with these 4) | type 2 |
HEADER: Final = struct.Struct("=IHHII")
LINK_BODY: Final = struct.Struct("=BxHiII")
ADDRESS_BODY: Final = struct.Struct("=BBBBI")
ATTRIBUTE: Final = struct.Struct("=HH")
MASK: Final = struct.Struct("=I")
ERROR_CODE: Final = struct.Struct("=i")
ALIGNMENT: Final = 4

IPInterface: TypeAlias = IPv4Interface | IPv6Interface

FAMILY_UNSPECIFIED: Final = 0
FAMILY_IPV4: Final = 2
FAMILY_IPV6: Final = 10
REQUEST_DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
DUMP_INTERRUPTED: Final = 0x10
"""The kernel's table changed while it was being read out: read it again."""
SKIP_STATISTICS: Final = 1 << 3
ATTRIBUTE_TYPE_MASK: Final = 0x3FFF  # the two bits above mean "nested" and "network byte order"


class MessageType(IntEnum):
    """Messages that are asked for or understood."""

    ERROR = 2
    DONE = 3
    NEW_LINK = 16
    DEL_LINK = 17
    GET_LINK = 18
    NEW_ADDRESS = 20
    DEL_ADDRESS = 21
    GET_ADDRESS = 22


class LinkAttribute(IntEnum):
    """Attributes of a link that are read or sent."""

    ADDRESS = 1
    NAME = 3
    MASTER = 10
    EXTENDED_MASK = 29


class AddressAttribute(IntEnum):
    """Attributes of an address that are read."""

    ADDRESS = 1
    LOCAL = 2


class LinkFlag(IntFlag):
    """Flags of a link that decide (netdevice(7))."""

    UP = 0x1
    BROADCAST = 0x2
    LOOPBACK = 0x8
    RUNNING = 0x40
    NO_ARP = 0x80
    LOWER_UP = 0x10000


class AddressFlag(IntFlag):
    """Flags of an address that decide (linux/if_addr.h)."""

    DUPLICATE = 0x08
    """IFA_F_DADFAILED: somebody else on the link has it."""
    TENTATIVE = 0x40
    """Nobody has been asked yet, or had the time to answer (RFC 4862 section 5.4)."""


UNUSABLE: Final = AddressFlag.DUPLICATE | AddressFlag.TENTATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMessage:
    """A network interface as it is now, or as it was when it went."""

    index: int
    name: str
    hardware: int
    """ARPHRD_*: 1 is Ethernet."""
    flags: int
    mac: MacAddress
    enslaved: bool
    """Port of a bridge, member of a bond or a team, or in a VRF."""
    gone: bool = False
    """It left the kernel; a message of a port that left its bridge says this too, of the bridge alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressMessage:
    """An address of an interface."""

    index: int
    address: IPInterface
    is_usable: bool = True
    """The kernel answers for it: it is neither a duplicate nor to be proven to be none."""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The answer does not hold together: what it lists changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The kernel answers with an error number."""

    errno: int


Message: TypeAlias = LinkMessage | AddressMessage | Done | Interrupted | Refused


class BadNetlink(ValueError):
    """Bytes that no kernel sends: a length that reaches beyond its message or not beyond itself."""


def ask(message_type: MessageType, *, sequence: int) -> bytes:
    """The request to read out all links (GET_LINK) or all addresses (GET_ADDRESS)."""
    if message_type is MessageType.GET_LINK:
        body = LINK_BODY.pack(FAMILY_UNSPECIFIED, 0, 0, 0, 0)
        body += ATTRIBUTE.pack(ATTRIBUTE.size + 4, LinkAttribute.EXTENDED_MASK) + struct.pack(
            "=I", SKIP_STATISTICS
        )
    else:
        body = ADDRESS_BODY.pack(FAMILY_UNSPECIFIED, 0, 0, 0, 0)
    return HEADER.pack(HEADER.size + len(body), message_type, REQUEST_DUMP, sequence, 0) + body


def read(datagram: bytes) -> list[Message]:
    """All messages of one datagram that mean something here.

    Raises:
        BadNetlink: and nothing else, whatever the bytes.
    """
    messages: list[Message] = []
    at = 0
    while at < len(datagram):
        if len(datagram) - at < HEADER.size:
            raise BadNetlink("a header is cut short")
        length, message_type, flags, _, _ = HEADER.unpack_from(datagram, at)
        if length < HEADER.size or at + length > len(datagram):
            raise BadNetlink(f"a message of {length} bytes in {len(datagram) - at}")
        if flags & DUMP_INTERRUPTED:
            messages.append(Interrupted())
        message = _message(message_type, datagram[at + HEADER.size : at + length])
        if message is not None:
            messages.append(message)
        at += _aligned(length)
    return messages


def _message(message_type: int, body: bytes) -> Message | None:
    if message_type in (MessageType.NEW_LINK, MessageType.DEL_LINK):
        return _link(body, gone=message_type == MessageType.DEL_LINK)
    if message_type in (MessageType.NEW_ADDRESS, MessageType.DEL_ADDRESS):
        return _address(body, gone=message_type == MessageType.DEL_ADDRESS)
    if message_type == MessageType.ERROR:
        (code,) = _unpack(ERROR_CODE, body)
        return Refused(-code) if code else None
    return Done() if message_type == MessageType.DONE else None


def _link(body: bytes, *, gone: bool) -> LinkMessage | None:
    family, hardware, index, flags, _ = _unpack(LINK_BODY, body)
    if family != FAMILY_UNSPECIFIED:
        return None  # a bridge speaks of its port; the port speaks for itself too
    attributes = dict(_attributes(body[LINK_BODY.size :]))
    name = attributes.get(LinkAttribute.NAME, b"").rstrip(b"\0")
    return LinkMessage(
        index=index,
        name=name.decode(errors="backslashreplace"),
        hardware=hardware,
        flags=flags,
        mac=MacAddress(attributes.get(LinkAttribute.ADDRESS, b"")),
        enslaved=any(attributes.get(LinkAttribute.MASTER, b"")),
        gone=gone,
    )


def _address(body: bytes, *, gone: bool) -> AddressMessage | None:
    family, prefix_length, flags, _, index = _unpack(ADDRESS_BODY, body)
    if family not in (FAMILY_IPV4, FAMILY_IPV6):
        return None
    attributes = dict(_attributes(body[ADDRESS_BODY.size :]))
    # On a point-to-point link ADDRESS is the other end's; LOCAL is always our own where it is given.
    packed = attributes.get(AddressAttribute.LOCAL) or attributes.get(AddressAttribute.ADDRESS, b"")
    try:
        address = _interface(family, packed, prefix_length)
    except ValueError as error:
        raise BadNetlink(f"an address of {len(packed)} bytes with /{prefix_length}") from error
    return AddressMessage(index=index, address=address, is_usable=not flags & UNUSABLE, gone=gone)


def _interface(family: int, packed: bytes, prefix_length: int) -> IPInterface:
    if family == FAMILY_IPV4:
        return IPv4Interface((IPv4Address(packed), prefix_length))
    return IPv6Interface((IPv6Address(packed), prefix_length))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(data) - at >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size or at + length > len(data):
            raise BadNetlink(f"an attribute of {length} bytes in {len(data) - at}")
        yield kind & ATTRIBUTE_TYPE_MASK, data[at + ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    if len(body) < layout.size:
        raise BadNetlink(f"a body of {len(body)} bytes where {layout.size} belong")
    return layout.unpack_from(body)


def _aligned(length: int) -> int:
    return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1)
