"""Bytes of control packets: rows with a comment a field, faults by name, scapy as a second reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.bfd import BFD, OptionalAuth

from bareway.bfd.drops import DropReason, PacketError
from bareway.bfd.packet import PACKET_BYTES, Packet, State, decode, encode

INIT = bytes.fromhex(
    "20"  # version 1, no diagnostic
    "80"  # state Init, no flags
    "03 18"  # detect multiplier 3, length 24
    "00000001 00000002"  # discriminators: mine 1, yours 2
    "000493e0 000493e1"  # desired tx 300 000 us, required rx 300 001 us
    "00000000"  # required echo rx: none
)
UP_POLLING = bytes.fromhex("23 e8 05 18 cafef00d 00000007 0000c350 00002710 0000c351")
DEMAND_FINAL = bytes.fromhex("21 52 ff 18 ffffffff 00000000 000f4240 00000000 00000000")

GOOD = [
    pytest.param(INIT, Packet(State.INIT, 0, 3, 1, 2, 300_000, 300_001), id="init"),
    pytest.param(
        UP_POLLING,
        Packet(
            State.UP, 3, 5, 0xCAFEF00D, 7, 50_000, 10_000, 50_001,
            is_poll=True, is_control_plane_independent=True,
        ),
        id="up with poll, from a system whose control plane may die",
    ),
    pytest.param(
        DEMAND_FINAL,
        Packet(State.DOWN, 1, 255, 0xFFFFFFFF, 0, 1_000_000, 0, is_final=True, is_demand=True),
        id="down with final and demand",
    ),
]  # fmt: skip

BAD = [
    pytest.param(b"", DropReason.TRUNCATED, id="nothing"),
    pytest.param(INIT[:23], DropReason.TRUNCATED, id="one byte short"),
    pytest.param(b"\x00" + INIT[1:], DropReason.BAD_VERSION, id="version 0"),
    pytest.param(b"\x40" + INIT[1:], DropReason.BAD_VERSION, id="version 2"),
    pytest.param(INIT[:3] + b"\x17" + INIT[4:], DropReason.BAD_LENGTH, id="length 23"),
    pytest.param(INIT[:3] + b"\x19" + INIT[4:], DropReason.BAD_LENGTH, id="longer than received"),
    pytest.param(INIT[:1] + b"\x84" + INIT[2:], DropReason.BAD_LENGTH, id="no room for authentication"),
    pytest.param(INIT[:2] + b"\x00" + INIT[3:], DropReason.NO_MULTIPLIER, id="multiplier 0"),
    pytest.param(INIT[:1] + b"\x81" + INIT[2:], DropReason.MULTIPOINT, id="multipoint"),
    pytest.param(INIT[:4] + bytes(4) + INIT[8:], DropReason.NO_DISCRIMINATOR, id="no discriminator"),
    pytest.param(INIT[:8] + bytes(4) + INIT[12:], DropReason.NOT_BEGINNING, id="init to nobody"),
    pytest.param(b"\x20\xc0" + INIT[2:8] + bytes(4) + INIT[12:], DropReason.NOT_BEGINNING, id="up to nobody"),
    pytest.param(
        bytes(BFD(flags="A", sta=1, optional_auth=OptionalAuth(auth_key="secret"))),
        DropReason.AUTHENTICATED,
        id="simple password",
    ),
    pytest.param(
        bytes(BFD(flags="A", sta=3, optional_auth=OptionalAuth(auth_type=4))),
        DropReason.AUTHENTICATED,
        id="keyed sha1",
    ),
]

PACKETS = st.builds(
    Packet,
    state=st.sampled_from(State),
    diagnostic=st.integers(0, 31),
    detect_multiplier=st.integers(1, 255),
    my_discriminator=st.integers(1, 2**32 - 1),
    your_discriminator=st.integers(1, 2**32 - 1),
    desired_min_tx_us=st.integers(0, 2**32 - 1),
    required_min_rx_us=st.integers(0, 2**32 - 1),
    required_min_echo_rx_us=st.integers(0, 2**32 - 1),
    is_poll=st.booleans(),
    is_final=st.booleans(),
    is_control_plane_independent=st.booleans(),
    is_demand=st.booleans(),
)


@pytest.mark.parametrize(("data", "packet"), GOOD)
def test_bytes_and_packet_are_the_same_thing(data: bytes, packet: Packet) -> None:
    assert decode(data) == packet
    assert encode(packet) == data


@pytest.mark.parametrize(("data", "reason"), BAD)
def test_what_is_wrong_with_a_packet_has_a_name(data: bytes, reason: DropReason) -> None:
    with pytest.raises(PacketError) as caught:
        decode(data)
    assert caught.value.reason is reason


def test_bytes_after_the_packet_are_padding() -> None:
    assert decode(INIT + b"more") == decode(INIT)


@pytest.mark.parametrize("state", [State.DOWN, State.ADMIN_DOWN])
def test_who_is_down_need_not_know_us(state: State) -> None:
    packet = Packet(state, 0, 3, 1, 0, 1, 1)
    assert decode(encode(packet)) == packet


@given(PACKETS)
def test_whatever_is_written_is_read_back(packet: Packet) -> None:
    data = encode(packet)
    assert len(data) == PACKET_BYTES
    assert decode(data) == packet


@given(st.binary(max_size=80) | st.builds(lambda head, rest: head + rest, st.just(INIT[:4]), st.binary()))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        packet = decode(data)
    except PacketError:
        return
    assert encode(packet) == data[:3] + bytes([PACKET_BYTES]) + data[4:PACKET_BYTES]


@given(PACKETS)
def test_scapy_reads_what_we_write(packet: Packet) -> None:
    seen = BFD(encode(packet))
    flags = {"P": packet.is_poll, "F": packet.is_final, "D": packet.is_demand}
    flags |= {"C": packet.is_control_plane_independent, "A": False, "M": False}
    assert {name: name in str(seen.flags) for name in flags} == flags
    assert (seen.version, seen.diag, seen.sta, seen.len) == (1, packet.diagnostic, packet.state, 24)
    assert (seen.detect_mult, seen.echo_rx_interval) == tuple(packet[2:3]) + tuple(packet[7:8])
    assert (seen.my_discriminator, seen.your_discriminator) == packet[3:5]
    assert (seen.min_tx_interval, seen.min_rx_interval) == packet[5:7]


@given(PACKETS)
def test_we_read_what_scapy_writes(packet: Packet) -> None:
    flags = [("P", packet.is_poll), ("F", packet.is_final), ("D", packet.is_demand)]
    flags.append(("C", packet.is_control_plane_independent))
    written = BFD(
        diag=packet.diagnostic,
        sta=int(packet.state),
        flags="".join(name for name, is_set in flags if is_set),
        detect_mult=packet.detect_multiplier,
        my_discriminator=packet.my_discriminator,
        your_discriminator=packet.your_discriminator,
        min_tx_interval=packet.desired_min_tx_us,
        min_rx_interval=packet.required_min_rx_us,
        echo_rx_interval=packet.required_min_echo_rx_us,
    )
    assert decode(bytes(written)) == packet
