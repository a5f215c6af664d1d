"""The driver and its sockets on the real kernel: two namespaces and a cable.

What every responder must do is in test_responders_lab.py.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address

import pytest

from bareway.layer2 import arp, ipv6
from bareway.layer2.burst import FIRST_AT_ONCE, FIRST_PER_S, REPEAT_PER_S
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.filter import arp_filter, ndp_filter
from bareway.layer2.responder import DECODE
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from bareway.runtime.clock import monotonic
from speaker.layer2.links import Link, LinkRefusal
from speaker.layer2.sockets import MissingCapability, PacketSocket, check_capability
from support.arp import STRANGER_MAC, VIP, frame, packet
from support.cbpf import TO_BROADCAST, TO_GROUP, run
from support.layer2 import link
from support.ndp import VIP6
from support.ndp import frame as frame6
from support.netns import Cable, cable
from support.until import until
from support.workbench import bench

pytestmark = pytest.mark.lab

NEW_MAC = MacAddress.parse("02:00:00:00:00:aa")
ETH0 = InterfaceName("eth0")
NOBODY = IPv4Address("192.0.2.99")


@contextmanager
def only_root() -> Iterator[None]:
    """Fails, rather than skips, where the lab cannot run."""
    assert os.geteuid() == 0, "the lab needs root: sudo make lab"
    yield


@pytest.fixture
def wire() -> Iterator[Cable]:
    with only_root(), cable() as plugged:
        yield plugged


async def test_requests_for_others_never_reach_the_process(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        await it.narrowed(VIP)
        for number in range(1000):
            it.send(frame(IPv4Address("10.9.0.0") + number, sender_mac=wire.CLIENT_MAC))
        await it.answered(VIP)
        assert it.driver.counters.frames == 1


@pytest.mark.parametrize("count", [1, 128, 1000])
async def test_the_kernel_takes_the_program_and_every_address_is_answered(wire: Cable, count: int) -> None:
    ours = [IPv4Address("192.168.0.0") + 3 * number for number in range(count)]
    async with bench(wire) as it:
        it.driver.announce(ours)
        await it.narrowed(*ours)
        for address in (ours[0], ours[count // 2], ours[-1]):
            assert await it.answered(address) == arp.decode(
                arp.reply(packet(address, sender_mac=wire.CLIENT_MAC), my_mac=wire.NODE_MAC)
            )
        assert it.driver.counters.failures == {}


@pytest.mark.parametrize("ethertype", [ETHERTYPE_ARP, ETHERTYPE_IPV6], ids=["ARP", "IPv6"])
def test_the_kernel_judges_a_program_as_our_interpreter_does(wire: Cable, ethertype: int) -> None:
    """Also where there are so many pages that they are folded."""
    first = IPv4Address("192.168.0.0") if ethertype == ETHERTYPE_ARP else VIP6
    ours = [first + number * number for number in range(1300)]
    asked = [first + number for number in range(0, 1_690_000, 1789)]
    program = arp_filter(_ipv4(ours)) if ethertype == ETHERTYPE_ARP else ndp_filter(_ipv6(ours))
    with wire.client_socket(ethertype=ethertype) as client:
        port = PacketSocket(_eth0(wire), ethertype)
        port.attach(program)
        passed: list[IPAddress] = []
        for address in asked:
            client.send(question(address))
            data = port.receive()
            if data is not None:
                passed.append(DECODE[ethertype](data).target)
        port.close()
    kind = TO_BROADCAST if ethertype == ETHERTYPE_ARP else TO_GROUP
    assert passed == [address for address in asked if run(program, question(address), kind)]
    assert len(ours) / 1789 < len(passed) < len(asked) / 2


async def test_an_old_kernel_gets_a_smaller_program(wire: Cable) -> None:
    wire.be_an_old_kernel()
    ours: list[IPAddress] = [VIP + 64 * number + number % 31 for number in range(290)]
    ours += [VIP6 + 64 * number + number % 31 for number in range(590)]
    async with bench(wire) as it:
        it.driver.announce(ours)
        await it.narrowed(*ours)
        assert it.driver.counters.failures == {"ENOMEM": 2}  # one for each family
        for address in (ours[0], ours[289], ours[290], ours[-1]):
            await it.answered(address)


def test_a_new_socket_hears_nothing_before_it_is_told_what(wire: Cable) -> None:
    with wire.client_socket() as client:
        port = PacketSocket(_eth0(wire), ETHERTYPE_ARP)
        client.send(frame(VIP))
        port.attach(arp_filter([VIP]))
        client.send(frame(VIP, sender_mac=STRANGER_MAC))
        heard = port.receive()
        port.close()
    assert heard is not None
    assert arp.decode(heard).sender_mac == STRANGER_MAC


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


async def test_another_mtu_is_no_news_to_anybody(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        links, sent = it.driver.links, it.driver.counters.gratuitous[VIP]
        wire.ip("-n", wire.node, "link", "set", "eth0", "mtu", "1400")
        wire.ip("-n", wire.node, "address", "add", "198.51.100.1/24", "dev", "eth0")
        await until(lambda: len(it.driver.links[0].networks) > len(links[0].networks))
        assert it.driver.links[0].mac == links[0].mac
        assert it.driver.counters.gratuitous[VIP] <= sent + 2  # by the schedule alone
        await it.answered()


async def test_a_thousand_groups_are_joined_though_a_socket_has_no_room_for_them(wire: Cable) -> None:
    ours = [VIP6 + number for number in range(1000)]
    wire.be_an_old_kernel()
    async with bench(wire) as it:
        it.driver.announce(ours)
        wanted = {str(ipv6.solicited_node(one)) for one in ours}
        await until(lambda: wanted <= set(wire.groups("eth0")))
        assert it.driver.counters.failures == {}
        await it.narrowed(*ours)
        await it.answered(ours[-1])
        it.driver.withdraw(ours)
        await until(lambda: not wanted & set(wire.groups("eth0")))


async def test_a_bridge_s_port_is_left_to_the_bridge(wire: Cable) -> None:
    async with bench(wire) as it:
        it.driver.announce([VIP])
        wire.ip("-n", wire.node, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        wire.ip("-n", wire.node, "link", "set", "br0", "address", str(NEW_MAC), "up")
        wire.ip("-n", wire.node, "link", "set", "eth0", "master", "br0")
        await until(lambda: [link.name for link in it.driver.links] == ["br0"])
        assert it.driver.refused[ETH0] is LinkRefusal.ENSLAVED
        asked = packet(sender_mac=wire.CLIENT_MAC)
        assert await it.answered() == arp.decode(arp.reply(asked, my_mac=NEW_MAC))


async def test_five_hundred_first_frames_reach_the_client_in_order_below_the_rates(wire: Cable) -> None:
    ours = [IPv4Address("192.168.0.0") + number for number in range(500)]
    async with bench(wire) as it:
        begin = monotonic()
        it.driver.announce(ours)
        await until(lambda: any(frame.sender == ours[-1] for frame in it.heard))
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
            PacketSocket(_eth0(wire), ETHERTYPE_ARP)


@contextmanager
def without_root() -> Iterator[None]:
    """No capability is in effect meanwhile."""
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def _eth0(wire: Cable) -> Link:
    return link(mac=wire.NODE_MAC)


def question(address: IPAddress) -> bytes:
    """Asked of everybody."""
    return frame(address) if isinstance(address, IPv4Address) else frame6(address)


def _ipv4(addresses: Iterable[IPAddress]) -> list[IPv4Address]:
    return [address for address in addresses if isinstance(address, IPv4Address)]


def _ipv6(addresses: Iterable[IPAddress]) -> list[IPv6Address]:
    return [address for address in addresses if isinstance(address, IPv6Address)]
