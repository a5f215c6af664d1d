"""Ethernet II frames: addresses and the header of 14 bytes.

Not covered: 802.3 lengths, VLAN tags (refused by name), the frame check sequence (the kernel's work).
"""

from typing import Final, NamedTuple, Self

from bareway.layer2.drops import DropReason, PacketError

ETHERTYPE_ARP: Final = 0x0806
ETHERTYPES_VLAN: Final = frozenset({0x8100, 0x88A8, 0x9100})
HEADER_BYTES: Final = 14
MAC_BYTES: Final = 6


class MacAddress(bytes):
    """Six bytes; prints as ``02:00:00:00:00:01``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``02:00:00:00:00:01``; a ``ValueError`` for anything else."""
        octets = text.split(":")
        if len(octets) != MAC_BYTES or any(len(octet) != 2 for octet in octets):  # noqa: PLR2004 - two hex digits
            raise ValueError(f"{text!r} is not a MAC address; write one like 02:00:00:00:00:01")
        return cls(bytes.fromhex("".join(octets)))

    @property
    def is_host(self) -> bool:
        """Whether one station can have it: six bytes, not zero, not a group (RFC 9542 section 2.1)."""
        return len(self) == MAC_BYTES and not self[0] & 1 and any(self)

    def __str__(self) -> str:
        return self.hex(":")

    def __repr__(self) -> str:
        return f"MacAddress({self})"


BROADCAST: Final = MacAddress(b"\xff" * MAC_BYTES)


class Frame(NamedTuple):
    """One frame; the payload may end in padding."""

    destination: MacAddress
    source: MacAddress
    ethertype: int
    payload: bytes


# 0                 6                 12       14
# | destination     | source          | type   | payload …
def decode(data: bytes) -> Frame:
    """Take a frame apart.

    Raises:
        PacketError: TRUNCATED or VLAN_TAGGED.
    """
    if len(data) < HEADER_BYTES:
        raise PacketError(DropReason.TRUNCATED)
    ethertype = int.from_bytes(data[12:14], "big")
    if ethertype in ETHERTYPES_VLAN:
        raise PacketError(DropReason.VLAN_TAGGED)
    return Frame(MacAddress(data[0:6]), MacAddress(data[6:12]), ethertype, data[HEADER_BYTES:])


def encode(frame: Frame) -> bytes:
    """The bytes on the wire, without padding: the network card pads to 60."""
    return b"".join((frame.destination, frame.source, frame.ethertype.to_bytes(2, "big"), frame.payload))
