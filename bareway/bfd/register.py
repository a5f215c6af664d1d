"""Which session a packet belongs to (RFC 5880 section 6.3, RFC 5881 section 3, RFC 5883 section 4).

A packet that names a session of ours is for that one, wherever it comes from. Of one that names none the
addresses decide. Either way it must have come by the right port and not through too many routers.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Final, NamedTuple, TypeAlias

from bareway.bfd.drops import DropReason, PacketError
from bareway.bfd.packet import Packet
from bareway.bfd.session import Session

SINGLE_HOP_PORT: Final = 3784  # RFC 5881 section 4
MULTI_HOP_PORT: Final = 4784  # RFC 5883 section 5
SOURCE_PORT_LEAST: Final = 49_152  # RFC 5881 section 4: sessions are told apart by their source port, too
SOURCE_PORT_MOST: Final = 65_535
TTL: Final = 255
"""Sent with it, and over one hop taken with it only: no router was between (RFC 5881 section 5)."""
DISCRIMINATOR_MOST: Final = 0xFFFF_FFFF

IPAddress: TypeAlias = IPv4Address | IPv6Address


class Path(NamedTuple):
    """What a session is about: the way to one address of a router. No two sessions have the same."""

    peer: IPAddress
    local: IPAddress | None = None
    """Ours; None = the one that the kernel chooses."""
    interface: str = ""
    """Empty = any; needed for link-local addresses."""
    is_multihop: bool = False

    def fits(self, arrival: "Arrival") -> bool:
        """The packet came from there to here."""
        if self.peer != arrival.peer or self.is_multihop != arrival.is_multihop:
            return False
        return self.local in (None, arrival.local) and self.interface in ("", arrival.interface)


class Arrival(NamedTuple):
    """How a packet came."""

    peer: IPAddress
    local: IPAddress
    interface: str
    ttl: int
    is_multihop: bool
    """By the port for several hops."""


class Entry(NamedTuple):
    """A session in the register."""

    path: Path
    minimum_ttl: int
    session: Session


class Register:
    """All sessions of this system."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._by_path: dict[Path, Entry] = {}
        self._by_discriminator: dict[int, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._by_path.values()))

    def __len__(self) -> int:
        return len(self._by_path)

    def get(self, path: Path) -> Entry | None:
        """The entry of a path."""
        return self._by_path.get(path)

    def new_discriminator(self) -> int:
        """Not 0, unique here, and not to be guessed by who is not on the path (RFC 5880 section 9)."""
        while True:
            discriminator = self._rng.randint(1, DISCRIMINATOR_MOST)
            if discriminator not in self._by_discriminator:
                return discriminator

    def put(self, entry: Entry) -> None:
        """Add an entry, or replace the one of its path."""
        self.remove(entry.path)
        self._by_path[entry.path] = entry
        self._by_discriminator[entry.session.discriminator] = entry

    def remove(self, path: Path) -> None:
        """Forget the entry of a path, if there is one."""
        entry = self._by_path.pop(path, None)
        if entry is not None:
            del self._by_discriminator[entry.session.discriminator]

    def select(self, packet: Packet, arrival: Arrival) -> Entry:
        """Whose packet it is.

        Raises:
            PacketError: nobody's, or it came in a way that it must not.
        """
        entry = self._candidate(packet, arrival)
        if entry is None:
            raise PacketError(DropReason.UNKNOWN_SESSION)
        if entry.path.is_multihop != arrival.is_multihop:
            raise PacketError(DropReason.WRONG_PORT)
        if arrival.ttl < entry.minimum_ttl:
            raise PacketError(DropReason.BAD_TTL)
        return entry

    def _candidate(self, packet: Packet, arrival: Arrival) -> Entry | None:
        if packet.your_discriminator:
            return self._by_discriminator.get(packet.your_discriminator)
        fitting = (entry for path, entry in self._by_path.items() if path.fits(arrival))
        # The more a path says, the better it fits; several that say nothing more would be the same path.
        return max(
            fitting, key=lambda entry: (entry.path.local is not None, entry.path.interface), default=None
        )
