"""The kernel filters of a link's sockets, as data: what is for or about our addresses, and nothing else.

Classic BPF programs, made for the set of announced addresses. One lets ARP for IPv4 on Ethernet through that
asks for one of the addresses or names one as its sender's (a conflict shows there first); the other one
neighbour solicitations and advertisements about one of them. Both want that the kernel calls the frame "to
this host" or "broadcast" (for IPv6: or "group"). All else never wakes this process: other people's questions,
and frames with a VLAN tag, which the kernel strips and then calls "for another host".

Which addresses are ours is looked up in a staircase (`pages`): exact for what pools look like, and otherwise
somewhat wider; the responder looks again anyway. Of an IPv6 address the last 32 bits are looked up, and of
the others those words that all addresses have in common.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bareway.layer2 import bpf, ipv6, ndp
from bareway.layer2.arp import ETHERNET_IPV4, Operation
from bareway.layer2.bpf import DROP, Instruction, Program
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6, HEADER_BYTES
from bareway.layer2.pages import staircase

PACKET_TYPE: Final = 0xFFFFF000 + 4
"""Where a load finds what the kernel thinks of the frame's destination (SKF_AD_OFF + SKF_AD_PKTTYPE)."""
TO_BROADCAST: Final = 1
"""The packet type that comes after "to this host" (0); above it: group, another host, our own."""
TO_GROUP: Final = 2

AT_ETHERTYPE: Final = 12
AT_KIND: Final = HEADER_BYTES
AT_LENGTHS: Final = HEADER_BYTES + 4
AT_OPERATION: Final = HEADER_BYTES + 6
AT_SENDER: Final = HEADER_BYTES + 14
AT_TARGET: Final = HEADER_BYTES + 24

AT_PROTOCOL: Final = HEADER_BYTES + 6
"""Of IPv6, with the hop limit behind it."""
AT_MESSAGE: Final = HEADER_BYTES + ipv6.HEADER.size
AT_WANTED: Final = AT_MESSAGE + 8
"""The four words of the target of a solicitation or advertisement."""
WORDS: Final = 4
WORD_BITS: Final = 32

ARP_BYTES: Final = 64
"""What is read of ARP: a packet with its padding, and never more."""
NDP_BYTES: Final = 1514
"""What is read of a message about neighbours: a whole frame, since its checksum covers all of it."""
ACCEPT_ARP: Final = Instruction(bpf.RETURN, 0, 0, ARP_BYTES)
ACCEPT_NDP: Final = Instruction(bpf.RETURN, 0, 0, NDP_BYTES)

STEPS_MAX: Final = 1200
"""Of all lookups of a program together; makes it no longer than the 4,096 that the kernel takes."""
STEPS_MIN: Final = 300
"""The same where there is no room for that: before Linux 6.9 a socket has 20 KiB for old and new."""

NOTHING: Final[Program] = (DROP,)
"""The program of who announces nothing."""


def _arp_head() -> list[Instruction]:
    return [
        Instruction(bpf.LOAD_WORD, 0, 0, PACKET_TYPE),
        Instruction(bpf.IF_GREATER, 0, 1, TO_BROADCAST),
        DROP,
        *bpf.demand(bpf.LOAD_HALF, AT_ETHERTYPE, ETHERTYPE_ARP),
    ]


def _ndp_head() -> list[Instruction]:
    return [
        Instruction(bpf.LOAD_WORD, 0, 0, PACKET_TYPE),
        Instruction(bpf.IF_GREATER, 0, 1, TO_GROUP),
        DROP,
        *bpf.demand(bpf.LOAD_HALF, AT_ETHERTYPE, ETHERTYPE_IPV6),
        *bpf.demand(bpf.LOAD_HALF, AT_PROTOCOL, ipv6.ICMPV6 << 8 | ndp.HOP_LIMIT),
        Instruction(bpf.LOAD_HALF, 0, 0, AT_MESSAGE),  # type and code
        Instruction(bpf.IF_EQUAL, 2, 0, ndp.SOLICITATION << 8),
        Instruction(bpf.IF_EQUAL, 1, 0, ndp.ADVERTISEMENT << 8),
        DROP,
    ]


ANY_ARP: Final[Program] = (*_arp_head(), ACCEPT_ARP)
"""All ARP that reaches this host: while the set grows, so that no question is lost meanwhile."""
ANY_NDP: Final[Program] = (*_ndp_head(), ACCEPT_NDP)
"""The same for IPv6."""


def arp_filter(addresses: Iterable[IPv4Address], *, steps_max: int = STEPS_MAX) -> Program:
    """The program that lets through what concerns ``addresses``; looks them up at two places."""
    numbers = [int(address) for address in addresses]
    if not numbers:
        return NOTHING
    ours = staircase(numbers, steps_max=steps_max // 2)
    by_target = bpf.look_up(AT_TARGET, ours, accept=ACCEPT_ARP)
    return (
        *_arp_head(),
        *bpf.demand(bpf.LOAD_WORD, AT_KIND, int.from_bytes(ETHERNET_IPV4[:4], "big")),
        *bpf.demand(bpf.LOAD_HALF, AT_LENGTHS, int.from_bytes(ETHERNET_IPV4[4:], "big")),
        Instruction(bpf.LOAD_HALF, 0, 0, AT_OPERATION),
        Instruction(bpf.IF_EQUAL, 1, 0, Operation.REQUEST),
        Instruction(bpf.JUMP, 0, 0, len(by_target)),
        *by_target,
        *bpf.look_up(AT_SENDER, ours, accept=ACCEPT_ARP),
        DROP,
    )


def ndp_filter(addresses: Iterable[IPv6Address], *, steps_max: int = STEPS_MAX) -> Program:
    """The program that lets through solicitations and advertisements about ``addresses``."""
    numbers = [int(address) for address in addresses]
    if not numbers:
        return NOTHING
    ours = staircase((number & (1 << WORD_BITS) - 1 for number in numbers), steps_max=steps_max)
    common: list[Instruction] = []
    for place in range(WORDS - 1):
        words = {number >> WORD_BITS * (WORDS - 1 - place) & (1 << WORD_BITS) - 1 for number in numbers}
        if len(words) == 1:
            common += bpf.demand(bpf.LOAD_WORD, AT_WANTED + 4 * place, words.pop())
    last = AT_WANTED + 4 * (WORDS - 1)
    return (*_ndp_head(), *common, *bpf.look_up(last, ours, accept=ACCEPT_NDP), DROP)
