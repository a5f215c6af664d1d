"""A wire and a kernel for the layer 2 driver, without rights: sockets that behave, in memory.

``FakePort`` runs the attached filter by the interpreter of ``support.cbpf`` and really wakes the loop;
``FakeRoute`` hands out the tables that the test sets.
"""

import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_interface

from bareway.layer2 import arp, ndp
from bareway.layer2.arp import ArpPacket
from bareway.layer2.bpf import Program
from bareway.layer2.ethernet import ETHERTYPE_ARP
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName
from speaker.layer2.links import Link
from speaker.layer2.netlink import AddressMessage, LinkFlag, LinkMessage, Message
from support.arp import MY_MAC
from support.cbpf import TO_BROADCAST, run

WELL = int(LinkFlag.UP | LinkFlag.RUNNING | LinkFlag.LOWER_UP | LinkFlag.BROADCAST)


def interface(
    index: int = 2,
    name: str = "eth0",
    *,
    mac: MacAddress = MY_MAC,
    flags: int = WELL,
    hardware: int = 1,
    enslaved: bool = False,
) -> LinkMessage:
    """An Ethernet card that is up and plugged in, unless told otherwise."""
    return LinkMessage(index=index, name=name, hardware=hardware, flags=flags, mac=mac, enslaved=enslaved)


def address(text: str = "192.0.2.1/24", *, index: int = 2) -> AddressMessage:
    return AddressMessage(index=index, address=ip_interface(text))


def link(
    index: int = 2,
    name: str = "eth0",
    *,
    mac: MacAddress = MY_MAC,
    subnets: Iterable[str] = (),
    has_ipv6: bool = False,
) -> Link:
    mine = tuple(map(ip_interface, subnets))
    return Link(index=index, name=InterfaceName(name), mac=mac, subnets=mine, has_ipv6=has_ipv6)


class FakePort:
    """One end of a link; what comes from the wire passes the filter as it is at that moment."""

    def __init__(self, link: Link, ethertype: int) -> None:
        self.link = link
        self.ethertype = ethertype
        self.programs: list[Program] = []
        self.frames: list[bytes] = []
        """What we sent."""
        self.attach_fault: OSError | None = None
        self.send_fault: OSError | None = None
        self.receive_fault: OSError | None = None
        self._ours, self._wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)

    @property
    def sent(self) -> list[ArpPacket]:
        """What we sent, read."""
        return [arp.decode(frame) for frame in self.frames]

    @property
    def messages(self) -> list[ndp.Message]:
        """The same of a port for IPv6."""
        return [ndp.decode(frame) for frame in self.frames]

    @property
    def is_closed(self) -> bool:
        return self._ours.fileno() < 0

    def hear(self, frame: bytes, packet_type: int = TO_BROADCAST) -> bool:
        """A frame comes in; whether it passes the filter."""
        length = run(self.programs[-1], frame, packet_type) if self.programs else 0
        if length:
            self._wire.send(frame[:length])
        return bool(length)

    def fileno(self) -> int:
        return self._ours.fileno()

    def attach(self, program: Program) -> None:
        if self.is_closed:
            raise OSError(errno.EBADF, "closed")
        if self.attach_fault is not None:
            raise self.attach_fault
        self.programs.append(program)

    def receive(self) -> bytes | None:
        if self.receive_fault is not None:
            fault, self.receive_fault = self.receive_fault, None
            raise fault
        try:
            return self._ours.recv(2048)
        except BlockingIOError:
            return None

    def send(self, frame: bytes) -> None:
        if self.send_fault is not None:
            raise self.send_fault
        self.frames.append(frame)

    def close(self) -> None:
        self._ours.close()
        self._wire.close()


class FakeWire:
    """Opens ports, and remembers them by the link's name."""

    def __init__(self) -> None:
        self.opened: list[FakePort] = []
        self.groups: list[FakeGroups] = []
        self.fault: OSError | None = None

    def open(self, link: Link, ethertype: int) -> FakePort:
        if self.fault is not None:
            raise self.fault
        self.opened.append(FakePort(link, ethertype))
        return self.opened[-1]

    def open_groups(self, link: Link) -> "FakeGroups":
        self.groups.append(FakeGroups(link))
        return self.groups[-1]

    def port(self, name: str = "eth0", ethertype: int = ETHERTYPE_ARP, *, asks: bool = False) -> FakePort:
        """The port that was last opened on the link of this name, to answer or to ask."""
        of_link = [port for port in self.opened if port.link.name == name and port.ethertype == ethertype]
        return of_link[-1 if asks else -2]

    def __getitem__(self, name: str) -> FakePort:
        """The one to answer ARP there."""
        return self.port(name)


class FakeGroups:
    """The groups joined on a link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.joined: list[IPv6Address] = []
        self.is_closed = False
        self.fault: OSError | None = None

    def join(self, group: IPv6Address) -> None:
        if self.fault is not None:
            raise self.fault
        assert group not in self.joined
        self.joined.append(group)

    def leave(self, group: IPv6Address) -> None:
        self.joined.remove(group)

    def close(self) -> None:
        self.is_closed = True


class FakeRoute:
    """The kernel's tables; ``change`` sets them and tells, as netlink does."""

    def __init__(self, *messages: Message) -> None:
        self.tables: list[Message] = list(messages)
        self.dumps = 0
        self._news: list[Message] | None = []
        self._ours, self._kernel = socket.socketpair()
        self._ours.setblocking(False)

    def change(self, *messages: Message, news: Iterable[Message] | None = None) -> None:
        """The tables are these now; the news are the same messages, unless others are given."""
        self.tables = list(messages)
        self.tell(*(messages if news is None else news))

    def tell(self, *news: Message) -> None:
        if self._news is not None:
            self._news += news
        self._kernel.send(b"!")

    def lose_news(self) -> None:
        """So much came that the kernel threw some of it away."""
        self._news = None
        self._kernel.send(b"!")

    @property
    def is_closed(self) -> bool:
        return self._ours.fileno() < 0

    def fileno(self) -> int:
        return self._ours.fileno()

    def news(self) -> list[Message] | None:
        self._ours.recv(4096)
        news, self._news = self._news, []
        return news

    def dump(self) -> list[Message]:
        self.dumps += 1
        return list(self.tables)

    def close(self) -> None:
        self._ours.close()
        self._kernel.close()
