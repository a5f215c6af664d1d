"""The groups in which a link's questions for IPv6 addresses are heard: joined through the kernel.

It tells the routers and the switches (RFC 3810), which else may keep such questions from us, and the network
card. One group may serve several addresses: those with the same last 24 bits (RFC 4291 section 2.7.1).
"""

import asyncio
import errno
import socket
import struct
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final, Protocol

from bareway.layer2.ipv6 import solicited_node
from speaker.layer2.counters import Counters
from speaker.layer2.links import Link

MEMBERSHIP: Final = struct.Struct("@16sI")
"""struct ipv6_mreq: the group and the link's index."""
OUT_OF_ROOM: Final = (errno.ENOMEM, errno.ENOBUFS)
ALREADY_JOINED: Final = errno.EADDRINUSE
"""This very socket is in the group: leaving it was refused before."""
AT_ONCE: Final = 32
"""Groups joined in one turn of the loop: each may wait a little for the kernel's lock of all networks."""
AGAIN_AFTER_S: Final = 1.0
"""Until what the kernel refused is tried again: it had no memory, or the process no descriptor left. Or the
link is going; then netlink tells so."""


class GroupPort(Protocol):
    """Membership in groups on one link; raises ``OSError`` as a socket does."""

    def join(self, group: IPv6Address) -> None:
        """Hear it."""

    def leave(self, group: IPv6Address) -> None:
        """Hear it no more."""

    def close(self) -> None:
        """Leave all."""


class GroupSocket:
    """Memberships of one link; as many sockets as it takes, since each has little room for them."""

    def __init__(self, link: Link) -> None:
        self._index = link.index
        self._sockets: list[socket.socket] = []
        self._of: dict[IPv6Address, socket.socket] = {}

    def join(self, group: IPv6Address) -> None:
        """Hear it."""
        if not self._sockets:
            self._sockets.append(_open())
        try:
            self._set(self._sockets[-1], socket.IPV6_JOIN_GROUP, group)
        except OSError as error:
            if error.errno in OUT_OF_ROOM:
                self._sockets.append(_open())
                self._set(self._sockets[-1], socket.IPV6_JOIN_GROUP, group)
            elif error.errno != ALREADY_JOINED:
                raise
        self._of[group] = self._sockets[-1]

    def leave(self, group: IPv6Address) -> None:
        """Hear it no more."""
        it = self._of.pop(group, None)
        if it is not None:
            self._set(it, socket.IPV6_LEAVE_GROUP, group)

    def close(self) -> None:
        """Leave all."""
        for it in self._sockets:
            it.close()
        self._sockets.clear()
        self._of.clear()

    def _set(self, it: socket.socket, option: int, group: IPv6Address) -> None:
        it.setsockopt(socket.IPPROTO_IPV6, option, MEMBERSHIP.pack(group.packed, self._index))


def _open() -> socket.socket:
    return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)


class Groups:
    """Keeps the memberships those of a set of addresses, a few in each turn of the loop."""

    def __init__(self, port: GroupPort, counters: Counters) -> None:
        self._port = port
        self._counters = counters
        self._wanted: Counter[IPv6Address] = Counter()
        self._joined: set[IPv6Address] = set()
        self._changed: dict[IPv6Address, None] = {}
        self._refused: dict[IPv6Address, None] = {}
        self._working: asyncio.Handle | None = None
        self._trying: asyncio.Handle | None = None
        self._loop = asyncio.get_running_loop()

    def add(self, addresses: Iterable[IPv6Address]) -> None:
        """Hear questions for these too; each must be named once until it is removed."""
        groups = [solicited_node(address) for address in addresses]
        self._wanted.update(groups)
        self._change(groups)

    def remove(self, addresses: Iterable[IPv6Address]) -> None:
        """Do not hear questions for these any more."""
        groups = [solicited_node(address) for address in addresses]
        self._wanted.subtract(groups)
        self._wanted += Counter()  # forget those of which none is left
        self._change(groups)

    def close(self) -> None:
        """Leave all."""
        for waiting in (self._working, self._trying):
            if waiting is not None:
                waiting.cancel()
        self._port.close()

    def _change(self, groups: Iterable[IPv6Address]) -> None:
        self._changed.update(dict.fromkeys(groups))
        if self._changed and self._working is None:
            self._working = self._loop.call_soon(self._work)

    def _work(self) -> None:
        self._working = None
        for _ in range(min(AT_ONCE, len(self._changed))):
            group = next(iter(self._changed))
            del self._changed[group]
            try:
                self._settle(group)
            except OSError as error:
                self._counters.failed(error)
                self._refused[group] = None
        self._change(())
        if self._refused and self._trying is None:
            self._trying = self._loop.call_later(AGAIN_AFTER_S, self._try_again)

    def _try_again(self) -> None:
        self._trying = None
        again, self._refused = self._refused, {}
        self._change(group for group in again if group in self._wanted)

    def _settle(self, group: IPv6Address) -> None:
        if group in self._wanted and group not in self._joined:
            self._port.join(group)
            self._joined.add(group)
        elif group not in self._wanted and group in self._joined:
            self._joined.discard(group)
            self._port.leave(group)
