"""Scalars as Go reads them: whole numbers and truth values as yaml.v2 does, durations as time.ParseDuration.

A text stays what was written; a number in quotes is a text. One thing is stricter than in yaml.v2, which cuts
the fraction off a number where a whole one is wanted: here that is a mistake.
"""

import json
import re
from typing import Final

TRUE: Final = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
FALSE: Final = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
"""The words of yaml.v2 for a key that holds a truth value, unquoted."""

NUMBER_LENGTH_MAX: Final = 64  # characters; nobody counts further, and Python refuses very long ones
DURATION_MAX_NS: Final = 2**63 - 1  # Go counts nanoseconds in 64 bits
QUOTED_MAX: Final = 100  # characters of a user's text in a message

_WITH_BASE: Final = re.compile(r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9_]+")
_PART: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_UNITS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # the micro sign, and next the Greek letter: both are in use
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def whole_number(text: str) -> int | None:
    """The whole number that yaml.v2 reads in a plain scalar: ``0x1F``, ``0644``, ``1_000``, ``1e3``."""
    if len(text) > NUMBER_LENGTH_MAX or not text or text[0] not in "+-.0123456789":
        return None
    plain = text.replace("_", "")
    based = _WITH_BASE.fullmatch(plain)
    if based:
        sign, hexadecimal, binary, octal = based.groups()
        value = int(hexadecimal, 16) if hexadecimal else int(binary, 2) if binary else int(octal, 8)
        return -value if sign == "-" else value
    if not _DECIMAL.fullmatch(plain):
        return None
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    number = float(plain)
    return int(number) if number.is_integer() else None


def has_leading_zero(text: str) -> bool:
    """Whether a number is written as people write dates, and read in another base than they think."""
    return _LEADING_ZERO.fullmatch(text) is not None


def tag_of(text: str, *, quoted: bool) -> str:
    """What yaml.v2 takes a scalar for."""
    if quoted:
        return "!!str"
    if text in TRUE | FALSE:
        return "!!bool"
    if whole_number(text) is not None:
        return "!!int"
    return "!!float" if _DECIMAL.fullmatch(text) else "!!str"


def duration_ns(text: str) -> int:
    """Nanoseconds in ``1h30m``, ``2.5s`` or ``0``.

    Raises:
        ValueError: with Go's words for what is wrong.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest or len(rest) > NUMBER_LENGTH_MAX:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    total = 0
    while rest:
        part = _PART.match(rest)
        assert part is not None  # noqa: S101 - it matches the empty text
        total += _part_ns(part, text)
        rest = rest[part.end() :]
    if total > DURATION_MAX_NS:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    return sign * total


def _part_ns(part: re.Match[str], text: str) -> int:
    whole, fraction, unit = part.groups()
    if not whole and not fraction:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    if not unit:
        raise ValueError(f"time: missing unit in duration {quoted(text)}")
    if unit not in _UNITS_NS:
        raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
    digits = fraction or ""
    ten: int = 10 ** len(digits)
    return int((whole or "0") + digits) * _UNITS_NS[unit] // ten


def quoted(text: str) -> str:
    """A user's text for a message: in quotes, on one line, and not longer than anybody reads."""
    shown = text if len(text) <= QUOTED_MAX else text[: QUOTED_MAX - 1] + "…"
    return json.dumps(shown, ensure_ascii=False)
