"""Why a frame gets no answer: one word for each reason, counted by the driver and asserted by tests."""

from enum import StrEnum


class DropReason(StrEnum):
    """What was wrong with a frame, or why it is none of our business."""

    TRUNCATED = "Truncated"
    """Shorter than the headers it must have."""
    VLAN_TAGGED = "VlanTagged"
    """An 802.1Q tag in the bytes: asked on another network than the one this link is on."""
    NOT_ARP = "NotArp"
    NOT_ETHERNET_IPV4 = "NotEthernetIpv4"
    """ARP for another kind of hardware or protocol, or with lengths that are not 6 and 4."""
    UNKNOWN_OPERATION = "UnknownOperation"
    NOT_NDP = "NotNdp"
    """Not IPv6, or neither a neighbour solicitation nor an advertisement."""
    NOT_FROM_THE_LINK = "NotFromTheLink"
    """A hop limit that a router may have lowered, or a code that is not known."""
    BAD_CHECKSUM = "BadChecksum"
    BAD_OPTION = "BadOption"
    """An option without length, or longer than its message."""
    BAD_TARGET = "BadTarget"
    """Asks for a group, or answers a group's question."""
    BAD_PROBE = "BadProbe"
    """Asks from no address, and yet with a hardware address, or not in the group of the address."""
    NOT_FOR_US = "NotForUs"
    """The Ethernet destination is neither broadcast (IPv6: a group) nor the MAC of the link that heard it."""
    NOT_A_REQUEST = "NotARequest"
    GRATUITOUS = "Gratuitous"
    """Tells rather than asks: sender and target address are the same."""
    BAD_SENDER = "BadSender"
    """The sender's MAC is zero, a group, or ours, or its address is a group's: a reply would go astray."""
    NOT_ANNOUNCED = "NotAnnounced"
    FENCED = "Fenced"
    """The address is ours by our own memory, but the failure detector has not confirmed it lately."""
    HELD_ELSEWHERE = "HeldElsewhere"
    """Isolated, we asked the link first, and another station answered."""
    TOO_MANY_WAIT = "TooManyWait"
    """So many wait for an answer to a question on the link that this one is not remembered."""


class PacketError(ValueError):
    """A frame that cannot be read; ``reason`` says why."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
