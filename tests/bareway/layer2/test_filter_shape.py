"""Programs made here and now, so that it shows when one of their instructions is wrong."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from bareway.layer2 import arp, bpf, ndp
from bareway.layer2.arp import Operation
from bareway.layer2.bpf import INSTRUCTION, Program, assemble
from bareway.layer2.filter import arp_filter, ndp_filter
from support.arp import VIP, packet
from support.cbpf import OUTGOING, TO_ANOTHER_HOST, TO_BROADCAST, TO_GROUP, TO_HOST, run
from support.ndp import VIP6, advertisement, solicitation

CONDITIONS = {bpf.IF_EQUAL, bpf.IF_GREATER, bpf.IF_GREATER_OR_EQUAL, bpf.IF_BIT}
ODD = IPv6Address("2001:db9:1:1:1:1:1:1")
"""The lowest bit of each of its words is set."""


def programs() -> list[Program]:
    spread = range(0, 700 * 97, 97)
    return [
        arp_filter([VIP]),
        arp_filter([IPv4Address(int(VIP) + step) for step in spread]),
        ndp_filter([VIP6]),
        ndp_filter([IPv6Address(int(VIP6) + step) for step in spread]),
        ndp_filter([VIP6, ODD]),
    ]


def test_only_conditions_skip_what_follows_and_never_the_end() -> None:
    for program in programs():
        for at, one in enumerate(program):
            skips = (one.if_true, one.if_false)
            assert one.code in CONDITIONS or skips == (0, 0), one
            assert at + 1 + max(skips) < len(program) or one.code == bpf.RETURN, one


def test_every_program_is_assembled_to_eight_bytes_an_instruction() -> None:
    for program in programs():
        code = assemble(program)
        assert [*INSTRUCTION.iter_unpack(code)] == [*program]
        assert len(code) == 8 * len(program)


@pytest.mark.parametrize(
    ("packet_type", "arp_passes", "ndp_passes"),
    [
        pytest.param(TO_HOST, True, True, id="to us"),
        pytest.param(TO_BROADCAST, True, True, id="to everybody"),
        pytest.param(TO_GROUP, False, True, id="to a group"),
        pytest.param(TO_ANOTHER_HOST, False, False, id="to another"),
        pytest.param(OUTGOING, False, False, id="our own"),
    ],
)
def test_what_the_kernel_thinks_of_the_destination_decides_first(
    packet_type: int, *, arp_passes: bool, ndp_passes: bool
) -> None:
    heard, told = arp.encode(packet()), arp.encode(packet(IPv4Address("192.0.2.99"), sender=VIP))
    for frame in (heard, told):
        assert run(arp_filter([VIP]), frame, packet_type) == (42 if arp_passes else 0)
    for message in (solicitation(), advertisement()):
        data = ndp.encode(message)
        assert run(ndp_filter([VIP6]), data, packet_type) == (len(data) if ndp_passes else 0)


def test_a_reply_is_looked_at_for_its_sender_alone() -> None:
    program = arp_filter([VIP])
    nobody = IPv4Address("192.0.2.99")
    assert run(program, arp.encode(packet(VIP, sender=nobody, operation=Operation.REPLY))) == 0
    assert run(program, arp.encode(packet(nobody, sender=VIP, operation=Operation.REPLY))) == 42
    assert run(program, arp.encode(packet(VIP, sender=nobody))) == 42


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(12, b"\x86\xdd", id="IPv6"),
        pytest.param(14, b"\x00\x06", id="other hardware"),
        pytest.param(16, b"\x86\xdd", id="other protocol"),
        pytest.param(18, b"\x08", id="other length of MAC"),
        pytest.param(19, b"\x10", id="other length of address"),
    ],
)
def test_other_arp_never_passes(at: int, value: bytes) -> None:
    data = bytearray(arp.encode(packet()))
    data[at : at + len(value)] = value
    assert run(arp_filter([VIP]), bytes(data)) == 0


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(12, b"\x08\x00", id="IPv4"),
        pytest.param(20, b"\x11", id="UDP"),
        pytest.param(21, b"\xfe", id="routed"),
        pytest.param(54, b"\x86", id="router advertisement"),
        pytest.param(54, b"\x89", id="redirect"),
        pytest.param(55, b"\x01", id="another code"),
    ],
)
def test_other_messages_never_pass(at: int, value: bytes) -> None:
    data = bytearray(ndp.encode(solicitation()))
    data[at : at + len(value)] = value
    assert run(ndp_filter([VIP6]), bytes(data), TO_GROUP) == 0


def test_every_word_of_an_ipv6_address_counts_with_all_its_bits() -> None:
    program = ndp_filter([ODD])
    assert run(program, ndp.encode(solicitation(ODD)), TO_GROUP) > 0
    for bit in range(128):
        other = IPv6Address(int(ODD) ^ 1 << bit)
        assert run(program, ndp.encode(solicitation(other)), TO_GROUP) == 0, other
