"""The sessions in a file, over a planned restart of the whole process: written at its end, read at its start.

A file of another boot, or older than the peers' patience, tells of nothing. The source ports are in it, too:
a session keeps its port for life (RFC 5881 section 4).
"""

import os
import struct
from contextlib import suppress
from typing import Final, NamedTuple

from bareway.bfd.memory import Memory
from bareway.bfd.packet import State
from bareway.bfd.session import Remote
from bareway.bfd.timing import MICRO, Timing
from speaker.bfd.records import (
    REQUEST_BYTES,
    BadRecord,
    Request,
    RequestKind,
    Wanted,
    pack_request,
    read_request,
)
from speaker.bfd.wires import Wires

HEAD: Final = struct.Struct("!36sd")
SESSION: Final = struct.Struct(f"!{REQUEST_BYTES}sIIIBIBBIIBH")
BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"
FILE_MODE: Final = 0o600
"""Who knows the discriminators can end the sessions."""
BYTES_MOST: Final = 1 << 16


class Remembered(NamedTuple):
    """One session of a former life."""

    wanted: Wanted
    memory: Memory
    port: int


def save(path: str, sessions: list[tuple[Wanted, Memory]], wires: Wires, *, now: float) -> str:
    """Write the file whole, or leave what is there and say why; without it the sessions begin anew."""
    data = HEAD.pack(_boot_id(), now)
    data += b"".join(_pack(wanted, memory, wires.source_port(wanted.path)) for wanted, memory in sessions)
    try:
        descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        os.replace(f"{path}.new", path)  # noqa: PTH105 - pathlib would cost a megabyte here
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def load(path: str, *, now: float) -> list[Remembered]:
    """The sessions whose peers still wait; the file is gone then: a memory is good for one life."""
    data = b""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, BYTES_MOST)
        finally:
            os.close(descriptor)
        os.unlink(path)  # noqa: PTH108 - as above
    if len(data) < HEAD.size or (len(data) - HEAD.size) % SESSION.size:
        return []
    boot_id, saved_at = HEAD.unpack_from(data)
    if boot_id != _boot_id():
        return []
    found = []
    for offset in range(HEAD.size, len(data), SESSION.size):
        with suppress(BadRecord):
            remembered = _read(data[offset : offset + SESSION.size])
            if saved_at <= now < saved_at + patience_s(remembered.memory):
                found.append(remembered)
    return found


def _pack(wanted: Wanted, memory: Memory, port: int) -> bytes:
    ours, remote = memory.announced, memory.remote
    return SESSION.pack(
        pack_request(Request(RequestKind.WANT, wanted)),
        memory.discriminator,
        ours.desired_min_tx_us,
        ours.required_min_rx_us,
        ours.detect_multiplier,
        remote.discriminator,
        remote.diagnostic,
        remote.is_demand,
        remote.timing.desired_min_tx_us,
        remote.timing.required_min_rx_us,
        remote.timing.detect_multiplier,
        port,
    )


def _read(record: bytes) -> Remembered:
    request, mine, *ours, yours, diagnostic, is_demand, transmit, receive, multiplier, port = SESSION.unpack(
        record
    )
    wanted = read_request(request).wanted
    if wanted is None or not mine or not yours or not multiplier:
        raise BadRecord("no session that was up")
    theirs = Timing(transmit, receive, multiplier)
    remote = Remote(yours, State.UP, diagnostic, bool(is_demand), theirs)
    return Remembered(wanted, Memory(mine, Timing(*ours), remote), port)


def patience_s(memory: Memory) -> float:
    """The peer's detection time."""
    interval_us = max(memory.announced.desired_min_tx_us, memory.remote.timing.required_min_rx_us)
    return memory.announced.detect_multiplier * interval_us * MICRO


def _boot_id() -> bytes:
    descriptor = os.open(BOOT_ID, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 36)
    finally:
        os.close(descriptor)
