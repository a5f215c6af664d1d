"""What members say to each other on an edge, and its bytes: MessagePack arrays, one message a frame.

``Heartbeat`` keeps an edge alive and carries digests, ``News`` floods what changed, ``Pull`` asks for
everything and ``State`` answers it in parts. Two pulls, one each way, are a push-pull. ``PingRequest`` asks
whether a third is heard, ``PingAnswer`` says so. Sealing, order and
replay are the business of the edge below; who speaks is known from there and is not repeated here.

Members of different versions live together while a cluster is rolled: a newer one may append fields and set
further flags, which an older one does not look at. A new kind of message needs a new handshake version.

Not covered: the announcer lists (they come from the API).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from msgspec import DecodeError, Meta, Struct, ValidationError
from msgspec.msgpack import Decoder, Encoder

from bareway.gossip.claims import Claim
from bareway.gossip.findings import Finding
from bareway.gossip.member import Report, Side
from bareway.gossip.parts import (
    UPDATES_MAX,
    WORDS,
    Name,
    Number,
    WireClaims,
    WireFindings,
    WireReports,
    WireSide,
    claim_from_wire,
    claim_to_wire,
    finding_from_wire,
    finding_to_wire,
    report_from_wire,
    report_to_wire,
    side_from_wire,
)
from bareway.model.names import NodeName

FRAME_MAX: Final = 65_536
"""Bytes of a frame before sealing; a reader drops what is longer without looking at it."""
INTERVAL_MIN_MS: Final = 5
INTERVAL_MAX_MS: Final = 60_000
"""Heartbeats that a member may announce; outside lies a mistake that would blind the detector."""


WAIT_MAX_MS: Final = 60_000
"""For how long one may ask another to listen for a third."""


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
    """The first sender could not reach all: pass the claims on. Reports and findings are always passed on."""
    findings: tuple[Finding, ...] = ()
    """Repeated every ten seconds while it lasts."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PingRequest:
    """Do you hear this member? Answered as soon as it is heard, or with no when the time is up."""

    number: int
    target: NodeName
    wait_ms: int

    @property
    def wait_s(self) -> float:
        """The time in seconds."""
        return self.wait_ms / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PingAnswer:
    """What came of a ``PingRequest``."""

    number: int
    heard: bool


Message: TypeAlias = Heartbeat | News | Pull | State | PingRequest | PingAnswer
SINCE_VERSION_2: Final = (PingRequest, PingAnswer)
"""Messages that one who speaks only version 1 of the handshake would not understand."""

# ---------------------------------------------------------------- bytes

_Interval = Annotated[int, Meta(ge=INTERVAL_MIN_MS, le=INTERVAL_MAX_MS)]
_Wait = Annotated[int, Meta(ge=0, le=WAIT_MAX_MS)]


class _WireHeartbeat(Struct, frozen=True, array_like=True, tag=1):
    sequence: Number
    interval_ms: _Interval
    generation: Number
    view_digest: Number
    claims_digest: Number
    side: WireSide


class _WireNews(Struct, frozen=True, array_like=True, tag=2):
    reports: WireReports
    claims: WireClaims
    relay: bool
    findings: WireFindings = ()


class _WirePull(Struct, frozen=True, array_like=True, tag=3):
    number: Number


class _WireState(Struct, frozen=True, array_like=True, tag=4):
    number: Number
    last: bool
    reports: WireReports
    claims: WireClaims


class _WirePingRequest(Struct, frozen=True, array_like=True, tag=5):
    number: Number
    target: Name
    wait_ms: _Wait


class _WirePingAnswer(Struct, frozen=True, array_like=True, tag=6):
    number: Number
    heard: bool


_Wire: TypeAlias = _WireHeartbeat | _WireNews | _WirePull | _WireState | _WirePingRequest | _WirePingAnswer

_encoder = Encoder()
_decoder = Decoder(_Wire)


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
    except ValueError as error:  # an address or network that is none
        raise BadMessage(DropReason.INVALID, str(error)) from error


def states(number: int, reports: Sequence[Report], claims: Sequence[Claim]) -> list[State]:
    """The answer to a pull, in frames' worth; at least one, so that the end is told."""
    cut = _cut(reports, claims) or [((), ())]
    return [
        State(number=number, last=place == len(cut), reports=some_reports, claims=some_claims)
        for place, (some_reports, some_claims) in enumerate(cut, 1)
    ]


def news(
    reports: Sequence[Report], claims: Sequence[Claim], findings: Sequence[Finding] = (), *, relay: bool
) -> list[News]:
    """What is new, in frames' worth; none if nothing is."""
    told = [
        News(reports=some_reports, claims=some_claims, relay=relay)
        for some_reports, some_claims in _cut(reports, claims)
    ]
    return told + [
        News(findings=tuple(findings[start : start + UPDATES_MAX]), relay=relay)
        for start in range(0, len(findings), UPDATES_MAX)
    ]


def _cut(
    reports: Sequence[Report], claims: Sequence[Claim]
) -> list[tuple[tuple[Report, ...], tuple[Claim, ...]]]:
    """Frames' worth, the last of the reports' with the first claims in it."""
    frames: list[tuple[list[Report], list[Claim]]] = []
    room = 0
    for report in reports:
        room -= 2 if report.facts.links else 1
        if room < 0:
            frames.append(([], []))
            room = UPDATES_MAX - (2 if report.facts.links else 1)
        frames[-1][0].append(report)
    if room:
        frames[-1][1].extend(claims[:room])
    frames += [
        ([], list(claims[start : start + UPDATES_MAX])) for start in range(room, len(claims), UPDATES_MAX)
    ]
    return [(tuple(some_reports), tuple(some_claims)) for some_reports, some_claims in frames]


def _to_wire(message: Message) -> _Wire:
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
                reports=[report_to_wire(report) for report in message.reports],
                claims=[claim_to_wire(claim) for claim in message.claims],
                relay=message.relay,
                findings=tuple(finding_to_wire(finding) for finding in message.findings),
            )
        case Pull():
            return _WirePull(number=message.number)
        case PingRequest():
            return _WirePingRequest(number=message.number, target=message.target, wait_ms=message.wait_ms)
        case PingAnswer():
            return _WirePingAnswer(number=message.number, heard=message.heard)
        case State():
            return _WireState(
                number=message.number,
                last=message.last,
                reports=[report_to_wire(report) for report in message.reports],
                claims=[claim_to_wire(claim) for claim in message.claims],
            )


def _from_wire(wire: _Wire) -> Message:
    match wire:
        case _WireHeartbeat():
            return Heartbeat(
                sequence=wire.sequence,
                interval_ms=wire.interval_ms,
                generation=wire.generation,
                view_digest=wire.view_digest,
                claims_digest=wire.claims_digest,
                side=side_from_wire(wire.side),
            )
        case _WireNews():
            return News(
                reports=tuple(report_from_wire(report) for report in wire.reports),
                claims=tuple(claim_from_wire(claim) for claim in wire.claims),
                relay=wire.relay,
                findings=tuple(
                    finding_from_wire(finding) for finding in wire.findings if finding.word < len(WORDS)
                ),
            )
        case _WirePull():
            return Pull(number=wire.number)
        case _WirePingRequest():
            return PingRequest(number=wire.number, target=NodeName(wire.target), wait_ms=wire.wait_ms)
        case _WirePingAnswer():
            return PingAnswer(number=wire.number, heard=wire.heard)
        case _WireState():
            return State(
                number=wire.number,
                last=wire.last,
                reports=tuple(report_from_wire(report) for report in wire.reports),
                claims=tuple(claim_from_wire(claim) for claim in wire.claims),
            )
