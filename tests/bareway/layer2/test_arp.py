"""ARP frames: golden bytes, an independent reader, and whatever else may come over the wire."""

from contextlib import suppress
from ipaddress import IPv4Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP, Ether

from bareway.layer2 import arp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import BROADCAST
from bareway.model.mac import MacAddress
from support.arp import ASKER, ASKER_MAC, MY_MAC, VIP, packet

macs = st.binary(min_size=6, max_size=6).map(MacAddress)
addresses = st.ip_addresses(v=4)
packets = st.builds(ArpPacket, macs, st.sampled_from(Operation), macs, addresses, macs, addresses)

REQUEST = bytes.fromhex(
    "ffffffffffff 020000000002 0806"  # to everybody, from the asker, ARP
    "0001 0800 06 04"  # Ethernet, IPv4, their lengths
    "0001"  # request
    "020000000002 c00002c8"  # asked by 192.0.2.200
    "000000000000 c000020a"  # who has 192.0.2.10
)
REPLY = bytes.fromhex(
    "020000000002 020000000001 0806"  # to the asker, from us, ARP
    "0001 0800 06 04"
    "0002"  # reply
    "020000000001 c000020a"  # 192.0.2.10 is here
    "020000000002 c00002c8"  # told to 192.0.2.200
)
GRATUITOUS_REQUEST = bytes.fromhex(
    "ffffffffffff 020000000001 0806"  # to everybody, from us, ARP
    "0001 0800 06 04"
    "0001"  # request
    "020000000001 c000020a"  # 192.0.2.10 is here
    "ffffffffffff c000020a"  # and about itself
)
GRATUITOUS_REPLY = GRATUITOUS_REQUEST[:21] + b"\x02" + GRATUITOUS_REQUEST[22:]
PROBE = bytes.fromhex(
    "ffffffffffff 020000000001 0806"
    "0001 0800 06 04"
    "0001"
    "020000000001 00000000"  # the sender claims nothing
    "000000000000 c000020a"
)


def test_a_request_reads_field_by_field() -> None:
    assert arp.decode(REQUEST) == packet(
        VIP, sender=ASKER, sender_mac=ASKER_MAC, destination=BROADCAST, operation=Operation.REQUEST
    )


@pytest.mark.parametrize(
    ("ours", "golden"),
    [
        pytest.param(arp.reply(packet(), my_mac=MY_MAC), REPLY, id="reply"),
        pytest.param(
            arp.gratuitous(VIP, my_mac=MY_MAC, operation=Operation.REQUEST),
            GRATUITOUS_REQUEST,
            id="gratuitous request",
        ),
        pytest.param(
            arp.gratuitous(VIP, my_mac=MY_MAC, operation=Operation.REPLY),
            GRATUITOUS_REPLY,
            id="gratuitous reply",
        ),
        pytest.param(arp.probe(VIP, my_mac=MY_MAC), PROBE, id="probe"),
    ],
)
def test_every_frame_we_send_has_these_bytes_and_scapy_reads_the_same(ours: bytes, golden: bytes) -> None:
    assert ours == golden
    seen, told = Ether(ours), arp.decode(ours)
    assert (seen.dst, seen.src, seen.type) == (str(told.destination), str(told.sender_mac), 0x0806)
    body = seen[ARP]
    assert (body.hwtype, body.ptype, body.hwlen, body.plen, body.op) == (1, 0x0800, 6, 4, told.operation)
    assert (body.hwsrc, body.psrc) == (str(told.sender_mac), str(told.sender))
    assert (body.hwdst, body.pdst) == (str(told.target_mac), str(told.target))


def test_what_scapy_writes_we_read() -> None:
    ether = Ether(dst="ff:ff:ff:ff:ff:ff", src=str(ASKER_MAC))
    body = ARP(op="who-has", hwsrc=str(ASKER_MAC), psrc=str(ASKER), hwdst="00:00:00:00:00:00", pdst=str(VIP))
    assert arp.decode(bytes(ether / body)) == packet()


@given(packets)
def test_a_packet_that_was_written_reads_the_same(written: ArpPacket) -> None:
    assert arp.decode(arp.encode(written)) == written


@given(st.binary(max_size=22))
def test_padding_does_not_matter(padding: bytes) -> None:
    assert arp.decode(REQUEST + padding) == arp.decode(REQUEST)


def test_a_reply_to_a_probe_goes_to_the_prober() -> None:
    probe = packet(sender=IPv4Address(0))
    told = arp.decode(arp.reply(probe, my_mac=MY_MAC))
    assert (told.destination, told.target_mac, told.target) == (ASKER_MAC, ASKER_MAC, IPv4Address(0))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(REQUEST[:13], DropReason.TRUNCATED, id="no whole header"),
        pytest.param(REQUEST[:41], DropReason.TRUNCATED, id="one byte short"),
        pytest.param(REQUEST[:12] + b"\x08\x00" + REQUEST[14:], DropReason.NOT_ARP, id="IPv4"),
        pytest.param(
            REQUEST[:12] + bytes.fromhex("81000005") + REQUEST[12:], DropReason.VLAN_TAGGED, id="in VLAN 5"
        ),
        pytest.param(
            REQUEST[:14] + b"\x00\x06" + REQUEST[16:], DropReason.NOT_ETHERNET_IPV4, id="IEEE 802 hardware"
        ),
        pytest.param(REQUEST[:16] + b"\x86\xdd" + REQUEST[18:], DropReason.NOT_ETHERNET_IPV4, id="IPv6"),
        pytest.param(REQUEST[:18] + b"\x08" + REQUEST[19:], DropReason.NOT_ETHERNET_IPV4, id="MAC of 8"),
        pytest.param(REQUEST[:19] + b"\x10" + REQUEST[20:], DropReason.NOT_ETHERNET_IPV4, id="address of 16"),
        pytest.param(
            REQUEST[:20] + b"\x00\x00" + REQUEST[22:], DropReason.UNKNOWN_OPERATION, id="operation 0"
        ),
        pytest.param(
            REQUEST[:20] + b"\x00\x08" + REQUEST[22:], DropReason.UNKNOWN_OPERATION, id="inverse ARP"
        ),
        pytest.param(
            REQUEST[:20] + b"\x01\x01" + REQUEST[22:], DropReason.UNKNOWN_OPERATION, id="operation 257"
        ),
    ],
)
def test_what_is_not_arp_for_ipv4_on_ethernet_is_refused_by_name(data: bytes, reason: DropReason) -> None:
    with pytest.raises(PacketError) as refused:
        arp.decode(data)
    assert refused.value.reason is reason


@given(st.binary(max_size=80))
@example(b"")
def test_no_bytes_raise_anything_but_a_packet_error(data: bytes) -> None:
    _read(data)


@given(st.lists(st.tuples(st.integers(0, 41), st.integers(0, 255)), max_size=6), st.integers(0, 60))
def test_a_request_with_any_bytes_changed_or_cut_off_is_read_or_refused(
    changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(REQUEST)
    for at, value in changes:
        data[at] = value
    _read(bytes(data[:length]))


def _read(data: bytes) -> None:
    with suppress(PacketError):
        read = arp.decode(data)
        assert arp.decode(arp.encode(read)[:6] + data[6:]) == read


def test_a_probe_asks_everybody_and_claims_nothing() -> None:
    heard = arp.decode(arp.probe(VIP, my_mac=MY_MAC))
    assert heard.is_probe
    assert not heard.is_gratuitous
    assert heard == packet(VIP, sender=IPv4Address(0), sender_mac=MY_MAC)
