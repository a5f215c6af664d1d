"""Tells of every ARP frame that reaches an interface; asks "who has" if told to (lines of ``ArpFrame``).

    python -m lab.tools.arp_watch eth0 --ask 192.0.2.100 --every-ms 5

Written without the project's own codec, so that it can bear witness against it (RFC 826).
"""

import argparse
import socket
import struct

from lab.observations import ArpFrame
from lab.tools.asking import arguments, watch

ETHERTYPE_ARP = 0x0806
# Ethernet: destination, source, type; ARP: hardware, protocol, lengths, operation, sender, target (RFC 826).
FRAME = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
BROADCAST = b"\xff" * 6


def mac_text(mac: bytes) -> str:
    return mac.hex(":")


def read_frame(frame: bytes, *, at: float) -> ArpFrame | None:
    """The frame's fields; None for what is not ARP for IPv4 on Ethernet."""
    if len(frame) < FRAME.size:
        return None
    fields = FRAME.unpack_from(frame)
    destination, source, ethertype, hardware, protocol, mac_length, ip_length, operation = fields[:8]
    if (ethertype, hardware, protocol, mac_length, ip_length) != (ETHERTYPE_ARP, 1, 0x0800, 6, 4):
        return None
    sender_mac, sender_ip, target_mac, target_ip = fields[8:]
    return ArpFrame(
        at=at,
        operation=operation,
        sender_mac=mac_text(sender_mac),
        sender_ip=socket.inet_ntoa(sender_ip),
        target_mac=mac_text(target_mac),
        target_ip=socket.inet_ntoa(target_ip),
        source=mac_text(source),
        destination=mac_text(destination),
    )


def who_has(address: str, *, mac: bytes, own_address: str) -> bytes:
    """A broadcast request."""
    sender, target = socket.inet_aton(own_address), socket.inet_aton(address)
    arp = (1, 0x0800, 6, 4, 1, mac, sender, bytes(6), target)
    return FRAME.pack(BROADCAST, mac, ETHERTYPE_ARP, *arp)


def main() -> None:
    given = arguments(argparse.ArgumentParser(description=__doc__), nobody="0.0.0.0")
    mac = bytes.fromhex(given.mac.replace(":", ""))
    questions = [who_has(address, mac=mac, own_address=given.address) for address in given.ask]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP)) as wire:
        wire.bind((given.interface, ETHERTYPE_ARP))
        every_s = given.every_ms / 1000
        watch(wire, read_frame, questions=questions, every_s=every_s, evenly=given.evenly, turns=given.turns)


if __name__ == "__main__":
    main()
