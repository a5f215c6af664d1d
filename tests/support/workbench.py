"""A driver on the real kernel, at one end of a cable, and raw sockets at the other end."""

import errno
import functools
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from bareway.gossip.events import Permission
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import PacketError
from bareway.layer2.ethernet import BROADCAST, ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.ndp import Advertisement
from bareway.layer2.responder import DECODE, Packet, Sighting
from bareway.model.names import InterfaceName, IPAddress
from speaker.layer2.answering import OpenResponder, PacketResponder
from speaker.layer2.driver import Layer2Driver
from support.arp import VIP, frame
from support.ndp import VIP6
from support.ndp import frame as frame6
from support.netns import Cable
from support.speaker import running
from support.until import until


class Bench:
    """A driver in ``node`` and a raw socket for each kind of frame in ``client``."""

    def __init__(self, cable: Cable, open_responder: OpenResponder = PacketResponder) -> None:
        self.cable = cable
        self.sightings: list[Sighting] = []
        self.permission = Permission.YES
        self.barred: set[tuple[IPAddress, InterfaceName]] = set()
        self.driver = Layer2Driver(
            may_answer=lambda address, now: self.permission,
            on_links=lambda: None,
            on_sighting=lambda *sighting: self.sightings.append(Sighting(*sighting)),
            allows=lambda address, link: (address, link) not in self.barred,
            open_responder=open_responder,
        )
        self.client = cable.client_socket()
        self.client6 = cable.client_socket(ethertype=ETHERTYPE_IPV6)
        self.packets: list[Packet] = []

    def send(self, frame: bytes) -> None:
        """From the client, whatever it is."""
        self.client.send(frame)

    def listen(self) -> list[Packet]:
        """All ARP and neighbour discovery that came to the client so far."""
        for it, ethertype in ((self.client, ETHERTYPE_ARP), (self.client6, ETHERTYPE_IPV6)):
            for data in _received(it):
                with suppress(PacketError):  # the kernels of both ends speak IPv6 among themselves
                    self.packets.append(DECODE[ethertype](data))
        return self.packets

    @property
    def heard(self) -> list[ArpPacket]:
        """ARP among it."""
        return [packet for packet in self.listen() if isinstance(packet, ArpPacket)]

    @property
    def told(self) -> list[Advertisement]:
        """Advertisements among it."""
        return [packet for packet in self.listen() if isinstance(packet, Advertisement)]

    def answers(self) -> list[Packet]:
        """Replies to somebody in particular."""
        arp = [heard for heard in self.heard if heard.operation is Operation.REPLY]
        return [
            *(heard for heard in arp if heard.destination != BROADCAST),
            *(told for told in self.told if told.is_solicited),
        ]

    async def answered(self, address: IPAddress = VIP) -> Packet:
        """The client asks once and gets this."""
        self.listen()
        self.packets.clear()
        self.ask(address)
        await until(self.answers)
        return self.answers()[0]

    def ask(self, address: IPAddress = VIP) -> None:
        """The client asks everybody."""
        mac = self.cable.CLIENT_MAC
        if address.version == VIP.version:
            self.send(frame(type(VIP)(address), sender_mac=mac))
        else:
            self.send(frame6(type(VIP6)(address), frame_source=mac))

    async def is_silent(self, address: IPAddress, known: IPAddress) -> bool:
        """Nothing answers for ``address``; when ``known`` is answered, it would have been too."""
        self.listen()
        self.packets.clear()
        self.ask(address)
        self.ask(known)
        await until(lambda: any(_whose(answer) == known for answer in self.answers()))
        return all(_whose(answer) == known for answer in self.answers())

    async def narrowed(self, *addresses: IPAddress) -> None:
        """The filters in the kernel are exact."""
        assert set(addresses) == set(self.driver.announced)
        for station in self.driver._stations.values():
            responder = station._responder
            assert isinstance(responder, PacketResponder)
            await until(functools.partial(_is_exact, responder))


@asynccontextmanager
async def bench(wire: Cable, open_responder: OpenResponder = PacketResponder) -> AsyncIterator[Bench]:
    """The driver runs on eth0, which speaks both families."""
    it = Bench(wire, open_responder)
    with it.client, it.client6:
        async with running(it.driver):
            await until(lambda: all(link.has_ipv6 for link in it.driver.links))
            yield it


def _received(it: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield it.recv(2048)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENETDOWN:  # told once, where a test pulls the cable
                raise


def _whose(packet: Packet) -> IPAddress:
    return packet.sender if isinstance(packet, ArpPacket) else packet.target


def _is_exact(responder: PacketResponder) -> bool:
    return responder.is_exact
