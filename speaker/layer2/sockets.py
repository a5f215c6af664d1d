"""The raw sockets of layer 2: all that needs CAP_NET_RAW, and the kernel's news about links.

Every socket is non-blocking. What cannot be had for lack of a right is said by ``MissingCapability``.
"""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from bareway.layer2.bpf import INSTRUCTION, Program, assemble
from bareway.layer2.filter import NDP_BYTES, NOTHING
from speaker.layer2.links import Link
from speaker.layer2.netlink import Done, Interrupted, Message, MessageType, Refused, ask, read

SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h; amd64 and arm64 agree, here and below
SO_SNDBUFFORCE: Final = 32
SO_RCVBUFFORCE: Final = 33
RTMGRP_LINK: Final = 0x1
RTMGRP_IPV4_IFADDR: Final = 0x10
RTMGRP_IPV6_IFADDR: Final = 0x100
NETLINK_BYTES: Final = 65_536
"""Of one datagram; the kernel makes them half as long at most."""
BUFFER_BYTES: Final = 4 << 20
"""Of each socket, either way; the kernel doubles it and counts 800 bytes a frame: one second of ten thousand
requests while the loop or the machine is busy. It costs memory only while frames wait there."""
ANSWER_WITHIN_S: Final = 2.0
"""The kernel answers a dump while it is asked; this bound only keeps a fault of ours from hanging."""
DUMP_ATTEMPTS: Final = 5
"""How often the table is read again because it changed in between; then the last reading counts."""


class MissingCapability(PermissionError):
    """The process may not open a raw socket; the text says what to grant."""


class PacketPort(Protocol):
    """A link as frames in and out; raises ``OSError`` as a socket does."""

    def fileno(self) -> int:
        """What to wait on for reading."""

    def attach(self, program: Program) -> None:
        """Let through what ``program`` accepts from now on, in one step."""

    def receive(self) -> bytes | None:
        """The next frame, or None if there is none now."""

    def send(self, frame: bytes) -> None:
        """Put one frame on the wire."""

    def close(self) -> None:
        """Leave the link."""


class PacketSocket:
    """Frames of one type on one link, past the kernel's filter."""

    def __init__(self, link: Link, ethertype: int) -> None:
        with _needing("CAP_NET_RAW", "to answer ARP"):
            # Protocol 0 hears nothing: no frame comes in before the filter is there.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            _enlarge(self._socket)
            self.attach(NOTHING)
            self._socket.bind((link.name, ethertype))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """What to wait on for reading."""
        return self._socket.fileno()

    def attach(self, program: Program) -> None:
        """Replace the filter; the kernel swaps old for new between two frames."""
        code = assemble(program)
        memory = ctypes.create_string_buffer(code, len(code))
        sock_fprog = struct.pack("@HP", len(code) // INSTRUCTION.size, ctypes.addressof(memory))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog)

    def receive(self) -> bytes | None:
        """The next frame, or None if there is none now."""
        try:
            return self._socket.recv(NDP_BYTES)
        except BlockingIOError:
            return None

    def send(self, frame: bytes) -> None:
        """Put one frame on the wire."""
        self._socket.send(frame)

    def close(self) -> None:
        """Leave the link."""
        self._socket.close()


class RoutePort(Protocol):
    """The kernel's tables of links and addresses: read them, and hear that they changed."""

    def fileno(self) -> int:
        """What to wait on for news."""

    def news(self) -> list[Message] | None:
        """All changes that came in; None if some were lost."""

    def dump(self) -> list[Message]:
        """All links and addresses as they are now."""

    def close(self) -> None:
        """Hear no more."""


class RouteSocket:
    """Route netlink: one socket for news, one for questions, both in the namespace where they were made."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self._news = socket.socket(socket.AF_NETLINK, kind | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        _enlarge(self._news)
        self._news.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        self._questions = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._questions.settimeout(ANSWER_WITHIN_S)
        self._sequence = 0

    def fileno(self) -> int:
        """What to wait on for news."""
        return self._news.fileno()

    def news(self) -> list[Message] | None:
        """All changes that came in; None if some were lost because we were slow."""
        messages: list[Message] = []
        while True:
            try:
                messages += read(self._news.recv(NETLINK_BYTES))
            except BlockingIOError:
                return messages
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                return None

    def dump(self) -> list[Message]:
        """All links and addresses as they are now."""
        return [
            *self._dump(MessageType.GET_LINK),
            *self._dump(MessageType.GET_ADDRESS),
        ]

    def close(self) -> None:
        """Hear no more."""
        self._news.close()
        self._questions.close()

    def _dump(self, message_type: MessageType) -> list[Message]:
        messages: list[Message] = []
        for _ in range(DUMP_ATTEMPTS):
            messages, whole = self._dump_once(message_type)
            if whole:
                break
        return messages

    def _dump_once(self, message_type: MessageType) -> tuple[list[Message], bool]:
        self._sequence += 1
        self._questions.send(ask(message_type, sequence=self._sequence))
        messages: list[Message] = []
        whole = True
        while True:
            for message in read(self._questions.recv(NETLINK_BYTES)):
                match message:
                    case Interrupted():
                        whole = False
                    case Done():
                        return messages, whole
                    case Refused(number):
                        raise OSError(number, f"the kernel refuses to list: {message_type.name}")
                    case _:
                        messages.append(message)


def check_capability() -> None:
    """Find out whether this process may answer ARP at all.

    Raises:
        MissingCapability: with one sentence for the user.
    """
    with _needing("CAP_NET_RAW", "to answer ARP"):
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


def _enlarge(it: socket.socket) -> None:
    """Give ``it`` room: beyond the machine's limit with CAP_NET_ADMIN, else up to that limit."""
    try:
        it.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)
        it.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


@contextmanager
def _needing(capability: str, purpose: str) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise MissingCapability(
            f"the speaker needs {capability} {purpose}: run it as root or grant the capability"
        ) from error
