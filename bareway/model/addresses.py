"""Addresses as text, and ranges: how a pool writes them, and how they are counted without walking them."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from bareway.model.names import IPAddress
from bareway.model.quick_addresses import QuickIPv4Address, QuickIPv6Address

_OCTETS: Final = {str(number): number for number in range(256)}
_V6_LETTERS: Final = "0123456789abcdefABCDEF:"
_GROUPS: Final = 8
_GROUP_BITS: Final = 16
_GROUP_LETTERS: Final = 4


@dataclass(frozen=True, slots=True)
class AddressRange:
    """All addresses from ``first`` to ``last``, both included, of one family."""

    first: IPAddress
    last: IPAddress

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.first.version

    @property
    def count(self) -> int:
        """How many addresses; never overflows, also for an IPv6 /48."""
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: IPAddress) -> bool:
        return self.version == address.version and int(self.first) <= int(address) <= int(self.last)

    def overlaps(self, other: "AddressRange") -> bool:
        """Whether any address is in both."""
        return (
            self.version == other.version
            and int(self.first) <= int(other.last)
            and int(other.first) <= int(self.last)
        )

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def parse_address(text: str) -> IPAddress | None:
    """The address written in ``text``, or None; with a zone (``fe80::1%eth0``) it would be one host's own."""
    try:
        return None if "%" in text else to_address(text)
    except ValueError:
        return None


def to_address(text: str) -> IPAddress:
    """As ``ipaddress.ip_address`` reads it, at a third of the cost: a start reads tens of thousands.

    Raises:
        ValueError: with its words.
    """
    number = _v6_number(text) if "::" in text else None
    if number is not None:
        return QuickIPv6Address(number)
    try:
        a, b, c, d = text.split(".")
        return QuickIPv4Address(_OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d])
    except (KeyError, ValueError):
        return ip_address(text)  # whatever is written otherwise, or is none


def _v6_number(text: str) -> int | None:
    """Of an address with one ``::`` in it, as nearly all are written; None for any other text."""
    if text.strip(_V6_LETTERS):
        return None
    before, _, after = text.partition("::")
    head, tail = before.split(":") if before else [], after.split(":") if after else []
    left = _GROUPS - len(head) - len(tail)
    if left <= 0:
        return None
    number = 0
    for group in (*head, *("0",) * left, *tail):
        if not 0 < len(group) <= _GROUP_LETTERS:
            return None
        number = number << _GROUP_BITS | int(group, 16)
    return number


def parse_range(text: str) -> AddressRange:
    """Read ``192.0.2.0/24`` (host bits are masked) or ``192.0.2.10-192.0.2.20``.

    Raises:
        ValueError: with MetalLB's words for what is wrong.
    """
    if "-" not in text:
        try:
            network = ip_network(text.strip(), strict=False) if _has_prefix_length(text) else None
        except ValueError:
            network = None
        if network is None:
            raise ValueError(f'invalid CIDR "{text}"')
        return AddressRange(network[0], network[-1])
    first_text, _, last_text = text.partition("-")
    first, last = _end(text, first_text, "start"), _end(text, last_text, "end")
    if first.version != last.version:
        raise ValueError(f'invalid IP range "{text}": start and end are of different families')
    if int(first) > int(last):
        raise ValueError(f'invalid IP range "{text}": start IP "{first}" is after the end IP "{last}"')
    return AddressRange(first, last)


def _end(text: str, end: str, word: str) -> IPv4Address | IPv6Address:
    address = parse_address(end.strip())
    if address is None:
        raise ValueError(f'invalid IP range "{text}": invalid {word} IP "{end.strip()}"')
    return address


def _has_prefix_length(text: str) -> bool:
    """Python would also take ``192.0.2.0/255.255.255.0`` and a zone, ``fe80::%eth0/64``; MetalLB does not."""
    address, _, length = text.strip().partition("/")
    return length.isdecimal() and "%" not in address
