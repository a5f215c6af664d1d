"""Against BIRD over a cable: addresses of the link alone, next hops in the kernel, deaths of all kinds."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import msgspec
import pytest

from bareway.bgp.events import SessionReason
from bareway.bgp.fsm import State
from bareway.bgp.peers import PeerSettings
from support.bgp import NODE_ASN, ROUTER_ASN, routes, settings
from support.bgp_wires import running
from support.netns import Cable, cable
from support.until import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

ROUTER, ROUTER6, NODE, NODE6 = "192.0.2.200", "2001:db8::200", "192.0.2.1", "2001:db8::1"
ROUTER_LL, NODE_LL = "fe80::ff:fe00:2", "fe80::ff:fe00:1"
HEAD = """
router id 192.0.2.200;
protocol device {}
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; }
"""
CHANNELS = "ipv4 { import all; export none; %s }; ipv6 { import all; export none; };"
PATIENT_S = 40.0
"""A BIRD that was refused waits; and the machine may have more to do."""
OVER_IPV6 = {NODE6, NODE_LL}
"""Both are told; which one a router takes is its choice."""
V4, V6 = "198.51.100.1", "2001:db8:1::1"
BOTH = routes(f"{V4}/32", f"{V6}/128")


class Bird:
    """BIRD at the client's end of the cable."""

    def __init__(self, wire: Cable, folder: Path) -> None:
        if shutil.which("bird") is None:
            pytest.fail("these tests need BIRD: apt-get install bird2", pytrace=False)
        self.wire = wire
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, text: str) -> None:
        conf, control = self.folder / "conf", self.folder / "ctl"
        conf.write_text(f'log "{self.folder}/log" all;\n{HEAD}{text}')
        words = ["bird", "-f", "-c", str(conf), "-s", str(control), "-P", str(self.folder / "pid")]
        self.process = subprocess.Popen(["ip", "netns", "exec", self.wire.client, *words])

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.send(number)
            self.process.wait(timeout=10)
            self.process = None

    def route(self, prefix: str) -> str:
        """What the kernel behind BIRD has; empty without a route."""
        words = ["-6", "route"] if ":" in prefix else ["route"]
        found = msgspec.json.decode(self.wire.ip("-j", "-n", self.wire.client, *words, "show", prefix))
        return next((via(one) for one in found), "")


def via(route: dict[str, object]) -> str:
    inner = route.get("via")
    return str(inner["host"] if isinstance(inner, dict) else route.get("gateway", ""))


@pytest.fixture
def wire() -> Iterator[Cable]:
    with cable() as it:
        it.ip("address", "add", f"{NODE6}/64", "dev", "eth0", "nodad")
        it.ip("link", "set", "lo", "up")
        for namespace, address in ((it.node, NODE_LL), (it.client, ROUTER_LL)):
            it.ip("-n", namespace, "address", "replace", f"{address}/64", "dev", "eth0", "nodad")
        yield it


@pytest.fixture
def bird(wire: Cable, tmp_path: Path) -> Iterator[Bird]:
    it = Bird(wire, tmp_path)
    yield it
    it.end()


def peer(address: str, **changes: object) -> PeerSettings:
    given = {"address": ip_address(address), "connect_retry_s": 0.5, "hold_time_s": 9}
    return settings(**(given | changes))


def waits_for(address: str, local: str, *options: str, channels: str = "", name: str = "n") -> str:
    quick = "connect delay time 1; error wait time 1,1; error forget time 1;"
    sides = f"local {local} as {ROUTER_ASN}; neighbor {address} as {NODE_ASN};"
    return (
        f"protocol bgp {name} {{ {sides} strict bind; {quick} {' '.join(options)} {CHANNELS % channels} }}\n"
    )


async def test_a_session_over_ipv4_gives_both_families_next_hops_that_work(bird: Bird) -> None:
    bird.start(waits_for(NODE, ROUTER, "passive;"))
    async with running(peer(ROUTER)) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4) == NODE and bird.route(V6) in OVER_IPV6, within_s=PATIENT_S)


async def test_routes_come_and_go_with_the_address_that_is_their_next_hop(bird: Bird, wire: Cable) -> None:
    place = (f"{NODE6}/64", "dev", "eth0")
    wire.ip("address", "del", *place)
    bird.start(waits_for(NODE, ROUTER, "passive;"))
    async with running(peer(ROUTER)) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4) == NODE, within_s=PATIENT_S)
        assert bird.route(V6) == ""
        wire.ip("address", "add", *place, "nodad")
        await until(lambda: bird.route(V6) in OVER_IPV6, within_s=PATIENT_S)
        wire.ip("address", "del", *place)
        await until(lambda: bird.route(V6) == "", within_s=PATIENT_S)
        assert bird.route(V4) == NODE
        assert node.losses() == []


async def test_a_session_over_ipv6_carries_ipv4_too(bird: Bird) -> None:
    bird.start(waits_for(NODE6, ROUTER6, "passive;", channels="extended next hop on;"))
    async with running(peer(ROUTER6)) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: {bird.route(V4), bird.route(V6)} <= OVER_IPV6, within_s=PATIENT_S)


@pytest.mark.parametrize("is_passive", [False, True], ids=["we-dial", "bird-dials"])
async def test_a_session_between_addresses_of_the_link_alone(bird: Bird, is_passive: bool) -> None:
    sides = f"{NODE_LL}%eth0", f"{ROUTER_LL}%eth0"
    options = ['password "s3cret";'] if is_passive else ['password "s3cret";', "passive;"]
    bird.start(waits_for(*sides, *options, channels="extended next hop on;"))
    settings = peer(f"{ROUTER_LL}%eth0", is_passive=is_passive, password=b"s3cret")
    async with running(settings, port=179) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4) == NODE_LL and bird.route(V6) == NODE_LL, within_s=PATIENT_S)
        assert node.driver.statuses()["router"].local == IPv6Address(f"{NODE_LL}%eth0")


async def test_bird_dials_signed_and_with_the_greatest_ttl(bird: Bird) -> None:
    secured = ('password "s3cret";', "ttl security on;")
    bird.start(waits_for(NODE, ROUTER, *secured) + waits_for(NODE6, ROUTER6, *secured, name="m"))
    changes = {"is_passive": True, "password": b"s3cret", "ttl_security": True}
    peers = peer(ROUTER, **changes), peer(ROUTER6, name="six", **changes)
    async with running(*peers, port=179) as node:
        await until(lambda: {node.state(), node.state("six")} == {State.ESTABLISHED}, within_s=PATIENT_S)


async def test_both_dial_at_once_and_one_session_stays(bird: Bird) -> None:
    bird.start(waits_for(NODE, ROUTER))
    async with running(peer(ROUTER), listens=True, port=179) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4) == NODE, within_s=PATIENT_S)
        await until(lambda: node.sockets() == 1, within_s=PATIENT_S)
        assert node.losses() == []


async def test_a_router_that_is_killed_is_noticed_at_once_and_gets_all_when_it_is_back(bird: Bird) -> None:
    text = waits_for(NODE, ROUTER, "passive;")
    bird.start(text)
    async with running(peer(ROUTER)) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4), within_s=PATIENT_S)
        bird.end(signal.SIGKILL)
        await node.lost(1)
        assert node.losses() == [SessionReason.PEER_CLOSED]
        bird.wire.ip("-n", bird.wire.client, "route", "flush", "proto", "bird")
        bird.start(text)
        await until(lambda: bird.route(V4), within_s=PATIENT_S)


async def test_a_router_that_is_frozen_is_given_up_after_the_hold_time(bird: Bird) -> None:
    bird.start(waits_for(NODE, ROUTER, "passive;", "hold time 3;"))
    async with running(peer(ROUTER, hold_time_s=3)) as node:
        await until(lambda: node.state() is State.ESTABLISHED, within_s=PATIENT_S)
        bird.send(signal.SIGSTOP)
        try:
            await until(lambda: node.losses() == [SessionReason.HOLD_TIMER], within_s=PATIENT_S)
        finally:
            bird.send(signal.SIGCONT)


async def test_a_router_without_power_is_given_up_after_the_hold_time_and_found_again(bird: Bird) -> None:
    bird.start(waits_for(NODE, ROUTER, "passive;", "hold time 3;"))
    async with running(peer(ROUTER, hold_time_s=3)) as node:
        node.driver.want({"router": BOTH}, is_complete=True)
        await until(lambda: bird.route(V4), within_s=PATIENT_S)
        bird.wire.ip("-n", bird.wire.client, "link", "set", "eth0", "down")
        await until(node.losses, within_s=PATIENT_S)
        bird.wire.ip("-n", bird.wire.client, "link", "set", "eth0", "up")
        await until(lambda: node.state() is State.ESTABLISHED, within_s=PATIENT_S)


async def test_beside_a_speaker_that_holds_the_port_we_dial_it_and_take_what_calls_another_address(
    bird: Bird, wire: Cable
) -> None:
    """As on a node where Calico's BIRD has port 179 of one address."""
    wire.ip("address", "add", "192.0.2.9/24", "dev", "eth0")
    bird.start(waits_for("192.0.2.9", ROUTER))
    with held(NODE):
        settings = peer(ROUTER, source_address=ip_address("192.0.2.9"), is_passive=True)
        async with running(settings, port=179) as node:
            assert not node.driver.problems
            await until(lambda: node.state() is State.ESTABLISHED, within_s=PATIENT_S)
            node.configure(peer(ROUTER, is_passive=True))
            assert [problem.path for problem in node.driver.problems] == ["peers"]


@contextmanager
def held(address: str) -> Iterator[None]:
    with socket.socket() as it:
        it.bind((address, 179))
        it.listen()
        yield
