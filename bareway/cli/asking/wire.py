"""Asks a link who has an address: ARP (RFC 826) and neighbour solicitation (RFC 4861 section 7.2), by scapy.

Scapy is a second opinion on purpose: nothing of what the speakers themselves send and read is used here.
"""

import importlib
import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from bareway.decide.answers.probing import Heard, Probed, ProbeRefusal
from bareway.model.names import IPAddress

IPV4: Final = 4
SOLICITED_NODE: Final = ip_address("ff02::1:ff00:0")
"""RFC 4291 section 2.7.1: the group of an address has its last three bytes."""
ASK_ELSEWHERE: Final = "ask from another machine, as by --node NODE"
HOP_LIMIT: Final = 255  # RFC 4861 section 7.1: what came through a router is not believed


class CannotProbe(Exception):
    """The link was not asked."""

    def __init__(self, refusal: ProbeRefusal, sentence: str, remedy: str) -> None:
        super().__init__(f"{refusal}: {sentence}; {remedy}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """From where the link is asked."""

    interface: str
    mac: str
    source: str
    """An address of ours on it."""


def probe(address: IPAddress, *, interface: str | None, count: int, timeout_s: float) -> Probed:
    """Ask ``count`` times, each time listening for ``timeout_s`` to all who answer.

    Raises:
        CannotProbe: there is no way, or no right, to ask.
    """
    if interface is not None and interface not in _interfaces():
        there = ", ".join(_interfaces())
        raise CannotProbe(
            ProbeRefusal.NO_SUCH_INTERFACE, f"there is no interface {interface}", f"there are {there}"
        )
    with _quietly():
        from scapy.config import conf  # noqa: PLC0415 - a third of a second, for those who ask the wire

        conf.load_layers = []  # of two hundred protocols we speak two
        conf.sniff_promisc = False  # answers come to us; what others are told is not ours
        way = _way(address, interface)
        try:
            heard = [one for _ in range(count) for one in _ask(address, way, timeout_s)]
        except PermissionError as error:
            raise _no_right(address) from error
        except OSError as error:
            raise _unusable(way.interface, error.strerror or str(error)) from error
    return Probed(address=address, interface=way.interface, mac=way.mac, asked=count, heard=tuple(heard))


def _ask(address: IPAddress, way: _Way, timeout_s: float) -> Iterator[Heard]:
    """Once; all answers count, also a second one."""
    from scapy.sendrecv import srp  # noqa: PLC0415 - scapy, where it is used

    question = _arp(address, way) if address.version == IPV4 else _solicitation(address, way)
    answered, _ = srp(question, iface=way.interface, timeout=timeout_s, multi=True, verbose=0)
    for sent, reply in answered:
        yield Heard(mac=_mac_of(reply), after_s=max(0.0, float(reply.time - sent.sent_time)))


def _arp(address: IPAddress, way: _Way) -> Any:  # noqa: ANN401 - scapy has no types
    from scapy.layers.l2 import ARP, Ether  # noqa: PLC0415 - scapy, where it is used

    asked = ARP(op="who-has", hwsrc=way.mac, psrc=way.source, pdst=str(address))
    return Ether(src=way.mac, dst="ff:ff:ff:ff:ff:ff") / asked


def _solicitation(address: IPAddress, way: _Way) -> Any:  # noqa: ANN401 - as above
    from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6  # noqa: PLC0415 - as above
    from scapy.layers.l2 import Ether  # noqa: PLC0415 - as above

    low = address.packed[-3:]
    group = ip_address(SOLICITED_NODE.packed[:-3] + low)
    asked = ICMPv6ND_NS(tgt=str(address)) / ICMPv6NDOptSrcLLAddr(lladdr=way.mac)
    return (
        Ether(src=way.mac, dst=f"33:33:ff:{low.hex(':')}")
        / IPv6(src=way.source, dst=str(group), hlim=HOP_LIMIT)
        / asked
    )


def _mac_of(reply: Any) -> str:  # noqa: ANN401 - as above
    """What the answer says, which is what clients believe; else who sent the frame."""
    from scapy.layers.inet6 import ICMPv6NDOptDstLLAddr  # noqa: PLC0415 - as above
    from scapy.layers.l2 import ARP  # noqa: PLC0415 - as above

    if ARP in reply:
        return str(reply[ARP].hwsrc).lower()
    told = reply[ICMPv6NDOptDstLLAddr].lladdr if ICMPv6NDOptDstLLAddr in reply else reply.src
    return str(told).lower()


def _way(address: IPAddress, interface: str | None) -> _Way:
    from scapy.arch import get_if_addr, get_if_hwaddr  # noqa: PLC0415 - as above

    found = interface or _routed(address)
    if address.version == IPV4:
        source = get_if_addr(found)  # 0.0.0.0 where there is none: a probe (RFC 5227 section 1.1)
    else:
        from scapy.arch import in6_getifaddr  # noqa: PLC0415 - as above

        ours = sorted((at for at, _, name in in6_getifaddr() if name == found), key=_is_global)
        if not ours:
            raise _unusable(found, "it has no IPv6 address")
        source = ours[0]
    return _Way(interface=found, mac=str(get_if_hwaddr(found)).lower(), source=str(source))


def _is_global(address: str) -> bool:
    return not ip_address(address).is_link_local


def _routed(address: IPAddress) -> str:
    """The interface in whose subnet the address lies."""
    from scapy.config import conf  # noqa: PLC0415 - as above

    table = "route" if address.version == IPV4 else "route6"
    importlib.import_module(f"scapy.{table}")  # fills conf.route or conf.route6
    if any(str(address) in one.ips[address.version] for one in conf.ifaces.values()):
        raise CannotProbe(ProbeRefusal.OWN_ADDRESS, f"{address} is this machine's own", ASK_ELSEWHERE)
    interface, _, gateway = getattr(conf, table).route(str(address), verbose=0)
    if interface == conf.loopback_name or not ip_address(gateway).is_unspecified:
        raise CannotProbe(
            ProbeRefusal.NOT_ON_LINK,
            f"{address} lies in no subnet of this machine, so who has it shows on another link",
            "ask there, as by --node NODE, or name a link of this machine by --interface",
        )
    return str(interface)


def _interfaces() -> list[str]:
    return sorted(name for _, name in socket.if_nameindex())


def _no_right(address: IPAddress) -> CannotProbe:
    return CannotProbe(
        ProbeRefusal.NO_RAW_SOCKET,
        "asking the link needs a raw socket, and you may open none (CAP_NET_RAW)",
        f"sudo bareway probe {address}, or from a node: bareway probe {address} --node NODE",
    )


def _unusable(interface: str, why: str) -> CannotProbe:
    return CannotProbe(
        ProbeRefusal.INTERFACE_UNUSABLE,
        f"interface {interface} cannot be used: {why}",
        f"ip link set dev {interface} up, or name another one by --interface",
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what scapy says of routes that are not there: it is told in our words."""
    logger = logging.getLogger("scapy")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
