"""Which next hops beside the connection's own address a peer is told."""

from ipaddress import ip_address, ip_interface

import pytest

from bareway.model.configuration import DynamicAsn
from speaker.bgp.addresses import Beside, beside, is_far
from speaker.layer2.netlink import AddressMessage
from support.bgp import NODE_ASN, settings

LO, ETH0, ETH1 = 1, 2, 3
NODE = [
    (LO, "127.0.0.1/8"),
    (LO, "::1/128"),
    (LO, "10.255.0.1/32"),
    (ETH0, "192.0.2.11/24"),
    (ETH0, "192.0.2.12/24"),
    (ETH0, "2001:db8::aa/128"),
    (ETH0, "2001:db8::11/64"),
    (ETH0, "fe80::11/64"),
    (ETH1, "203.0.113.1/24"),
    (ETH1, "fe80::22/64"),
]
ADDRESSES = [AddressMessage(index=index, address=ip_interface(text)) for index, text in NODE]


@pytest.mark.parametrize(
    ("local", "remote", "is_multihop", "link_local", "other_family"),
    [
        pytest.param("192.0.2.11", "192.0.2.1", False, "fe80::11", "2001:db8::11", id="on-the-link"),
        pytest.param("2001:db8::11", "2001:db8::1", False, "fe80::11", "192.0.2.11", id="on-the-link-6"),
        pytest.param("2001:db8::aa", "2001:db8::1", False, "fe80::11", "192.0.2.11", id="a-host-address"),
        pytest.param("192.0.2.11", "198.51.100.1", False, None, "2001:db8::11", id="off-the-link"),
        pytest.param("192.0.2.11", "192.0.2.1", True, None, "2001:db8::11", id="over-several-hops"),
        pytest.param("fe80::11%eth0", "fe80::1%eth0", False, "fe80::11", "192.0.2.11", id="link-local"),
        pytest.param("203.0.113.1", "203.0.113.2", False, "fe80::22", None, id="no-global-ipv6"),
        pytest.param("10.255.0.1", "198.51.100.1", True, None, None, id="loopback-is-no-next-hop"),
        pytest.param("192.0.2.99", "192.0.2.1", False, None, None, id="not-ours-any-more"),
    ],
)
def test_they_are_of_the_interface_that_bears_our_end(
    local: str, remote: str, is_multihop: bool, link_local: str | None, other_family: str | None
) -> None:
    found = beside(ADDRESSES, local=ip_address(local), remote=ip_address(remote), is_multihop=is_multihop)
    assert found == Beside(
        link_local=None if link_local is None else ip_address(link_local),  # type: ignore[arg-type]  # IPv6 above
        other_family=None if other_family is None else ip_address(other_family),
    )


def one_link(*texts: str, unusable: str = "") -> list[AddressMessage]:
    """These on the link, in the kernel's order."""
    return [
        AddressMessage(index=ETH0, address=ip_interface(text), is_usable=text not in unusable.split())
        for text in texts
    ]


OURS, LOW, HIGH = "192.0.2.11/24", "2001:db8::1/64", "2001:db8::2/64"
LINK_LOW, LINK_HIGH = "fe80::1/64", "fe80::2/64"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(one_link(OURS, LOW, HIGH, LINK_LOW, LINK_HIGH), (LINK_HIGH, HIGH), id="both-are-there"),
        pytest.param(one_link(OURS, LOW, LINK_LOW), (LINK_LOW, LOW), id="they-have-gone"),
        pytest.param(one_link(OURS), (None, None), id="nothing-is-left"),
        pytest.param(
            one_link(OURS, LOW, HIGH, LINK_LOW, LINK_HIGH, unusable=f"{HIGH} {LINK_HIGH}"),
            (LINK_LOW, LOW),
            id="somebody-else-has-them",
        ),
        pytest.param(
            one_link(OURS, LOW, LINK_LOW, unusable=f"{LOW} {LINK_LOW}"), (None, None), id="not-yet-usable"
        ),
    ],
)
def test_next_hops_stay_while_they_are_there_and_usable(
    known: list[AddressMessage], expected: tuple[str | None, str | None]
) -> None:
    first = one_link(OURS, HIGH, LINK_HIGH)
    link = {"local": ip_interface(OURS).ip, "remote": ip_address("192.0.2.1"), "is_multihop": False}
    former = beside(first, **link)  # type: ignore[arg-type]  # a table of words and values
    found = beside(known, **link, former=former)  # type: ignore[arg-type]  # the same
    assert tuple(found) == tuple(text and ip_interface(text).ip for text in expected)


HOST, LOWER_HOST, OURS_6 = "2001:db8::100/128", "2001:db8::10/128", "2001:db8::11/64"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(one_link(OURS, HOST, OURS_6, unusable=OURS_6), HOST, id="nothing-better-is-usable-yet"),
        pytest.param(one_link(OURS, HOST, OURS_6), OURS_6, id="a-better-one-has-come"),
        pytest.param(one_link(OURS, HOST, LOWER_HOST), HOST, id="another-as-good-has-come"),
    ],
)
def test_a_host_address_is_a_next_hop_only_until_a_better_one_is_usable(
    known: list[AddressMessage], expected: str
) -> None:
    link = {"local": ip_interface(OURS).ip, "remote": ip_address("192.0.2.1"), "is_multihop": False}
    stopgap = Beside(other_family=ip_interface(HOST).ip)
    found = beside(known, **link, former=stopgap)  # type: ignore[arg-type]  # a table of words and values
    assert found == Beside(other_family=ip_interface(expected).ip)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, False, id="ebgp"),
        pytest.param({"address": ip_address("198.51.100.1")}, False, id="ebgp-off-the-link-is-a-mistake"),
        pytest.param({"is_multihop": True}, True, id="ebgp-multihop"),
        pytest.param({"peer_asn": NODE_ASN}, False, id="ibgp-on-the-link"),
        pytest.param({"peer_asn": NODE_ASN, "address": ip_address("198.51.100.1")}, True, id="ibgp-far"),
        pytest.param(
            {"peer_asn": None, "dynamic_asn": DynamicAsn.INTERNAL, "address": ip_address("198.51.100.1")},
            True,
            id="ibgp-by-its-open",
        ),
        pytest.param({"peer_asn": None, "dynamic_asn": DynamicAsn.EXTERNAL}, False, id="ebgp-by-its-open"),
        pytest.param({"peer_asn": NODE_ASN, "address": ip_address("fe80::1%eth0")}, False, id="link-local"),
    ],
)
def test_bfd_is_over_several_hops_as_in_frr(changes: dict[str, object], expected: bool) -> None:
    assert is_far(ADDRESSES, settings(**changes)) is expected
