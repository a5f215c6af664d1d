"""Which network interfaces we announce on, and why not on the others: a decision on what netlink told.

The rules are MetalLB's, with what it lacks: an interface without carrier does not count, and its MAC is
taken anew each time. The choice by a pool's ``interfaces`` and by subnet comes later.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Interface
from typing import Final

from bareway.layer2.ethernet import MacAddress
from bareway.model.names import InterfaceName
from speaker.layer2.netlink import AddressMessage, LinkFlag, LinkMessage, Message

HARDWARE_ETHERNET: Final = 1
PLUGGED_IN: Final = LinkFlag.RUNNING | LinkFlag.LOWER_UP
"""The kernel clears the second at once when the cable is pulled, the first up to a second later."""
EXCLUDED: Final = re.compile(
    r"docker|cbr|dummy|virbr|lxcbr|veth|lo$|cali|tunl|flannel|kube-ipvs|cni|nodelocaldns|lxc"
)
"""Names that begin so belong to containers and their networks (the default list of MetalLB)."""


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
    subnets: tuple[IPv4Interface, ...] = ()
    """Its IPv4 addresses with their prefix lengths, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """All interfaces at one moment."""

    usable: Mapping[int, Link] = field(default_factory=dict)
    """By index, ascending."""
    refused: Mapping[InterfaceName, LinkRefusal] = field(default_factory=dict)


def choose(messages: Iterable[Message], *, excluded: re.Pattern[str] = EXCLUDED) -> Links:
    """Sort all interfaces into those that we announce on and the others."""
    subnets: defaultdict[int, list[IPv4Interface]] = defaultdict(list)
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
            mine = tuple(sorted(subnets[interface.index]))
            usable[interface.index] = Link(index=interface.index, name=name, mac=interface.mac, subnets=mine)
        else:
            refused[name] = reason
    return Links(usable=usable, refused=refused)


def refusal(interface: LinkMessage, *, excluded: re.Pattern[str] = EXCLUDED) -> LinkRefusal | None:
    """Why nothing is announced on ``interface``; None if it will do."""
    checks = (
        (excluded.match(interface.name) is not None, LinkRefusal.EXCLUDED_BY_NAME),
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
        return message.index in known or excluded.match(message.name) is None
    return isinstance(message, AddressMessage) and message.index in known
