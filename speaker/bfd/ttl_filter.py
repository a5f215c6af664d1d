"""Which packets the kernel hands over at all: those that came through few enough routers.

This process runs before all others of the node, so what is thrown away anyway (RFC 5881 section 5) must not
cost its time: anybody may send to these ports. The kernel's own option for a least TTL counts for TCP alone;
this is a filter of four instructions (linux/filter.h) in its place.
"""

import array
import errno
import socket
import struct
from typing import Final

SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h; amd64 and arm64 agree, here and below
SO_DETACH_FILTER: Final = 27
SO_MEMINFO: Final = 55
MEMINFO: Final = struct.Struct("=9I")
DROPS: Final = 8
"""The place in it of what the filter threw away, and what found no room."""
INSTRUCTION: Final = struct.Struct("=HBBI")
FPROG: Final = struct.Struct("@HP")
LOAD_BYTE, AT_LEAST, RETURN = 0x30, 0x35, 0x06
NETWORK_HEADER: Final = 0xFFF0_0000
"""Added to a place: counted from the beginning of the IP header, not of the UDP one."""
TTL_PLACES: Final = {4: 8, 6: 7}
WHOLE: Final = 0xFFFF


def attach(it: socket.socket, version: int, least: int) -> None:
    """Only packets with at least this TTL from now on; the kernel swaps one filter for another between two.

    Raises:
        OSError: the kernel has no memory for it.
    """
    code = array.array("B", program(version, least))
    address, length = code.buffer_info()
    it.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, FPROG.pack(length // INSTRUCTION.size, address))


def detach(it: socket.socket) -> None:
    """Every packet from now on; that needs no memory.

    Raises:
        OSError: there is no filter, or it is locked.
    """
    it.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def dropped(it: socket.socket) -> int:
    """How many packets the kernel did not hand over; 0 where it does not say, before Linux 4.12."""
    try:
        figures = it.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        return 0
    return int(MEMINFO.unpack(figures)[DROPS])


def program(version: int, least: int) -> bytes:
    """Load the TTL; is it at least that; then the whole packet, else nothing of it."""
    return b"".join(
        INSTRUCTION.pack(*instruction)
        for instruction in (
            (LOAD_BYTE, 0, 0, NETWORK_HEADER + TTL_PLACES[version]),
            (AT_LEAST, 0, 1, least),
            (RETURN, 0, 0, WHOLE),
            (RETURN, 0, 0, 0),
        )
    )
