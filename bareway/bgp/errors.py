"""What can be wrong with what a peer sends, and the answer to it (RFC 4271 section 6, RFC 7606).

Codes and subcodes are those of NOTIFICATION; the treatment is how much is lost by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Code(IntEnum):
    """First byte of a NOTIFICATION."""

    HEADER = 1
    OPEN = 2
    UPDATE = 3
    HOLD_TIMER = 4
    FSM = 5
    CEASE = 6
    ROUTE_REFRESH = 7
    SEND_HOLD_TIMER = 8


class Header(IntEnum):
    """RFC 4271 section 6.1."""

    NOT_SYNCHRONIZED = 1
    BAD_LENGTH = 2
    BAD_TYPE = 3


class OpenError(IntEnum):
    """RFC 4271 section 6.2, RFC 5492 section 5."""

    UNSPECIFIC = 0
    UNSUPPORTED_VERSION = 1
    BAD_PEER_AS = 2
    BAD_IDENTIFIER = 3
    UNSUPPORTED_PARAMETER = 4
    UNACCEPTABLE_HOLD_TIME = 6
    UNSUPPORTED_CAPABILITY = 7


class UpdateError(IntEnum):
    """RFC 4271 section 6.3."""

    MALFORMED_LIST = 1
    UNRECOGNIZED_WELL_KNOWN = 2
    MISSING_WELL_KNOWN = 3
    FLAGS = 4
    LENGTH = 5
    INVALID_ORIGIN = 6
    INVALID_NEXT_HOP = 8
    OPTIONAL = 9
    INVALID_NETWORK = 10
    MALFORMED_AS_PATH = 11


class FsmError(IntEnum):
    """RFC 6608 section 3: in which state a message was not expected."""

    UNSPECIFIC = 0
    OPEN_SENT = 1
    OPEN_CONFIRM = 2
    ESTABLISHED = 3


class Cease(IntEnum):
    """RFC 4486, with those of RFC 8538 and RFC 9384."""

    UNSPECIFIC = 0
    MAX_PREFIXES = 1
    SHUTDOWN = 2
    DECONFIGURED = 3
    RESET = 4
    REJECTED = 5
    CONFIGURATION_CHANGE = 6
    COLLISION = 7
    OUT_OF_RESOURCES = 8
    HARD_RESET = 9
    BFD_DOWN = 10


SUBCODES: Final[Mapping[int, type[IntEnum]]] = {
    Code.HEADER: Header,
    Code.OPEN: OpenError,
    Code.UPDATE: UpdateError,
    Code.FSM: FsmError,
    Code.CEASE: Cease,
}
CODES: Final = {code.value: code for code in Code}


class Treatment(StrEnum):
    """What becomes of the session and its routes, weakest first (RFC 7606 section 2)."""

    DISCARD = "discard"
    """The attribute alone is dropped."""
    WITHDRAW = "withdraw"
    """What the message announces counts as withdrawn."""
    RESET = "reset"
    """The session ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake, with the answer that the standards give it."""

    code: int
    subcode: int = 0
    data: bytes = b""
    treatment: Treatment = Treatment.RESET


class BadMessage(ValueError):
    """Bytes that end the session; ``fault`` has the NOTIFICATION."""

    def __init__(self, code: Code, subcode: int = 0, data: bytes = b"") -> None:
        super().__init__(f"{code.value}/{subcode} {subcode_name(code, subcode)}")
        self.fault = Fault(code=code, subcode=subcode, data=data)


def subcode_name(code: int, subcode: int) -> str:
    """Words for the two numbers, as ``cease shutdown``; unknown ones stay numbers."""
    known = CODES.get(code)
    if known is None:
        return f"code {code}"
    words = known.name.lower().replace("_", " ")
    for one in SUBCODES.get(known, ()):
        if one.value == subcode and subcode:
            return f"{words} {one.name.lower().replace('_', ' ')}"
    return words
