"""UPDATE messages: withdrawn routes, attributes, announced routes (RFC 4271 section 4.3, RFC 4760).

Reading follows RFC 7606: what can be told apart from the rest is treated as withdrawn or dropped, and only
what hides where prefixes begin ends the session. Prefixes of families that we do not know are passed over.
"""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bareway.bgp import attributes as path_attributes
from bareway.bgp import prefixes
from bareway.bgp.attributes import OPTIONAL, Attribute, Kind
from bareway.bgp.errors import BadMessage, Code, Fault, Treatment, UpdateError
from bareway.bgp.messages import Update
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import AFI_IPV4, IPV4, BadPrefix, Family, Nlri
from bareway.model.names import IPAddress

# UPDATE:      | length | withdrawn routes | length | attributes | announced routes |    (lengths of 2 bytes)
# MP_REACH:    | AFI 2 | SAFI 1 | length 1 | next hop | reserved 1 | announced routes |
# MP_UNREACH:  | AFI 2 | SAFI 1 | withdrawn routes |
LENGTH: Final = struct.Struct("!H")
REACH: Final = struct.Struct("!HBB")
UNREACH: Final = struct.Struct("!HB")
HEADER: Final = struct.Struct("!16sHB")
MARKER: Final = b"\xff" * 16
UPDATE: Final = 2
FRAME_BYTES: Final = HEADER.size + 2 * LENGTH.size
"""Of an UPDATE that says nothing."""
NEXT_HOP_BYTES: Final[Mapping[int, tuple[int, ...]]] = {1: (4,), 2: (16, 32)}
"""By AFI (RFC 2545 section 3)."""
STRENGTH: Final = {treatment: place for place, treatment in enumerate(Treatment)}


def frame(withdrawn: bytes, attributes: bytes, announced: bytes) -> bytes:
    """A whole message from its three parts."""
    size = FRAME_BYTES + len(withdrawn) + len(attributes) + len(announced)
    head = HEADER.pack(MARKER, size, UPDATE) + LENGTH.pack(len(withdrawn))
    return b"".join((head, withdrawn, LENGTH.pack(len(attributes)), attributes, announced))


def reach(family: Family, next_hop: bytes, announced: bytes) -> bytes:
    """The attribute that announces routes beside classic IPv4."""
    head = REACH.pack(*family, len(next_hop)) + next_hop + b"\0"
    return path_attributes.encode(Attribute(OPTIONAL, Kind.MP_REACH_NLRI, head + announced))


def unreach(family: Family, withdrawn: bytes) -> bytes:
    """The attribute that withdraws them."""
    return path_attributes.encode(
        Attribute(OPTIONAL, Kind.MP_UNREACH_NLRI, UNREACH.pack(*family) + withdrawn)
    )


def end_of_rib(family: Family) -> bytes:
    """The message that ends the first telling of a family (RFC 4724 section 2)."""
    return frame(b"", b"" if family == IPV4 else unreach(family, b""), b"")


def encode(update: Update) -> bytes:
    """One message; IPv4 stands outside the attributes unless its next hop is IPv6 (RFC 8950 section 3)."""
    is_classic = not update.next_hop or len(update.next_hop) == IPv4Address(0).max_prefixlen // 8
    packed = b"".join(
        unreach(family, prefixes.join(routes))
        for family, routes in update.withdrawn.items()
        if family != IPV4 or not is_classic
    )
    attributes = b"".join(
        reach(family, update.next_hop, prefixes.join(routes))
        for family, routes in update.announced.items()
        if family != IPV4 or not is_classic
    )
    return frame(
        prefixes.join(update.withdrawn.get(IPV4, ())) if is_classic else b"",
        attributes + packed + path_attributes.encode_all(update.attributes),
        prefixes.join(update.announced.get(IPV4, ())) if is_classic else b"",
    )


def decode(body: bytes, session: Negotiated) -> Update:
    """Read what follows the header.

    Raises:
        BadMessage: where RFC 7606 ends the session.
    """
    withdrawn, attributes, announced = _parts(body)
    draft = _Draft(session)
    draft.announced[IPV4] = _classic(announced)
    draft.has_classic = bool(announced)
    draft.withdrawn[IPV4] = _classic(withdrawn)
    draft.read(attributes)
    draft.check()
    return draft.finished(is_end_of_rib=not body.strip(b"\0"))


def _parts(body: bytes) -> tuple[bytes, bytes, bytes]:
    (withdrawn,) = LENGTH.unpack_from(body)
    place = LENGTH.size + withdrawn
    if place + LENGTH.size > len(body):
        raise BadMessage(Code.UPDATE, UpdateError.MALFORMED_LIST)
    (length,) = LENGTH.unpack_from(body, place)
    start = place + LENGTH.size
    if start + length > len(body):
        raise BadMessage(Code.UPDATE, UpdateError.MALFORMED_LIST)
    return body[LENGTH.size : place], body[start : start + length], body[start + length :]


def _classic(data: bytes) -> tuple[Nlri, ...]:
    try:
        return prefixes.split(data, IPV4.bits)
    except BadPrefix as error:
        raise BadMessage(Code.UPDATE, UpdateError.INVALID_NETWORK) from error


class _Draft:
    """An UPDATE while it is read."""

    def __init__(self, session: Negotiated) -> None:
        self._session = session
        self._kept: dict[int, Attribute] = {}
        self._faults: list[Fault] = []
        self._next_hop = b""
        self.withdrawn: dict[Family, tuple[Nlri, ...]] = {}
        self.announced: dict[Family, tuple[Nlri, ...]] = {}
        self.has_classic = False
        self._mp_seen: set[int] = set()

    def read(self, data: bytes) -> None:
        for attribute in path_attributes.walk(data):
            if attribute is None:
                self._complain(UpdateError.MALFORMED_LIST, b"", Treatment.WITHDRAW)
            else:
                self._take(attribute)

    def _complain(self, subcode: UpdateError, data: bytes, treatment: Treatment) -> None:
        self._faults.append(Fault(code=Code.UPDATE, subcode=subcode, data=data, treatment=treatment))

    def _take(self, attribute: Attribute) -> None:
        kind = attribute.kind
        octets = 4 if self._session.has_four_octet_as else 2
        fault = path_attributes.fault_of(attribute, octets=octets, is_internal=self._session.is_internal)
        if kind in {Kind.MP_REACH_NLRI, Kind.MP_UNREACH_NLRI}:
            self._take_prefixes(attribute)
            if fault is not None:
                self._faults.append(fault)
        elif kind in self._kept:  # RFC 7606 section 3 (g): the first one counts
            self._complain(UpdateError.MALFORMED_LIST, path_attributes.encode(attribute), Treatment.DISCARD)
        elif fault is not None:
            self._faults.append(fault)
        elif not (octets == 4 and kind in {Kind.AS4_PATH, Kind.AS4_AGGREGATOR}):  # noqa: PLR2004 - RFC 6793
            self._kept[kind] = attribute

    def _take_prefixes(self, attribute: Attribute) -> None:
        if attribute.kind in self._mp_seen:
            raise BadMessage(Code.UPDATE, UpdateError.MALFORMED_LIST)
        self._mp_seen.add(attribute.kind)
        try:
            if attribute.kind == Kind.MP_REACH_NLRI:
                self._read_reach(attribute.value)
            else:
                self._read_unreach(attribute.value)
        except (struct.error, BadPrefix, _BadNextHop) as error:
            raise BadMessage(Code.UPDATE, UpdateError.OPTIONAL, path_attributes.encode(attribute)) from error

    def _read_reach(self, value: bytes) -> None:
        afi, safi, length = REACH.unpack_from(value)
        family, end = Family(afi, safi), REACH.size + length
        if len(value) < end + 1:
            raise _BadNextHop
        if family not in self._session.families or not family.bits:
            return
        sizes = NEXT_HOP_BYTES[afi]
        if afi == AFI_IPV4 and self._session.has_extended_next_hop:
            sizes += NEXT_HOP_BYTES[2]
        if length not in sizes:
            raise _BadNextHop
        self._next_hop = value[REACH.size : end]
        self.announced[family] = self.announced.get(family, ()) + prefixes.split(
            value[end + 1 :], family.bits
        )

    def _read_unreach(self, value: bytes) -> None:
        family = Family(*UNREACH.unpack_from(value))
        if family in self._session.families and family.bits:
            routes = prefixes.split(value[UNREACH.size :], family.bits)
            self.withdrawn[family] = self.withdrawn.get(family, ()) + routes

    def check(self) -> None:
        """What an UPDATE that announces must have (RFC 4271 section 5; RFC 7606 section 3 (d))."""
        if not any(self.announced.values()):
            return
        needed = [Kind.ORIGIN, Kind.AS_PATH]
        if self._session.is_internal:
            needed.append(Kind.LOCAL_PREF)
        if self.has_classic:
            needed.append(Kind.NEXT_HOP)
        for kind in needed:
            if kind not in self._kept:
                self._complain(UpdateError.MISSING_WELL_KNOWN, bytes((kind,)), Treatment.WITHDRAW)

    def finished(self, *, is_end_of_rib: bool) -> Update:
        worst = max(self._faults, key=lambda fault: STRENGTH[fault.treatment], default=None)
        announced = {family: routes for family, routes in self.announced.items() if routes}
        withdrawn = {family: routes for family, routes in self.withdrawn.items() if routes or family != IPV4}
        if is_end_of_rib:
            withdrawn[IPV4] = ()
        if worst is not None and worst.treatment is Treatment.WITHDRAW and not announced:
            # RFC 7606 section 5.2: nothing to withdraw, so perhaps the mistake hides what was announced
            raise BadMessage(Code(worst.code), worst.subcode, worst.data)
        if worst is not None and worst.treatment is Treatment.RESET:
            raise BadMessage(Code(worst.code), worst.subcode, worst.data)
        if worst is not None and worst.treatment is Treatment.WITHDRAW:
            for family, routes in announced.items():
                withdrawn[family] = withdrawn.get(family, ()) + routes
            return Update(withdrawn=withdrawn, faults=tuple(self._faults))
        return Update(
            withdrawn=withdrawn,
            announced=announced,
            next_hop=self._next_hop,
            attributes=tuple(self._kept.values()),
            faults=tuple(self._faults),
        )


class _BadNextHop(ValueError):
    """Of a length that its family does not have."""


def addresses(next_hop: bytes) -> tuple[IPAddress, ...]:
    """The next hops in these bytes: one of IPv4, or one or two of IPv6."""
    size = len(IPv6Address(0).packed)
    if len(next_hop) < size:
        return (IPv4Address(next_hop),) if next_hop else ()
    return tuple(IPv6Address(next_hop[at : at + size]) for at in range(0, len(next_hop), size))
