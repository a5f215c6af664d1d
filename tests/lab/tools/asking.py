"""What the watches of ARP and NDP share: their arguments, and the loop that asks and tells."""

import argparse
import select
import socket
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from lab.observations import ArpFrame


def arguments(parser: argparse.ArgumentParser, *, nobody: str) -> argparse.Namespace:
    """Read the command line; ``nobody`` is the source of a question that claims no address."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("interface")
    parser.add_argument("--mac", default="00:00:00:00:00:00", help="of this interface")
    parser.add_argument("--address", default=nobody, help=f"of this interface; {nobody} asks as a probe")
    parser.add_argument("--ask", action="append", default=[], help="an address to ask for; may be repeated")
    parser.add_argument("--every-ms", type=float, default=5.0)
    return parser.parse_args()


def watch(
    wire: socket.socket,
    read: Callable[..., ArpFrame | None],
    *,
    questions: Sequence[bytes],
    every_s: float,
) -> None:
    """Write a line a frame until the process is ended; ask all questions every ``every_s`` seconds.

    A socket of one ethertype does not hear what it sends itself.
    """
    due = time.monotonic()
    while True:
        wait_s = max(0.0, due - time.monotonic()) if questions else None
        readable, _, _ = select.select([wire], [], [], wait_s)
        if readable and (frame := read(wire.recv(2048), at=time.monotonic())) is not None:
            sys.stdout.buffer.write(msgspec.json.encode(frame) + b"\n")
            sys.stdout.buffer.flush()
        if questions and time.monotonic() >= due:
            for question in questions:
                wire.send(question)
            due = max(due + every_s, time.monotonic())
