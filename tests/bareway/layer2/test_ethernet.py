"""The header of 14 bytes, and MAC addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import ethernet
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import BROADCAST, Frame, MacAddress

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


@given(macs)
def test_a_mac_reads_back_from_its_text(mac: MacAddress) -> None:
    assert MacAddress.parse(str(mac)) == mac


def test_a_mac_prints_as_people_write_it() -> None:
    mac = MacAddress(bytes.fromhex("02005e10000a"))
    assert str(mac) == "02:00:5e:10:00:0a"
    assert repr(mac) == "MacAddress(02:00:5e:10:00:0a)"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("02:00:00:00:00", id="five"),
        pytest.param("02:00:00:00:00:01:02", id="seven"),
        pytest.param("2:0:0:0:0:1", id="single digits"),
        pytest.param("02-00-00-00-00-01", id="dashes"),
        pytest.param("02:00:00:00:00:0g", id="no hex digit"),
    ],
)
def test_what_is_no_mac_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAC address|non-hexadecimal"):
        MacAddress.parse(text)


@pytest.mark.parametrize(
    ("mac", "is_host"),
    [
        pytest.param(MacAddress.parse("02:00:00:00:00:01"), True, id="local"),
        pytest.param(MacAddress.parse("00:00:5e:00:01:05"), True, id="vendor"),
        pytest.param(BROADCAST, False, id="broadcast"),
        pytest.param(MacAddress.parse("01:00:5e:00:00:01"), False, id="group"),
        pytest.param(MacAddress(bytes(6)), False, id="zero"),
        pytest.param(MacAddress(b""), False, id="none, as of a tunnel"),
        pytest.param(MacAddress(b"\x02" * 20), False, id="twenty bytes, as of InfiniBand"),
    ],
)
def test_only_one_station_s_six_bytes_are_a_host(mac: MacAddress, is_host: bool) -> None:
    assert mac.is_host is is_host
