"""Addresses as text are read as the standard library reads them, only faster."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bareway.model.addresses import to_address

texts = st.one_of(
    st.text(alphabet="0123456789.", max_size=16),
    st.text(alphabet="0123456789abcdefABCDEFg:%.", max_size=45),
    st.integers(0, 2**32 - 1).map(lambda number: str(IPv4Address(number))),
    st.integers(0, 2**128 - 1).map(lambda number: str(IPv6Address(number))),
    st.integers(0, 2**128 - 1).map(lambda number: IPv6Address(number).exploded),
    st.lists(st.sampled_from(["0", "a", "ffff", "", "12345", "1"]), min_size=1, max_size=10).map(":".join),
)


def as_the_library(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError as error:
        return str(error)


@given(texts)
@example("::")
@example("1::")
@example("::1")
@example("1:2:3:4:5:6:7::")
@example("::2:3:4:5:6:7:8")
@example("1::3:4:5:6:7:8")
@example("1:2:3:4::5:6:7:8")
@example("::ffff:192.0.2.1")
@example("fe80::1%eth0")
@example("1::2::3")
@example("256.0.0.1")
@example("01.2.3.4")
@example("1.2.3.4\n")
@example("::1\n")
@example("\u0661.2.3.4")
def test_a_text_is_read_or_refused_as_by_the_standard_library(text: str) -> None:
    try:
        read: object = to_address(text)
    except ValueError as error:
        read = str(error)
    assert read == as_the_library(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("192.0.2.254", IPv4Address(0xC00002FE), id="IPv4"),
        pytest.param("2001:db8:1::1:9c4", IPv6Address(0x20010DB8000100000000000000_0109C4), id="IPv6"),
    ],
)
def test_an_address_is_read(text: str, expected: object) -> None:
    assert to_address(text) == expected
