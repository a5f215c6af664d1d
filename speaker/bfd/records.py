"""What the main program and the BFD process say to each other: records of one size each way.

They go over a SOCK_SEQPACKET socket, one record a packet. The main program sends the whole list of wanted
sessions each time, ended by ``COMPLETE``; the process answers with how each one stands, and goes on to tell
each change. Both ends are one image, so there is no version.
"""

import struct
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bareway.bfd.drops import DropReason
from bareway.bfd.packet import STATES, State
from bareway.bfd.register import TTL, IPAddress, Path
from bareway.bfd.timing import Timing

DESCRIPTOR_VARIABLE: Final = "BAREWAY_BFD_DESCRIPTOR"
"""Names the main program's end of the socket in its environment."""

PATH: Final = struct.Struct("!B16s16s16s")
REQUEST: Final = struct.Struct("!BBBxII49s")
REPORT: Final = struct.Struct("!BBBBBxHIIIIIQQQ49s")
REPORT_BYTES: Final = 128
"""Of a report; what is not needed is zero."""
TOTALS: Final = struct.Struct(f"!BBxx{len(DropReason)}Q")
PADDING: Final = b"\0" * 16

IS_IPV6: Final = 0x01
IS_MULTIHOP: Final = 0x02
HAS_LOCAL: Final = 0x04
IPV4_BYTES: Final = 4

MINIMUM_TTL_OF_MULTIHOP: Final = 254
"""Without one in the profile; FRR's, so MetalLB's too."""
LEAST_US: Final = 10_000
"""What the configuration allows at least; below it this process would do nothing else."""
LEAST_MULTIPLIER: Final = 1


class RequestKind(IntEnum):
    """What the main program says."""

    WANT = 1
    """Of the list: one session."""
    COMPLETE = 2
    """The end of the list: no others are wanted."""
    FIGURES = 3
    """Tell how all sessions stand, and the totals."""
    RESTARTING = 4
    """We shall be gone for a while on purpose: let the peers be patient, and remember the sessions."""


class ReportKind(IntEnum):
    """What the process says."""

    CHANGED = 1
    FIGURES = 2
    TOTALS = 3
    """The last of the figures."""


class BadRecord(ValueError):
    """A record that the other end cannot have meant."""


class Wanted(NamedTuple):
    """A session as the main program wants it."""

    path: Path
    timing: Timing = Timing()
    is_passive: bool = False
    minimum_ttl: int = TTL


class Request(NamedTuple):
    """To the process."""

    kind: RequestKind
    wanted: Wanted | None = None


class Report(NamedTuple):
    """How a session stands."""

    kind: ReportKind
    path: Path
    state: State
    diagnostic: int
    remote_state: State
    remote_diagnostic: int
    trouble: int = 0
    """The errno of what keeps us from sending or listening; 0 = nothing does."""
    discriminator: int = 0
    remote_discriminator: int = 0
    transmit_interval_us: int = 0
    ups: int = 0
    downs: int = 0
    detection_time_us: int = 0
    packets_in: int = 0
    packets_out: int = 0


class Totals(NamedTuple):
    """Of the whole process."""

    is_real_time: bool
    """The scheduler prefers it to everything else on the node."""
    drops: dict[DropReason, int]


def pack_request(request: Request) -> bytes:
    """One record to the process."""
    wanted = request.wanted
    if wanted is None:
        return REQUEST.pack(request.kind, 0, 0, 0, 0, b"") + bytes((0, 0))
    timing = wanted.timing
    head = REQUEST.pack(
        request.kind,
        timing.detect_multiplier,
        wanted.minimum_ttl,
        timing.desired_min_tx_us,
        timing.required_min_rx_us,
        _pack_path(wanted.path),
    )
    return head + bytes((wanted.is_passive, 0))


REQUEST_BYTES: Final = REQUEST.size + 2


def read_request(record: bytes) -> Request:
    """What the main program said.

    Raises:
        BadRecord: and nothing else, whatever the bytes.
    """
    if len(record) != REQUEST_BYTES or record[0] not in set(RequestKind):
        raise BadRecord(f"{len(record)} bytes of kind {record[:1]!r}")
    number, multiplier, minimum_ttl, transmit_us, receive_us, path = REQUEST.unpack_from(record)
    kind = RequestKind(number)
    if kind is not RequestKind.WANT:
        return Request(kind)
    if min(transmit_us, receive_us) < LEAST_US or multiplier < LEAST_MULTIPLIER:
        raise BadRecord(f"{transmit_us} and {receive_us} us times {multiplier}")
    timing = Timing(transmit_us, receive_us, multiplier)
    return Request(kind, Wanted(_read_path(path), timing, bool(record[-2]), minimum_ttl))


def pack_report(report: Report | Totals) -> bytes:
    """One record to the main program."""
    if isinstance(report, Totals):
        counts = [report.drops.get(reason, 0) for reason in DropReason]
        record = TOTALS.pack(ReportKind.TOTALS, report.is_real_time, *counts)
        return record.ljust(REPORT_BYTES, b"\0")
    record = REPORT.pack(
        report.kind,
        report.state,
        report.diagnostic,
        report.remote_state,
        report.remote_diagnostic,
        report.trouble,
        *report[7:12],
        *report[12:],
        _pack_path(report.path),
    )
    return record.ljust(REPORT_BYTES, b"\0")


def read_report(record: bytes) -> Report | Totals:
    """What the process said.

    Raises:
        BadRecord: and nothing else, whatever the bytes.
    """
    if len(record) != REPORT_BYTES or record[0] not in set(ReportKind):
        raise BadRecord(f"{len(record)} bytes of kind {record[:1]!r}")
    kind = ReportKind(record[0])
    if kind is ReportKind.TOTALS:
        _, is_real_time, *counts = TOTALS.unpack_from(record)
        return Totals(bool(is_real_time), dict(zip(DropReason, counts, strict=True)))
    _, state, diagnostic, remote_state, remote_diagnostic, *figures, path = REPORT.unpack_from(record)
    if max(state, remote_state) >= len(STATES):
        raise BadRecord(f"state {state}, {remote_state}")
    return Report(
        kind, _read_path(path), STATES[state], diagnostic, STATES[remote_state], remote_diagnostic, *figures
    )


def _pack_path(path: Path) -> bytes:
    flags = IS_IPV6 if isinstance(path.peer, IPv6Address) else 0
    flags |= IS_MULTIHOP if path.is_multihop else 0
    flags |= HAS_LOCAL if path.local is not None else 0
    local = b"" if path.local is None else path.local.packed
    return PATH.pack(flags, path.peer.packed, local, path.interface.encode())


def _read_path(packed: bytes) -> Path:
    flags, peer, local, interface = PATH.unpack(packed)
    return Path(
        peer=_read_address(peer, flags),
        local=_read_address(local, flags) if flags & HAS_LOCAL else None,
        interface=interface.rstrip(b"\0").decode(errors="replace"),
        is_multihop=bool(flags & IS_MULTIHOP),
    )


def _read_address(packed: bytes, flags: int) -> IPAddress:
    return IPv6Address(packed) if flags & IS_IPV6 else IPv4Address(packed[:IPV4_BYTES])
