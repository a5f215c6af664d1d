"""Which interfaces are announced on, and the word for each that is not."""

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address

import pytest

from bareway.model.mac import MacAddress
from speaker.layer2.links import LinkRefusal, choose, exclusion, matters, refusal
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


@pytest.mark.parametrize(
    ("patterns", "excluded", "used"),
    [
        pytest.param(["^eth.*"], ["eth0"], ["veth0", "docker0"], id="replaces the list"),
        pytest.param(["eth"], ["eth0", "veth0"], ["ens3"], id="need not match the whole name"),
        pytest.param(["^a|b$", "^c"], ["ax", "xb", "cx"], ["xa", "bx", "xc"], id="several"),
        pytest.param([], [], ["eth0", "docker0"], id="none excludes nothing"),
    ],
)
def test_the_user_s_exclusions_are_patterns_as_metallb_reads_them(
    patterns: list[str], excluded: list[str], used: list[str]
) -> None:
    pattern = exclusion(patterns)
    for name in excluded:
        assert refusal(interface(name=name), excluded=pattern) is LinkRefusal.EXCLUDED_BY_NAME
    for name in used:
        assert refusal(interface(name=name), excluded=pattern) is None


@pytest.mark.parametrize("patterns", [["("], ["^a", "(b", "c)"]], ids=["one", "two that would make one"])
def test_what_is_no_pattern_is_told(patterns: list[str]) -> None:
    with pytest.raises(re.error):
        exclusion(patterns)


@pytest.mark.parametrize(
    ("addresses", "networks", "has_ipv6"),
    [
        pytest.param(["192.0.2.1/24"], ["192.0.2.0/24"], False, id="IPv4"),
        pytest.param(["fe80::1/64"], [], True, id="link-local alone"),
        pytest.param(["169.254.1.1/16"], [], False, id="link-local IPv4"),
        pytest.param(
            ["2001:db8::2/64", "fe80::1/64", "2001:db8::1/64", "192.0.2.9/24", "192.0.2.1/24"],
            ["192.0.2.0/24", "2001:db8::/64"],
            True,
            id="both, each subnet once",
        ),
        pytest.param([], [], False, id="none"),
    ],
)
def test_a_link_s_families_and_subnets(addresses: list[str], networks: list[str], has_ipv6: bool) -> None:
    (chosen,) = choose([interface(), *map(address, addresses)]).usable.values()
    assert list(map(str, chosen.networks)) == networks
    assert chosen.has_ipv6 is has_ipv6
    told = ["fe80::/64"] * has_ipv6 + networks  # others see that it speaks IPv6
    assert list(map(str, chosen.told)) == told
    assert chosen.speaks(IPv4Address("198.51.100.1"))
    assert chosen.speaks(IPv6Address("2001:db8::10")) is has_ipv6


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
