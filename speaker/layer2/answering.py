"""Answers ARP on one link from user space: waits on the socket, judges each frame, replies.

``Responder`` is what the driver needs; another one may live in the kernel and keep to the same tests.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Address
from typing import Final, Protocol, TypeAlias

from bareway.layer2 import arp
from bareway.layer2.arp import ArpPacket
from bareway.layer2.drops import DropReason, PacketError
from bareway.layer2.ethernet import MacAddress
from bareway.layer2.filter import ANY_ARP, compile_filter
from bareway.layer2.responder import Conflict, Reply, answer, conflict
from bareway.model.names import IPAddress
from speaker.layer2.counters import Counters
from speaker.layer2.links import Link
from speaker.layer2.sockets import PacketPort

DRAIN_MAX: Final = 64
"""Frames read before the loop gets its turn; a storm cannot starve the rest of the program."""
NARROW_AFTER_S: Final = 0.05
"""How long the filter stays wide after a change: making an exact one takes up to some milliseconds."""

Fence: TypeAlias = Callable[[IPAddress, float], bool]
"""Whether the address may be answered for at this time; asked before every single frame."""


class Responder(Protocol):
    """Answers for a set of addresses on one link; what it announces takes effect before the call returns."""

    def announce(self, addresses: Iterable[IPv4Address]) -> None:
        """Answer for these too."""

    def withdraw(self, addresses: Iterable[IPv4Address]) -> None:
        """Answer for these no more, from this call on."""

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""

    def close(self) -> None:
        """Answer nothing more; the port stays open."""


class PacketResponder:
    """The responder over a raw socket."""

    def __init__(
        self,
        port: PacketPort,
        *,
        link: Link,
        own_macs: Collection[MacAddress],
        may_answer: Fence,
        clock: Callable[[], float],
        counters: Counters,
        on_conflict: Callable[[Conflict, Link], None],
    ) -> None:
        self._port = port
        self._link = link
        self._own_macs = own_macs
        self._may_answer = may_answer
        self._clock = clock
        self._counters = counters
        self._on_conflict = on_conflict
        self._announced: set[IPv4Address] = set()
        self._wide = False
        self._narrowing: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._drain)

    def announce(self, addresses: Iterable[IPv4Address]) -> None:
        """Answer for these too: the filter opens at once, and is made exact a little later."""
        before = len(self._announced)
        self._announced.update(addresses)
        if len(self._announced) > before:
            self._widen()

    def withdraw(self, addresses: Iterable[IPv4Address]) -> None:
        """Answer for these no more, from this call on; the filter follows a little later."""
        self._announced.difference_update(addresses)
        self._narrow_soon()

    def follow(self, link: Link) -> None:
        """The link has another MAC or name now."""
        self._link = link

    def close(self) -> None:
        """Answer nothing more; the port stays open."""
        if self._narrowing is not None:
            self._narrowing.cancel()
        self._loop.remove_reader(self._port.fileno())

    def _widen(self) -> None:
        if not self._wide:
            self._port.attach(ANY_ARP)
            self._wide = True
        self._narrow_soon()

    def _narrow_soon(self) -> None:
        if self._narrowing is None:
            self._narrowing = self._loop.call_later(NARROW_AFTER_S, self._narrow)

    def _narrow(self) -> None:
        self._narrowing = None
        try:
            self._port.attach(compile_filter(self._announced))
        except OSError as error:  # no memory for it: the one in place lets through more, not less
            self._counters.failed(error)
        else:
            self._wide = False

    def _drain(self) -> None:
        for _ in range(DRAIN_MAX):
            try:
                frame = self._port.receive()
            except OSError as error:  # ENETDOWN: told once when the link goes down
                self._counters.failed(error)
                return
            if frame is None:
                return
            self._judge(frame)

    def _judge(self, frame: bytes) -> None:
        self._counters.frames += 1
        try:
            packet = arp.decode(frame)
        except PacketError as error:
            self._counters.drops[error.reason] += 1
            return
        claim = conflict(packet, own_macs=self._own_macs, announced=self._announced)
        if claim is not None:
            self._counters.conflicts[claim.address] += 1
            self._on_conflict(claim, self._link)
        self._answer(packet)

    def _answer(self, packet: ArpPacket) -> None:
        verdict = answer(
            packet,
            my_mac=self._link.mac,
            announced=self._announced,
            may_answer=lambda address: self._may_answer(address, self._clock()),
        )
        match verdict:
            case Reply(address, frame):
                self._counters.requests[address] += 1
                self._reply(address, frame)
            case DropReason():
                self._counters.drops[verdict] += 1
                if verdict is DropReason.FENCED:
                    self._counters.requests[packet.target] += 1

    def _reply(self, address: IPv4Address, frame: bytes) -> None:
        try:
            self._port.send(frame)
        except OSError as error:
            self._counters.failed(error)
        else:
            self._counters.responses[address] += 1
