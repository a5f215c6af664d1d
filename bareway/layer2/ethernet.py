"""Ethernet II frames: addresses and the header of 14 bytes.

Not covered: 802.3 lengths, VLAN tags (refused by name), the frame check sequence (the kernel's work).
"""

from typing import Final, NamedTuple

from bareway.layer2.drops import DropReason, PacketError
from bareway.model.mac import MAC_BYTES, MacAddress

ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_IPV6: Final = 0x86DD
ETHERTYPES_VLAN: Final = frozenset({0x8100, 0x88A8, 0x9100})
HEADER_BYTES: Final = 14
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
