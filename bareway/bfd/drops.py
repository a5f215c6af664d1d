"""Why a packet is not heard: one word for each reason, counted by the driver and asserted by tests."""

from enum import StrEnum


class DropReason(StrEnum):
    """What was wrong with a packet (RFC 5880 section 6.8.6), or with the way it came."""

    TRUNCATED = "Truncated"
    """Fewer bytes than the mandatory section has."""
    BAD_VERSION = "BadVersion"
    BAD_LENGTH = "BadLength"
    """The length field says less than the mandatory section has, or more than was received."""
    NO_MULTIPLIER = "NoMultiplier"
    MULTIPOINT = "Multipoint"
    NO_DISCRIMINATOR = "NoDiscriminator"
    """The sender does not say which session of its own it means."""
    AUTHENTICATED = "Authenticated"
    """We know no keys, and what is authenticated is dropped where authentication is not in use."""
    UNKNOWN_SESSION = "UnknownSession"
    """It answers a session that we do not have, or comes from a peer that nobody asked for."""
    NOT_BEGINNING = "NotBeginning"
    """It knows no session of ours, and yet claims that one is coming up."""
    BAD_TTL = "BadTtl"
    """It came through more routers than the session allows (RFC 5881 section 5)."""
    WRONG_PORT = "WrongPort"
    """For a session over one hop on the port for several, or the reverse."""
    ADMINISTRATIVELY_DOWN = "AdministrativelyDown"
    """We keep the session down."""


class PacketError(ValueError):
    """A packet that cannot be read; ``reason`` says why."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
