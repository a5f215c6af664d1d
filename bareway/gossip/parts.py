"""The parts of messages and their bytes: what members say of each other, of addresses, of the link.

A part that is no such thing although its types are right (an address of five bytes) is a ``ValueError``.
"""

from ipaddress import ip_address, ip_network
from typing import Annotated, Final

from msgspec import Meta, Struct

from bareway.gossip.claims import Claim
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.member import LINK_NAME_MAX, LINKS_MAX, Facts, LinkFact, MemberState, Report, Side
from bareway.model.mac import MAC_BYTES, MacAddress
from bareway.model.names import InterfaceName, NodeName
from bareway.model.quick_addresses import QuickIPv4Address, QuickIPv6Address

NAME_MAX: Final = 253
"""Length of a Kubernetes Node's name."""
UPDATES_MAX: Final = 80
"""Reports, claims or findings in one frame: as many as fit when all names have NAME_MAX bytes. A report with
links takes the place of two."""
NUMBER_MAX: Final = 2**63 - 1
"""Counters fit a signed 64-bit integer everywhere."""

IPV4_BYTES: Final = 4

Name = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"\A[!-~]+\Z")]  # printable: it ends in logs
_NameOrNone = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"\A[!-~]*\Z")]
Number = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
_Address = Annotated[bytes, Meta(min_length=4, max_length=16)]
WireSide = tuple[Number, _NameOrNone]

STATES: Final = (MemberState.ALIVE, MemberState.SUSPECT, MemberState.DEAD, MemberState.LEFT)
"""A state's number on the wire is its place here."""
_StateNumber = Annotated[int, Meta(ge=0, lt=len(STATES))]

STARTED: Final = 1
ABLE: Final = 2
LEAVING: Final = 4
CRASHED: Final = 8
_Flags = Number

_KeyId = Annotated[bytes, Meta(max_length=16)]
_Mac = Annotated[bytes, Meta(min_length=MAC_BYTES, max_length=MAC_BYTES)]
_LinkName = Annotated[str, Meta(max_length=LINK_NAME_MAX, pattern=r"\A[!-~]+\Z")]
_Network = Annotated[bytes, Meta(min_length=5, max_length=17)]  # the prefix length, then the address
_Networks = Annotated[list[_Network], Meta(max_length=LINKS_MAX)]

WORDS: Final = (
    FindingWord.ADDRESS_IN_USE,
    FindingWord.STRICT_ARP_MISSING,
    FindingWord.PROXY_ARP_SUSPECTED,
    FindingWord.DOUBLE_ANNOUNCER,
)
"""A word's number on the wire is its place here; one beyond is newer than we are, and is not looked at."""


class _WireLink(Struct, frozen=True, array_like=True, gc=False):
    name: _LinkName
    mac: _Mac
    networks: _Networks


_Links = Annotated[tuple[_WireLink, ...], Meta(max_length=LINKS_MAX)]


class WireReport(Struct, frozen=True, array_like=True, gc=False):
    """What is said about a member."""

    name: Name
    epoch: Number
    incarnation: Number
    state: _StateNumber
    flags: _Flags
    by: Name
    side: WireSide | None
    links: _Links = ()  # since 0.2.0, as everything with a default
    key_id: _KeyId = b""


class WireClaim(Struct, frozen=True, array_like=True, gc=False):
    """Who announces an address."""

    address: _Address
    generation: Number
    count: Number
    node: _NameOrNone


class WireFinding(Struct, frozen=True, array_like=True, gc=False):
    """What is wrong on the link about an address."""

    address: _Address
    word: Number
    mac: _Mac
    node: _NameOrNone
    by: Name


WireReports = Annotated[list[WireReport], Meta(max_length=UPDATES_MAX)]
WireClaims = Annotated[list[WireClaim], Meta(max_length=UPDATES_MAX)]
WireFindings = Annotated[tuple[WireFinding, ...], Meta(max_length=UPDATES_MAX)]


def side_from_wire(wire: tuple[int, str]) -> Side:
    """Read a side."""
    return Side(wire[0], NodeName(wire[1]))


def report_to_wire(report: Report) -> WireReport:
    """Write a report."""
    facts = report.facts
    flags = STARTED * facts.started | ABLE * facts.able | LEAVING * facts.leaving | CRASHED * report.crashed
    return WireReport(
        name=report.name,
        epoch=report.epoch,
        incarnation=report.incarnation,
        state=STATES.index(report.state),
        flags=flags,
        by=report.by,
        side=report.side,
        links=tuple(_link_to_wire(link) for link in facts.links),
        key_id=facts.key_id,
    )


def report_from_wire(wire: WireReport) -> Report:
    """Read a report."""
    facts = Facts(
        started=bool(wire.flags & STARTED),
        able=bool(wire.flags & ABLE),
        leaving=bool(wire.flags & LEAVING),
        links=tuple(_link_from_wire(link) for link in wire.links),
        key_id=wire.key_id,
    )
    return Report(
        name=NodeName(wire.name),
        epoch=wire.epoch,
        incarnation=wire.incarnation,
        state=STATES[wire.state],
        facts=facts,
        by=NodeName(wire.by),
        side=None if wire.side is None else side_from_wire(wire.side),
        crashed=bool(wire.flags & CRASHED),
    )


def claim_to_wire(claim: Claim) -> WireClaim:
    """Write a claim."""
    return WireClaim(
        address=claim.address.packed, generation=claim.generation, count=claim.count, node=claim.node
    )


def claim_from_wire(wire: WireClaim) -> Claim:
    """Read a claim."""
    # Thousands of claims come at a start: ``ip_address`` would try the other family first.
    packed = wire.address
    return Claim(
        address=QuickIPv4Address(packed) if len(packed) == IPV4_BYTES else QuickIPv6Address(packed),
        generation=wire.generation,
        count=wire.count,
        node=NodeName(wire.node),
    )


def _link_to_wire(link: LinkFact) -> _WireLink:
    return _WireLink(
        name=link.name,
        mac=bytes(link.mac),  # msgspec refuses what only derives from bytes
        networks=[bytes([each.prefixlen]) + each.network_address.packed for each in link.networks],
    )


def _link_from_wire(wire: _WireLink) -> LinkFact:
    return LinkFact(
        name=InterfaceName(wire.name),
        mac=MacAddress(wire.mac),
        networks=tuple(ip_network((each[1:], each[0])) for each in wire.networks),
    )


def finding_to_wire(finding: Finding) -> WireFinding:
    """Write a finding."""
    return WireFinding(
        address=finding.address.packed,
        word=WORDS.index(finding.word),
        mac=bytes(finding.mac),  # as above
        node=finding.node or "",
        by=finding.by,
    )


def finding_from_wire(wire: WireFinding) -> Finding:
    """Read a finding whose word is one of WORDS."""
    return Finding(
        address=ip_address(wire.address),
        word=WORDS[wire.word],
        mac=MacAddress(wire.mac),
        node=NodeName(wire.node) if wire.node else None,
        by=NodeName(wire.by),
    )
