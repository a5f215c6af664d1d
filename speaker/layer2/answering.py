"""Answers ARP and neighbour solicitations on one link from user space: judges each frame, replies.

``Responder`` is what a station needs; another one may live in the kernel and keep to the same tests
(tests/speaker/layer2/test_responders.py).
"""

from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.filter import ANY_ARP, ANY_NDP, arp_filter, ndp_filter
from bareway.layer2.responder import DECODE, Question, question, sighting
from bareway.model.names import IPAddress
from speaker.layer2.groups import GroupPort, Groups
from speaker.layer2.hearing import Ear, Sieve
from speaker.layer2.links import Link
from speaker.layer2.sending import Sender, Surroundings
from speaker.layer2.sockets import PacketPort


class Responder(Protocol):
    """Answers for a set of addresses on one link; what it announces takes effect before the call returns."""

    def announce(self, addresses: Collection[IPAddress]) -> None:
        """Answer for these too."""

    def withdraw(self, addresses: Collection[IPAddress]) -> None:
        """Answer for these no more, from this call on."""

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""

    def close(self) -> None:
        """Answer nothing more; the ports stay open."""


class OpenResponder(Protocol):
    """Begins to answer on a link, for nothing yet."""

    def __call__(
        self,
        ports: Mapping[int, PacketPort],
        groups: GroupPort,
        *,
        link: Link,
        sender: Sender,
        around: Surroundings,
    ) -> Responder:
        """``ports`` by ethertype; whoever needs none of them leaves them alone."""


class PacketResponder:
    """The responder over raw sockets, one for each version of IP."""

    def __init__(
        self,
        ports: Mapping[int, PacketPort],
        groups: GroupPort,
        *,
        link: Link,
        sender: Sender,
        around: Surroundings,
    ) -> None:
        """``ports`` by ethertype."""
        self._link = link
        self._sender = sender
        self._around = around
        arp, ipv6 = ports[ETHERTYPE_ARP], ports[ETHERTYPE_IPV6]
        self._ipv4: Sieve[IPv4Address] = Sieve(
            arp, around.counters, everything=ANY_ARP, make=lambda ours, most: arp_filter(ours, steps_max=most)
        )
        self._ipv6: Sieve[IPv6Address] = Sieve(
            ipv6,
            around.counters,
            everything=ANY_NDP,
            make=lambda ours, most: ndp_filter(ours, steps_max=most),
        )
        self._groups = Groups(groups, around.counters)
        self._announced: set[IPAddress] = set()
        self._ears = [
            Ear(port, self._judging(ethertype), around.counters, clock=around.clock, turns=around.turns)
            for ethertype, port in ports.items()
        ]

    @property
    def is_exact(self) -> bool:
        """Whether no filter lets through more than it need."""
        return not self._ipv4.is_wide and not self._ipv6.is_wide

    def announce(self, addresses: Collection[IPAddress]) -> None:
        """Answer for these too."""
        new = [address for address in dict.fromkeys(addresses) if address not in self._announced]
        self._announced.update(new)
        self._ipv4.add(_ipv4(new))
        self._ipv6.add(_ipv6(new))
        self._groups.add(_ipv6(new))

    def withdraw(self, addresses: Collection[IPAddress]) -> None:
        """Answer for these no more, from this call on; the filters follow a little later."""
        gone = [address for address in dict.fromkeys(addresses) if address in self._announced]
        self._announced.difference_update(gone)
        if ipv4 := _ipv4(gone):
            self._ipv4.remove(ipv4)
        if ipv6 := _ipv6(gone):
            self._ipv6.remove(ipv6)
            self._groups.remove(ipv6)

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""
        self._link = link

    def close(self) -> None:
        """Answer nothing more; the ports stay open."""
        for ear in self._ears:
            ear.close()
        self._ipv4.close()
        self._ipv6.close()
        self._groups.close()

    def _judging(self, ethertype: int) -> Callable[[bytes], None]:
        decode, drops = DECODE[ethertype], self._around.counters.drops

        def judge(frame: bytes) -> None:
            try:
                packet = decode(frame)
            except PacketError as error:
                drops[error.reason] += 1
                return
            claim = sighting(packet, own_macs=self._around.own_macs, announced=self._announced)
            if claim is not None:
                self._around.sighted(claim)
            verdict = question(packet, my_mac=self._link.mac, announced=self._announced)
            match verdict:
                case Question(address=address):
                    self._around.counters.requests[address] += 1
                    self._sender.send(address, verdict)
                case DropReason():
                    drops[verdict] += 1

        return judge


def _ipv4(addresses: Collection[IPAddress]) -> list[IPv4Address]:
    return [address for address in addresses if isinstance(address, IPv4Address)]


def _ipv6(addresses: Collection[IPAddress]) -> list[IPv6Address]:
    return [address for address in addresses if isinstance(address, IPv6Address)]
