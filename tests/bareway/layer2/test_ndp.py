"""Neighbour discovery: golden bytes, an independent reader, and whatever else may come over the wire."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from bareway.layer2 import ipv6, ndp
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ndp import Advertisement, Message, Solicitation
from bareway.model.mac import MacAddress
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC
from support.ndp import ASKER6, VIP6, advertisement, probe, solicitation, unicast

macs = st.binary(min_size=6, max_size=6).map(MacAddress)
stations = st.ip_addresses(v=6).filter(lambda address: not address.is_multicast)
anybody = st.ip_addresses(v=6)

SOLICITED = bytes.fromhex(
    "020000000002 020000000001 86dd"  # to the asker, from us, IPv6
    "60000000 0020 3a ff"  # version 6, 32 bytes, ICMPv6, hop limit 255
    "20010db8000000000000000000000010"  # from our address
    "fe800000000000000000000000000002"  # to the asker
    "88 00 b98d"  # advertisement, code 0, checksum
    "60000000"  # not a router, solicited, override
    "20010db8000000000000000000000010"  # our address
    "02 01 020000000001"  # is at this hardware address
)
TO_EVERYBODY = bytes.fromhex(
    "333300000001 020000000001 86dd"
    "60000000 0020 3a ff"
    "20010db8000000000000000000000010"
    "ff020000000000000000000000000001"  # to all nodes
    "88 00 f90c"
    "20000000"  # nothing but override
    "20010db8000000000000000000000010"
    "02 01 020000000001"
)
PROBE = bytes.fromhex(
    "3333ff000010 020000000001 86dd"  # to the group of the address
    "60000000 0018 3a ff"  # 24 bytes: no option
    "00000000000000000000000000000000"  # from nobody
    "ff0200000000000000000001ff000010"
    "87 00 4ccf"  # solicitation, code 0, checksum
    "00000000"
    "20010db8000000000000000000000010"
)


def resummed(frame: bytes) -> bytes:
    """The same with the right checksum and length, so that nothing else is wrong with it."""
    body = frame[54:56] + bytes(2) + frame[58:]
    checksum = ipv6.checksum(frame[22:38], frame[38:54], body)
    length = len(frame) - 54
    return b"".join(
        (frame[:18], length.to_bytes(2, "big"), frame[20:56], checksum.to_bytes(2, "big"), frame[58:])
    )


@pytest.mark.parametrize(
    ("ours", "golden"),
    [
        pytest.param(ndp.reply(solicitation(), my_mac=MY_MAC), SOLICITED, id="answer"),
        pytest.param(ndp.reply(unicast(), my_mac=MY_MAC), SOLICITED, id="answer to who makes sure"),
        pytest.param(ndp.reply(probe(), my_mac=MY_MAC), TO_EVERYBODY, id="answer to a probe"),
        pytest.param(ndp.unsolicited(VIP6, my_mac=MY_MAC), TO_EVERYBODY, id="unsolicited"),
        pytest.param(ndp.probe(VIP6, my_mac=MY_MAC), PROBE, id="probe"),
    ],
)
def test_every_frame_we_send_has_these_bytes(ours: bytes, golden: bytes) -> None:
    assert ours == golden


@pytest.mark.parametrize(
    ("frame", "flags", "destination"),
    [
        pytest.param(ndp.reply(solicitation(), my_mac=MY_MAC), (0, 1, 1), "fe80::2", id="answer"),
        pytest.param(ndp.reply(probe(), my_mac=MY_MAC), (0, 0, 1), "ff02::1", id="answer to a probe"),
        pytest.param(
            ndp.reply(probe(), my_mac=MY_MAC, override=False), (0, 0, 0), "ff02::1", id="unsure answer"
        ),
        pytest.param(ndp.unsolicited(VIP6, my_mac=MY_MAC), (0, 0, 1), "ff02::1", id="unsolicited"),
    ],
)
def test_scapy_reads_every_advertisement_we_send(
    frame: bytes, flags: tuple[int, int, int], destination: str
) -> None:
    seen = Ether(frame)
    assert (seen.src, seen.type) == (str(MY_MAC), 0x86DD)
    assert (seen[IPv6].src, seen[IPv6].dst, seen[IPv6].hlim) == (str(VIP6), destination, 255)
    said = seen[ICMPv6ND_NA]
    assert (said.tgt, said.code, said.res) == (str(VIP6), 0, 0)
    assert flags == (said.R, said.S, said.O)
    assert said[ICMPv6NDOptDstLLAddr].lladdr == str(MY_MAC)
    assert _summed_by_scapy(seen) == frame


def test_scapy_reads_the_probe_we_send() -> None:
    seen = Ether(ndp.probe(VIP6, my_mac=MY_MAC))
    assert (seen.dst, seen.src) == ("33:33:ff:00:00:10", str(MY_MAC))
    assert (seen[IPv6].src, seen[IPv6].dst, seen[IPv6].hlim) == ("::", "ff02::1:ff00:10", 255)
    assert (seen[ICMPv6ND_NS].tgt, seen[ICMPv6ND_NS].code) == (str(VIP6), 0)
    assert not seen.haslayer(ICMPv6NDOptSrcLLAddr)
    assert _summed_by_scapy(seen) == ndp.probe(VIP6, my_mac=MY_MAC)


@pytest.mark.parametrize("target", ["2001:db8::10", "2001:db8::ab:cdef"], ids=["low", "high"])
def test_what_scapy_asks_we_read(target: str) -> None:
    group = ipv6.solicited_node(IPv6Address(target))
    header = Ether(dst=str(ipv6.group_mac(group)), src=str(ASKER_MAC)) / IPv6(
        src=str(ASKER6), dst=str(group), hlim=255
    )
    asked = header / ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=str(ASKER_MAC))
    assert ndp.decode(bytes(asked)) == solicitation(IPv6Address(target))


def test_what_scapy_says_we_read() -> None:
    header = Ether(dst=str(MY_MAC), src=str(STRANGER_MAC)) / IPv6(src=str(VIP6), dst=str(ASKER6), hlim=255)
    said = header / ICMPv6ND_NA(tgt=str(VIP6), R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=str(STRANGER_MAC))
    assert ndp.decode(bytes(said)) == advertisement(is_solicited=True)


solicitations = st.builds(Solicitation, macs, macs, stations, anybody, stations, st.none() | macs).filter(
    lambda message: not message.is_probe
)
advertisements = st.builds(
    Advertisement, macs, macs, stations, stations, stations, st.none() | macs, *[st.booleans()] * 3
)


@given(solicitations | advertisements)
def test_a_message_that_was_written_reads_the_same(written: Message) -> None:
    assert ndp.decode(ndp.encode(written)) == written


@given(st.binary(max_size=22))
def test_padding_does_not_matter(padding: bytes) -> None:
    assert ndp.decode(SOLICITED + padding) == ndp.decode(SOLICITED)


@given(st.ip_addresses(v=6).filter(lambda address: not address.is_multicast))
def test_our_probe_of_any_address_is_a_right_one(address: IPv6Address) -> None:
    told = ndp.decode(ndp.probe(address, my_mac=MY_MAC))
    assert isinstance(told, Solicitation)
    assert told.is_probe
    assert told.target == address


def test_the_answer_goes_where_the_source_option_says() -> None:
    asked = solicitation(link_address=STRANGER_MAC)
    assert ndp.reply(asked, my_mac=MY_MAC)[:6] == STRANGER_MAC


def test_without_a_source_option_the_answer_goes_where_the_frame_came_from() -> None:
    assert ndp.reply(solicitation(link_address=None), my_mac=MY_MAC)[:6] == ASKER_MAC


def test_options_that_are_not_read_are_skipped_and_of_two_alike_the_first_counts() -> None:
    nonce, mine, other = "0e01 0102030405ff", "0201 020000000001", "0201 020000000009"
    long = "0e02" + "00" * 14
    frame = resummed(SOLICITED[:78] + bytes.fromhex(nonce + long + mine + other))
    told = ndp.decode(frame)
    assert told.link_address == MY_MAC


def test_a_hardware_address_of_another_length_is_none() -> None:
    frame = resummed(SOLICITED[:78] + bytes.fromhex("0202" + "00" * 14))
    assert ndp.decode(frame).link_address is None


def test_the_other_kind_s_option_says_nothing() -> None:
    frame = resummed(SOLICITED[:78] + bytes.fromhex("0101 020000000001"))
    assert ndp.decode(frame).link_address is None


def changed(at: int, new: str) -> bytes:
    value = bytes.fromhex(new)
    return SOLICITED[:at] + value + SOLICITED[at + len(value) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(SOLICITED[:13], DropReason.TRUNCATED, id="no whole frame header"),
        pytest.param(SOLICITED[:40], DropReason.TRUNCATED, id="no whole IPv6 header"),
        pytest.param(SOLICITED[:-1], DropReason.TRUNCATED, id="shorter than it says"),
        pytest.param(changed(12, "8100"), DropReason.VLAN_TAGGED, id="in a VLAN"),
        pytest.param(changed(12, "0800"), DropReason.NOT_NDP, id="IPv4"),
        pytest.param(changed(20, "11"), DropReason.NOT_NDP, id="UDP"),
        pytest.param(changed(18, "0017"), DropReason.NOT_NDP, id="no room for a target"),
        pytest.param(resummed(changed(54, "80")), DropReason.NOT_NDP, id="echo"),
        pytest.param(resummed(changed(54, "86")), DropReason.NOT_NDP, id="router advertisement"),
        pytest.param(resummed(changed(54, "89")), DropReason.NOT_NDP, id="redirect"),
        pytest.param(changed(21, "fe"), DropReason.NOT_FROM_THE_LINK, id="routed"),
        pytest.param(resummed(changed(55, "01")), DropReason.NOT_FROM_THE_LINK, id="code 1"),
        pytest.param(changed(56, "0000"), DropReason.BAD_CHECKSUM, id="one bit of the checksum"),
        pytest.param(changed(37, "11"), DropReason.BAD_CHECKSUM, id="one bit of the source"),
        pytest.param(resummed(changed(22, "ff02")), DropReason.BAD_SENDER, id="from a group"),
        pytest.param(resummed(changed(62, "ff02")), DropReason.BAD_TARGET, id="about a group"),
        pytest.param(resummed(changed(38, "ff02")), DropReason.BAD_TARGET, id="solicited by a group"),
        pytest.param(resummed(changed(79, "00")), DropReason.BAD_OPTION, id="option without length"),
        pytest.param(resummed(changed(79, "02")), DropReason.BAD_OPTION, id="option beyond the end"),
        pytest.param(resummed(SOLICITED[:79]), DropReason.BAD_OPTION, id="option of one byte"),
    ],
)
def test_what_must_not_be_believed_is_refused_by_name(data: bytes, reason: DropReason) -> None:
    with pytest.raises(PacketError) as refused:
        ndp.decode(data)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(probe()._replace(link_address=ASKER_MAC), id="with a source option"),
        pytest.param(probe()._replace(destination=VIP6), id="to the address itself"),
        pytest.param(probe()._replace(destination=ipv6.ALL_NODES), id="to all nodes"),
    ],
)
def test_a_wrong_probe_is_none(wrong: Solicitation) -> None:
    with pytest.raises(PacketError) as refused:
        ndp.decode(ndp.encode(wrong))
    assert refused.value.reason is DropReason.BAD_PROBE


@given(st.binary(max_size=120))
@example(b"")
def test_no_bytes_raise_anything_but_a_packet_error(data: bytes) -> None:
    _read(data, lambda data: data)


@pytest.mark.parametrize("mend", [lambda data: data, resummed], ids=["as they are", "summed"])
@given(
    st.sampled_from([SOLICITED, TO_EVERYBODY, PROBE]),
    st.lists(st.tuples(st.integers(0, 85), st.integers(0, 255)), max_size=6),
    st.integers(60, 100),
)
def test_a_message_with_any_bytes_changed_or_cut_off_is_read_or_refused(
    mend: Callable[[bytes], bytes], whole: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(whole + bytes(30))
    for at, value in changes:
        data[at] = value
    _read(bytes(data[:length]), mend)


def _read(data: bytes, mend: Callable[[bytes], bytes]) -> None:
    with suppress(PacketError):
        read = ndp.decode(mend(data))
        assert ndp.decode(ndp.encode(read)) == read


def _summed_by_scapy(seen: Ether) -> bytes:
    """The frame as scapy writes it when it must find the checksum itself."""
    layer = ICMPv6ND_NA if seen.haslayer(ICMPv6ND_NA) else ICMPv6ND_NS
    del seen[layer].cksum
    return bytes(seen)


@pytest.mark.parametrize("asked", [solicitation(), unicast(), probe()], ids=["group", "unicast", "probe"])
def test_a_reply_overrides_what_others_know_unless_it_is_told_not_to(asked: Solicitation) -> None:
    told = ndp.decode(ndp.reply(asked, my_mac=MY_MAC))
    unsure = ndp.decode(ndp.reply(asked, my_mac=MY_MAC, override=False))
    assert isinstance(told, Advertisement)
    assert (told.overrides, unsure) == (True, told._replace(overrides=False))


def test_what_is_reserved_in_a_solicitation_is_zero() -> None:
    body = ndp.encode(solicitation())[14 + 40 :]
    assert body[:2] == bytes([135, 0])
    assert body[4:8] == bytes(4)
