"""Tells of every neighbour solicitation and advertisement; asks if told to (lines of ``ArpFrame``).

    python -m lab.tools.ndp_watch eth0 --mac 02:00:c0:00:02:65 --address 2001:db8:1::101 --ask 2001:db8:1::200

Written without the project's own codec, so that it can bear witness against it (RFC 4861 sections 4.3, 4.4
and 7). A solicitation is told as operation 1, an advertisement as 2; the target address stands as the
sender's IP, the target link-layer option as the sender's MAC.
"""

import argparse
import socket
import struct
from ipaddress import IPv6Address

from lab.observations import ArpFrame
from lab.tools.arp_watch import mac_text
from lab.tools.asking import arguments, watch

ETHERTYPE_IPV6 = 0x86DD
ICMPV6 = 58
SOLICITATION, ADVERTISEMENT = 135, 136
SOLICITED = 0x4000_0000
"""Of an advertisement's flags: it answers a question (RFC 4861 section 4.4)."""
TARGET_LINK_LAYER_ADDRESS = 2
HOP_LIMIT = 255

ETHERNET = struct.Struct("!6s6sH")
IPV6 = struct.Struct("!IHBB16s16s")
NEIGHBOUR = struct.Struct("!BBHI16s")
OPTION = struct.Struct("!BB6s")
BODY_AT = ETHERNET.size + IPV6.size
OPTIONS_AT = BODY_AT + NEIGHBOUR.size


def read_frame(frame: bytes, *, at: float) -> ArpFrame | None:
    """The frame's fields; None for what is no solicitation or advertisement."""
    if len(frame) < OPTIONS_AT:
        return None
    destination, source, ethertype = ETHERNET.unpack_from(frame)
    _, _, protocol, hops, asker, _ = IPV6.unpack_from(frame, ETHERNET.size)
    kind, code, _, flags, target = NEIGHBOUR.unpack_from(frame, BODY_AT)
    if (ethertype, protocol, hops, code) != (ETHERTYPE_IPV6, ICMPV6, HOP_LIMIT, 0):
        return None
    if kind == SOLICITATION:
        operation, sender, aim = 1, asker, target
    elif kind == ADVERTISEMENT:
        operation, sender = 2, target
        aim = IPV6.unpack_from(frame, ETHERNET.size)[5] if flags & SOLICITED else target
    else:
        return None
    return ArpFrame(
        at=at,
        operation=operation,
        sender_mac=mac_text(_link_layer_address(frame) or source),
        sender_ip=str(IPv6Address(sender)),
        target_mac=mac_text(destination),
        target_ip=str(IPv6Address(aim)),
        source=mac_text(source),
        destination=mac_text(destination),
    )


def _link_layer_address(frame: bytes) -> bytes | None:
    """The target link-layer address option, which must be the first (and only) one to be seen here."""
    if len(frame) < OPTIONS_AT + OPTION.size:
        return None
    kind, length, mac = OPTION.unpack_from(frame, OPTIONS_AT)
    return bytes(mac) if (kind, length) == (TARGET_LINK_LAYER_ADDRESS, 1) else None


def who_has(address: str, *, mac: bytes, own_address: str) -> bytes:
    """A solicitation to the solicited-node group, with our link-layer address (RFC 4861 section 7.2.2)."""
    target, sender = IPv6Address(address).packed, IPv6Address(own_address).packed
    group = IPv6Address("ff02::1:ff00:0").packed[:13] + target[13:]
    body = NEIGHBOUR.pack(SOLICITATION, 0, 0, 0, target) + OPTION.pack(1, 1, mac)
    body = body[:2] + _checksum(sender, group, body) + body[4:]
    packet = IPV6.pack(0x6000_0000, len(body), ICMPV6, HOP_LIMIT, sender, group) + body
    return ETHERNET.pack(b"\x33\x33" + group[12:], mac, ETHERTYPE_IPV6) + packet


def _checksum(source: bytes, destination: bytes, body: bytes) -> bytes:
    """Of ICMPv6, over the pseudo-header too (RFC 8200 section 8.1)."""
    data = source + destination + struct.pack("!II", len(body), ICMPV6) + body
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def main() -> None:
    given = arguments(argparse.ArgumentParser(description=__doc__), nobody="::")
    mac = bytes.fromhex(given.mac.replace(":", ""))
    questions = [who_has(address, mac=mac, own_address=given.address) for address in given.ask]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IPV6)) as wire:
        wire.bind((given.interface, ETHERTYPE_IPV6))
        every_s = given.every_ms / 1000
        watch(wire, read_frame, questions=questions, every_s=every_s, evenly=given.evenly, turns=given.turns)


if __name__ == "__main__":
    main()
