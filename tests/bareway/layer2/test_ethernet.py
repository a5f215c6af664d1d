"""The header of 14 bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import ethernet
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import BROADCAST, Frame
from bareway.model.mac import MacAddress

macs = st.binary(min_size=6, max_size=6).map(MacAddress)
ethertypes = st.integers(0, 0xFFFF).filter(lambda number: number not in ethernet.ETHERTYPES_VLAN)
frames = st.builds(Frame, macs, macs, ethertypes, st.binary(max_size=64))


def test_a_frame_is_laid_out_as_destination_source_type_payload() -> None:
    golden = bytes.fromhex(
        "ffffffffffff"  # to everybody
        "020000000001"  # from
        "0806"  # ARP
        "abcd"  # payload
    )
    frame = Frame(BROADCAST, MacAddress.parse("02:00:00:00:00:01"), 0x0806, b"\xab\xcd")
    assert ethernet.encode(frame) == golden
    assert ethernet.decode(golden) == frame


@given(frames)
def test_a_frame_that_was_written_reads_the_same(frame: Frame) -> None:
    assert ethernet.decode(ethernet.encode(frame)) == frame


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", DropReason.TRUNCATED, id="empty"),
        pytest.param(bytes(13), DropReason.TRUNCATED, id="one byte short of a header"),
        pytest.param(bytes(12) + b"\x81\x00" + bytes(46), DropReason.VLAN_TAGGED, id="802.1Q"),
        pytest.param(bytes(12) + b"\x88\xa8" + bytes(46), DropReason.VLAN_TAGGED, id="802.1ad"),
        pytest.param(bytes(12) + b"\x91\x00" + bytes(46), DropReason.VLAN_TAGGED, id="old double tag"),
    ],
)
def test_a_frame_that_cannot_be_ours_is_refused_by_name(data: bytes, reason: DropReason) -> None:
    with pytest.raises(PacketError) as refused:
        ethernet.decode(data)
    assert refused.value.reason is reason
