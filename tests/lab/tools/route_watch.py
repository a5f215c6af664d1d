"""What the kernel does to its routes, as it happens (JSON lines of ``RouteChange``), by rtnetlink(7).

    python -m lab.tools.route_watch

Runs on a router: whatever daemon runs there, a route counts when the kernel has it.
"""

import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

import msgspec

from lab.route_changes import RouteChange

GROUPS = 0x40 | 0x400  # RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE
NEW_ROUTE, DELETE_ROUTE = 24, 25
DESTINATION, GATEWAY, MULTIPATH, VIA = 1, 5, 9, 18
HEADER = struct.Struct("=IHHII")
ROUTE = struct.Struct("=BBBBBBBBI")
ATTRIBUTE = struct.Struct("=HH")
HOP = struct.Struct("=HBBI")
SO_RCVBUFFORCE = 33
"""Of socket(7); the module has no name for it."""
BUFFER_BYTES = 8 << 20
"""A hundred thousand routes may come at once."""


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        if length < ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]


def hops(kind: int, value: bytes) -> Iterator[str]:
    if kind == GATEWAY:
        yield str(ip_address(value))
    elif kind == VIA:  # of the other family, which it names first
        yield str(ip_address(value[2:]))
    elif kind == MULTIPATH:
        while len(value) >= HOP.size:
            length = HOP.unpack_from(value)[0]
            for inner, gateway in attributes(value[HOP.size : length]):
                yield from hops(inner, gateway)
            value = value[(length + 3) & ~3 :]


def changes(data: bytes, at: float) -> Iterator[RouteChange]:
    while len(data) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(data)
        if kind in {NEW_ROUTE, DELETE_ROUTE}:
            prefix_length = ROUTE.unpack_from(data, HEADER.size)[1]
            found = dict(attributes(data[HEADER.size + ROUTE.size : length]))
            if DESTINATION in found:
                yield RouteChange(
                    at=at,
                    prefix=f"{ip_address(found[DESTINATION])}/{prefix_length}",
                    is_gone=kind == DELETE_ROUTE,
                    hops=tuple(hop for item in found.items() for hop in hops(*item)),
                )
        data = data[(length + 3) & ~3 :]


def main() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        with suppress(PermissionError):  # in a user namespace the kernel's own limit remains
            netlink.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        netlink.bind((0, GROUPS))
        print('{"at":0,"prefix":"","is_gone":false,"hops":[]}', flush=True)  # it hears from now on
        while True:
            data = netlink.recv(1 << 16)
            for change in changes(data, time.monotonic()):
                sys.stdout.buffer.write(msgspec.json.encode(change) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
