"""The kernel filter, run by an interpreter of our own; tests/speaker/layer2 runs it in the kernel."""

from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import arp
from bareway.layer2.arp import Operation
from bareway.layer2.filter import (
    ACCEPTED_BYTES,
    ANY_ARP,
    IF_EQUAL,
    IF_GREATER,
    IF_GREATER_OR_EQUAL,
    INSTRUCTION,
    NOTHING,
    RANGES_MAX,
    Program,
    assemble,
    compile_filter,
    cover,
)
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC, VIP, packet
from support.cbpf import OUTGOING, TO_ANOTHER_HOST, TO_BROADCAST, TO_GROUP, TO_HOST, run

FOREIGN = IPv4Address("192.0.2.99")
OURS = compile_filter([VIP, IPv4Address("198.51.100.1"), IPv4Address("198.51.100.2")])
KERNEL_INSTRUCTIONS_MAX = 4096
OPTION_MEMORY_BYTES = 20_480
"""Of a socket, in kernels before 6.9 (net.core.optmem_max): the old and the new program must fit in."""


@pytest.mark.parametrize("packet_type", [TO_BROADCAST, TO_HOST], ids=["to everybody", "to us"])
@pytest.mark.parametrize(
    ("heard", "passes"),
    [
        pytest.param(packet(VIP), True, id="asks for ours"),
        pytest.param(packet(IPv4Address("198.51.100.2")), True, id="asks for the end of a run"),
        pytest.param(packet(VIP, sender=IPv4Address(0)), True, id="probes ours"),
        pytest.param(packet(VIP, sender=VIP, sender_mac=STRANGER_MAC), True, id="claims ours"),
        pytest.param(packet(FOREIGN, sender=VIP), True, id="uses ours to ask"),
        pytest.param(packet(FOREIGN, sender=VIP, operation=Operation.REPLY), True, id="answers for ours"),
        pytest.param(packet(FOREIGN), False, id="asks for another"),
        pytest.param(packet(VIP, operation=Operation.REPLY), False, id="answers whoever uses ours"),
        pytest.param(packet(IPv4Address("198.51.100.0")), False, id="asks for the one before a run"),
        pytest.param(packet(IPv4Address("198.51.100.3")), False, id="asks for the one after a run"),
    ],
)
def test_only_what_concerns_our_addresses_passes(
    heard: arp.ArpPacket, passes: bool, packet_type: int
) -> None:
    data = arp.encode(heard)
    assert run(OURS, data, packet_type) == (len(data) if passes else 0)


@pytest.mark.parametrize("program", [OURS, ANY_ARP], ids=["narrow", "wide"])
@pytest.mark.parametrize("packet_type", [TO_GROUP, TO_ANOTHER_HOST, OUTGOING], ids=["group", "other", "own"])
def test_what_the_kernel_calls_not_ours_never_passes(program: Program, packet_type: int) -> None:
    assert run(program, arp.encode(packet()), packet_type) == 0


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(12, b"\x08\x00", id="IPv4"),
        pytest.param(14, b"\x00\x06", id="other hardware"),
        pytest.param(16, b"\x86\xdd", id="other protocol"),
        pytest.param(18, b"\x08", id="other length of MAC"),
        pytest.param(19, b"\x10", id="other length of address"),
    ],
)
def test_what_is_not_arp_for_ipv4_on_ethernet_never_passes(at: int, value: bytes) -> None:
    data = bytearray(arp.encode(packet()))
    data[at : at + len(value)] = value
    assert run(OURS, bytes(data)) == 0


@given(st.integers(0, 41))
def test_a_frame_that_is_cut_short_never_passes(length: int) -> None:
    assert run(OURS, arp.encode(packet())[:length]) == 0


def test_no_more_than_an_arp_packet_and_its_padding_is_read_of_a_long_frame() -> None:
    assert run(OURS, arp.encode(packet()) + bytes(1458)) == ACCEPTED_BYTES
    assert run(ANY_ARP, arp.encode(packet()) + bytes(1458)) == ACCEPTED_BYTES


def test_who_announces_nothing_hears_nothing() -> None:
    assert compile_filter([]) == NOTHING
    assert run(NOTHING, arp.encode(packet())) == 0


def test_the_wide_program_lets_all_arp_through_and_nothing_else() -> None:
    assert run(ANY_ARP, arp.encode(packet(FOREIGN, operation=Operation.REPLY)), TO_HOST) == 42
    assert run(ANY_ARP, bytes(12) + b"\x08\x00" + bytes(46), TO_HOST) == 0


near = st.integers(0x0A00_0000, 0x0A00_0200)
anywhere = st.integers(0, 0xFFFF_FFFF)


@given(st.sets(near | anywhere, min_size=1, max_size=RANGES_MAX), near | anywhere)
def test_up_to_the_limit_the_program_matches_exactly(ours: set[int], asked: int) -> None:
    program = compile_filter(map(IPv4Address, ours))
    around = [(number + step) % (1 << 32) for number in list(ours)[:8] for step in (-1, 0, 1)]
    for number in {asked, *around}:
        target, nobody = IPv4Address(number), IPv4Address(min(ours) ^ 0x8000_0000)
        asks = arp.encode(packet(target, sender=nobody))
        tells = arp.encode(packet(nobody, sender=target, operation=Operation.REPLY))
        assert bool(run(program, asks)) == (number in ours or int(nobody) in ours)
        assert bool(run(program, tells)) == (number in ours)


@given(st.sets(near | anywhere, max_size=400), st.integers(2, 40))
def test_a_cover_holds_all_in_few_ranges_that_do_not_touch(numbers: set[int], limit: int) -> None:
    ranges = cover(numbers, limit)
    assert len(ranges) <= limit
    assert all(before.last + 1 < after.first for before, after in pairwise(ranges))
    assert all(any(first <= number <= last for first, last in ranges) for number in numbers)
    assert all(first in numbers and last in numbers for first, last in ranges)


def test_a_cover_fills_the_narrowest_gaps() -> None:
    assert cover([1, 2, 3, 10, 12, 100, 200], 3) == [(1, 12), (100, 100), (200, 200)]
    assert cover([7, 5, 6, 5]) == [(5, 7)]


SPREAD: dict[str, Callable[[int], int]] = {
    "every address": lambda i: i,
    "every third": lambda i: 3 * i,
    "pairs with growing gaps": lambda i: 2000 * (i // 2) * (i // 2) + i % 2,
}


@pytest.mark.parametrize("spread", SPREAD.values(), ids=SPREAD)
@pytest.mark.parametrize("count", [1, 16, 17, 128, 129, 256, 5000])
def test_the_program_fits_into_the_kernel_whatever_the_set(spread: Callable[[int], int], count: int) -> None:
    ours = [IPv4Address(0xC0A8_0000 + spread(i)) for i in range(min(count, 5000)) if spread(i) < 1 << 29]
    program = compile_filter(ours)
    assert len(program) <= KERNEL_INSTRUCTIONS_MAX
    assert 2 * 8 * _translated(program) < OPTION_MEMORY_BYTES
    for address in (ours[0], ours[len(ours) // 2], ours[-1]):
        assert run(program, arp.encode(packet(address))) == 42
        assert run(program, arp.encode(packet(FOREIGN, sender=address, operation=Operation.REPLY))) == 42
    assert run(program, arp.encode(packet(ours[-1] + 1))) == 0


def test_a_program_is_assembled_as_the_kernel_reads_it() -> None:
    code = assemble(OURS)
    assert len(code) == 8 * len(OURS)
    assert [INSTRUCTION.unpack_from(code, at) for at in range(0, len(code), 8)] == list(OURS)
    assert assemble(NOTHING) == bytes.fromhex("0600 00 00 00000000")


def test_the_asker_s_mac_plays_no_part() -> None:
    for mac in (ASKER_MAC, MY_MAC):
        assert run(OURS, arp.encode(packet(sender_mac=mac))) == 42


def _translated(program: Program) -> int:
    """How many of its own instructions the kernel makes of it, at worst: two for a comparison or a return."""
    double = (IF_EQUAL, IF_GREATER, IF_GREATER_OR_EQUAL, 0x06)
    return 16 + sum(2 if instruction.code in double else 1 for instruction in program)
