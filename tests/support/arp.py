"""ARP packets with defaults, so that a test shows only what matters."""

from ipaddress import IPv4Address

from bareway.layer2.arp import ArpPacket, Operation, encode
from bareway.layer2.ethernet import BROADCAST
from bareway.model.mac import MacAddress

MY_MAC = MacAddress.parse("02:00:00:00:00:01")
ASKER_MAC = MacAddress.parse("02:00:00:00:00:02")
STRANGER_MAC = MacAddress.parse("02:00:00:00:00:03")
VIP = IPv4Address("192.0.2.10")
ASKER = IPv4Address("192.0.2.200")


def packet(
    target: IPv4Address = VIP,
    *,
    sender: IPv4Address = ASKER,
    sender_mac: MacAddress = ASKER_MAC,
    target_mac: MacAddress | None = None,
    destination: MacAddress = BROADCAST,
    operation: Operation = Operation.REQUEST,
) -> ArpPacket:
    """Somebody asks everybody for our address, unless told otherwise."""
    nobody = MacAddress(bytes(6))
    return ArpPacket(destination, operation, sender_mac, sender, target_mac or nobody, target)


def frame(
    target: IPv4Address = VIP, *, sender_mac: MacAddress = ASKER_MAC, sender: IPv4Address = ASKER
) -> bytes:
    """The bytes of a broadcast request."""
    return encode(packet(target, sender=sender, sender_mac=sender_mac))
