"""The five messages of BGP, and what else a reader may hand out (RFC 4271 section 4, RFC 2918 section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final, TypeAlias

from bareway.bgp.attributes import Attribute
from bareway.bgp.capabilities import Capability, FourOctetAs
from bareway.bgp.errors import Cease, Code, Fault, subcode_name
from bareway.bgp.prefixes import Family, Nlri

VERSION: Final = 4
WITH_TEXT: Final = frozenset({Cease.SHUTDOWN, Cease.RESET})
TEXT_MAX: Final = 255  # bytes; its length has one


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Who a speaker is, and what it can do."""

    asn: int
    """Of four bytes, whatever part of the message it came in."""
    hold_time_s: int
    router_id: IPv4Address
    capabilities: tuple[Capability, ...] = ()

    @property
    def has_four_octet_as(self) -> bool:
        """Whether its speaker writes AS numbers in four bytes."""
        return any(isinstance(capability, FourOctetAs) for capability in self.capabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Routes taken back and routes told, with the attributes that the latter have in common."""

    withdrawn: Mapping[Family, tuple[Nlri, ...]] = field(default_factory=dict)
    announced: Mapping[Family, tuple[Nlri, ...]] = field(default_factory=dict)
    attributes: tuple[Attribute, ...] = ()
    """All but those that carry prefixes; they stay bytes."""
    next_hop: bytes = b""
    """Of what is not classic IPv4; `updates.addresses` reads it."""
    faults: tuple[Fault, ...] = ()
    """What was wrong with it short of ending the session; what it announced then counts as withdrawn."""

    @property
    def end_of_rib(self) -> Family | None:
        """The family whose first complete telling this message ends (RFC 4724 section 2)."""
        if self.announced or self.faults or self.attributes:
            return None
        families = [family for family, prefixes in self.withdrawn.items() if not prefixes]
        return families[0] if len(families) == len(self.withdrawn) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Why a session ends; the last thing that is said in it."""

    code: int
    subcode: int = 0
    data: bytes = b""

    def __str__(self) -> str:
        text = self.text
        said = f": {text}" if text else ""
        return f"{self.code}/{self.subcode} {subcode_name(self.code, self.subcode)}{said}"

    @property
    def is_hard_reset(self) -> bool:
        """Whether it ends graceful restart too (RFC 8538 section 3)."""
        return (self.code, self.subcode) == (Code.CEASE, Cease.HARD_RESET)

    @property
    def inner(self) -> "Notification":
        """What a Hard Reset wraps; any other one is its own."""
        if not self.is_hard_reset or len(self.data) < 2:  # noqa: PLR2004 - code and subcode
            return self
        return Notification(code=self.data[0], subcode=self.data[1], data=self.data[2:])

    @property
    def text(self) -> str:
        """What the other side's operator wrote (RFC 9003 section 2); empty if nothing or nonsense."""
        inner = self.inner
        if inner.code != Code.CEASE or inner.subcode not in WITH_TEXT or not inner.data:
            return ""
        length, said = inner.data[0], inner.data[1:]
        if length > len(said):
            return ""
        try:
            return "".join(c if c.isprintable() else " " for c in said[:length].decode())
        except UnicodeDecodeError:
            return ""


def administrative(subcode: int, text: str = "") -> Notification:
    """A Cease, with words for the other side's operator where it has room for them (RFC 9003 section 2)."""
    said = text.encode(errors="replace")[:TEXT_MAX].decode(errors="ignore").encode()
    data = bytes((len(said),)) + said if said and subcode in WITH_TEXT else b""
    return Notification(code=Code.CEASE, subcode=subcode, data=data)


def hard_reset(inner: Notification) -> Notification:
    """The one that ends graceful restart too (RFC 8538 section 3)."""
    data = bytes((inner.code, inner.subcode)) + inner.data
    return Notification(code=Code.CEASE, subcode=Cease.HARD_RESET, data=data)


@dataclass(frozen=True, slots=True)
class Keepalive:
    """Still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRefresh:
    """Tell me all of a family again."""

    family: Family
    subtype: int = 0
    """0 = the request itself; others belong to RFC 7313, which we do not offer."""


Message: TypeAlias = Open | Update | Notification | Keepalive | RouteRefresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """Bytes after which the stream cannot go on; answered with a NOTIFICATION."""

    fault: Fault
