"""Path attributes: their bytes, and what may be wrong (RFC 4271 section 4.3, RFC 7606 sections 3 and 7).

An attribute stays its bytes. We import nothing, so what a peer sends is checked and counted, and read into
numbers by who asks (`as_path`). MP_REACH_NLRI and MP_UNREACH_NLRI carry prefixes: `updates` reads them.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from bareway.bgp.errors import Code, Fault, Treatment, UpdateError
from bareway.bgp.routes import LargeCommunity, Origin
from bareway.model.names import IPAddress

OPTIONAL: Final = 0x80
TRANSITIVE: Final = 0x40
EXTENDED_LENGTH: Final = 0x10
MEANING: Final = OPTIONAL | TRANSITIVE
SHORT_LENGTH_MAX: Final = 255
AS_SET: Final = 1
AS_SEQUENCE: Final = 2
SEGMENTS: Final = (AS_SET, AS_SEQUENCE)
SEGMENT_MAX: Final = 255  # numbers; their count has one byte
AS_TRANS: Final = 23456
TWO_OCTETS_MAX: Final = 0xFFFF
LINK_BANDWIDTH: Final = 0x4004
"""Type of an extended community, not transitive (draft-ietf-idr-link-bandwidth); FRR heeds it across ASes."""
GRACEFUL_SHUTDOWN: Final = 0xFFFF0000
"""The community 65535:0 (RFC 8326 section 6)."""


class Kind(IntEnum):
    """Second byte of an attribute."""

    ORIGIN = 1
    AS_PATH = 2
    NEXT_HOP = 3
    MED = 4
    LOCAL_PREF = 5
    ATOMIC_AGGREGATE = 6
    AGGREGATOR = 7
    COMMUNITIES = 8
    ORIGINATOR_ID = 9
    CLUSTER_LIST = 10
    MP_REACH_NLRI = 14
    MP_UNREACH_NLRI = 15
    EXTENDED_COMMUNITIES = 16
    AS4_PATH = 17
    AS4_AGGREGATOR = 18
    LARGE_COMMUNITIES = 32


class Attribute(NamedTuple):
    """One attribute as it is sent."""

    flags: int
    kind: int
    value: bytes


class Segment(NamedTuple):
    """Part of an AS_PATH."""

    kind: int
    asns: tuple[int, ...]


# 0      1      2 (3)    3 (4)
# | flags | type | length | value |      the length has two bytes if the flags say so
SHORT: Final = struct.Struct("!BBB")
LONG: Final = struct.Struct("!BBH")
U32: Final = struct.Struct("!I")
LARGE: Final = struct.Struct("!III")
BANDWIDTH: Final = struct.Struct("!HHf")


# ---------------------------------------------------------------- to bytes


def encode(attribute: Attribute) -> bytes:
    """One attribute; a long value gets the long form of its length."""
    flags, kind, value = attribute
    if len(value) > SHORT_LENGTH_MAX:
        return LONG.pack(flags | EXTENDED_LENGTH, kind, len(value)) + value
    return SHORT.pack(flags & ~EXTENDED_LENGTH, kind, len(value)) + value


def encode_all(attributes: Iterable[Attribute]) -> bytes:
    """In the order of their types (RFC 4271 section 5), so that equal ones have equal bytes."""
    return b"".join(encode(one) for one in sorted(attributes, key=lambda one: one.kind))


def made(kind: Kind, value: bytes) -> Attribute:
    """An attribute of a known type, with the flags that this has."""
    return Attribute(RULES[kind].flags, kind, value)


def origin(value: Origin) -> Attribute:
    """How the route came into BGP."""
    return made(Kind.ORIGIN, bytes((value,)))


def as_path(asns: tuple[int, ...], *, octets: int) -> Attribute:
    """One sequence of AS numbers, of four bytes or of two; what does not fit into two is AS_TRANS."""
    return made(Kind.AS_PATH, _path_value(asns, octets))


def as4_path(asns: tuple[int, ...]) -> Attribute:
    """Beside an AS_PATH of two bytes: what it could not say (RFC 6793 section 4.2.2)."""
    return made(Kind.AS4_PATH, _path_value(asns, 4))


def next_hop(address: IPAddress) -> Attribute:
    """Where the traffic shall go."""
    return made(Kind.NEXT_HOP, address.packed)


def number(kind: Kind, value: int) -> Attribute:
    """MED or LOCAL_PREF."""
    return made(kind, U32.pack(value))


def communities(values: Iterable[int]) -> Attribute:
    """RFC 1997."""
    return made(Kind.COMMUNITIES, b"".join(map(U32.pack, values)))


def large_communities(values: Iterable[LargeCommunity]) -> Attribute:
    """RFC 8092 section 3."""
    return made(Kind.LARGE_COMMUNITIES, b"".join(LARGE.pack(*value) for value in values))


def extended_communities(values: Iterable[bytes]) -> Attribute:
    """RFC 4360 section 2."""
    return made(Kind.EXTENDED_COMMUNITIES, b"".join(values))


def link_bandwidth(asn: int, bytes_per_s: float) -> bytes:
    """The extended community by which a router weighs several next hops."""
    return BANDWIDTH.pack(LINK_BANDWIDTH, asn if asn <= TWO_OCTETS_MAX else AS_TRANS, bytes_per_s)


def _path_value(asns: tuple[int, ...], octets: int) -> bytes:
    parts = []
    for start in range(0, len(asns), SEGMENT_MAX):
        part = asns[start : start + SEGMENT_MAX]
        fitting = part if octets == 4 else tuple(a if a <= TWO_OCTETS_MAX else AS_TRANS for a in part)  # noqa: PLR2004
        parts.append(bytes((AS_SEQUENCE, len(part))))
        parts += (asn.to_bytes(octets) for asn in fitting)
    return b"".join(parts)


# ---------------------------------------------------------------- from bytes


def read_path(value: bytes, *, octets: int) -> tuple[Segment, ...]:
    """The segments of an AS_PATH or AS4_PATH.

    Raises:
        ValueError: a segment of unknown kind, empty or cut off, or AS 0 (RFC 7607 section 2).
    """
    found = []
    start = 0
    while start < len(value):
        kind, count = value[start], value[start + 1] if start + 1 < len(value) else 0
        end = start + 2 + count * octets
        if kind not in SEGMENTS or not count or end > len(value):
            raise ValueError("no segment")
        numbers = value[start + 2 : end]
        asns = tuple(int.from_bytes(numbers[at : at + octets]) for at in range(0, len(numbers), octets))
        if 0 in asns:
            raise ValueError("AS 0")
        found.append(Segment(kind, asns))
        start = end
    return tuple(found)


def walk(data: bytes) -> Iterator[Attribute | None]:
    """The attributes in ``data``; None in place of a last one that is cut off (RFC 7606 section 4)."""
    start = 0
    while start < len(data):
        head = LONG if data[start] & EXTENDED_LENGTH else SHORT
        value = start + head.size
        if value > len(data):
            yield None
            return
        flags, kind, length = head.unpack_from(data, start)
        start = value + length
        if start > len(data):
            yield None
            return
        yield Attribute(flags, kind, data[value:start])


class Rule(NamedTuple):
    """What an attribute must be, and what follows where it is not."""

    flags: int
    is_good: Callable[[bytes, int], bool]
    """Of its value, and the bytes of an AS number in this session."""
    subcode: UpdateError = UpdateError.LENGTH
    treatment: Treatment = Treatment.WITHDRAW
    is_internal: bool = False
    """Within one AS alone; from another one it is dropped."""


def fault_of(attribute: Attribute, *, octets: int, is_internal: bool) -> Fault | None:
    """What is wrong with an attribute, by RFC 7606 section 7; of an unknown one only its flags can be."""
    rule = RULES_BY_NUMBER.get(attribute.kind)
    if rule is None:
        if attribute.flags & OPTIONAL:
            return None
        return _fault(attribute, UpdateError.UNRECOGNIZED_WELL_KNOWN, Treatment.RESET)
    if rule.is_internal and not is_internal:
        return _fault(attribute, UpdateError.OPTIONAL, Treatment.DISCARD)
    if attribute.flags & MEANING != rule.flags:
        return _fault(attribute, UpdateError.FLAGS, rule.treatment)
    if not rule.is_good(attribute.value, octets):
        return _fault(attribute, rule.subcode, rule.treatment)
    return None


def _fault(attribute: Attribute, subcode: UpdateError, treatment: Treatment) -> Fault:
    return Fault(code=Code.UPDATE, subcode=subcode, data=encode(attribute), treatment=treatment)


def _length(size: int) -> Callable[[bytes, int], bool]:
    return lambda value, _: len(value) == size


def _several(size: int) -> Callable[[bytes, int], bool]:
    return lambda value, _: bool(value) and len(value) % size == 0


def _is_origin(value: bytes, _: int) -> bool:
    return len(value) == 1 and value[0] <= max(Origin)


def _is_path(value: bytes, octets: int) -> bool:
    try:
        read_path(value, octets=octets)
    except ValueError:
        return False
    return True


def _is_new_path(value: bytes, _: int) -> bool:
    return _is_path(value, 4)


def _is_aggregator(value: bytes, octets: int) -> bool:
    return len(value) == octets + 4 and any(value[:octets])


def _is_new_aggregator(value: bytes, _: int) -> bool:
    return _is_aggregator(value, 4)


def _anything(_: bytes, __: int) -> bool:
    return True


OPTIONAL_TRANSITIVE: Final = OPTIONAL | TRANSITIVE
DISCARD: Final = Treatment.DISCARD
RULES: Final[Mapping[Kind, Rule]] = {
    Kind.ORIGIN: Rule(TRANSITIVE, _is_origin, UpdateError.INVALID_ORIGIN),
    Kind.AS_PATH: Rule(TRANSITIVE, _is_path, UpdateError.MALFORMED_AS_PATH),
    Kind.NEXT_HOP: Rule(TRANSITIVE, _length(4), UpdateError.INVALID_NEXT_HOP),
    Kind.MED: Rule(OPTIONAL, _length(4)),
    Kind.LOCAL_PREF: Rule(TRANSITIVE, _length(4), is_internal=True),
    Kind.ATOMIC_AGGREGATE: Rule(TRANSITIVE, _length(0), treatment=DISCARD),
    Kind.AGGREGATOR: Rule(OPTIONAL_TRANSITIVE, _is_aggregator, UpdateError.OPTIONAL, DISCARD),
    Kind.COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, _several(4), UpdateError.OPTIONAL),
    Kind.ORIGINATOR_ID: Rule(OPTIONAL, _length(4), is_internal=True),
    Kind.CLUSTER_LIST: Rule(OPTIONAL, _several(4), is_internal=True),
    Kind.MP_REACH_NLRI: Rule(OPTIONAL, _anything),
    Kind.MP_UNREACH_NLRI: Rule(OPTIONAL, _anything),
    Kind.EXTENDED_COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, _several(8), UpdateError.OPTIONAL),
    Kind.AS4_PATH: Rule(OPTIONAL_TRANSITIVE, _is_new_path, UpdateError.OPTIONAL, DISCARD),
    Kind.AS4_AGGREGATOR: Rule(OPTIONAL_TRANSITIVE, _is_new_aggregator, UpdateError.OPTIONAL, DISCARD),
    Kind.LARGE_COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, _several(12), UpdateError.OPTIONAL),
}
RULES_BY_NUMBER: Final[Mapping[int, Rule]] = {kind.value: rule for kind, rule in RULES.items()}
