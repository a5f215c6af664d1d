"""Layer 2 on the real kernel: two namespaces and a cable; the client is Linux itself, or a raw socket.

Whatever answers for us must pass these tests: they go by the wire, not by how the answer is made.
"""

import errno
import functools
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv4Address

import pytest

from bareway.layer2 import arp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.burst import FIRST_AT_ONCE, FIRST_PER_S, REPEAT_PER_S
from bareway.layer2.ethernet import BROADCAST, MacAddress
from bareway.layer2.filter import Program, compile_filter
from bareway.layer2.responder import Conflict
from bareway.model.names import InterfaceName
from bareway.runtime.clock import monotonic
from speaker.layer2.answering import PacketResponder
from speaker.layer2.driver import Layer2Driver
from speaker.layer2.links import Link, LinkRefusal
from speaker.layer2.sockets import MissingCapability, PacketSocket, check_capability
from support.arp import STRANGER_MAC, VIP, frame, packet
from support.cbpf import run
from support.layer2 import link
from support.netns import Cable, cable
from support.speaker import running
from support.until import until

pytestmark = pytest.mark.lab

NEW_MAC = MacAddress.parse("02:00:00:00:00:aa")
ETH0 = InterfaceName("eth0")
NOBODY = IPv4Address("192.0.2.99")


class Bench:
    """A driver in ``node`` and a raw socket in ``client``."""

    def __init__(self, cable: Cable) -> None:
        self.cable = cable
        self.conflicts: list[Conflict] = []
        self.is_confirmed = True
        self.driver = Layer2Driver(
            may_answer=lambda address, now: self.is_confirmed,
            on_links=lambda: None,
            on_conflict=lambda conflict, link: self.conflicts.append(conflict),
        )
        self.client = cable.client_socket()
        self.heard: list[ArpPacket] = []

    def listen(self) -> list[ArpPacket]:
        """All ARP that came to the client so far."""
        while True:
            try:
                self.heard.append(arp.decode(self.client.recv(2048)))
            except BlockingIOError:
                return self.heard
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # told once, where a test pulls the cable
                    raise

    def answers(self) -> list[ArpPacket]:
        """Replies to somebody in particular."""
        return [
            heard
            for heard in self.listen()
            if heard.operation is Operation.REPLY and heard.destination != BROADCAST
        ]

    async def answered(self, address: IPv4Address = VIP) -> ArpPacket:
        """The client asks once and gets this."""
        self.listen()
        self.heard.clear()
        self.client.send(frame(address, sender_mac=self.cable.CLIENT_MAC))
        await until(self.answers)
        return self.answers()[0]

    async def narrowed(self, *addresses: IPv4Address) -> None:
        """The filter in the kernel is exact."""
        assert set(addresses) == set(self.driver.announced)
        for station in self.driver._stations.values():
            responder = station._responder
            assert isinstance(responder, PacketResponder)
            await until(functools.partial(_is_exact, responder))


@contextmanager
def only_root() -> Iterator[None]:
    """Fails, rather than skips, where the lab cannot run."""
    assert os.geteuid() == 0, "the lab needs root: sudo make lab"
    yield


@pytest.fixture
def wire() -> Iterator[Cable]:
    with only_root(), cable() as plugged:
        yield plugged


@asynccontextmanager
async def bench(wire: Cable) -> AsyncIterator[Bench]:
    it = Bench(wire)
    with it.client:
        async with running(it.driver):
            yield it


async def test_linux_resolves_our_address(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        with wire.inside(wire.client), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"?", (str(VIP), 9))
        await until(
            lambda: f"lladdr {wire.NODE_MAC}" in wire.ip("-n", wire.client, "neigh", "show", str(VIP))
        )
        assert it.driver.counters.responses[VIP] >= 1


async def test_a_gratuitous_frame_moves_linux_s_entry_to_us(wire: Cable) -> None:
    async with bench(wire) as it:
        wire.believe_changes_at_once()
        old = ["neigh", "replace", str(VIP), "lladdr", str(STRANGER_MAC), "dev", "eth0", "nud", "reachable"]
        wire.ip("-n", wire.client, *old)
        it.driver.announce([VIP])
        await until(lambda: f"lladdr {wire.NODE_MAC}" in wire.neighbour(VIP))
        assert it.driver.counters.responses[VIP] == 0


async def test_one_request_gets_one_reply_from_the_right_mac(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        await it.answered()
        expected = arp.decode(arp.reply(packet(sender_mac=wire.CLIENT_MAC), my_mac=wire.NODE_MAC))
        await it.answered(VIP)
        assert it.answers() == [expected]


async def test_a_unicast_request_to_our_mac_is_answered_and_to_another_mac_is_not(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP, VIP + 1])
        it.client.send(arp.encode(packet(sender_mac=wire.CLIENT_MAC, destination=STRANGER_MAC)))
        asked = packet(VIP + 1, sender_mac=wire.CLIENT_MAC, destination=wire.NODE_MAC)
        it.client.send(arp.encode(asked))
        await until(it.answers)
        assert [answer.sender for answer in it.answers()] == [VIP + 1]
        assert it.driver.counters.frames == 1


async def test_a_question_in_a_vlan_that_is_not_ours_is_not_answered(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP, VIP + 1])
        await it.narrowed(VIP, VIP + 1)
        untagged = frame(VIP, sender_mac=wire.CLIENT_MAC)
        tagged = untagged[:12] + bytes.fromhex("81000005") + untagged[12:]
        it.client.send(tagged)
        answer = await it.answered(VIP + 1)
        assert answer.sender == VIP + 1
        assert it.driver.counters.responses[VIP] == 0
        assert it.driver.counters.frames == 1


async def test_requests_for_others_never_reach_the_process(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        await it.narrowed(VIP)
        for number in range(1000):
            it.client.send(frame(IPv4Address("10.9.0.0") + number, sender_mac=wire.CLIENT_MAC))
        await it.answered(VIP)
        assert it.driver.counters.frames == 1


@pytest.mark.parametrize("count", [1, 128, 1000])
async def test_the_kernel_takes_the_program_and_every_address_is_answered(wire: Cable, count: int) -> None:
    ours = [IPv4Address("192.168.0.0") + 3 * number for number in range(count)]
    async with bench(wire) as it:
        it.driver.announce(ours)
        await it.narrowed(*ours)
        for address in (ours[0], ours[count // 2], ours[-1]):
            assert (await it.answered(address)).sender == address
        assert it.driver.counters.failures == {}


def test_the_kernel_judges_a_program_as_our_interpreter_does(wire: Cable) -> None:
    """Also in the moment of the exchange: there is never no filter and never the wrong one."""
    ours = [IPv4Address("192.168.0.0") + number * number for number in range(300)]
    with wire.client_socket() as client:
        port = PacketSocket(_eth0(wire))
        port.attach(compile_filter(ours))
        asked = [IPv4Address("192.168.0.0") + number for number in range(0, 90_000, 97)]
        passed: list[IPv4Address] = []
        for address in asked:
            client.send(frame(address))
            data = port.receive()
            if data is not None:
                passed.append(arp.decode(data).target)
        port.close()
    assert passed == [address for address in asked if _passes(compile_filter(ours), address)]
    assert passed


def test_a_new_socket_hears_nothing_before_it_is_told_what(wire: Cable) -> None:
    with wire.client_socket() as client:
        port = PacketSocket(_eth0(wire))
        client.send(frame(VIP))
        port.attach(compile_filter([VIP]))
        client.send(frame(VIP, sender_mac=STRANGER_MAC))
        heard = port.receive()
        port.close()
    assert heard is not None
    assert arp.decode(heard).sender_mac == STRANGER_MAC


async def test_a_conflict_on_the_wire_is_seen_past_the_exact_filter(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        await it.narrowed(VIP)
        it.client.send(arp.encode(packet(NOBODY, sender=VIP, sender_mac=STRANGER_MAC)))
        await until(lambda: it.conflicts)
        assert it.conflicts == [Conflict(VIP, STRANGER_MAC, gratuitous=False)]


async def test_a_fenced_address_is_silent_on_the_wire(wire: Cable) -> None:
    async with bench(wire) as it:
        it.is_confirmed = False
        it.driver.announce([VIP])
        it.client.send(frame(VIP, sender_mac=wire.CLIENT_MAC))
        await until(lambda: it.driver.counters.requests[VIP])
        assert it.listen() == []
        it.is_confirmed = True
        await it.answered()


async def test_a_new_mac_is_followed(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        wire.ip("-n", wire.node, "link", "set", "eth0", "address", str(NEW_MAC))
        await until(lambda: it.driver.links[0].mac == NEW_MAC)
        await until(lambda: any(heard.sender_mac == NEW_MAC for heard in it.listen()))
        assert (await it.answered()).sender_mac == NEW_MAC
        unicast = arp.encode(packet(sender_mac=wire.CLIENT_MAC, destination=NEW_MAC))
        it.heard.clear()
        it.client.send(unicast)
        await until(it.answers)


async def test_a_pulled_cable_takes_the_link_away_and_its_return_announces_anew(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        wire.ip("-n", wire.client, "link", "set", "eth0", "down")
        await until(lambda: not it.driver.links)
        assert it.driver.refused[ETH0] is LinkRefusal.NO_CARRIER
        sent = it.driver.counters.gratuitous[VIP]
        wire.ip("-n", wire.client, "link", "set", "eth0", "up")
        await until(lambda: it.driver.counters.gratuitous[VIP] > sent)
        await it.answered()


async def test_a_link_plugged_in_later_answers_and_one_pulled_out_is_forgotten(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        wire.plug("eth1", node_mac=NEW_MAC)
        await until(lambda: len(it.driver.links) == 2)
        with wire.client_socket("eth1") as second:
            second.send(frame(VIP, sender_mac=wire.CLIENT_MAC))
            await until(lambda: it.driver.counters.responses[VIP])
        wire.ip("-n", wire.node, "link", "delete", "eth1")
        await until(lambda: len(it.driver.links) == 1)
        await it.answered()


async def test_a_bridge_s_port_is_left_to_the_bridge(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        wire.ip("-n", wire.node, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        wire.ip("-n", wire.node, "link", "set", "br0", "address", str(NEW_MAC), "up")
        wire.ip("-n", wire.node, "link", "set", "eth0", "master", "br0")
        await until(lambda: [link.name for link in it.driver.links] == ["br0"])
        assert it.driver.refused[ETH0] is LinkRefusal.ENSLAVED
        assert (await it.answered()).sender_mac == NEW_MAC


async def test_five_hundred_first_frames_reach_the_client_in_order_below_the_rates(wire: Cable) -> None:
    ours = [IPv4Address("192.168.0.0") + number for number in range(500)]
    async with bench(wire) as it:
        begin = monotonic()
        it.driver.announce(ours)
        await until(lambda: any(frame.sender == ours[-1] for frame in it.listen()))
        elapsed = monotonic() - begin
        heard = it.heard
        assert list(dict.fromkeys(frame.sender for frame in heard)) == ours
        assert len(heard) <= FIRST_AT_ONCE + elapsed * (FIRST_PER_S + REPEAT_PER_S) + 1


@pytest.mark.host
def test_without_the_right_the_reason_is_one_sentence(wire: Cable) -> None:
    check_capability()
    with without_root():
        with pytest.raises(MissingCapability, match=r"needs CAP_NET_RAW to answer ARP: .* grant"):
            check_capability()
        with pytest.raises(MissingCapability):
            PacketSocket(_eth0(wire))


@contextmanager
def without_root() -> Iterator[None]:
    """No capability is in effect meanwhile."""
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def _is_exact(responder: PacketResponder) -> bool:
    return not responder._wide


def _eth0(wire: Cable) -> Link:
    return link(mac=wire.NODE_MAC)


def _passes(program: Program, address: IPv4Address) -> bool:
    return bool(run(program, frame(address)))
