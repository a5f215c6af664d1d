"""Hardware addresses of stations on an Ethernet."""

from typing import Final, Self

MAC_BYTES: Final = 6


class MacAddress(bytes):
    """Six bytes; prints as ``02:00:00:00:00:01``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``02:00:00:00:00:01``; a ``ValueError`` for anything else."""
        octets = text.split(":")
        if len(octets) != MAC_BYTES or any(len(octet) != 2 for octet in octets):  # noqa: PLR2004 - two hex digits
            raise ValueError(f"{text!r} is not a MAC address; write one like 02:00:00:00:00:01")
        return cls(bytes.fromhex("".join(octets)))

    @property
    def is_host(self) -> bool:
        """Whether one station can have it: six bytes, not zero, not a group (RFC 9542 section 2.1)."""
        return len(self) == MAC_BYTES and not self[0] & 1 and any(self)

    def __str__(self) -> str:
        return self.hex(":")

    def __repr__(self) -> str:
        return f"MacAddress({self})"
