"""The TCP sockets of BGP, with what a router may ask of them: a key, a distance, an address of ours.

RFC 2385 (TCP MD5; its key may change while a connection lasts) and RFC 5082 (GTSM: packets leave with the
greatest TTL there is, and no router was between where they still have it). Without GTSM the kernel's TTL
stays, as in MetalLB's own speaker: routers may lie between. Numbers by linux/tcp.h, in.h and in6.h.
"""

import errno
import socket
import struct
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol, TypeAlias

from bareway.bgp.connection import send_hold_s
from bareway.bgp.peers import PeerSettings
from bareway.model.names import IPAddress

TCP_MD5SIG: Final = 14
TCP_NOTSENT_LOWAT: Final = 25
MILLISECONDS: Final = 1000
IP_MINTTL: Final = 21
IPV6_MINHOPCOUNT: Final = 73
# tcp_md5sig | sockaddr_storage 128 | flags 1 | prefix length 1 | key length 2 | ifindex 4 | key 80 |
MD5SIG: Final = struct.Struct("=128sBBHi80s")
SOCKADDR_IN: Final = struct.Struct("=H2x4s")  # no port: the key is for all of them
SOCKADDR_IN6: Final = struct.Struct("=H6x16s")
LINGER: Final = struct.Struct("=ii")
TTL_MAX: Final = 255
UNSENT_BYTES: Final = 128 * 1024
"""What may wait in the kernel unsent: a router that does not read is noticed, and what changes meanwhile is
told in place of what was."""
BACKLOG: Final = 64  # connections that wait to be accepted; a node has some ten routers
IPV6: Final = 6
Place: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""An end of a connection, as the kernel names it."""


class HasOptions(Protocol):
    """A socket, or what asyncio shows of one."""

    def setsockopt(self, level: int, optname: int, value: int | bytes, /) -> None:
        """As a socket's."""


def outgoing(settings: PeerSettings) -> tuple[socket.socket, Place]:
    """A socket that is ready to connect to a peer, and where to.

    Raises:
        OSError: the source address is not ours, the interface does not exist, or there is no socket left.
    """
    it = _stream(settings.address)
    try:
        prepare(it, settings)
        if settings.ttl_security:
            _send_far(it, settings.address)
        set_key(it, settings.address, settings.password)
        if settings.source_address is not None:
            it.bind(_where(settings.source_address, 0, beside=settings.address))
        return it, _where(settings.address, settings.port)
    except OSError:
        it.close()
        raise


def reserved(address: IPAddress, port: int) -> socket.socket:
    """A socket that has a port, and takes nobody before `listen`: first it gets its keys.

    Raises:
        OSError: somebody else has the port, the address is not ours, or the right is missing.
    """
    it = _stream(address)
    try:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a former life may linger
        if address.version == IPV6:
            it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _send_far(it, address)  # a router with GTSM wants it of the first answer already
        it.bind(_where(address, port))
    except OSError:
        it.close()
        raise
    return it


def listen(it: socket.socket) -> None:
    """From now on connections are taken: whoever has to sign must have had to before.

    Raises:
        OSError: somebody else listens there.
    """
    it.listen(BACKLOG)


def prepare(it: socket.socket, settings: PeerSettings) -> None:
    """For a connection of this peer, ours or the peer's."""
    it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    it.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    # Who has vanished is noticed by the hold timer; without one, by what goes unanswered for that long.
    given_up_ms = int(send_hold_s(settings.hold_time_s) * MILLISECONDS)
    it.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, given_up_ms)
    least = TTL_MAX if settings.ttl_security else 0
    if settings.address.version == IPV6:
        it.setsockopt(socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT, least)
    else:
        it.setsockopt(socket.IPPROTO_IP, IP_MINTTL, least)


def set_key(it: HasOptions, peer: IPAddress, key: bytes) -> None:
    """From now on what goes to ``peer`` and comes from it is signed with ``key``; empty = with none."""
    packed = peer.packed
    address = (
        SOCKADDR_IN6.pack(socket.AF_INET6, packed)
        if peer.version == IPV6
        else SOCKADDR_IN.pack(socket.AF_INET, packed)
    )
    try:
        it.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, MD5SIG.pack(address, 0, 0, len(key), 0, key))
    except OSError as error:
        if key or error.errno not in {errno.ENOENT, errno.ENOPROTOOPT}:  # there was none, or never can be
            raise


def close_hard(it: socket.socket) -> None:
    """At once, with what waits: the other side is told that there is nothing any more."""
    with suppress(OSError):  # it is gone already
        reset_on_close(it)
    it.close()


def reset_on_close(it: HasOptions) -> None:
    """When it is closed, what was not sent is dropped, and the kernel remembers nothing of it."""
    it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER.pack(1, 0))


def address_of(name: Place) -> IPAddress:
    """The address in what the kernel calls a socket's end; of one link alone with that link as its scope."""
    address = ip_address(name[0].partition("%")[0])
    scope = name[3] if len(name) > 3 else 0  # noqa: PLR2004 - IPv6 alone has the fourth
    return IPv6Address(f"{address}%{socket.if_indextoname(scope)}") if scope else address


def _stream(address: IPAddress) -> socket.socket:
    family = socket.AF_INET6 if address.version == IPV6 else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


def _send_far(it: socket.socket, address: IPAddress) -> None:
    if address.version == IPV6:
        it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL_MAX)
    else:
        it.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL_MAX)


def _where(address: IPAddress, port: int, *, beside: IPAddress | None = None) -> Place:
    """As bind and connect take it; a link-local address without a link is on that of ``beside``."""
    if not isinstance(address, IPv6Address):
        return str(address), port
    link = address.scope_id
    if link is None and address.is_link_local and isinstance(beside, IPv6Address):
        link = beside.scope_id
    scope = 0 if link is None else int(link) if link.isdecimal() else socket.if_nametoindex(link)
    return str(IPv6Address(address.packed)), port, 0, scope
