from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from bareway.decide.routing.sessions import (
    KEY_MAX,
    SessionRefusal,
    clashing,
    is_internal,
    router_id_of,
    secrets_of,
    sessions_of,
)
from bareway.model.configuration import Configuration, DynamicAsn, Peer
from bareway.model.nodes import Node
from bareway.model.selectors import Selector
from support.builders import ips, node
from support.routing import ME, OTHER, ROUTER

SECRET = replace(ROUTER, password_secret="router-key")  # noqa: S106 - the name of a Secret
ELSEWHERE = replace(OTHER, node_selectors=(Selector(labels={"rack": "2"}),))


def configured(*peers: Peer) -> Configuration:
    return Configuration(peers=peers)


def test_a_node_has_a_session_with_each_peer_that_selects_it() -> None:
    found = sessions_of(ME, configured(ROUTER, ELSEWHERE), {})
    assert list(found.settings) == ["peer1"]
    assert found.settings["peer1"].address == ROUTER.address
    assert found.settings["peer1"].router_id == IPv4Address("10.9.0.11")
    assert found.refused == {"peer2": SessionRefusal.NODE_NOT_SELECTED}


def test_a_node_that_is_not_known_has_no_session() -> None:
    found = sessions_of(None, configured(ROUTER), {})
    assert (found.settings, found.refused) == ({}, {"peer1": SessionRefusal.NODE_UNKNOWN})
    assert secrets_of(None, configured(SECRET)) == frozenset()


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(node("a", "10.9.0.11"), "10.9.0.11", id="IPv4"),
        pytest.param(
            replace(node("a"), addresses=ips("fd09::11", "10.9.0.12", "10.9.0.13")), "10.9.0.12", id="both"
        ),
        pytest.param(node("a", "fd09::11"), "232.183.190.67", id="IPv6 alone: made from the name"),
    ],
)
def test_the_router_id_is_the_first_ipv4_address(of: Node, expected: str) -> None:
    assert str(router_id_of(of)) == expected
    assert sessions_of(of, configured(ROUTER), {}).settings["peer1"].router_id == IPv4Address(expected)


def test_a_configured_router_id_counts() -> None:
    peer = replace(ROUTER, router_id=ips("192.0.2.7")[0])
    assert sessions_of(ME, configured(peer), {}).settings["peer1"].router_id == IPv4Address("192.0.2.7")


def test_nodes_with_one_router_id_are_named() -> None:
    same = node("b", "10.9.0.11")
    assert clashing([same, node("c", "10.9.0.12"), ME]) == {IPv4Address("10.9.0.11"): ("a", "b")}


@pytest.mark.parametrize(
    ("found", "refusal"),
    [
        pytest.param({}, SessionRefusal.KEY_MISSING, id="no Secret"),
        pytest.param({"another": b"key"}, SessionRefusal.KEY_MISSING, id="another Secret"),
        pytest.param({"router-key": None}, SessionRefusal.KEY_UNUSABLE, id="no such field"),
        pytest.param({"router-key": b""}, SessionRefusal.KEY_UNUSABLE, id="empty"),
        pytest.param({"router-key": b"k" * (KEY_MAX + 1)}, SessionRefusal.KEY_UNUSABLE, id="too long"),
    ],
)
def test_there_is_no_session_without_its_key(
    found: Mapping[str, bytes | None], refusal: SessionRefusal
) -> None:
    decided = sessions_of(ME, configured(SECRET, OTHER), found)
    assert list(decided.settings) == ["peer2"]
    assert decided.refused == {"peer1": refusal}


def test_the_key_of_a_secret_becomes_the_password() -> None:
    decided = sessions_of(ME, configured(SECRET), {"router-key": b"k" * KEY_MAX})
    assert decided.settings["peer1"].password == b"k" * KEY_MAX


def test_only_secrets_of_our_own_sessions_are_asked_for() -> None:
    elsewhere = replace(ELSEWHERE, password_secret="other-key")  # noqa: S106 - the name of a Secret
    assert secrets_of(ME, configured(SECRET, elsewhere, OTHER)) == {"router-key"}


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        pytest.param(ROUTER, False, id="another AS"),
        pytest.param(replace(ROUTER, peer_asn=64601), True, id="our AS"),
        pytest.param(replace(ROUTER, local_asn=64512), True, id="what we are to this peer"),
        pytest.param(
            replace(ROUTER, peer_asn=64601, local_asn=64602), False, id="somebody else to this peer"
        ),
        pytest.param(replace(ROUTER, peer_asn=0, dynamic_asn=DynamicAsn.INTERNAL), True, id="internal"),
        pytest.param(replace(ROUTER, peer_asn=0, dynamic_asn=DynamicAsn.EXTERNAL), False, id="external"),
    ],
)
def test_a_peer_is_internal_by_what_each_is_to_the_other(peer: Peer, expected: bool) -> None:
    assert is_internal(peer) is expected
