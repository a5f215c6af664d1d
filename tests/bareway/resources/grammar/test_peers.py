from ipaddress import ip_address

import pytest

from bareway.model.configuration import DynamicAsn, GracefulRestart, Peer
from bareway.model.selectors import Selector
from bareway.resources.configurations import read_configuration
from support.configurations import PEER, accepted, error, errors, peer, peer_with, with_key

ADDRESS = ip_address("192.0.2.1")


def test_a_peer_has_metallbs_defaults() -> None:
    assert peer("my-asn: 64512") == Peer(name="peer1", my_asn=64512, peer_asn=64513, address=ADDRESS)


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        pytest.param("name: router", "name", "router", id="name"),
        pytest.param("my-asn: 4294967295", "my_asn", 2**32 - 1, id="an AS number of 32 bits"),
        pytest.param("peer-address: '2001:db8::1'", "address", ip_address("2001:db8::1"), id="IPv6"),
        pytest.param("peer-port: 1790", "port", 1790, id="port"),
        pytest.param("peer-port: 0", "port", 179, id="no port"),
        pytest.param("hold-time: 2m", "hold_time_s", 120, id="hold time"),
        pytest.param("hold-time: 0", "hold_time_s", 0, id="no hold time"),
        pytest.param("hold-time: 3.9s", "hold_time_s", 3, id="hold time cut to seconds"),
        pytest.param("keepalive-time: 1500ms", "keepalive_time_s", 1, id="keepalive cut to seconds"),
        pytest.param("router-id: 10.0.0.1", "router_id", ip_address("10.0.0.1"), id="identifier"),
        pytest.param("source-address: 10.0.0.2", "source_address", ip_address("10.0.0.2"), id="source"),
        pytest.param("password: no", "password", "no", id="a password that YAML would not take for one"),
        pytest.param("password: 0644", "password", "0644", id="a password of digits"),
        pytest.param("password-secret: bgp", "password_secret", "bgp", id="a password in a Secret"),
        pytest.param("ebgp-multihop: yes", "ebgp_multihop", True, id="routers between"),
        pytest.param("node-selectors: [{}]", "node_selectors", (Selector(),), id="nodes"),
        pytest.param("passive: true", "passive", True, id="passive"),
        pytest.param("local-asn: 64999", "local_asn", 64999, id="another number of ours"),
        pytest.param(
            "graceful-restart: on", "graceful_restart", GracefulRestart.ON, id="a word that YAML guesses at"
        ),
        pytest.param("graceful-restart: off", "graceful_restart", GracefulRestart.OFF, id="its opposite"),
        pytest.param("weighted: y", "weighted", True, id="weighted"),
        pytest.param("ttl-security: true", "ttl_security", True, id="next hop alone"),
    ],
)
def test_a_key_of_a_peer_is_read(written: str, field: str, value: object) -> None:
    assert getattr(peer(written), field) == value


def test_an_as_number_may_be_the_routers_to_tell() -> None:
    (found,) = accepted("peers: [{my-asn: 1, dynamic-asn: external, peer-address: 192.0.2.1}]").peers
    assert (found.peer_asn, found.dynamic_asn) == (0, DynamicAsn.EXTERNAL)


def test_a_peer_without_a_name_is_known_by_its_number() -> None:
    named = with_key(with_key(PEER, "name: x"), "peer-port: 1")
    text = f"peers: [{PEER}, {named}, {with_key(PEER, 'peer-port: 2')}]"
    assert [one.name for one in accepted(text).peers] == ["peer1", "x", "peer3"]


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        pytest.param(
            "dynamic-asn: external", "dynamic-asn", "both peer ASN and dynamicASN specified", id="both"
        ),
        pytest.param("local-asn: 64512", "local-asn", "invalid local-asn 64512", id="no other number"),
        pytest.param("local-asn: 0", "local-asn", "invalid local-asn 0", id="no number"),
        pytest.param(
            "local-asn: 64513, ebgp-multihop: true",
            "ebgp-multihop",
            "ibgp peer",
            id="of one AS by that number",
        ),
        pytest.param(
            "ebgp-multihop: true, ttl-security: true",
            "ttl-security",
            "both ebgp-multihop and ttl-security specified",
            id="far and near",
        ),
        pytest.param("hold-time: 65536s", "hold-time", "must be 0 or <=65535s", id="more than 16 bits"),
        pytest.param("hold-time: 1:30", "hold-time", 'invalid hold time "1:30"', id="YAML's minutes"),
        pytest.param("keepalive-time: -1s", "keepalive-time", 'invalid keepaliveTime "-1s"', id="before now"),
        pytest.param("router-id: '::1'", "router-id", 'invalid router ID "::1"', id="identifier of IPv6"),
        pytest.param("router-id: 0.0.0.0", "router-id", "invalid router ID", id="identifier zero"),
        pytest.param(
            "source-address: '::1'",
            "source-address",
            "the peer's address is IPv4",
            id="source of the other family",
        ),
        pytest.param(f"password: {'x' * 81}", "password", "longer than 80 bytes", id="a long password"),
        pytest.param(f"password: {'é' * 41}", "password", "longer than 80 bytes", id="bytes, not characters"),
        pytest.param(
            "password: a, password-secret: b",
            "password-secret",
            "can not have both password and",
            id="two passwords",
        ),
        pytest.param(
            "password-secret: B", "password-secret", "invalid password-secret", id="no Secret's name"
        ),
        pytest.param(
            "graceful-restart: yes", "graceful-restart", 'unknown graceful-restart "yes"', id="a word"
        ),
        pytest.param(
            "my-asn: '64512'", "my-asn", "cannot unmarshal !!str `64512` into uint32", id="in quotes"
        ),
        pytest.param("my-asn: 1:30", "my-asn", "cannot unmarshal !!str `1:30` into uint32", id="base sixty"),
    ],
)
def test_a_mistake_in_a_peer_is_told_with_its_place(written: str, path: str, message: str) -> None:
    problem = error(peer_with(written))
    assert message in problem.message
    assert problem.path == f"peers[0].{path}"


def test_a_dynamic_as_number_is_one_of_two_words() -> None:
    problem = error("peers: [{my-asn: 1, dynamic-asn: any, peer-address: 192.0.2.1}]")
    assert (problem.path, problem.hint) == ("peers[0].dynamic-asn", "write internal or external")


def test_multihop_within_an_as_is_refused_too_if_the_router_tells_its_number() -> None:
    text = "peers: [{my-asn: 1, dynamic-asn: internal, peer-address: 192.0.2.1, ebgp-multihop: true}]"
    assert "ibgp peer" in error(text).message


def test_two_peers_of_one_name_are_told_at_the_second() -> None:
    problem = error(f"peers: [{PEER}, {with_key(with_key(PEER, 'name: peer1'), 'peer-port: 1')}]")
    assert (problem.path, problem.message) == ("peers[1]", 'duplicate definition of peer "peer1"')


def test_two_peers_without_an_address_are_two_mistakes_and_no_duplicate() -> None:
    text = "peers: [{my-asn: 1, peer-asn: 2}, {my-asn: 1, peer-asn: 2}]"
    assert [problem.path for problem in errors(text)] == ["peers[0]", "peers[1]"]


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(peer("password: hunter2"))
    for written in ("password: [hunter2]", "password: hunter2, password-secret: b"):
        assert "hunter2" not in str(error(peer_with(written)))


@pytest.mark.parametrize(
    "lines",
    [
        "- password hunter2",
        "- hunter2",
        " hunter2",
        "- {password:hunter2}",
        "- {Password:hunter2}",
        "- password: *hunter2",
        "- password: !hunter2 x",
        "- password: [hunter2]",
        "- password: hunter2: x",
        "- password-secret: Hunter2=",
        "- {password: hunter2, password-secret: Hunter2}",
    ],
)
def test_no_message_tells_what_may_be_a_password(lines: str) -> None:
    problems = read_configuration(f"peers:\n{lines}\n", "").problems
    assert problems
    assert "hunter2" not in " ".join(map(str, problems)).casefold()
