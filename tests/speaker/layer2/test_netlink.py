"""Route netlink bytes, recorded on Linux 6.18 and shortened to what is read.

They are little-endian, as amd64 and arm64 are.
"""

from contextlib import suppress
from ipaddress import IPv4Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2.ethernet import MacAddress
from speaker.layer2.netlink import (
    AddressMessage,
    BadNetlink,
    Done,
    Interrupted,
    LinkMessage,
    Message,
    MessageType,
    Refused,
    ask,
    read,
)

ETH0 = bytes.fromhex(
    "40000000 1000 0200 07000000 00000000"  # length, new link, multipart, sequence, port
    "00 00 0100 02000000 43100100 00000000"  # family, pad, Ethernet, index 2, flags, change
    "0900 0300 6574683000 000000"  # name: eth0 and its end, then padding
    "0a00 0100 020000000001 0000"  # MAC, then padding
    "0800 2000 02000000"  # an attribute that is not read
)
"""Recorded: ``ip link add eth0 address 02:00:00:00:00:01 type veth``, up, the other end up."""

PORT = bytes.fromhex(
    "40000000 1000 0200 07000000 00000000"
    "00 00 0100 04000000 43100100 00010000"
    "0900 0300 6574683100 000000"
    "0800 0a00 03000000"  # master: index 3
    "0a00 0100 020000000001 0000"
)
"""Recorded: eth1 after ``ip link set eth1 master br0``."""

PORT_BY_ITS_BRIDGE = bytes.fromhex(
    "2c000000 1100 0000 00000000 00000000"
    "07 00 0100 04000000 43100100 00000000"  # family: bridge
    "0900 0300 6574683100 000000"
)
"""Recorded: the bridge lets eth1 go; eth1 itself stays."""

GONE = bytes.fromhex(
    "38000000 1100 0000 00000000 00000000"
    "00 00 0100 04000000 02100000 ffffffff"
    "0900 0300 6574683100 000000"
    "0a00 0100 020000000001 0000"
)
"""Recorded: ``ip link delete eth1``."""

SUBNET = bytes.fromhex(
    "34000000 1400 0200 07000000 00000000"
    "02 18 80 00 02000000"  # IPv4, /24, flags, scope, index 2
    "0800 0100 c0000201"  # address
    "0800 0200 c0000201"  # local
    "0900 0300 6574683000 000000"
)[:52]
"""Recorded: ``ip address add 192.0.2.1/24 dev eth0``; the label is cut off here."""

NEW_ETH0 = LinkMessage(
    index=2,
    name="eth0",
    hardware=1,
    flags=0x11043,
    mac=MacAddress.parse("02:00:00:00:00:01"),
    enslaved=False,
)


def changed(data: bytes, at: int, new: str) -> bytes:
    value = bytes.fromhex(new)
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("datagram", "messages"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(ETH0, [NEW_ETH0], id="a link"),
        pytest.param(changed(ETH0, 34, "0380"), [NEW_ETH0], id="a link with a flag on its name's type"),
        pytest.param(
            GONE,
            [
                LinkMessage(
                    index=4,
                    name="eth1",
                    hardware=1,
                    flags=0x1002,
                    mac=NEW_ETH0.mac,
                    enslaved=False,
                    gone=True,
                )
            ],
            id="a link that went",
        ),
        pytest.param(PORT_BY_ITS_BRIDGE, [], id="a bridge speaks of its port"),
        pytest.param(
            SUBNET,
            [AddressMessage(index=2, address=IPv4Interface("192.0.2.1/24"))],
            id="an address",
        ),
        pytest.param(
            changed(SUBNET, 4, "1500"),
            [AddressMessage(index=2, address=IPv4Interface("192.0.2.1/24"), gone=True)],
            id="an address that went",
        ),
        pytest.param(changed(SUBNET, 16, "0a"), [], id="an IPv6 address"),
        pytest.param(
            changed(SUBNET, 28, "c6336401"),
            [AddressMessage(index=2, address=IPv4Interface("192.0.2.1/24"))],
            id="the other end's address is not ours",
        ),
        pytest.param(
            bytes.fromhex("14000000 0300 0200 07000000 00000000 00000000"), [Done()], id="the end of a list"
        ),
        pytest.param(
            bytes.fromhex("14000000 0300 1200 07000000 00000000 00000000"),
            [Interrupted(), Done()],
            id="the end of a list that changed meanwhile",
        ),
        pytest.param(
            bytes.fromhex("14000000 0200 0000 07000000 00000000 ffffffff"), [Refused(1)], id="an error"
        ),
        pytest.param(
            bytes.fromhex("14000000 0200 0000 07000000 00000000 00000000"), [], id="an acknowledgement"
        ),
        pytest.param(bytes.fromhex("10000000 1800 0000 07000000 00000000"), [], id="a route"),
        pytest.param(
            changed(ETH0, 6, "1200") + SUBNET,
            [Interrupted(), NEW_ETH0, AddressMessage(index=2, address=IPv4Interface("192.0.2.1/24"))],
            id="several in one datagram",
        ),
    ],
)
def test_what_the_kernel_says_is_read(datagram: bytes, messages: list[Message]) -> None:
    assert read(datagram) == messages


def test_a_port_of_a_bridge_is_enslaved() -> None:
    (message,) = read(PORT)
    assert isinstance(message, LinkMessage)
    assert message.enslaved


def test_a_link_that_left_its_master_is_free() -> None:
    (message,) = read(changed(PORT, 48, "00000000"))
    assert isinstance(message, LinkMessage)
    assert not message.enslaved


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(ETH0[:15], id="half a header"),
        pytest.param(ETH0[:-1], id="shorter than it says"),
        pytest.param(changed(ETH0, 0, "0f000000"), id="shorter than its header"),
        pytest.param(bytes.fromhex("00000000 1800 0000 07000000 00000000"), id="without end"),
        pytest.param(bytes.fromhex("0f000000 1800 0000 07000000 00000000"), id="a route of 15 bytes"),
        pytest.param(changed(ETH0[:24], 0, "18000000"), id="no room for a link"),
        pytest.param(changed(SUBNET[:20], 0, "14000000"), id="no room for an address"),
        pytest.param(bytes.fromhex("10000000 0200 0000 07000000 00000000"), id="an error without number"),
        pytest.param(changed(ETH0, 32, "0300"), id="an attribute shorter than itself"),
        pytest.param(changed(ETH0, 56, "0900"), id="an attribute beyond the message"),
        pytest.param(changed(SUBNET, 17, "21"), id="/33"),
        pytest.param(changed(SUBNET, 24, "0400 0900 0000 0000 0400 0900 0000 0000"), id="no address at all"),
    ],
)
def test_what_no_kernel_says_is_refused(datagram: bytes) -> None:
    with pytest.raises(BadNetlink):
        read(datagram)


@given(st.binary(max_size=120))
def test_no_bytes_raise_anything_but_bad_netlink(datagram: bytes) -> None:
    with suppress(BadNetlink):
        read(datagram)


@given(
    st.sampled_from([ETH0, PORT, GONE, SUBNET]), st.lists(st.tuples(st.integers(0, 51), st.integers(0, 255)))
)
def test_no_change_of_a_real_message_raises_anything_but_bad_netlink(
    datagram: bytes, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(datagram)
    for at, value in changes:
        data[at] = value
    with suppress(BadNetlink):
        read(bytes(data))


def test_all_links_are_asked_for_without_their_statistics() -> None:
    assert ask(MessageType.GET_LINK, sequence=7) == bytes.fromhex(
        "28000000 1200 0103 07000000 00000000"  # length 40, get link, request and dump, sequence
        "00 00 0000 00000000 00000000 00000000"
        "0800 1d00 08000000"  # extended mask: skip statistics
    )


def test_ipv4_addresses_are_asked_for() -> None:
    assert ask(MessageType.GET_ADDRESS, sequence=8) == bytes.fromhex(
        "18000000 1600 0103 08000000 0000000002 00 00 00 00000000"  # IPv4
    )
