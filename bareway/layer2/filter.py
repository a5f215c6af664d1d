"""The kernel filter of a link's socket, as data: ARP for or about our addresses, and nothing else.

A classic BPF program, made for the set of announced addresses. It lets through what the kernel calls
"to this host" or "broadcast", is ARP for IPv4 on Ethernet, and either asks for one of the addresses or
names one as its sender's (a conflict shows there first). All else never wakes this process: other
people's ARP, and frames with a VLAN tag, which the kernel strips and then calls "for another host".

Up to RANGES_MAX addresses or runs of addresses are matched exactly. Beyond that the narrowest gaps are
filled, so that the program stays small and admits the fewest strangers; the responder looks again anyway.
"""

import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from itertools import pairwise
from typing import Final, NamedTuple

from bareway.layer2.arp import ETHERNET_IPV4, Operation
from bareway.layer2.ethernet import ETHERTYPE_ARP, HEADER_BYTES


class Instruction(NamedTuple):
    """One instruction: the operation, how many to skip if true and if false, and its number."""

    code: int
    if_true: int
    if_false: int
    number: int


Program = tuple[Instruction, ...]

LOAD_WORD: Final = 0x20
LOAD_HALF: Final = 0x28
JUMP: Final = 0x05
IF_EQUAL: Final = 0x15
IF_GREATER: Final = 0x25
IF_GREATER_OR_EQUAL: Final = 0x35
RETURN: Final = 0x06

PACKET_TYPE: Final = 0xFFFFF000 + 4
"""Where a load finds what the kernel thinks of the frame's destination (SKF_AD_OFF + SKF_AD_PKTTYPE)."""
TO_BROADCAST: Final = 1
"""The packet type that comes after "to this host" (0); above it: group, another host, our own."""

AT_ETHERTYPE: Final = 12
AT_KIND: Final = HEADER_BYTES
AT_LENGTHS: Final = HEADER_BYTES + 4
AT_OPERATION: Final = HEADER_BYTES + 6
AT_SENDER: Final = HEADER_BYTES + 14
AT_TARGET: Final = HEADER_BYTES + 24

ACCEPTED_BYTES: Final = 64
"""What is read of a frame: an ARP packet with its padding, and never more."""
RANGES_MAX: Final = 128
CHUNK: Final = 16
"""Ranges compared one by one before the next group of ranges; keeps every jump within a byte."""
INSTRUCTION: Final = struct.Struct("=HBBI")

DROP: Final = Instruction(RETURN, 0, 0, 0)
ACCEPT: Final = Instruction(RETURN, 0, 0, ACCEPTED_BYTES)

NOTHING: Final[Program] = (DROP,)
"""The program of who announces nothing."""

ANY_ARP: Final[Program] = (
    Instruction(LOAD_WORD, 0, 0, PACKET_TYPE),
    Instruction(IF_GREATER, 2, 0, TO_BROADCAST),
    Instruction(LOAD_HALF, 0, 0, AT_ETHERTYPE),
    Instruction(IF_EQUAL, 1, 0, ETHERTYPE_ARP),
    DROP,
    ACCEPT,
)
"""All ARP that reaches this host: while the set grows, so that no question is lost meanwhile."""


class Range(NamedTuple):
    """Addresses from first to last, both included, as numbers."""

    first: int
    last: int


def compile_filter(addresses: Iterable[IPv4Address]) -> Program:
    """The program that lets through what concerns ``addresses``."""
    ranges = cover([int(address) for address in addresses])
    if not ranges:
        return NOTHING
    by_sender = [Instruction(LOAD_WORD, 0, 0, AT_SENDER), *_search(ranges, on_miss=DROP)]
    by_target = [Instruction(LOAD_WORD, 0, 0, AT_TARGET), *_search(ranges, on_miss=None)]
    return (*_head(), Instruction(JUMP, 0, 0, len(by_target)), *by_target, *by_sender)


def assemble(program: Program) -> bytes:
    """The program as the kernel takes it (struct sock_filter, in this machine's byte order)."""
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)


def cover(numbers: Iterable[int], limit: int = RANGES_MAX) -> list[Range]:
    """At most ``limit`` ranges that hold all ``numbers`` and as few others as possible, ascending."""
    ordered = sorted(set(numbers))
    if not ordered:
        return []
    gaps = [(after - before, before, after) for before, after in pairwise(ordered) if after - before > 1]
    kept = sorted(sorted(gaps, reverse=True)[: limit - 1], key=lambda gap: gap[1])
    firsts = [ordered[0], *(after for _, _, after in kept)]
    lasts = [*(before for _, before, _ in kept), ordered[-1]]
    return [Range(first, last) for first, last in zip(firsts, lasts, strict=True)]


def _head() -> list[Instruction]:
    """Drop what is not ARP for this host; then skip one instruction if it is a request."""
    checks = [
        (LOAD_HALF, AT_ETHERTYPE, ETHERTYPE_ARP),
        (LOAD_WORD, AT_KIND, int.from_bytes(ETHERNET_IPV4[:4], "big")),
        (LOAD_HALF, AT_LENGTHS, int.from_bytes(ETHERNET_IPV4[4:], "big")),
    ]
    head = [
        Instruction(LOAD_WORD, 0, 0, PACKET_TYPE),
        Instruction(IF_GREATER, 0, 1, TO_BROADCAST),
        DROP,
    ]
    for load, where, wanted in checks:
        head += [Instruction(load, 0, 0, where), Instruction(IF_EQUAL, 1, 0, wanted), DROP]
    return [
        *head,
        Instruction(LOAD_HALF, 0, 0, AT_OPERATION),
        Instruction(IF_EQUAL, 1, 0, Operation.REQUEST),
    ]


def _search(ranges: Sequence[Range], *, on_miss: Instruction | None) -> list[Instruction]:
    """Accept if the loaded number is in a range; else ``on_miss``, or go on with what follows if None."""
    search: list[Instruction] = []
    for start in reversed(range(0, len(ranges), CHUNK)):
        chunk = ranges[start : start + CHUNK]
        missed = on_miss or Instruction(JUMP, 0, 0, 1 + len(search))
        block = [*_compare(chunk), missed, ACCEPT]
        if search:  # numbers from the next group on are looked for there
            block.insert(0, Instruction(IF_GREATER_OR_EQUAL, len(block), 0, ranges[start + CHUNK].first))
        search = block + search
    return search


def _compare(chunk: Sequence[Range]) -> list[Instruction]:
    """Jump over one instruction after the last of these if the loaded number is in a range."""
    length = sum(1 if only.first == only.last else 2 for only in chunk)
    compare: list[Instruction] = []
    for first, last in chunk:
        if first != last:
            compare.append(Instruction(IF_GREATER, 1, 0, last))
        test = IF_EQUAL if first == last else IF_GREATER_OR_EQUAL
        compare.append(Instruction(test, length - len(compare), 0, first))
    return compare
