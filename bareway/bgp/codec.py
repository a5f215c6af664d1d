"""Messages to bytes and a stream of bytes to messages (RFC 4271 sections 4 and 6.1 to 6.4).

Nothing but `BadMessage` is raised, whatever the bytes, and the `Reader` catches that too: it hands out
`Malformed`, after which there is nothing more to read.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Final

from bareway.bgp import capabilities, updates
from bareway.bgp.attributes import AS_TRANS, TWO_OCTETS_MAX
from bareway.bgp.capabilities import FourOctetAs
from bareway.bgp.errors import BadMessage, Code, Header, OpenError
from bareway.bgp.messages import (
    VERSION,
    Keepalive,
    Malformed,
    Message,
    Notification,
    Open,
    RouteRefresh,
    Update,
)
from bareway.bgp.negotiated import MESSAGE_MAX, Negotiated
from bareway.bgp.prefixes import Family
from bareway.bgp.updates import HEADER, MARKER

# 0         16       18     19
# | marker  | length | type | … |
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = range(1, 6)
# OPEN:          | version 1 | AS 2 | hold time 2 | identifier 4 | parameters |
OPEN_BODY: Final = struct.Struct("!BHH4s")
# ROUTE-REFRESH: | AFI 2 | subtype 1 | SAFI 1 |
REFRESH_BODY: Final = struct.Struct("!HBB")
LENGTHS_MIN: Final[Mapping[int, int]] = {
    OPEN: HEADER.size + OPEN_BODY.size + 1,
    UPDATE: HEADER.size + 4,
    NOTIFICATION: HEADER.size + 2,
    KEEPALIVE: HEADER.size,
    ROUTE_REFRESH: HEADER.size,
}
HOLD_TIME_MIN_S: Final = 3
BEFORE_OPEN: Final = Negotiated()
KEEPALIVE_BYTES: Final = HEADER.pack(MARKER, HEADER.size, KEEPALIVE)


def encode(message: Message, session: Negotiated = BEFORE_OPEN) -> bytes:
    """The whole message.

    Raises:
        ValueError: it would be longer than the session allows; who makes messages divides them.
    """
    data = _encoded(message, session)
    if len(data) > session.message_max:
        raise ValueError("too long")
    return data


def _encoded(message: Message, session: Negotiated) -> bytes:
    match message:
        case Open():
            return _framed(OPEN, _open_body(message))
        case Update():
            return updates.encode(message)
        case Notification():
            room = session.message_max - LENGTHS_MIN[NOTIFICATION]
            return _framed(NOTIFICATION, bytes((message.code, message.subcode)) + message.data[:room])
        case Keepalive():
            return KEEPALIVE_BYTES
        case RouteRefresh():
            body = REFRESH_BODY.pack(message.family.afi, message.subtype, message.family.safi)
            return _framed(ROUTE_REFRESH, body)


def decode(data: bytes, session: Negotiated = BEFORE_OPEN) -> Message:
    """Read one whole message.

    Raises:
        BadMessage: and nothing else; it has the NOTIFICATION that answers.
    """
    if len(data) < HEADER.size:
        raise BadMessage(Code.HEADER, Header.BAD_LENGTH, len(data).to_bytes(2))
    length, kind = _checked_header(data, session)
    if length != len(data):
        raise BadMessage(Code.HEADER, Header.BAD_LENGTH, length.to_bytes(2))
    return _decode_body(kind, data[HEADER.size :], session)


class Reader:
    """Takes bytes in any portion, gives whole messages; holds less than one message between two calls."""

    def __init__(self) -> None:
        self.session = BEFORE_OPEN
        """How to read; set it as soon as OPEN tells, what follows is read by it."""
        self._rest = b""
        self._is_broken = False

    def feed(self, data: bytes) -> Iterator[Message | Malformed]:
        """The messages that end in ``data``, each read when it is asked for; `Malformed` is the last one."""
        rest = self._rest + data
        start = 0
        self._rest = b""
        while not self._is_broken and len(rest) - start >= HEADER.size:
            try:
                length, kind = _checked_header(rest[start : start + HEADER.size], self.session)
                if len(rest) - start < length:
                    break
                message = _decode_body(kind, rest[start + HEADER.size : start + length], self.session)
            except BadMessage as error:
                self._is_broken = True
                yield Malformed(fault=error.fault)
                return
            start += length
            yield message
        if not self._is_broken:
            self._rest = rest[start:]


def _framed(kind: int, body: bytes) -> bytes:
    return HEADER.pack(MARKER, HEADER.size + len(body), kind) + body


def _checked_header(data: bytes, session: Negotiated) -> tuple[int, int]:
    """Length and type (RFC 4271 section 6.1)."""
    marker, length, kind = HEADER.unpack_from(data)
    if marker != MARKER:
        raise BadMessage(Code.HEADER, Header.NOT_SYNCHRONIZED)
    if not HEADER.size <= length <= session.message_max:
        raise BadMessage(Code.HEADER, Header.BAD_LENGTH, length.to_bytes(2))
    least = LENGTHS_MIN.get(kind)
    if least is None:
        raise BadMessage(Code.HEADER, Header.BAD_TYPE, bytes((kind,)))
    if length < least or (kind == KEEPALIVE and length != least) or (kind == OPEN and length > MESSAGE_MAX):
        raise BadMessage(Code.HEADER, Header.BAD_LENGTH, length.to_bytes(2))
    return length, kind


def _decode_body(kind: int, body: bytes, session: Negotiated) -> Message:
    return DECODERS[kind](body, session)


def _open_body(message: Open) -> bytes:
    short = message.asn if message.asn <= TWO_OCTETS_MAX else AS_TRANS
    head = OPEN_BODY.pack(VERSION, short, message.hold_time_s, message.router_id.packed)
    return head + capabilities.encode(message.capabilities)


def _decode_open(body: bytes, _: Negotiated) -> Open:
    """RFC 4271 section 6.2; whether it is the right peer is the session's to judge."""
    version, short, hold_time_s, identifier = OPEN_BODY.unpack_from(body)
    if version != VERSION:
        raise BadMessage(Code.OPEN, OpenError.UNSUPPORTED_VERSION, VERSION.to_bytes(2))
    found = capabilities.decode(body[OPEN_BODY.size :])
    asn = next((one.asn for one in found if isinstance(one, FourOctetAs)), short)
    if not asn or not short:  # RFC 7607 section 2
        raise BadMessage(Code.OPEN, OpenError.BAD_PEER_AS)
    if 0 < hold_time_s < HOLD_TIME_MIN_S:
        raise BadMessage(Code.OPEN, OpenError.UNACCEPTABLE_HOLD_TIME)
    if not any(identifier):  # RFC 6286 section 2.2: any other one will do
        raise BadMessage(Code.OPEN, OpenError.BAD_IDENTIFIER)
    return Open(asn=asn, hold_time_s=hold_time_s, router_id=IPv4Address(identifier), capabilities=found)


def _decode_notification(body: bytes, _: Negotiated) -> Notification:
    return Notification(code=body[0], subcode=body[1], data=body[2:])


def _decode_keepalive(_: bytes, __: Negotiated) -> Keepalive:
    return Keepalive()


def _decode_refresh(body: bytes, _: Negotiated) -> RouteRefresh:
    """Longer ones carry filters (RFC 5291), which we do not offer; the request itself stands in front."""
    if len(body) < REFRESH_BODY.size:
        raise BadMessage(Code.ROUTE_REFRESH, 1, _framed(ROUTE_REFRESH, body))  # RFC 7313 section 5
    afi, subtype, safi = REFRESH_BODY.unpack_from(body)
    return RouteRefresh(family=Family(afi, safi), subtype=subtype)


DECODERS: Final[Mapping[int, Callable[[bytes, Negotiated], Message]]] = {
    OPEN: _decode_open,
    UPDATE: updates.decode,
    NOTIFICATION: _decode_notification,
    KEEPALIVE: _decode_keepalive,
    ROUTE_REFRESH: _decode_refresh,
}
