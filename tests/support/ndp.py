"""Neighbour discovery messages with defaults, so that a test shows only what matters."""

from ipaddress import IPv6Address

from bareway.layer2 import ipv6, ndp
from bareway.layer2.ndp import Advertisement, Solicitation
from bareway.model.mac import MacAddress
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC

VIP6 = IPv6Address("2001:db8::10")
ASKER6 = IPv6Address("fe80::2")


def solicitation(
    target: IPv6Address = VIP6,
    *,
    source: IPv6Address = ASKER6,
    frame_source: MacAddress = ASKER_MAC,
    link_address: MacAddress | None = ASKER_MAC,
    to: IPv6Address | None = None,
    frame_destination: MacAddress | None = None,
) -> Solicitation:
    """Somebody asks the group of our address for it, with a source option, unless told otherwise."""
    destination = ipv6.solicited_node(target) if to is None else to
    return Solicitation(
        frame_destination=frame_destination or ipv6.group_mac(destination),
        frame_source=frame_source,
        source=source,
        destination=destination,
        target=target,
        link_address=link_address,
    )


def unicast(target: IPv6Address = VIP6, *, link_address: MacAddress | None = None) -> Solicitation:
    """Somebody who knows the address makes sure that it is still there; most say nothing about themselves."""
    return solicitation(target, to=target, frame_destination=MY_MAC, link_address=link_address)


def probe(target: IPv6Address = VIP6) -> Solicitation:
    """Somebody wants the address for himself."""
    return solicitation(target, source=ipv6.UNSPECIFIED, link_address=None)


def advertisement(
    target: IPv6Address = VIP6,
    *,
    mac: MacAddress = STRANGER_MAC,
    link_address: MacAddress | None = STRANGER_MAC,
    is_solicited: bool = False,
) -> Advertisement:
    """A stranger tells everybody that our address is his."""
    return Advertisement(
        frame_destination=MY_MAC if is_solicited else ndp.ALL_NODES_MAC,
        frame_source=mac,
        source=target,
        destination=ASKER6 if is_solicited else ipv6.ALL_NODES,
        target=target,
        link_address=link_address,
        is_solicited=is_solicited,
        overrides=True,
    )


def frame(target: IPv6Address = VIP6, *, frame_source: MacAddress = ASKER_MAC) -> bytes:
    """The bytes of a solicitation to the group."""
    return ndp.encode(solicitation(target, frame_source=frame_source, link_address=frame_source))
