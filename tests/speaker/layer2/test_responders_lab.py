"""What every responder must do, on the real kernel: two namespaces and a cable.

The client is Linux itself, or a raw socket. The tests go by the wire and by the driver's surface, not by how
an answer is made: a responder of another kind is one more row of ``IMPLEMENTATIONS``.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import pytest

from bareway.gossip.events import Permission
from bareway.layer2 import arp, ipv6, ndp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.ethernet import ETHERTYPE_IPV6
from bareway.layer2.ndp import Advertisement
from bareway.layer2.responder import Sighting
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from speaker.layer2.answering import OpenResponder, PacketResponder
from support.arp import STRANGER_MAC, VIP, packet
from support.ndp import ASKER6, VIP6, advertisement, probe, solicitation, unicast
from support.netns import Cable, cable
from support.until import until
from support.workbench import Bench, bench

pytestmark = pytest.mark.lab

IMPLEMENTATIONS = [pytest.param(PacketResponder, id="user space")]

NEW_MAC = MacAddress.parse("02:00:00:00:00:aa")
ETH1 = InterfaceName("eth1")
BOTH = pytest.mark.parametrize("address", [VIP, VIP6], ids=["IPv4", "IPv6"])


@pytest.fixture
def wire() -> Iterator[Cable]:
    with cable() as plugged:
        yield plugged


@pytest.fixture(params=IMPLEMENTATIONS)
def open_responder(request: pytest.FixtureRequest) -> OpenResponder:
    found: OpenResponder = request.param
    return found


@asynccontextmanager
async def announcing(
    wire: Cable, open_responder: OpenResponder, *addresses: IPAddress
) -> AsyncIterator[Bench]:
    async with bench(wire, open_responder) as it:
        it.driver.announce(addresses)
        yield it


# ------------------------------------------------------------ Linux as the client


@BOTH
async def test_linux_resolves_our_address(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with announcing(wire, open_responder, address):
        wire.speak_to(address)
        await until(lambda: f"lladdr {wire.NODE_MAC}" in wire.neighbour(address))


@BOTH
async def test_linux_makes_sure_of_our_address_by_unicast(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with announcing(wire, open_responder, address) as it:
        wire.believe(address, wire.NODE_MAC, "probe")
        await until(lambda: "REACHABLE" in wire.neighbour(address))
        assert it.driver.counters.responses[address]


@BOTH
async def test_an_announcement_moves_linux_s_entry_to_us(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with bench(wire, open_responder) as it:
        wire.believe_changes_at_once()
        wire.believe(address, STRANGER_MAC, "reachable")
        it.driver.announce([address])
        await until(lambda: f"lladdr {wire.NODE_MAC}" in wire.neighbour(address))
        assert it.driver.counters.responses[address] == 0


async def test_linux_does_not_take_our_ipv6_address_for_itself(
    wire: Cable, open_responder: OpenResponder
) -> None:
    async with announcing(wire, open_responder, VIP6):
        wire.ip("-n", wire.client, "address", "add", f"{VIP6}/64", "dev", "eth0")
        await until(lambda: "dadfailed" in wire.ip("-n", wire.client, "address", "show", "dev", "eth0"))


# ------------------------------------------------------------ frame by frame


async def test_one_arp_request_gets_one_reply_to_the_asker_alone(
    wire: Cable, open_responder: OpenResponder
) -> None:
    async with announcing(wire, open_responder, VIP) as it:
        asked = packet(sender_mac=wire.CLIENT_MAC)
        expected = arp.decode(arp.reply(asked, my_mac=wire.NODE_MAC))
        await it.answered()
        await it.answered()
        assert it.answers() == [expected]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(solicitation(), id="to the group, with source option"),
        pytest.param(solicitation(link_address=None), id="to the group, without"),
        pytest.param(unicast(), id="to us, without"),
        pytest.param(unicast(link_address=Cable.CLIENT_MAC), id="to us, with"),
    ],
)
async def test_one_solicitation_gets_one_advertisement_to_the_asker_alone(
    wire: Cable, open_responder: OpenResponder, asked: ndp.Solicitation
) -> None:
    async with announcing(wire, open_responder, VIP6, VIP6 + 1) as it:
        it.send(ndp.encode(asked))
        it.ask(VIP6 + 1)
        await until(lambda: len(it.answers()) == 2)  # whatever else was sent for the first has come by now
        expected = ndp.decode(ndp.reply(asked, my_mac=wire.NODE_MAC))
        assert [told for told in it.told if told.is_solicited and told.target == VIP6] == [expected]


async def test_an_advertisement_says_what_it_must(wire: Cable, open_responder: OpenResponder) -> None:
    async with announcing(wire, open_responder, VIP6) as it:
        assert await it.answered(VIP6) == Advertisement(
            frame_destination=wire.CLIENT_MAC,
            frame_source=wire.NODE_MAC,
            source=VIP6,
            destination=ASKER6,
            target=VIP6,
            link_address=wire.NODE_MAC,
            is_router=False,
            is_solicited=True,
            overrides=True,
        )


async def test_a_unicast_request_to_our_mac_is_answered_and_to_another_mac_is_not(
    wire: Cable, open_responder: OpenResponder
) -> None:
    async with announcing(wire, open_responder, VIP, VIP + 1) as it:
        it.send(arp.encode(packet(sender_mac=wire.CLIENT_MAC, destination=STRANGER_MAC)))
        it.send(arp.encode(packet(VIP + 1, sender_mac=wire.CLIENT_MAC, destination=wire.NODE_MAC)))
        await until(it.answers)
        assert [answer.sender for answer in it.heard if not answer.is_gratuitous] == [VIP + 1]


async def test_an_arp_probe_is_answered_to_the_prober(wire: Cable, open_responder: OpenResponder) -> None:
    async with announcing(wire, open_responder, VIP) as it:
        it.send(arp.probe(VIP, my_mac=wire.CLIENT_MAC))
        await until(it.answers)
        (answer,) = it.answers()
        assert isinstance(answer, ArpPacket)
        assert (answer.sender_mac, answer.destination) == (wire.NODE_MAC, wire.CLIENT_MAC)


async def test_a_probe_by_ipv6_is_answered_to_everybody(wire: Cable, open_responder: OpenResponder) -> None:
    async with announcing(wire, open_responder, VIP6) as it:
        it.send(ndp.encode(probe()))
        await until(lambda: it.driver.counters.responses[VIP6])
        expected = advertisement(mac=wire.NODE_MAC, link_address=wire.NODE_MAC)
        await until(lambda: it.told.count(expected) >= 2)  # the announcement is the same


@BOTH
async def test_a_question_in_a_vlan_that_is_not_ours_is_not_answered(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with announcing(wire, open_responder, address, address + 1) as it:
        untagged = question(address, wire.CLIENT_MAC)
        it.send(untagged[:12] + bytes.fromhex("81000005") + untagged[12:])
        await it.answered(address + 1)
        assert it.driver.counters.responses[address] == 0


@BOTH
async def test_every_one_of_many_addresses_is_answered_for_and_no_other(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    ours = [address + 3 * number for number in range(1000)]
    async with announcing(wire, open_responder, *ours) as it:
        for one in (ours[0], ours[500], ours[-1]):
            await it.answered(one)
        assert await it.is_silent(ours[500] + 1, known=ours[501])
        assert it.driver.counters.failures == {}


@BOTH
async def test_what_is_withdrawn_is_answered_no_more(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with announcing(wire, open_responder, address, address + 1) as it:
        await it.answered(address)
        it.driver.withdraw([address])
        assert await it.is_silent(address, known=address + 1)


# ------------------------------------------------------------ the fence


@BOTH
async def test_a_fenced_address_is_silent_until_the_fence_opens(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with bench(wire, open_responder) as it:
        it.permission = Permission.NO
        it.driver.announce([address])
        it.ask(address)
        await until(lambda: it.driver.counters.requests[address])
        assert not it.heard
        assert not it.told
        it.permission = Permission.YES
        await it.answered(address)


@BOTH
async def test_an_isolated_holder_answers_if_nobody_else_does(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with announcing(wire, open_responder, address) as it:
        it.permission = Permission.ASK_FIRST
        await it.answered(address)
        assert [p for p in it.packets if not isinstance(p, Advertisement) and p.is_probe]
        assert it.sightings == []


@BOTH
async def test_an_isolated_holder_leaves_the_answer_to_another_station(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    """The client's own kernel has the address, and answers the probe."""
    wire.ip("-n", wire.client, "address", "add", f"{address}/32", "dev", "eth0", *NODAD[address.version])
    async with announcing(wire, open_responder, address) as it:
        await until(lambda: it.driver.counters.gratuitous[address])
        it.permission = Permission.ASK_FIRST
        it.listen()
        it.packets.clear()
        it.ask(address)
        expected = Sighting(address, wire.CLIENT_MAC, is_solicited=True)
        await until(lambda: expected in it.sightings)
        assert it.answers() == []
        assert it.driver.counters.responses[address] == 0


NODAD = {4: (), 6: ("nodad",)}


# ------------------------------------------------------------ other stations, links that change


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        pytest.param(
            arp.encode(packet(IPv4Address("192.0.2.99"), sender=VIP, sender_mac=STRANGER_MAC)),
            Sighting(VIP, STRANGER_MAC, is_solicited=True),
            id="uses it",
        ),
        pytest.param(
            arp.gratuitous(VIP, my_mac=STRANGER_MAC, operation=Operation.REPLY),
            Sighting(VIP, STRANGER_MAC, is_solicited=False),
            id="gratuitous",
        ),
        pytest.param(
            ndp.encode(advertisement()), Sighting(VIP6, STRANGER_MAC, is_solicited=False), id="unsolicited"
        ),
        pytest.param(
            ndp.encode(advertisement(is_solicited=True)._replace(frame_destination=Cable.NODE_MAC)),
            Sighting(VIP6, STRANGER_MAC, is_solicited=True),
            id="solicited",
        ),
    ],
)
async def test_another_station_with_our_address_is_reported(
    wire: Cable, open_responder: OpenResponder, frame: bytes, expected: Sighting
) -> None:
    async with announcing(wire, open_responder, VIP, VIP6) as it:
        it.send(frame)
        await until(lambda: it.sightings)
        assert it.sightings == [expected]


@BOTH
async def test_a_new_mac_is_followed(wire: Cable, open_responder: OpenResponder, address: IPAddress) -> None:
    async with announcing(wire, open_responder, address) as it:
        wire.ip("-n", wire.node, "link", "set", "eth0", "address", str(NEW_MAC))
        await until(lambda: it.driver.links[0].mac == NEW_MAC)
        answer = await it.answered(address)
        assert mac_of(answer) == NEW_MAC
        told = [mac_of(said) for said in (*it.heard, *it.told)]
        assert NEW_MAC in told


@BOTH
async def test_the_answer_leaves_through_the_link_that_asked(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    """Also on a link that was plugged in after the announcement."""
    ethertype = 0x0806 if address.version == VIP.version else ETHERTYPE_IPV6
    async with announcing(wire, open_responder, address) as it:
        wire.plug("eth1", node_mac=NEW_MAC)
        await until(lambda: len(it.driver.links) == 2 and all(link.has_ipv6 for link in it.driver.links))
        it.listen()
        it.packets.clear()
        with wire.client_socket("eth1", ethertype) as second:
            second.send(question(address, wire.CLIENT_MAC))
            await until(lambda: it.driver.counters.responses[address])
            assert it.answers() == []
            it.client, it.client6 = (second, it.client6) if address is VIP else (it.client, second)
            await until(it.answers)
            assert mac_of(it.answers()[0]) == NEW_MAC


async def test_the_groups_of_our_addresses_are_joined_also_on_a_link_that_comes_later(
    wire: Cable, open_responder: OpenResponder
) -> None:
    group = str(ipv6.solicited_node(VIP6))
    async with announcing(wire, open_responder, VIP6) as it:
        await until(lambda: group in wire.groups("eth0"))
        wire.plug("eth1", node_mac=NEW_MAC)
        await until(lambda: group in wire.groups("eth1"))
        it.driver.withdraw([VIP6])
        await until(lambda: group not in wire.groups("eth0") + wire.groups("eth1"))


@BOTH
async def test_on_a_link_that_is_not_allowed_nothing_is_answered(
    wire: Cable, open_responder: OpenResponder, address: IPAddress
) -> None:
    async with bench(wire, open_responder) as it:
        it.barred.add((address, InterfaceName("eth0")))
        it.driver.announce([address, address + 1])
        assert await it.is_silent(address, known=address + 1)


def question(address: IPAddress, mac: MacAddress) -> bytes:
    """Asked of everybody."""
    if isinstance(address, IPv4Address):
        return arp.encode(packet(address, sender_mac=mac))
    return ndp.encode(solicitation(address, frame_source=mac, link_address=mac))


def mac_of(said: object) -> MacAddress:
    """Where the address is, by its own words."""
    assert isinstance(said, ArpPacket | Advertisement)
    return said.sender_mac if isinstance(said, ArpPacket) else said.mac
