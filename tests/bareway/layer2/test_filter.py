"""The kernel filters, run by an interpreter of our own; tests/speaker/layer2 runs them in the kernel."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import arp, ipv6, ndp
from bareway.layer2.arp import Operation
from bareway.layer2.bpf import Program
from bareway.layer2.filter import (
    ANY_ARP,
    ANY_NDP,
    ARP_BYTES,
    NDP_BYTES,
    NOTHING,
    STEPS_MAX,
    STEPS_MIN,
    arp_filter,
    ndp_filter,
)
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC, VIP, packet
from support.cbpf import OUTGOING, TO_ANOTHER_HOST, TO_BROADCAST, TO_GROUP, TO_HOST, run
from support.ndp import VIP6, advertisement, probe, solicitation, unicast

FOREIGN = IPv4Address("192.0.2.99")
FOREIGN6 = IPv6Address("2001:db8::99")
OURS = arp_filter([VIP, IPv4Address("198.51.100.1"), IPv4Address("198.51.100.2")])
OURS6 = ndp_filter([VIP6, IPv6Address("2001:db8::a:1"), IPv6Address("2001:db8::a:2")])
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
def test_only_arp_that_concerns_our_addresses_passes(
    heard: arp.ArpPacket, passes: bool, packet_type: int
) -> None:
    data = arp.encode(heard)
    assert run(OURS, data, packet_type) == (len(data) if passes else 0)


@pytest.mark.parametrize("packet_type", [TO_GROUP, TO_HOST], ids=["to a group", "to us"])
@pytest.mark.parametrize(
    ("heard", "passes"),
    [
        pytest.param(solicitation(), True, id="asks for ours"),
        pytest.param(solicitation(IPv6Address("2001:db8::a:2")), True, id="asks for another of ours"),
        pytest.param(unicast(), True, id="makes sure of ours"),
        pytest.param(probe(), True, id="probes ours"),
        pytest.param(advertisement(), True, id="claims ours"),
        pytest.param(advertisement(is_solicited=True), True, id="answers for ours"),
        pytest.param(solicitation(FOREIGN6), False, id="asks for another"),
        pytest.param(advertisement(FOREIGN6), False, id="claims another"),
        pytest.param(solicitation(IPv6Address("2001:db8::a:3")), False, id="asks for the one after a run"),
        pytest.param(solicitation(IPv6Address("2001:db9::10")), False, id="of another prefix, first word"),
        pytest.param(solicitation(IPv6Address("2001:db8:1::10")), False, id="of another prefix, second word"),
        pytest.param(solicitation(IPv6Address("2001:db8::1:0:10")), False, id="of another third word"),
    ],
)
def test_only_messages_about_our_addresses_pass(heard: ndp.Message, passes: bool, packet_type: int) -> None:
    data = ndp.encode(heard)
    assert run(OURS6, data, packet_type) == (len(data) if passes else 0)


@pytest.mark.parametrize("program", [OURS, ANY_ARP], ids=["narrow", "wide"])
@pytest.mark.parametrize("packet_type", [TO_GROUP, TO_ANOTHER_HOST, OUTGOING], ids=["group", "other", "own"])
def test_arp_that_the_kernel_calls_not_ours_never_passes(program: Program, packet_type: int) -> None:
    assert run(program, arp.encode(packet()), packet_type) == 0


@pytest.mark.parametrize("program", [OURS6, ANY_NDP], ids=["narrow", "wide"])
@pytest.mark.parametrize("packet_type", [TO_ANOTHER_HOST, OUTGOING], ids=["other", "own"])
def test_messages_that_the_kernel_calls_not_ours_never_pass(program: Program, packet_type: int) -> None:
    assert run(program, ndp.encode(solicitation()), packet_type) == 0


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


@pytest.mark.parametrize("program", [OURS6, ANY_NDP], ids=["narrow", "wide"])
@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(12, b"\x08\x00", id="IPv4"),
        pytest.param(20, b"\x11", id="UDP"),
        pytest.param(21, b"\xfe", id="routed"),
        pytest.param(54, b"\x80", id="echo"),
        pytest.param(54, b"\x86", id="router advertisement"),
        pytest.param(54, b"\x89", id="redirect"),
        pytest.param(55, b"\x01", id="another code"),
    ],
)
def test_what_is_no_message_about_neighbours_never_passes(program: Program, at: int, value: bytes) -> None:
    data = bytearray(ndp.encode(solicitation()))
    data[at : at + len(value)] = value
    assert run(program, bytes(data), TO_GROUP) == 0


@given(st.integers(0, 41))
def test_arp_that_is_cut_short_never_passes(length: int) -> None:
    assert run(OURS, arp.encode(packet())[:length]) == 0


@given(st.integers(0, 77))
def test_a_message_that_is_cut_short_never_passes(length: int) -> None:
    assert run(OURS6, ndp.encode(solicitation())[:length], TO_GROUP) == 0


@pytest.mark.parametrize(
    ("program", "frame", "read"),
    [
        pytest.param(OURS, arp.encode(packet()), ARP_BYTES, id="ARP"),
        pytest.param(ANY_ARP, arp.encode(packet()), ARP_BYTES, id="any ARP"),
        pytest.param(OURS6, ndp.encode(unicast()), NDP_BYTES, id="NDP"),
        pytest.param(ANY_NDP, ndp.encode(unicast()), NDP_BYTES, id="any NDP"),
    ],
)
def test_no_more_than_a_frame_needs_is_read_of_it(program: Program, frame: bytes, read: int) -> None:
    assert run(program, frame + bytes(9000), TO_HOST) == read


def test_who_announces_nothing_hears_nothing() -> None:
    assert arp_filter([]) == ndp_filter([]) == NOTHING
    assert run(NOTHING, arp.encode(packet())) == 0


def test_the_wide_programs_let_everything_of_their_kind_through_and_nothing_else() -> None:
    assert run(ANY_ARP, arp.encode(packet(FOREIGN, operation=Operation.REPLY)), TO_HOST) == 42
    assert run(ANY_ARP, ndp.encode(solicitation()), TO_HOST) == 0
    for heard in (solicitation(FOREIGN6), advertisement(FOREIGN6)):
        data = ndp.encode(heard)
        assert run(ANY_NDP, data, TO_GROUP) == len(data)
    assert run(ANY_NDP, arp.encode(packet()), TO_HOST) == 0


near = st.integers(0x0A00_0000, 0x0A00_0200)
anywhere = st.integers(0, 0xFFFF_FFFF)


@given(st.sets(near | anywhere, min_size=1, max_size=60), near | anywhere)
def test_a_few_addresses_are_matched_exactly(ours: set[int], asked: int) -> None:
    program = arp_filter(map(IPv4Address, ours))
    around = [(number + step) % (1 << 32) for number in list(ours)[:8] for step in (-1, 0, 1)]
    for number in {asked, *around}:
        target, nobody = IPv4Address(number), IPv4Address(min(ours) ^ 0x8000_0000)
        asks = arp.encode(packet(target, sender=nobody))
        tells = arp.encode(packet(nobody, sender=target, operation=Operation.REPLY))
        assert bool(run(program, asks)) == (number in ours or int(nobody) in ours)
        assert bool(run(program, tells)) == (number in ours)


@given(st.sets(near, min_size=1, max_size=60), near, st.integers(0, (1 << 96) - 1).map(lambda top: top << 32))
def test_a_few_addresses_of_one_prefix_are_matched_exactly(ours: set[int], asked: int, prefix: int) -> None:
    program = ndp_filter(IPv6Address(prefix | number) for number in ours)
    for number in {asked, *list(ours)[:8]}:
        heard = solicitation(IPv6Address(prefix | number), to=ipv6.ALL_NODES)
        assert bool(run(program, ndp.encode(heard), TO_GROUP)) == (number in ours)


def test_of_two_prefixes_the_words_in_common_and_the_last_one_are_looked_at() -> None:
    program = ndp_filter([IPv6Address("2001:db8:1::10"), IPv6Address("2001:db8:2::20")])
    heard = {
        "2001:db8:1::10": True,
        "2001:db8:2::20": True,
        "2001:db8:3::20": True,  # wider than it need be: the responder looks again
        "2001:db8:1::30": False,
        "2001:db9:1::10": False,
    }
    for text, passes in heard.items():
        data = ndp.encode(solicitation(IPv6Address(text)))
        assert bool(run(program, data, TO_GROUP)) is passes


SPREAD: dict[str, Callable[[int], int]] = {
    "every address": lambda i: i,
    "every third": lambda i: 3 * i,
    "one in 97": lambda i: 97 * i,
    "pairs with growing gaps": lambda i: 20 * (i // 2) * (i // 2) + i % 2,
}


@pytest.mark.parametrize("spread", SPREAD.values(), ids=SPREAD)
@pytest.mark.parametrize("count", [1, 16, 128, 1000, 5000])
@pytest.mark.parametrize("steps_max", [STEPS_MAX, STEPS_MIN], ids=["usual", "old kernels"])
def test_the_programs_fit_into_the_kernel_whatever_the_set(
    spread: Callable[[int], int], count: int, steps_max: int
) -> None:
    numbers = [0xC0A8_0000 + spread(i) for i in range(count)]
    ours = [IPv4Address(number) for number in numbers]
    ours6 = [IPv6Address((0x2001_0DB8 << 96) | number) for number in numbers]
    program, program6 = arp_filter(ours, steps_max=steps_max), ndp_filter(ours6, steps_max=steps_max)
    for one in (program, program6):
        assert len(one) <= KERNEL_INSTRUCTIONS_MAX
        assert steps_max != STEPS_MIN or 2 * 8 * _translated(one) < OPTION_MEMORY_BYTES
    for address in (ours[0], ours[len(ours) // 2], ours[-1]):
        assert run(program, arp.encode(packet(address))) == 42
        assert run(program, arp.encode(packet(FOREIGN, sender=address, operation=Operation.REPLY))) == 42
    for wanted in (ours6[0], ours6[len(ours6) // 2], ours6[-1]):
        assert run(program6, ndp.encode(solicitation(wanted)), TO_GROUP) == 86
    assert run(program, arp.encode(packet(IPv4Address("10.0.0.1")))) == 0
    assert run(program6, ndp.encode(solicitation(IPv6Address("fe80::1"))), TO_GROUP) == 0


def test_the_asker_s_mac_plays_no_part() -> None:
    for mac in (ASKER_MAC, MY_MAC):
        assert run(OURS, arp.encode(packet(sender_mac=mac))) == 42


def _translated(program: Program) -> int:
    """How many of its own instructions the kernel makes of it, at worst.

    Twelve for a load from the frame; for a condition one more if both ways are jumps and one if its number
    has the highest bit set; two for a return.
    """
    count = 16
    for code, if_true, if_false, number in program:
        match code:
            case 0x20 | 0x28:
                count += 12
            case 0x15 | 0x25 | 0x35 | 0x45:
                count += 1 + bool(if_true and if_false) + (number >> 31)
            case 0x06:
                count += 2
            case _:
                count += 1
    return count
