"""Which network interfaces we announce on, and why not on the others: a decision on what netlink told.

The rules are MetalLB's, with what it lacks: an interface without carrier does not count, and its MAC is
taken anew each time. What a pool's ``interfaces`` leave out is decided for each address, not here.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, IPNetwork
from speaker.layer2.netlink import AddressMessage, IPInterface, LinkFlag, LinkMessage, Message

HARDWARE_ETHERNET: Final = 1
IPV4: Final = 4
PLUGGED_IN: Final = LinkFlag.RUNNING | LinkFlag.LOWER_UP
"""The kernel clears the second at once when the cable is pulled, the first up to a second later."""
EXCLUDED_NAMES: Final = (
    *("^docker.*", "^cbr.*", "^dummy.*", "^virbr.*", "^lxcbr.*", "^veth.*", "^lo$", "^cali.*", "^tunl.*"),
    *("^flannel.*", "^kube-ipvs.*", "^cni.*", "^nodelocaldns.*", "^lxc.*"),
)
"""What belongs to containers and their networks: MetalLB's default of ``announcedInterfacesToExclude``."""


def exclusion(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all; like MetalLB's they need not match the whole name. None at all excludes nothing.

    Raises:
        re.error: if one of them is no pattern.
    """
    each = [re.compile(pattern).pattern for pattern in patterns]  # alone: "(" and ")" are not one together
    return re.compile("|".join(each) or r"(?!)")


EXCLUDED: Final = exclusion(EXCLUDED_NAMES)
LINK_LOCAL: Final = ip_network("fe80::/64")
"""RFC 4291 section 2.5.6: what every link that speaks IPv6 has."""


class LinkRefusal(StrEnum):
    """Why nothing is announced on an interface."""

    EXCLUDED_BY_NAME = "ExcludedByName"
    NOT_ETHERNET = "NotEthernet"
    ENSLAVED = "Enslaved"
    DOWN = "Down"
    NO_CARRIER = "NoCarrier"
    NO_ARP = "NoArp"
    NO_BROADCAST = "NoBroadcast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An interface that we announce on."""

    index: int
    name: InterfaceName
    mac: MacAddress
    subnets: tuple[IPInterface, ...] = ()
    """Its addresses with their prefix lengths, IPv4 first, ascending; without link-local ones."""
    has_ipv6: bool = False
    """Its kernel speaks IPv6 here, so that it takes packets for IPv6 addresses and joins their groups."""

    @property
    def networks(self) -> tuple[IPNetwork, ...]:
        """The subnets as such, each once."""
        return tuple(dict.fromkeys(subnet.network for subnet in self.subnets))

    @property
    def told(self) -> tuple[IPNetwork, ...]:
        """What other members are to know: its subnets, and before them whether IPv6 is spoken here at all."""
        return (LINK_LOCAL, *self.networks) if self.has_ipv6 else self.networks

    def speaks(self, address: IPAddress) -> bool:
        """Whether an address of this family can be served on it."""
        return address.version == IPV4 or self.has_ipv6


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """All interfaces at one moment."""

    usable: Mapping[int, Link] = field(default_factory=dict)
    """By index, ascending."""
    refused: Mapping[InterfaceName, LinkRefusal] = field(default_factory=dict)


def choose(messages: Iterable[Message], *, excluded: re.Pattern[str] = EXCLUDED) -> Links:
    """Sort all interfaces into those that we announce on and the others."""
    subnets: defaultdict[int, list[IPInterface]] = defaultdict(list)
    interfaces: list[LinkMessage] = []
    for message in messages:
        if isinstance(message, AddressMessage):
            subnets[message.index].append(message.address)
        elif isinstance(message, LinkMessage):
            interfaces.append(message)
    usable: dict[int, Link] = {}
    refused: dict[InterfaceName, LinkRefusal] = {}
    for interface in sorted(interfaces, key=lambda link: link.index):
        name = InterfaceName(interface.name)
        reason = refusal(interface, excluded=excluded)
        if reason is None:
            usable[interface.index] = _link(interface, subnets[interface.index])
        else:
            refused[name] = reason
    return Links(usable=usable, refused=refused)


def refusal(interface: LinkMessage, *, excluded: re.Pattern[str] = EXCLUDED) -> LinkRefusal | None:
    """Why nothing is announced on ``interface``; None if it will do."""
    checks = (
        (excluded.search(interface.name) is not None, LinkRefusal.EXCLUDED_BY_NAME),
        (
            interface.hardware != HARDWARE_ETHERNET or not interface.mac.is_host,
            LinkRefusal.NOT_ETHERNET,
        ),
        (interface.enslaved, LinkRefusal.ENSLAVED),
        (not interface.flags & LinkFlag.UP, LinkRefusal.DOWN),
        (interface.flags & PLUGGED_IN != PLUGGED_IN, LinkRefusal.NO_CARRIER),
        (bool(interface.flags & LinkFlag.NO_ARP), LinkRefusal.NO_ARP),
        (not interface.flags & LinkFlag.BROADCAST, LinkRefusal.NO_BROADCAST),
    )
    return next((reason for fails, reason in checks if fails), None)


def matters(message: Message, known: Mapping[int, Link], *, excluded: re.Pattern[str] = EXCLUDED) -> bool:
    """Whether this news can change the choice; the coming and going of containers' interfaces cannot."""
    if isinstance(message, LinkMessage):
        return message.index in known or excluded.search(message.name) is None
    return isinstance(message, AddressMessage) and message.index in known


def _link(interface: LinkMessage, addresses: Iterable[IPInterface]) -> Link:
    mine = sorted(addresses, key=lambda it: (it.version, int(it), it.network.prefixlen))
    return Link(
        index=interface.index,
        name=InterfaceName(interface.name),
        mac=interface.mac,
        subnets=tuple(address for address in mine if not address.is_link_local),
        has_ipv6=any(address.version != IPV4 for address in mine),
    )
