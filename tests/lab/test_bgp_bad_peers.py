"""Eight routers that misbehave at once, and BIRD beside them: one peer's trouble stays with that peer."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.announcer import Announcer, Plan, PlannedPeer, PlannedRoutes
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.rack import NODE_ASN, ROUTER_ASN
from lab.routers.bird import Bird
from lab.routers.shape import Configuration, Neighbour
from lab.stations import start_module
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]
ROUTES = 20_000
"""A hundred kilobytes; more than the buffers below hold of a connection that nobody reads."""
SMALL_BUFFERS = "4096 16384 16384"
REACTS_WITHIN_S = 20.0
BEHAVIOURS = (
    "million",
    "deaf",
    "flap",
    "wrong-as",
    "hold-1",
    "same-id",
    "hundred",
    "noise",
    "other-key",
    "silent",
)
"""`other-key`: a router whose key of TCP MD5 is another one. `silent`: an address that nobody has."""
HELD_MOST = 8
"""Connections of one peer that the driver keeps, with those that it is about to close."""
REFUSALS = {"wrong-as": (2, 2), "hold-1": (2, 6), "same-id": (2, 3), "noise": (1, 1)}
"""What each is told (RFC 4271 section 6)."""


def place(behaviour: str) -> str:
    return f"192.0.2.{200 + BEHAVIOURS.index(behaviour)}"


@dataclass(frozen=True, slots=True)
class Crowd:
    """A node, BIRD, and the others."""

    node: Announcer
    bird: Bird
    bad: Process


@pytest.fixture(scope="module")
def crowd(_prerequisites: None) -> Iterator[Crowd]:
    with Lab() as lab:
        lan = lab.switch("lan")
        router, bad = lab.machine("router", lan, "192.0.2.1/24"), lab.machine("bad", lan, "192.0.2.2/24")
        node = lab.machine("node1", lan, "192.0.2.11/24")
        node.run("sh", "-c", f"echo {SMALL_BUFFERS} > /proc/sys/net/ipv4/tcp_wmem")
        bad.run("sh", "-c", f"echo {SMALL_BUFFERS} > /proc/sys/net/ipv4/tcp_rmem")
        present = [behaviour for behaviour in BEHAVIOURS if behaviour != "silent"]
        for behaviour in present:
            bad.run("ip", "address", "add", f"{place(behaviour)}/24", "dev", bad.cable.interface)
        words = [f"{place(behaviour)}={behaviour}" for behaviour in present if behaviour != "other-key"]
        process = start_module(bad, "lab.tools.bad_routers", node.address, str(ROUTER_ASN), *words)
        other = Bird(bad, configuration(node, place("other-key"), password="theirs"))  # noqa: S106 - of the lab alone
        bird = Bird(router, configuration(node, router.address))
        peers = (planned("good", router.address), *(planned(each, place(each)) for each in BEHAVIOURS))
        routes = (PlannedRoutes(first="10.0.0.0/32", count=ROUTES),)
        yield Crowd(Announcer(node, Plan(peers=peers, routes=routes), folder=lab.logs), bird, process)
        bird.stop()
        other.stop()


def configuration(node: Machine, local: str, *, password: str = "") -> Configuration:
    neighbour = Neighbour(address=node.address, local=local, asn=NODE_ASN, password=password)
    return Configuration(asn=ROUTER_ASN, router_id=local, neighbours=(neighbour,))


def planned(name: str, address: str) -> PlannedPeer:
    return PlannedPeer(
        name=name,
        address=address,
        local_asn=NODE_ASN,
        peer_asn=NODE_ASN if name == "same-id" else ROUTER_ASN,
        router_id="192.0.2.11",
        password="ours" if name == "other-key" else "",
        is_passive=name == "hundred",
    )


@pytest.mark.parametrize("behaviour", REFUSALS)
def test_a_router_that_says_something_wrong_is_told_what(crowd: Crowd, behaviour: str) -> None:
    def told() -> tuple[int, int] | None:
        words = [word for word in crowd.node.words("notification", behaviour) if word.is_ours]
        return (words[0].code, words[0].subcode) if words else None

    found = wait_for(told, what=f"a NOTIFICATION to {behaviour}", within_s=REACTS_WITHIN_S)
    assert found == REFUSALS[behaviour]
    assert crowd.node.status(behaviour).established == 0


def test_whose_key_is_another_one_gets_no_session(crowd: Crowd) -> None:
    wait_for(
        lambda: (
            [word.reason for word in crowd.node.words("state", "other-key")].count("ConnectFailed") > 0
            or crowd.node.status("other-key").state in {"CONNECT", "ACTIVE"}
        ),
        what="an attempt",
        within_s=REACTS_WITHIN_S,
    )
    assert crowd.node.status("other-key").established == 0


def test_an_address_that_nobody_has_is_tried_and_left_alone(crowd: Crowd) -> None:
    assert crowd.node.status("silent").state in {"CONNECT", "ACTIVE"}


def test_a_hundred_connections_of_one_peer_are_not_held(crowd: Crowd) -> None:
    crowd.bad.wait_for_output("hundred: ", within_s=60.0)
    (opened,) = re.findall(r"hundred: (\d+) connections", crowd.bad.output.read_text())
    assert int(opened) > HELD_MOST
    ends = ("src", "192.0.2.11", "dst", place("hundred"))

    def held() -> int:
        return len(crowd.node.machine.run("ss", "-Htn", "state", "established", *ends).splitlines())

    wait_for(lambda: held() <= HELD_MOST, what="an end of most of them", within_s=REACTS_WITHIN_S)
    assert crowd.node.status("hundred").established == 0


def test_a_router_that_flaps_is_answered_less_and_less(crowd: Crowd) -> None:
    wait_for(lambda: crowd.node.status("flap").established >= 2, what="flaps", within_s=REACTS_WITHIN_S)
    first = len(crowd.node.words("state", "flap"))
    assert first < 60


def test_a_million_routes_are_read_while_the_session_lasts(crowd: Crowd) -> None:
    crowd.bad.wait_for_output("million sent", within_s=60.0)
    status = crowd.node.status("million")
    assert (status.state, status.established) == ("ESTABLISHED", 1)


def test_nobody_else_waits_for_a_router_that_stops_reading(crowd: Crowd) -> None:
    wait_for(lambda: crowd.node.status("deaf").owed > 0, what="a full buffer", within_s=REACTS_WITHIN_S)
    more = PlannedRoutes(first="203.0.113.0/32", count=10)
    plan = crowd.node.plan
    crowd.node.become(Plan(peers=plan.peers, routes=(*plan.routes[:1], more)))
    wait_for(
        lambda: crowd.bird.imported("192.0.2.11") == ROUTES + 10,
        what="news at BIRD",
        within_s=REACTS_WITHIN_S,
    )


def test_the_router_that_does_nothing_wrong_notices_nothing(crowd: Crowd) -> None:
    wait_for(lambda: crowd.bird.imported("192.0.2.11") >= ROUTES, what="all routes", within_s=REACTS_WITHIN_S)
    since = time.monotonic()
    wait_for(lambda: time.monotonic() > since + 3.0, what="a while", within_s=5.0)
    assert crowd.node.status("good").established == 1
    assert crowd.bird.session("192.0.2.11") == "established"
    assert crowd.bird.imported("192.0.2.11") >= ROUTES
