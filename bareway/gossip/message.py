"""What members say to each other on an edge, and its bytes: MessagePack arrays, one message a frame.

``Heartbeat`` keeps an edge alive and carries digests, ``News`` floods what changed, ``Pull`` asks for
everything and ``State`` answers it in parts. Two pulls, one each way, are a push-pull. Sealing, order and
replay are the business of the edge below; who speaks is known from there and is not repeated here.

Members of different versions live together while a cluster is rolled: a newer one may append fields and set
further flags, which an older one does not look at. A new kind of message needs a new handshake version.

Not covered: meta data longer than a few facts, and the announcer lists (they come from the API).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Final, TypeAlias

from msgspec import DecodeError, Meta, Struct, ValidationError
from msgspec.msgpack import Decoder, Encoder

from bareway.gossip.claims import Claim
from bareway.gossip.member import Facts, MemberState, Report, Side
from bareway.model.names import NodeName

FRAME_MAX: Final = 65_536
"""Bytes of a frame before sealing; a reader drops what is longer without looking at it."""
NAME_MAX: Final = 253
"""Length of a Kubernetes Node's name."""
UPDATES_MAX: Final = 80
"""Reports and claims in one frame: as many as fit into FRAME_MAX when all names have NAME_MAX bytes."""
INTERVAL_MIN_MS: Final = 5
INTERVAL_MAX_MS: Final = 60_000
"""Heartbeats that a member may announce; outside lies a mistake that would blind the detector."""
NUMBER_MAX: Final = 2**63 - 1
"""Counters fit a signed 64-bit integer everywhere."""


class DropReason(StrEnum):
    """Why a frame was not understood."""

    TOO_LARGE = "TooLarge"
    MALFORMED = "Malformed"
    """Not MessagePack at all."""
    INVALID = "Invalid"
    """MessagePack, but not one of our messages, or out of its limits."""


class BadMessage(Exception):
    """A frame that is not a message; ends the edge it came on, never the process."""

    def __init__(self, reason: DropReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """I live; and a few numbers by which you see whether we know the same."""

    sequence: int
    interval_ms: int
    """When to expect the next one; deadlines against the sender are derived from it."""
    generation: int
    """The highest generation of announcer lists that the sender has seen or heard of."""
    view_digest: int
    claims_digest: int
    side: Side

    @property
    def interval_s(self) -> float:
        """The interval in seconds."""
        return self.interval_ms / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What just changed; flooded."""

    reports: tuple[Report, ...] = ()
    claims: tuple[Claim, ...] = ()
    relay: bool = False
    """The first sender could not reach all: pass the claims on. Reports are always passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Tell me everything you know; the answer repeats the number."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A part of everything the sender knows: reports before claims, so that a claim's holder is known."""

    number: int
    last: bool
    reports: tuple[Report, ...] = ()
    claims: tuple[Claim, ...] = ()


Message: TypeAlias = Heartbeat | News | Pull | State

# ---------------------------------------------------------------- bytes

_Name = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"\A[!-~]+\Z")]  # printable: it ends in logs
_NameOrNone = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"\A[!-~]*\Z")]
_Number = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
_Interval = Annotated[int, Meta(ge=INTERVAL_MIN_MS, le=INTERVAL_MAX_MS)]
_Address = Annotated[bytes, Meta(min_length=4, max_length=16)]
_Side = tuple[_Number, _NameOrNone]

STATES: Final = (MemberState.ALIVE, MemberState.SUSPECT, MemberState.DEAD, MemberState.LEFT)
"""A state's number on the wire is its place here."""
_StateNumber = Annotated[int, Meta(ge=0, lt=len(STATES))]

STARTED: Final = 1
ABLE: Final = 2
LEAVING: Final = 4
CRASHED: Final = 8
_Flags = _Number


class _WireReport(Struct, frozen=True, array_like=True, gc=False):
    name: _Name
    epoch: _Number
    incarnation: _Number
    state: _StateNumber
    flags: _Flags
    by: _Name
    side: _Side | None


class _WireClaim(Struct, frozen=True, array_like=True, gc=False):
    address: _Address
    generation: _Number
    count: _Number
    node: _NameOrNone


_Reports = Annotated[list[_WireReport], Meta(max_length=UPDATES_MAX)]
_Claims = Annotated[list[_WireClaim], Meta(max_length=UPDATES_MAX)]


class _WireHeartbeat(Struct, frozen=True, array_like=True, tag=1):
    sequence: _Number
    interval_ms: _Interval
    generation: _Number
    view_digest: _Number
    claims_digest: _Number
    side: _Side


class _WireNews(Struct, frozen=True, array_like=True, tag=2):
    reports: _Reports
    claims: _Claims
    relay: bool


class _WirePull(Struct, frozen=True, array_like=True, tag=3):
    number: _Number


class _WireState(Struct, frozen=True, array_like=True, tag=4):
    number: _Number
    last: bool
    reports: _Reports
    claims: _Claims


_encoder = Encoder()
_decoder = Decoder(_WireHeartbeat | _WireNews | _WirePull | _WireState)


def encode(message: Message) -> bytes:
    """The bytes of one frame, before sealing."""
    return _encoder.encode(_to_wire(message))


def decode(frame: bytes) -> Message:
    """Read one frame.

    Raises:
        BadMessage: whatever is wrong with it.
    """
    if len(frame) > FRAME_MAX:
        raise BadMessage(DropReason.TOO_LARGE, f"{len(frame)} bytes")
    try:
        return _from_wire(_decoder.decode(frame))
    except ValidationError as error:
        raise BadMessage(DropReason.INVALID, str(error)) from error
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(DropReason.MALFORMED, str(error)) from error


def states(number: int, reports: Sequence[Report], claims: Sequence[Claim]) -> list[State]:
    """The answer to a pull, in frames' worth; at least one, so that the end is told."""
    cut = _cut(reports, claims) or [((), ())]
    return [
        State(number=number, last=place == len(cut), reports=some_reports, claims=some_claims)
        for place, (some_reports, some_claims) in enumerate(cut, 1)
    ]


def news(reports: Sequence[Report], claims: Sequence[Claim], *, relay: bool) -> list[News]:
    """What is new, in frames' worth; none if nothing is."""
    return [
        News(reports=some_reports, claims=some_claims, relay=relay)
        for some_reports, some_claims in _cut(reports, claims)
    ]


def _cut(
    reports: Sequence[Report], claims: Sequence[Claim]
) -> list[tuple[tuple[Report, ...], tuple[Claim, ...]]]:
    return [
        (
            tuple(reports[start : start + UPDATES_MAX]),
            tuple(claims[max(start - len(reports), 0) : max(start + UPDATES_MAX - len(reports), 0)]),
        )
        for start in range(0, len(reports) + len(claims), UPDATES_MAX)
    ]


def _to_wire(message: Message) -> _WireHeartbeat | _WireNews | _WirePull | _WireState:
    match message:
        case Heartbeat():
            return _WireHeartbeat(
                sequence=message.sequence,
                interval_ms=message.interval_ms,
                generation=message.generation,
                view_digest=message.view_digest,
                claims_digest=message.claims_digest,
                side=message.side,
            )
        case News():
            return _WireNews(
                reports=[_report_to_wire(report) for report in message.reports],
                claims=[_claim_to_wire(claim) for claim in message.claims],
                relay=message.relay,
            )
        case Pull():
            return _WirePull(number=message.number)
        case State():
            return _WireState(
                number=message.number,
                last=message.last,
                reports=[_report_to_wire(report) for report in message.reports],
                claims=[_claim_to_wire(claim) for claim in message.claims],
            )


def _from_wire(wire: _WireHeartbeat | _WireNews | _WirePull | _WireState) -> Message:
    match wire:
        case _WireHeartbeat():
            return Heartbeat(
                sequence=wire.sequence,
                interval_ms=wire.interval_ms,
                generation=wire.generation,
                view_digest=wire.view_digest,
                claims_digest=wire.claims_digest,
                side=_side(wire.side),
            )
        case _WireNews():
            return News(
                reports=tuple(_report_from_wire(report) for report in wire.reports),
                claims=tuple(_claim_from_wire(claim) for claim in wire.claims),
                relay=wire.relay,
            )
        case _WirePull():
            return Pull(number=wire.number)
        case _WireState():
            return State(
                number=wire.number,
                last=wire.last,
                reports=tuple(_report_from_wire(report) for report in wire.reports),
                claims=tuple(_claim_from_wire(claim) for claim in wire.claims),
            )


def _side(wire: tuple[int, str]) -> Side:
    return Side(wire[0], NodeName(wire[1]))


def _report_to_wire(report: Report) -> _WireReport:
    facts = report.facts
    flags = STARTED * facts.started | ABLE * facts.able | LEAVING * facts.leaving | CRASHED * report.crashed
    return _WireReport(
        name=report.name,
        epoch=report.epoch,
        incarnation=report.incarnation,
        state=STATES.index(report.state),
        flags=flags,
        by=report.by,
        side=report.side,
    )


def _report_from_wire(wire: _WireReport) -> Report:
    facts = Facts(
        started=bool(wire.flags & STARTED), able=bool(wire.flags & ABLE), leaving=bool(wire.flags & LEAVING)
    )
    return Report(
        name=NodeName(wire.name),
        epoch=wire.epoch,
        incarnation=wire.incarnation,
        state=STATES[wire.state],
        facts=facts,
        by=NodeName(wire.by),
        side=None if wire.side is None else _side(wire.side),
        crashed=bool(wire.flags & CRASHED),
    )


def _claim_to_wire(claim: Claim) -> _WireClaim:
    return _WireClaim(
        address=claim.address.packed, generation=claim.generation, count=claim.count, node=claim.node
    )


def _claim_from_wire(wire: _WireClaim) -> Claim:
    try:
        address = ip_address(wire.address)
    except ValueError as error:
        raise BadMessage(DropReason.INVALID, f"address of {len(wire.address)} bytes") from error
    return Claim(address=address, generation=wire.generation, count=wire.count, node=NodeName(wire.node))
