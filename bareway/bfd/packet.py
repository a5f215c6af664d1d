"""BFD control packets: read and write them (RFC 5880 section 4.1).

Not covered: authentication (sections 4.2 to 4.4) and echo packets, whose content is their sender's business.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from bareway.bfd.drops import DropReason, PacketError

# 0           1           2        3        4           8            12           16            20         24
# | ver, diag | st, flags | mult   | length | my discr. | your discr. | desired tx | required rx | echo rx |
LAYOUT: Final = struct.Struct("!BBBBIIIII")
PACKET_BYTES: Final = LAYOUT.size
AUTHENTICATION_BYTES: Final = 2
"""Of an authentication section its type and length at least (section 6.8.6)."""
VERSION: Final = 1

POLL: Final = 0x20
FINAL: Final = 0x10
CONTROL_PLANE_INDEPENDENT: Final = 0x08
AUTHENTICATION: Final = 0x04
DEMAND: Final = 0x02
MULTIPOINT: Final = 0x01


class State(IntEnum):
    """What a system thinks of a session; the numbers are those on the wire."""

    ADMIN_DOWN = 0
    DOWN = 1
    INIT = 2
    UP = 3


class Diagnostic(IntEnum):
    """Why a system last changed its state."""

    NONE = 0
    DETECTION_TIME_EXPIRED = 1
    ECHO_FAILED = 2
    NEIGHBOR_SIGNALED_DOWN = 3
    FORWARDING_PLANE_RESET = 4
    PATH_DOWN = 5
    CONCATENATED_PATH_DOWN = 6
    ADMINISTRATIVELY_DOWN = 7
    REVERSE_CONCATENATED_PATH_DOWN = 8


STATES: Final = tuple(State)


class Packet(NamedTuple):
    """The mandatory section of a control packet; intervals in microseconds."""

    state: State
    diagnostic: int
    """A ``Diagnostic``, or one of the numbers that were given a meaning later."""
    detect_multiplier: int
    my_discriminator: int
    your_discriminator: int
    """0 = not known yet."""
    desired_min_tx_us: int
    required_min_rx_us: int
    required_min_echo_rx_us: int = 0
    """0 = no echo packets are taken."""
    is_poll: bool = False
    is_final: bool = False
    is_control_plane_independent: bool = False
    is_demand: bool = False


def encode(packet: Packet) -> bytes:
    """The bytes of a packet without authentication."""
    flags = packet.state << 6
    flags |= POLL if packet.is_poll else 0
    flags |= FINAL if packet.is_final else 0
    flags |= CONTROL_PLANE_INDEPENDENT if packet.is_control_plane_independent else 0
    flags |= DEMAND if packet.is_demand else 0
    return LAYOUT.pack(
        VERSION << 5 | packet.diagnostic,
        flags,
        packet.detect_multiplier,
        PACKET_BYTES,
        packet.my_discriminator,
        packet.your_discriminator,
        packet.desired_min_tx_us,
        packet.required_min_rx_us,
        packet.required_min_echo_rx_us,
    )


def decode(data: bytes) -> Packet:
    """Read the payload of a datagram, with the checks of RFC 5880 section 6.8.6 that need no session.

    Raises:
        PacketError: and nothing else, whatever the bytes.
    """
    if len(data) < PACKET_BYTES:
        raise PacketError(DropReason.TRUNCATED)
    first, flags, multiplier, length, mine, yours, transmit_us, receive_us, echo_us = LAYOUT.unpack_from(data)
    reason = _fault(first >> 5, flags, multiplier, length, available=len(data))
    if reason is None:
        reason = _fault_of_names(STATES[flags >> 6], mine, yours, flags)
    if reason is not None:
        raise PacketError(reason)
    return Packet(
        state=STATES[flags >> 6],
        diagnostic=first & 0x1F,
        detect_multiplier=multiplier,
        my_discriminator=mine,
        your_discriminator=yours,
        desired_min_tx_us=transmit_us,
        required_min_rx_us=receive_us,
        required_min_echo_rx_us=echo_us,
        is_poll=bool(flags & POLL),
        is_final=bool(flags & FINAL),
        is_control_plane_independent=bool(flags & CONTROL_PLANE_INDEPENDENT),
        is_demand=bool(flags & DEMAND),
    )


def _fault(version: int, flags: int, multiplier: int, length: int, *, available: int) -> DropReason | None:
    if version != VERSION:
        return DropReason.BAD_VERSION
    needed = PACKET_BYTES + (AUTHENTICATION_BYTES if flags & AUTHENTICATION else 0)
    if not needed <= length <= available:
        return DropReason.BAD_LENGTH
    if multiplier == 0:
        return DropReason.NO_MULTIPLIER
    if flags & MULTIPOINT:
        return DropReason.MULTIPOINT
    return None


def _fault_of_names(state: State, mine: int, yours: int, flags: int) -> DropReason | None:
    if mine == 0:
        return DropReason.NO_DISCRIMINATOR
    if yours == 0 and state not in (State.DOWN, State.ADMIN_DOWN):
        return DropReason.NOT_BEGINNING
    if flags & AUTHENTICATION:
        return DropReason.AUTHENTICATED
    return None
