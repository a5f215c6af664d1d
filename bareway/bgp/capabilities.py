"""What a speaker says in OPEN that it can do (RFC 5492, and the standard of each capability).

Those that we act on are read into types; every other one stays its number and bytes. Not offered, and here
they would go: extended messages (RFC 8654, code 6), roles (RFC 9234, code 9), additional paths (RFC 7911,
code 69), enhanced refresh (RFC 7313, code 70), long-lived graceful restart (RFC 9494, code 71).
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bareway.bgp.errors import BadMessage, Code, OpenError
from bareway.bgp.prefixes import Family

MULTIPROTOCOL: Final = 1
ROUTE_REFRESH: Final = 2
EXTENDED_NEXT_HOP: Final = 5
GRACEFUL_RESTART: Final = 64
FOUR_OCTET_AS: Final = 65
ROUTE_REFRESH_OLD: Final = 128
NAMES: Final[Mapping[int, str]] = {
    MULTIPROTOCOL: "multiprotocol",
    ROUTE_REFRESH: "route-refresh",
    EXTENDED_NEXT_HOP: "extended-next-hop",
    6: "extended-message",
    9: "role",
    GRACEFUL_RESTART: "graceful-restart",
    FOUR_OCTET_AS: "four-octet-as",
    69: "add-path",
    70: "enhanced-route-refresh",
    71: "long-lived-graceful-restart",
    73: "fqdn",
    ROUTE_REFRESH_OLD: "route-refresh-old",
}
PARAMETER_CAPABILITIES: Final = 2
PARAMETER_EXTENDED: Final = 255
"""As type of the first parameter, with a length of 255: longer than it looks (RFC 9072 section 2)."""
SHORT_MAX: Final = 255
PRESERVED: Final = 0x80
RESTARTED: Final = 0x8
NOTIFICATION: Final = 0x4
TIME_BITS: Final = 12

FAMILY: Final = struct.Struct("!HxB")
NEXT_HOP: Final = struct.Struct("!HHH")
RESTART_FAMILY: Final = struct.Struct("!HBB")
SHORT: Final = struct.Struct("!H")
LONG: Final = struct.Struct("!I")
EXTENDED_PARAMETER: Final = struct.Struct("!BH")


@dataclass(frozen=True, slots=True)
class MultiProtocol:
    """Routes of a family (RFC 4760 section 8)."""

    family: Family


@dataclass(frozen=True, slots=True)
class RefreshCapability:
    """Tells all again when asked (RFC 2918 section 2)."""

    is_old: bool = False
    """By the number that was used before there was a standard."""


@dataclass(frozen=True, slots=True)
class ExtendedNextHop:
    """Families whose next hop may be of another one (RFC 8950 section 4): (family, AFI of the next hop)."""

    entries: tuple[tuple[Family, int], ...]


@dataclass(frozen=True, slots=True)
class FourOctetAs:
    """Its AS number, and that it writes them in four bytes (RFC 6793 section 3)."""

    asn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartCapability:
    """What the other side may keep while it restarts (RFC 4724 section 3)."""

    restart_time_s: int
    is_restarted: bool = False
    """R: it has just restarted."""
    has_notification: bool = False
    """N: a NOTIFICATION does not end what is kept (RFC 8538 section 2)."""
    families: tuple[tuple[Family, bool], ...] = ()
    """Each with its F bit: forwarding went on meanwhile."""


@dataclass(frozen=True, slots=True)
class UnknownCapability:
    """One that we do not act on."""

    code: int
    value: bytes = b""


Capability: TypeAlias = (
    MultiProtocol | RefreshCapability | ExtendedNextHop | FourOctetAs | RestartCapability | UnknownCapability
)


def describe(capability: Capability) -> str:
    """For a person, as ``graceful-restart 120s ipv4-unicast``."""
    match capability:
        case MultiProtocol(family):
            return f"{NAMES[MULTIPROTOCOL]} {family}"
        case RefreshCapability(is_old):
            return NAMES[ROUTE_REFRESH_OLD if is_old else ROUTE_REFRESH]
        case ExtendedNextHop(entries):
            return " ".join([NAMES[EXTENDED_NEXT_HOP], *(str(family) for family, _ in entries)])
        case FourOctetAs(asn):
            return f"{NAMES[FOUR_OCTET_AS]} {asn}"
        case RestartCapability():
            families = (str(family) for family, _ in capability.families)
            return " ".join([NAMES[GRACEFUL_RESTART], f"{capability.restart_time_s}s", *families])
        case UnknownCapability(code):
            return NAMES.get(code, f"capability {code}")


def encode_value(capability: Capability) -> tuple[int, bytes]:
    """Code and value."""
    match capability:
        case MultiProtocol(family):
            return MULTIPROTOCOL, FAMILY.pack(*family)
        case RefreshCapability(is_old):
            return ROUTE_REFRESH_OLD if is_old else ROUTE_REFRESH, b""
        case ExtendedNextHop(entries):
            return EXTENDED_NEXT_HOP, b"".join(NEXT_HOP.pack(*family, afi) for family, afi in entries)
        case FourOctetAs(asn):
            return FOUR_OCTET_AS, LONG.pack(asn)
        case RestartCapability():
            return GRACEFUL_RESTART, _restart_value(capability)
        case UnknownCapability(code, value):
            return code, value


def _restart_value(capability: RestartCapability) -> bytes:
    flags = RESTARTED * capability.is_restarted | NOTIFICATION * capability.has_notification
    head = SHORT.pack(flags << TIME_BITS | capability.restart_time_s)
    return head + b"".join(
        RESTART_FAMILY.pack(*family, PRESERVED * is_preserved) for family, is_preserved in capability.families
    )


def encode(capabilities: Iterable[Capability]) -> bytes:
    """The optional parameters of OPEN, from their length on; all capabilities in one of them if they fit."""
    values = b"".join(bytes((code, len(value))) + value for code, value in map(encode_value, capabilities))
    if not values:
        return b"\0"
    if len(values) + 2 <= SHORT_MAX:
        return bytes((len(values) + 2, PARAMETER_CAPABILITIES, len(values))) + values
    # RFC 9072 section 2: only where the short form has no room, since some refuse the long one
    parameter = EXTENDED_PARAMETER.pack(PARAMETER_CAPABILITIES, len(values)) + values
    return bytes((SHORT_MAX,)) + EXTENDED_PARAMETER.pack(PARAMETER_EXTENDED, len(parameter)) + parameter


def decode(data: bytes) -> tuple[Capability, ...]:
    """From the optional parameters of OPEN, from their length on; however they are grouped.

    Raises:
        BadMessage: 2/4 for a parameter that is not capabilities, 2/0 for lengths that do not fit.
    """
    found: list[Capability] = []
    for kind, value in _parameters(data):
        if kind != PARAMETER_CAPABILITIES:
            raise BadMessage(Code.OPEN, OpenError.UNSUPPORTED_PARAMETER)
        for code, content in _fields(value, 1):
            found.append(_decode_value(code, content))
    return tuple(found)


def _parameters(data: bytes) -> Iterator[tuple[int, bytes]]:
    length, rest = data[0], data[1:]
    if length and rest[:1] == bytes((PARAMETER_EXTENDED,)):
        if len(rest) < 3 or SHORT.unpack_from(rest, 1)[0] != len(rest) - 3:  # noqa: PLR2004 - type and length
            raise BadMessage(Code.OPEN, OpenError.UNSPECIFIC)
        return _fields(rest[3:], 2)
    if length != len(rest):
        raise BadMessage(Code.OPEN, OpenError.UNSPECIFIC)
    return _fields(rest, 1)


def _fields(data: bytes, length_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Types with their values; the length of a value is written in so many bytes."""
    start = 0
    while start < len(data):
        value = start + 1 + length_bytes
        end = value + int.from_bytes(data[start + 1 : value])
        if value > len(data) or end > len(data):
            raise BadMessage(Code.OPEN, OpenError.UNSPECIFIC)
        yield data[start], data[value:end]
        start = end


def _decode_value(code: int, value: bytes) -> Capability:
    read = READERS.get(code)
    if read is None:
        return UnknownCapability(code, value)
    try:
        return read(value)
    except struct.error as error:
        raise BadMessage(Code.OPEN, OpenError.UNSPECIFIC) from error


def _multiprotocol(value: bytes) -> Capability:
    return MultiProtocol(Family(*FAMILY.unpack(value)))


def _refresh(value: bytes) -> Capability:
    return RefreshCapability() if not value else UnknownCapability(ROUTE_REFRESH, value)


def _old_refresh(value: bytes) -> Capability:
    return RefreshCapability(is_old=True) if not value else UnknownCapability(ROUTE_REFRESH_OLD, value)


def _extended_next_hop(value: bytes) -> Capability:
    return ExtendedNextHop(
        tuple((Family(afi, safi), next_hop) for afi, safi, next_hop in NEXT_HOP.iter_unpack(value))
    )


def _four_octet_as(value: bytes) -> Capability:
    (asn,) = LONG.unpack(value)
    return FourOctetAs(asn)


def _restart(value: bytes) -> Capability:
    (head,) = SHORT.unpack_from(value)
    flags = head >> TIME_BITS
    return RestartCapability(
        restart_time_s=head & (1 << TIME_BITS) - 1,
        is_restarted=bool(flags & RESTARTED),
        has_notification=bool(flags & NOTIFICATION),
        families=tuple(
            (Family(afi, safi), bool(bits & PRESERVED))
            for afi, safi, bits in RESTART_FAMILY.iter_unpack(value[SHORT.size :])
        ),
    )


READERS: Final[Mapping[int, Callable[[bytes], Capability]]] = {
    MULTIPROTOCOL: _multiprotocol,
    ROUTE_REFRESH: _refresh,
    ROUTE_REFRESH_OLD: _old_refresh,
    EXTENDED_NEXT_HOP: _extended_next_hop,
    FOUR_OCTET_AS: _four_octet_as,
    GRACEFUL_RESTART: _restart,
}
