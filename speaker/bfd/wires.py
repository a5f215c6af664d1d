"""The sockets of BFD: one to hear each port and family, one to speak for each session (RFC 5881 section 4).

Opened when the first session needs them; what cannot be opened or sent is told by its errno and tried again
with the next packet. What no session may take by its TTL the kernel keeps for itself (`ttl_filter`).
"""

import errno
import select
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Final, NamedTuple

from bareway.bfd.register import (
    MULTI_HOP_PORT,
    SINGLE_HOP_PORT,
    SOURCE_PORT_LEAST,
    SOURCE_PORT_MOST,
    TTL,
    Arrival,
    Path,
)
from speaker.bfd import ttl_filter
from speaker.supervisor import warn

IP_PKTINFO: Final = 8  # linux/in.h
IP_RECVTTL: Final = 12
IPV4: Final = 4
IPV4_PKTINFO: Final = struct.Struct("=I4s4s")  # index of the interface, address to answer from, destination
IPV6_PKTINFO: Final = struct.Struct("=16sI")  # destination, index of the interface
NUMBER: Final = struct.Struct("=i")
ANCILLARY_BYTES: Final = 128
PACKET_BYTES: Final = 512
"""Of a datagram; with the longest authentication there are 52."""
INTERNETWORK_CONTROL: Final = 0xC0
"""The DSCP with which networks carry what keeps them together: CS6."""
DRAIN_MOST: Final = 1024
"""Of one socket at a time: more than the kernel holds for it, so what was there before was read."""
PORT_ATTEMPTS: Final = 32
FIRST_PORT_THAT_TCPDUMP_READS: Final = SOURCE_PORT_LEAST + 1
"""From 49152 tcpdump 4.99 takes a packet for another protocol."""
UNFILTERED: Final = 0
CALLER: Final = "bfd"
BUSY: Final = frozenset({errno.EAGAIN, errno.ENOBUFS})
"""The packet is lost like others on the way; the socket is as good as before."""


class Ear(NamedTuple):
    """What one listening socket hears."""

    version: int
    is_multihop: bool


class Mouth:
    """One session's socket, and the port that it keeps (RFC 5881 section 4)."""

    def __init__(self) -> None:
        self.port = 0
        self.socket: socket.socket | None = None


class Wires:
    """All sockets of the process."""

    def __init__(self, poll: select.poll, rng: Random) -> None:
        self._poll = poll
        self._rng = rng
        self._ears: dict[Ear, socket.socket] = {}
        self._mouths: dict[Path, Mouth] = {}
        self._least: dict[Path, int] = {}
        self._wanted: dict[Ear, int] = {}
        """The TTL that its filter should have."""
        self._filters: dict[Ear, int] = {}
        """The TTL that it has."""
        self._refused: set[Ear] = set()
        """The kernel took no filter for it, and that was told."""

    def listen(self, path: Path, minimum_ttl: int) -> int:
        """Hear what may come for a path from now on; 0, or the errno of what prevents it."""
        ear = _ear(path)
        if ear not in self._ears:
            try:
                self._ears[ear] = _listener(ear, minimum_ttl)
            except OSError as error:
                return error.errno or errno.EIO
            self._filters[ear] = minimum_ttl
            self._poll.register(self._ears[ear], select.POLLIN)
        if self._least.get(path) != minimum_ttl:
            self._least[path] = minimum_ttl
            self._look_again(ear)
        trouble = self._let_through(ear)
        return trouble if self._filters[ear] > minimum_ttl else 0

    @property
    def dropped(self) -> int:
        """Packets that the kernel did not hand over: they came through too many routers, or found no room."""
        return sum(map(ttl_filter.dropped, self._ears.values()))

    def _look_again(self, ear: Ear) -> None:
        """What one of its sessions may take at least."""
        self._wanted[ear] = min((ttl for path, ttl in self._least.items() if _ear(path) == ear), default=TTL)

    def _let_through(self, ear: Ear) -> int:
        """What its sessions want and no more; where the kernel cannot tell, all of it, until it can.

        Who may take which packet is looked at again for each of them, so sessions go on in either case. 0, or
        the errno of what keeps the kernel from handing over as much as is wanted.
        """
        wanted = self._wanted[ear]
        if wanted == self._filters[ear]:
            return 0
        try:
            ttl_filter.attach(self._ears[ear], ear.version, wanted)
        except OSError as error:
            if ear not in self._refused:  # it is asked again with each packet that we send
                self._refused.add(ear)
                warn(
                    CALLER,
                    f"the kernel takes no filter for BFD packets with a TTL of {wanted}: {error.strerror}",
                )
            return self._open_wide(ear) if wanted < self._filters[ear] else 0
        self._filters[ear] = wanted
        self._refused.discard(ear)
        return 0

    def _open_wide(self, ear: Ear) -> int:
        try:
            ttl_filter.detach(self._ears[ear])
        except OSError as error:  # then as much is heard as before
            return error.errno or errno.EIO
        self._filters[ear] = UNFILTERED
        return 0

    def drain(self) -> Iterator[tuple[bytes, Arrival]]:
        """Everything that the kernel holds now."""
        for ear, listener in self._ears.items():
            for _ in range(DRAIN_MOST):
                try:
                    data, ancillary, _, source = listener.recvmsg(PACKET_BYTES, ANCILLARY_BYTES)
                except BlockingIOError:
                    break
                except OSError:  # an error of the network that the kernel hands over: as good as no packet
                    continue
                yield data, _arrival(ear, source[0], ancillary)

    def send(self, path: Path, data: bytes) -> int:
        """To the peer; 0, or the errno of what prevents it."""
        mouth = self._mouths.setdefault(path, Mouth())
        try:
            if mouth.socket is None:
                mouth.socket = self._speaker(path, mouth)
            mouth.socket.sendto(data, _destination(path))
        except OSError as error:
            if error.errno not in BUSY:
                self._shut(mouth)
            return error.errno or errno.EIO
        return 0

    def source_port(self, path: Path) -> int:
        """The port that a session speaks from; 0 = none yet."""
        mouth = self._mouths.get(path)
        return 0 if mouth is None else mouth.port

    def remember_port(self, path: Path, port: int) -> None:
        """A session speaks from the port that it had in a former life."""
        self._mouths.setdefault(path, Mouth()).port = port

    def forget(self, path: Path) -> None:
        """A session is over."""
        mouth = self._mouths.pop(path, None)
        if mouth is not None:
            self._shut(mouth)
        if self._least.pop(path, None) is not None:
            self._look_again(_ear(path))
            self._let_through(_ear(path))

    def close(self) -> None:
        """Give all sockets back."""
        for listener in self._ears.values():
            self._poll.unregister(listener)
            listener.close()
        self._ears.clear()
        self._least.clear()
        for path in tuple(self._mouths):
            self.forget(path)

    def _shut(self, mouth: Mouth) -> None:
        if mouth.socket is not None:
            mouth.socket.close()
            mouth.socket = None

    def _speaker(self, path: Path, mouth: Mouth) -> socket.socket:
        speaker = socket.socket(_family(path.peer.version), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if path.interface:
                speaker.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, path.interface.encode())
            _mark(speaker, path.peer.version)
            self._bind(speaker, path, mouth)
        except OSError:
            speaker.close()
            raise
        return speaker

    def _bind(self, speaker: socket.socket, path: Path, mouth: Mouth) -> None:
        for attempt in range(PORT_ATTEMPTS):
            port = mouth.port or self._rng.randint(FIRST_PORT_THAT_TCPDUMP_READS, SOURCE_PORT_MOST)
            try:
                speaker.bind(_source(path, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or attempt == PORT_ATTEMPTS - 1:
                    raise
                mouth.port = 0
            else:
                mouth.port = port
                return


def _family(version: int) -> socket.AddressFamily:
    return socket.AF_INET if version == IPV4 else socket.AF_INET6


def _ear(path: Path) -> Ear:
    return Ear(path.peer.version, path.is_multihop)


def _listener(ear: Ear, minimum_ttl: int) -> socket.socket:
    listener = socket.socket(_family(ear.version), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    port = MULTI_HOP_PORT if ear.is_multihop else SINGLE_HOP_PORT
    try:
        ttl_filter.attach(listener, ear.version, minimum_ttl)
        if ear.version == IPV4:
            listener.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            listener.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            listener.bind(("", port))
        else:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            listener.bind(("::", port))
    except OSError:
        listener.close()
        raise
    return listener


def _mark(speaker: socket.socket, version: int) -> None:
    if version == IPV4:
        speaker.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
        speaker.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, INTERNETWORK_CONTROL)
    else:
        speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
        speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, INTERNETWORK_CONTROL)


def _source(path: Path, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if path.peer.version == IPV4:
        return ("" if path.local is None else str(path.local), port)
    return ("::" if path.local is None else str(path.local), port, 0, _scope(path))


def _destination(path: Path) -> tuple[str, int] | tuple[str, int, int, int]:
    port = MULTI_HOP_PORT if path.is_multihop else SINGLE_HOP_PORT
    if path.peer.version == IPV4:
        return (str(path.peer), port)
    return (str(path.peer), port, 0, _scope(path))


def _scope(path: Path) -> int:
    return socket.if_nametoindex(path.interface) if path.interface else 0


def _arrival(ear: Ear, source: str, ancillary: list[tuple[int, int, bytes]]) -> Arrival:
    found = {(level, kind): data for level, kind, data in ancillary}
    if ear.version == IPV4:
        index, _, here = IPV4_PKTINFO.unpack(found[socket.IPPROTO_IP, IP_PKTINFO])
        (ttl,) = NUMBER.unpack(found[socket.IPPROTO_IP, socket.IP_TTL])
        return Arrival(IPv4Address(source), IPv4Address(here), _name(index), ttl, ear.is_multihop)
    here, index = IPV6_PKTINFO.unpack(found[socket.IPPROTO_IPV6, socket.IPV6_PKTINFO])
    (ttl,) = NUMBER.unpack(found[socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT])
    peer = IPv6Address(source.partition("%")[0])
    return Arrival(peer, IPv6Address(here), _name(index), ttl, ear.is_multihop)


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # the interface went away after the packet had come
        return ""
