"""Hardware addresses: as text and back, and which of them one station can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.mac import MacAddress

macs = st.binary(min_size=6, max_size=6).map(MacAddress)


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
        pytest.param(MacAddress(b"\xff" * 6), False, id="broadcast"),
        pytest.param(MacAddress.parse("01:00:5e:00:00:01"), False, id="group"),
        pytest.param(MacAddress(bytes(6)), False, id="zero"),
        pytest.param(MacAddress(b""), False, id="none, as of a tunnel"),
        pytest.param(MacAddress(b"\x02" * 20), False, id="twenty bytes, as of InfiniBand"),
    ],
)
def test_only_one_station_s_six_bytes_are_a_host(mac: MacAddress, is_host: bool) -> None:
    assert mac.is_host is is_host
