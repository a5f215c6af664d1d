"""Address families, and prefixes in the form that messages carry (RFC 4271 section 4.3, RFC 4760 section 5).

A prefix on the wire is one byte of length in bits and as many bytes as that needs. These few bytes are also
the key of every table here: a hundred thousand of them cost a third of as many network objects, and a message
is made by joining them.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple, NewType

from bareway.model.names import IPAddress, IPNetwork

Nlri = NewType("Nlri", bytes)
"""One prefix as messages carry it; which family it is of stands beside it."""


class Family(NamedTuple):
    """What routes are about: an address family and a subsequent one."""

    afi: int
    safi: int

    @property
    def bits(self) -> int:
        """Of an address; 0 for a family whose prefixes we do not read."""
        return BITS.get(self, 0)

    def __str__(self) -> str:
        return NAMES.get(self, f"{self.afi}/{self.safi}")


AFI_IPV4: Final = 1
AFI_IPV6: Final = 2
SAFI_UNICAST: Final = 1
IPV4: Final = Family(AFI_IPV4, SAFI_UNICAST)
IPV6: Final = Family(AFI_IPV6, SAFI_UNICAST)
BITS: Final = {IPV4: 32, IPV6: 128}
NAMES: Final = {IPV4: "ipv4-unicast", IPV6: "ipv6-unicast"}
HOST4: Final = b"\x20"
HOST6: Final = b"\x80"


class BadPrefix(ValueError):
    """A length beyond the family's, or bytes that end too early."""


def family_of(thing: IPAddress | IPNetwork) -> Family:
    """The family of an address or a network."""
    return IPV4 if thing.version == 4 else IPV6  # noqa: PLR2004 - the number is the name


def nlri(network: IPNetwork) -> Nlri:
    """The bytes of ``network``."""
    length, packed = network.prefixlen, network.network_address.packed
    return Nlri(bytes((length,)) + packed[: (length + 7) >> 3])


def network(prefix: Nlri, family: Family) -> IPNetwork:
    """The network that ``prefix`` writes; bits behind its length do not count."""
    size = family.bits >> 3
    packed = prefix[1:].ljust(size, b"\0")
    if family.afi == AFI_IPV4:
        return IPv4Network((IPv4Address(packed), prefix[0]), strict=False)
    return IPv6Network((IPv6Address(packed), prefix[0]), strict=False)


def split(data: bytes, bits: int) -> tuple[Nlri, ...]:
    """The prefixes that follow each other in ``data``, of addresses with ``bits``.

    Raises:
        BadPrefix: one is too long, or the last one is cut off (RFC 7606 section 5.3).
    """
    found: list[bytes] = []
    start, end = 0, len(data)
    while start < end:
        length = data[start]
        if length > bits:
            raise BadPrefix
        stop = start + 1 + ((length + 7) >> 3)
        found.append(data[start:stop])
        start = stop
    if start != end:
        raise BadPrefix
    return tuple(map(Nlri, found))


def join(prefixes: Iterable[Nlri]) -> bytes:
    """One behind the other, as a message has them."""
    return b"".join(prefixes)
