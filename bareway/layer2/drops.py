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
    NOT_FOR_US = "NotForUs"
    """The Ethernet destination is neither broadcast nor the MAC of the link that heard it."""
    NOT_A_REQUEST = "NotARequest"
    GRATUITOUS = "Gratuitous"
    """Tells rather than asks: sender and target address are the same."""
    BAD_SENDER = "BadSender"
    """The sender's MAC is zero, a group, or ours: a reply would go to everybody or come back."""
    NOT_ANNOUNCED = "NotAnnounced"
    FENCED = "Fenced"
    """The address is ours by our own memory, but the failure detector has not confirmed it lately."""


class PacketError(ValueError):
    """A frame that cannot be read; ``reason`` says why."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
