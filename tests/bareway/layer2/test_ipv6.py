"""IPv6 on Ethernet: the header, the groups, and the checksum against an independent one."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.utils6 import in6_getnsma

from bareway.layer2 import ipv6
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ipv6 import Packet

addresses = st.ip_addresses(v=6)


@given(addresses, addresses, st.binary(max_size=90))
def test_the_checksum_is_scapy_s(source: IPv6Address, destination: IPv6Address, message: bytes) -> None:
    header = IPv6(src=str(source), dst=str(destination))
    assert ipv6.checksum(source.packed, destination.packed, message) == in6_chksum(58, header, message)


def test_a_sum_of_nothing_but_ones_is_written_as_zeros() -> None:
    # RFC 8200 section 8.1 keeps 0 apart from 0xffff for UDP alone.
    assert ipv6.checksum(bytes(16), bytes(16), b"\xff\xff" * 3 + (0xFFFF - 58 - 8).to_bytes(2, "big")) == 0


@given(addresses, addresses, st.binary(min_size=8, max_size=90))
def test_a_message_with_its_checksum_in_it_sums_up_to_zero(
    source: IPv6Address, destination: IPv6Address, message: bytes
) -> None:
    blank = message[:2] + bytes(2) + message[4:]
    checksum = ipv6.checksum(source.packed, destination.packed, blank)
    summed = blank[:2] + checksum.to_bytes(2, "big") + blank[4:]
    assert ipv6.checksum(source.packed, destination.packed, summed) == 0


@given(addresses)
def test_the_group_of_an_address_is_scapy_s(address: IPv6Address) -> None:
    group = ipv6.solicited_node(address)
    assert group.packed == in6_getnsma(address.packed)
    assert ipv6.group_mac(group)[2:] == group.packed[12:]


def test_a_group_s_hardware_address_begins_with_two_threes() -> None:
    assert str(ipv6.group_mac(ipv6.solicited_node(IPv6Address("2001:db8::ab:cdef")))) == "33:33:ff:ab:cd:ef"
    assert str(ipv6.group_mac(ipv6.ALL_NODES)) == "33:33:00:00:00:01"


packets = st.builds(
    Packet,
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=60),
)


@given(packets, st.binary(max_size=10))
def test_a_packet_that_was_written_reads_the_same_whatever_follows(written: Packet, padding: bytes) -> None:
    assert ipv6.decode(ipv6.encode(written) + padding) == written


def test_what_we_write_scapy_reads() -> None:
    source, destination = IPv6Address("fe80::1"), IPv6Address("ff02::1")
    seen = IPv6(ipv6.encode(Packet(59, 255, source.packed, destination.packed, b"12345")))
    assert (seen.version, seen.tc, seen.fl, seen.plen, seen.nh, seen.hlim) == (6, 0, 0, 5, 59, 255)
    assert (seen.src, seen.dst) == ("fe80::1", "ff02::1")


WHOLE = ipv6.encode(Packet(58, 255, bytes(16), bytes(16), b"payload"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", DropReason.TRUNCATED, id="nothing"),
        pytest.param(WHOLE[:39], DropReason.TRUNCATED, id="no whole header"),
        pytest.param(WHOLE[:-1], DropReason.TRUNCATED, id="less than the header says"),
        pytest.param(b"\x45" + WHOLE[1:], DropReason.NOT_NDP, id="IPv4"),
        pytest.param(b"\x70" + WHOLE[1:], DropReason.NOT_NDP, id="version 7"),
    ],
)
def test_what_is_no_whole_packet_is_refused_by_name(data: bytes, reason: DropReason) -> None:
    with pytest.raises(PacketError) as refused:
        ipv6.decode(data)
    assert refused.value.reason is reason


def test_traffic_class_and_flow_do_not_matter() -> None:
    assert ipv6.decode(b"\x6f\xff\xff\xff" + WHOLE[4:]) == ipv6.decode(WHOLE)
