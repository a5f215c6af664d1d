"""What is told of two previews: only what differs, and for sessions only what makes them begin anew."""

from dataclasses import replace

import pytest

from bareway.decide.preview.changes import Changes, changes
from bareway.decide.preview.preview import Cluster, Preview, preview
from bareway.model.configuration import Configuration, GracefulRestart, Peer
from bareway.model.selectors import Selector
from support.builders import ips, node, pool, service

NODES = (node("a", labels={"rack": "1"}), node("b", labels={"rack": "2"}))
OFFICE = pool("office", "192.0.2.0/30")
LAB = pool("lab", "198.51.100.0/30")
ROUTER = Peer(name="peer1", my_asn=64512, peer_asn=64513, address=ips("203.0.113.1")[0])
WEB = service("web", ingress=["192.0.2.1"])
MAIL = service("mail", ingress=["198.51.100.1"])
BEFORE = Configuration(pools=(OFFICE, LAB), peers=(ROUTER,))


def decided(configuration: Configuration) -> Preview:
    return preview(configuration, Cluster(services={one.key: one for one in (WEB, MAIL)}, nodes=NODES))


def between(before: Configuration, after: Configuration) -> Changes:
    return changes(decided(before), decided(after))


def sessions(peer: Peer, after: Peer | None) -> dict[str, list[str]]:
    """The nodes whose session is reset, opened, or gone."""
    peers = () if after is None else (after,)
    found = between(Configuration(peers=(peer,)), Configuration(peers=peers))
    told = {"reset": found.reset, "opened": found.opened, "gone": found.gone}
    return {word: [one.node for one in listed] for word, listed in told.items() if listed}


def test_nothing_differs_from_itself() -> None:
    assert between(BEFORE, BEFORE) == Changes()


def test_only_services_that_change_are_told_as_they_will_be() -> None:
    found = between(BEFORE, replace(BEFORE, pools=(OFFICE,)))
    (mail,) = found.services
    assert (mail.service, mail.addresses) == (MAIL.key, ips("192.0.2.0"))


def test_addresses_that_change_and_those_that_nobody_announces_any_more_are_told() -> None:
    found = between(BEFORE, replace(BEFORE, pools=(OFFICE,)))
    there, gone = found.announcers
    assert (str(there.address), there.services, set(there.nodes)) == ("192.0.2.0", (MAIL.key,), {"a", "b"})
    assert (str(gone.address), gone.services, gone.nodes) == ("198.51.100.1", (MAIL.key,), ())
    assert gone.reasons == {}


def test_an_address_whose_nodes_change_is_told() -> None:
    rack = replace(OFFICE, node_selectors=(Selector(labels={"rack": "1"}),))
    (one,) = between(BEFORE, replace(BEFORE, pools=(rack, LAB))).announcers
    assert (str(one.address), one.nodes) == ("192.0.2.1", ("a",))


def test_a_peer_that_comes_is_opened_and_one_that_goes_is_gone() -> None:
    other = replace(ROUTER, address=ips("203.0.113.2")[0])
    found = between(BEFORE, replace(BEFORE, peers=(other,)))
    assert [(one.peer, one.node) for one in found.opened] == [(other, "a"), (other, "b")]
    assert [(one.peer, one.node) for one in found.gone] == [(ROUTER, "a"), (ROUTER, "b")]
    assert found.reset == ()
    assert sessions(ROUTER, None) == {"gone": ["a", "b"]}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(ROUTER, hold_time_s=30), id="hold time"),
        pytest.param(replace(ROUTER, ttl_security=True), id="TTL security"),
        pytest.param(replace(ROUTER, graceful_restart=GracefulRestart.OFF), id="graceful restart"),
    ],
)
def test_what_a_session_negotiates_resets_it(changed: Peer) -> None:
    assert sessions(ROUTER, changed) == {"reset": ["a", "b"]}


def test_another_port_is_another_session() -> None:
    assert sessions(ROUTER, replace(ROUTER, port=1179)) == {"opened": ["a", "b"], "gone": ["a", "b"]}


def test_another_name_of_the_peer_resets_nothing() -> None:
    assert sessions(ROUTER, replace(ROUTER, name="upstream")) == {}


def test_a_node_that_is_selected_no_more_closes_its_session_and_the_others_stay() -> None:
    selected = replace(ROUTER, node_selectors=(Selector(labels={"rack": "2"}),))
    assert sessions(ROUTER, selected) == {"gone": ["a"]}
    assert sessions(selected, ROUTER) == {"opened": ["a"]}
