"""Which interfaces are announced on, and the word for each that is not."""

import re
from ipaddress import IPv4Interface

import pytest

from bareway.layer2.ethernet import MacAddress
from speaker.layer2.links import LinkRefusal, choose, matters, refusal
from speaker.layer2.netlink import AddressMessage, Done, LinkFlag, LinkMessage, Message
from support.layer2 import WELL, address, interface, link

EXCLUDED_NAMES = [
    "docker0", "cbr0", "dummy0", "virbr0", "lxcbr0", "veth1a2b", "lo", "cali123", "tunl0", "flannel.1",
    "kube-ipvs0", "cni0", "nodelocaldns", "lxc_health",
]  # fmt: skip
USABLE_NAMES = ["eth0", "ens3", "eno1", "bond0", "br0", "enp3s0.100", "lo0", "mydocker0", "wlan0"]


@pytest.mark.parametrize("name", EXCLUDED_NAMES)
def test_containers_interfaces_are_left_alone_as_by_metallb(name: str) -> None:
    assert refusal(interface(name=name)) is LinkRefusal.EXCLUDED_BY_NAME


@pytest.mark.parametrize("name", USABLE_NAMES)
def test_other_names_will_do(name: str) -> None:
    assert refusal(interface(name=name)) is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(interface(hardware=772), LinkRefusal.NOT_ETHERNET, id="loopback by kind"),
        pytest.param(interface(mac=MacAddress(b"")), LinkRefusal.NOT_ETHERNET, id="without a MAC"),
        pytest.param(interface(mac=MacAddress(bytes(6))), LinkRefusal.NOT_ETHERNET, id="empty bridge"),
        pytest.param(interface(enslaved=True), LinkRefusal.ENSLAVED, id="port of a bridge"),
        pytest.param(interface(flags=WELL & ~LinkFlag.UP), LinkRefusal.DOWN, id="down"),
        pytest.param(interface(flags=WELL & ~LinkFlag.RUNNING), LinkRefusal.NO_CARRIER, id="unplugged"),
        pytest.param(interface(flags=WELL & ~LinkFlag.LOWER_UP), LinkRefusal.NO_CARRIER, id="just unplugged"),
        pytest.param(interface(flags=WELL | LinkFlag.NO_ARP), LinkRefusal.NO_ARP, id="without ARP"),
        pytest.param(
            interface(flags=WELL & ~LinkFlag.BROADCAST), LinkRefusal.NO_BROADCAST, id="point to point"
        ),
    ],
)
def test_an_interface_that_will_not_do_has_a_reason(message: LinkMessage, reason: LinkRefusal) -> None:
    assert refusal(message) is reason
    links = choose([message])
    assert not links.usable
    assert dict(links.refused) == {"eth0": reason}


def test_the_choice_is_by_index_with_the_subnets_of_each() -> None:
    links = choose(
        [
            interface(7, "eth1"),
            interface(2, "eth0"),
            address("198.51.100.1/25", index=7),
            address("192.0.2.9/24", index=2),
            address("192.0.2.1/24", index=2),
            address("203.0.113.1/24", index=99),
            Done(),
        ]
    )
    assert list(links.usable.values()) == [
        link(2, "eth0", subnets=["192.0.2.1/24", "192.0.2.9/24"]),
        link(7, "eth1", subnets=["198.51.100.1/25"]),
    ]


def test_the_user_s_exclusion_replaces_the_list() -> None:
    excluded = re.compile("eth")
    assert refusal(interface(name="eth0"), excluded=excluded) is LinkRefusal.EXCLUDED_BY_NAME
    assert refusal(interface(name="veth0"), excluded=excluded) is None


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        pytest.param(interface(2, "eth0"), True, id="a link in use"),
        pytest.param(interface(9, "eth9"), True, id="a new link"),
        pytest.param(interface(2, "veth0"), True, id="a link in use that was renamed"),
        pytest.param(interface(9, "veth1a2b"), False, id="a container's"),
        pytest.param(address(index=2), True, id="an address of a link in use"),
        pytest.param(AddressMessage(index=9, address=IPv4Interface("10.0.0.1/32")), False, id="of another"),
        pytest.param(Done(), False, id="no news at all"),
    ],
)
def test_only_news_that_can_change_the_choice_matters(news: Message, expected: bool) -> None:
    assert matters(news, {2: link()}) is expected
