"""From an entry of the configuration to one session's settings, and how routes look to its peer."""

from ipaddress import IPv4Address

import pytest

from bareway.bgp.attributes import as4_path, as_path, link_bandwidth
from bareway.bgp.capabilities import (
    Capability,
    ExtendedNextHop,
    FourOctetAs,
    MultiProtocol,
    RefreshCapability,
    RestartCapability,
    UnknownCapability,
    describe,
)
from bareway.bgp.negotiated import Negotiated, negotiate
from bareway.bgp.opening import our_open
from bareway.bgp.outbound import Style, next_hop_of
from bareway.bgp.peers import Change, PeerSettings
from bareway.bgp.prefixes import IPV4, IPV6
from bareway.bgp.routes import Attributes
from bareway.model.configuration import DynamicAsn, GracefulRestart, Peer
from support.bgp import LINK_LOCAL, NODE, NODE6, NODE_ASN, ROUTER, ROUTER_ASN, router_settings, settings

PEER = Peer(name="tor", my_asn=NODE_ASN, peer_asn=ROUTER_ASN, address=ROUTER)


def peer(**changes: object) -> PeerSettings:
    given = {field: getattr(PEER, field) for field in ("name", "my_asn", "peer_asn", "address")}
    return PeerSettings.of(Peer(**(given | changes)), router_id=NODE)


def test_an_entry_becomes_settings() -> None:
    made = peer(local_asn=65001, password="s3cret", hold_time_s=9, keepalive_time_s=2)  # noqa: S106 - of nobody
    assert (made.local_asn, made.peer_asn, made.password) == (65001, ROUTER_ASN, b"s3cret")
    assert (made.hold_time_s, made.keepalive_time_s, made.router_id) == (9, 2, NODE)
    assert peer(router_id=IPv4Address("203.0.113.9")).router_id == IPv4Address("203.0.113.9")
    assert peer(dynamic_asn=DynamicAsn.INTERNAL).peer_asn is None
    assert "s3cret" not in repr(made)


@pytest.mark.parametrize(
    ("word", "profile", "expected"),
    [
        pytest.param(GracefulRestart.AUTO, "fast", True, id="auto with BFD"),
        pytest.param(GracefulRestart.AUTO, "", False, id="auto without BFD"),
        pytest.param(GracefulRestart.ON, "", True, id="on"),
        pytest.param(GracefulRestart.OFF, "fast", False, id="off"),
    ],
)
def test_graceful_restart_goes_with_bfd(word: GracefulRestart, profile: str, expected: bool) -> None:
    assert peer(graceful_restart=word, bfd_profile=profile).graceful_restart is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, Change.NONE, id="nothing"),
        pytest.param({"password": b"new"}, Change.LIVE, id="password"),
        pytest.param({"prefix_limit": 1}, Change.LIVE, id="limit"),
        pytest.param({"hold_time_s": 30}, Change.RESET, id="hold time"),
        pytest.param({"local_asn": 65001}, Change.RESET, id="our AS"),
        pytest.param({"ttl_security": True}, Change.RESET, id="TTL"),
    ],
)
def test_a_change_costs_a_reset_only_where_it_must(changes: dict[str, object], expected: Change) -> None:
    assert settings().change_to(settings(**changes)) is expected


def test_what_both_offer_holds() -> None:
    ours = our_open(settings(hold_time_s=30, graceful_restart=True), is_restart=False, is_over_ipv6=True)
    theirs = our_open(router_settings(hold_time_s=9, families=(IPV4,)), is_restart=False, is_over_ipv6=True)
    agreed = negotiate(ours, theirs, keepalive_time_s=2)
    assert (agreed.hold_time_s, agreed.keepalive_s, agreed.families) == (9, 2.0, frozenset({IPV4}))
    assert (agreed.restart, agreed.has_extended_next_hop, agreed.is_internal) == (None, True, False)
    assert negotiate(ours, theirs).keepalive_s == 3.0


def test_capabilities_read_well() -> None:
    known: list[Capability] = [
        MultiProtocol(IPV6),
        RefreshCapability(),
        RefreshCapability(is_old=True),
        ExtendedNextHop(((IPV4, 2),)),
        FourOctetAs(1),
        RestartCapability(restart_time_s=120, families=((IPV4, True),)),
        UnknownCapability(70),
        UnknownCapability(200),
    ]
    assert [describe(one) for one in known] == [
        "multiprotocol ipv6-unicast",
        "route-refresh",
        "route-refresh-old",
        "extended-next-hop ipv4-unicast",
        "four-octet-as 1",
        "graceful-restart 120s ipv4-unicast",
        "enhanced-route-refresh",
        "capability 200",
    ]


@pytest.mark.parametrize(
    ("family", "local", "other", "agreed", "expected"),
    [
        pytest.param(IPV4, NODE, None, False, NODE.packed, id="ipv4 over ipv4"),
        pytest.param(IPV6, NODE6, None, False, NODE6.packed + LINK_LOCAL.packed, id="ipv6 over ipv6"),
        pytest.param(IPV6, NODE, None, False, None, id="ipv6 over ipv4 without an address"),
        pytest.param(IPV6, NODE, NODE6, False, NODE6.packed + LINK_LOCAL.packed, id="ipv6 over ipv4"),
        pytest.param(IPV4, NODE6, NODE, False, NODE.packed, id="ipv4 over ipv6"),
        pytest.param(IPV4, NODE6, NODE, True, NODE6.packed + LINK_LOCAL.packed, id="ipv4 by ipv6"),
    ],
)
def test_next_hops(
    family: object, local: object, other: object, agreed: bool, expected: bytes | None
) -> None:
    session = Negotiated(has_extended_next_hop=agreed)
    found = next_hop_of(family, local=local, link_local=LINK_LOCAL, other_family=other, session=session)  # type: ignore[arg-type]  # rows of a table
    assert found == expected


def test_a_drained_node_is_the_last_choice_within_an_as_too() -> None:
    style = Style(
        family=IPV4,
        local_asn=1,
        is_internal=True,
        has_four_octet_as=True,
        next_hop=NODE.packed,
        is_classic=True,
        is_leaving=True,
    )
    data = style.encode(Attributes(local_preference=200))
    assert bytes.fromhex("40 05 04 00000000") in data
    assert bytes.fromhex("c0 08 04 ffff0000") in data


def test_a_share_of_traffic_is_an_extended_community() -> None:
    style = Style(
        family=IPV4,
        local_asn=70_000,
        is_internal=False,
        has_four_octet_as=True,
        next_hop=NODE.packed,
        is_classic=True,
    )
    share = link_bandwidth(70_000, 125_000.0)
    assert share == bytes.fromhex("4004 5ba0 47f42400")  # 23456, and the float that FRR was seen to heed
    assert bytes.fromhex("c0 10 08") + share in style.encode(Attributes(link_bandwidth=125_000.0))


def test_a_long_path_is_several_segments() -> None:
    path = as_path((NODE_ASN,) * 300, octets=4).value
    assert (path[1], path[2 + 255 * 4 + 1]) == (255, 45)
    assert as4_path((NODE_ASN,)).value == bytes((2, 1)) + NODE_ASN.to_bytes(4)
