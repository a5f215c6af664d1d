"""Route netlink bytes, recorded on Linux 6.18 and shortened to what is read.

They are little-endian, as amd64 and arm64 are.
"""

from contextlib import suppress
from ipaddress import IPv4Interface, IPv6Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.mac import MacAddress
from speaker.layer2.links import LinkRefusal, choose, matters
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


SUBNET6 = bytes.fromhex(
    "2c000000 1400 0200 07000000 00000000"
    "0a 40 80 00 02000000"  # IPv6, /64, flags, scope, index 2
    "1400 0100 20010db8000000000000000000000001"  # address
)
"""By the same layout: ``ip address add 2001:db8::1/64 dev eth0``, without its life times."""

BOND = bytes.fromhex(
    "48000000 1000 0200 07000000 00000000"
    "00 00 0100 05000000 43150100 00000000"  # flags: master, up, running
    "0a00 0300 626f6e643000 0000"  # name: bond0
    "0a00 0100 020000000011 0000"
    "1000 1200 0900 0100 626f6e64 00 000000"  # what it is (nested): its kind: bond
)
"""By the layout of the kernel's if_link.h and its bonding driver; not recorded."""

BOND_MEMBER = bytes.fromhex(
    "40000000 1000 0200 07000000 00000000"
    "00 00 0100 02000000 43190100 00000000"  # flags: slave, up, running
    "0900 0300 6574683000 000000"
    "0800 0a00 05000000"  # master: bond0
    "0a00 0100 020000000011 0000"  # by default all members have the bond's MAC
)
"""By the same layout."""

VLAN = bytes.fromhex(
    "50000000 1000 0200 07000000 00000000"
    "00 00 0100 06000000 43100100 00000000"
    "0c00 0300 657468302e313000"  # name: eth0.10
    "0800 0500 02000000"  # made on index 2: that does not make it its port
    "0a00 0100 020000000001 0000"
    "1000 1200 0900 0100 766c616e 00 000000"  # kind: vlan
)
"""By the layout of the kernel's if_link.h and its 802.1Q driver; not recorded."""


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
        pytest.param(changed(SUBNET, 16, "1c"), [], id="an address of an MPLS route"),
        pytest.param(
            SUBNET6,
            [AddressMessage(index=2, address=IPv6Interface("2001:db8::1/64"))],
            id="an IPv6 address",
        ),
        pytest.param(
            changed(SUBNET6, 18, "c0"),
            [AddressMessage(index=2, address=IPv6Interface("2001:db8::1/64"), is_usable=False)],
            id="an address that may be somebody else's",
        ),
        pytest.param(
            changed(SUBNET6, 18, "88"),
            [AddressMessage(index=2, address=IPv6Interface("2001:db8::1/64"), is_usable=False)],
            id="an address that is somebody else's",
        ),
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


def test_a_bond_and_a_vlan_are_announced_on_and_a_bond_s_members_are_not() -> None:
    links = choose([*read(BOND), *read(BOND_MEMBER), *read(VLAN)])
    assert [(link.name, str(link.mac)) for link in links.usable.values()] == [
        ("bond0", "02:00:00:00:00:11"),
        ("eth0.10", "02:00:00:00:00:01"),
    ]
    assert dict(links.refused) == {"eth0": LinkRefusal.ENSLAVED}


def test_a_bond_that_takes_another_member_s_mac_is_followed() -> None:
    """As with fail_over_mac=active: the news says so, and the link is another one then."""
    (before,) = choose(read(BOND)).usable.values()
    news = read(changed(BOND, 48, "020000000012"))
    assert matters(news[0], {before.index: before})
    (after,) = choose(news).usable.values()
    assert (before.index, after.index) == (5, 5)
    assert str(after.mac) == "02:00:00:00:00:12"


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
        pytest.param(changed(SUBNET6, 17, "81"), id="/129"),
        pytest.param(changed(SUBNET, 16, "0a"), id="an IPv6 address of four bytes"),
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
    st.sampled_from([ETH0, PORT, GONE, SUBNET, SUBNET6, BOND, VLAN]),
    st.lists(st.tuples(st.integers(0, 51), st.integers(0, 255))),
)
def test_no_change_of_a_real_message_raises_anything_but_bad_netlink(
    datagram: bytes, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(datagram)
    for at, value in changes:
        data[at % len(data)] = value
    with suppress(BadNetlink):
        read(bytes(data))


def test_all_links_are_asked_for_without_their_statistics() -> None:
    assert ask(MessageType.GET_LINK, sequence=7) == bytes.fromhex(
        "28000000 1200 0103 07000000 00000000"  # length 40, get link, request and dump, sequence
        "00 00 0000 00000000 00000000 00000000"
        "0800 1d00 08000000"  # extended mask: skip statistics
    )


def test_addresses_of_all_families_are_asked_for() -> None:
    assert ask(MessageType.GET_ADDRESS, sequence=8) == bytes.fromhex(
        "18000000 1600 0103 08000000 00000000 00 00 00 00 00000000"  # of any family
    )
