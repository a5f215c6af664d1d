"""What the watches of ARP and NDP share: their arguments, and the loop that asks and tells."""

import argparse
import itertools
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from lab.observations import ArpFrame

FRAME_MAX = 2048
BUFFER_BYTES = 8 * 1024 * 1024
"""Some ten thousand frames: thousands of addresses may be told of at once."""
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
"""Names that Python has none for (socket(7)); the time stamp's message is called as its option is."""
STAMP = struct.Struct("@qq")
NANO = 1e-9


def arguments(parser: argparse.ArgumentParser, *, nobody: str) -> argparse.Namespace:
    """Read the command line; ``nobody`` is the source of a question that claims no address."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("interface")
    parser.add_argument("--mac", default="00:00:00:00:00:00", help="of this interface")
    parser.add_argument("--address", default=nobody, help=f"of this interface; {nobody} asks as a probe")
    parser.add_argument("--ask", action="append", default=[], help="an address to ask for; may be repeated")
    parser.add_argument("--every-ms", type=float, default=5.0)
    parser.add_argument("--evenly", action="store_true", help="spread the questions over that time")
    parser.add_argument("--turns", action="store_true", help="of alike answers in a row tell the ends only")
    return parser.parse_args()


class Turns:
    """Of the answers that one station gives in a row for an address, the first and the last are told.

    That is all that the time of two answerers depends on, and little enough to watch for hours.
    """

    def __init__(self) -> None:
        self._last: dict[str, ArpFrame] = {}
        self._told: dict[str, ArpFrame] = {}

    def take(self, frame: ArpFrame) -> list[ArpFrame]:
        """What is to be told now that this one came."""
        if not frame.is_answer:
            return [frame] if frame.is_gratuitous else []
        address = frame.sender_ip
        before = self._last.get(address)
        self._last[address] = frame
        if before is not None and before.sender_mac == frame.sender_mac:
            return []
        told = [] if before is None or before is self._told[address] else [before]
        self._told[address] = frame
        return [*told, frame]


def watch(
    wire: socket.socket,
    read: Callable[..., ArpFrame | None],
    *,
    questions: Sequence[bytes],
    every_s: float,
    evenly: bool = False,
    turns: bool = False,
) -> None:
    """Write a line a frame, or with ``turns`` only what ``Turns`` tells, until the process is ended.

    All questions are asked every ``every_s`` seconds: at once, or evenly spread over that time. The time of a
    frame is that of its arrival in the kernel. A socket of one ethertype does not hear what it sends itself.
    """
    with suppress(PermissionError):  # in a user namespace the kernel's own limit remains
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    rounds = [[question] for question in questions] if evenly else [list(questions)]
    kept = Turns() if turns else None
    turn, gap_s = itertools.cycle(rounds), every_s / max(len(rounds), 1)
    due = time.monotonic()
    while True:
        wait_s = max(0.0, due - time.monotonic()) if questions else None
        readable, _, _ = select.select([wire], [], [], wait_s)
        if readable and (frame := _receive(wire, read)) is not None:
            for told in kept.take(frame) if kept is not None else [frame]:
                sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
            sys.stdout.buffer.flush()
        if questions and time.monotonic() >= due:
            for question in next(turn):
                wire.send(question)
            due = max(due + gap_s, time.monotonic())


def _receive(wire: socket.socket, read: Callable[..., ArpFrame | None]) -> ArpFrame | None:
    frame, ancillary, _, _ = wire.recvmsg(FRAME_MAX, socket.CMSG_SPACE(STAMP.size))
    at = time.monotonic()
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = STAMP.unpack(data)
            at -= max(0.0, time.time() - seconds - nanoseconds * NANO)  # how long it waited for us
    return read(frame, at=at)
