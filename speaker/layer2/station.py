"""One link at work: its socket, who answers on it, and the schedule of what it is told unasked."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from math import inf

from bareway.layer2 import arp
from bareway.layer2.burst import Announced, Burst, Gratuitous, Tick, Withdrawn
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import MacAddress
from bareway.layer2.responder import Conflict
from speaker.layer2.answering import Fence, PacketResponder, Responder
from speaker.layer2.counters import Counters
from speaker.layer2.links import Link
from speaker.layer2.sockets import PacketPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all stations of a driver share."""

    may_answer: Fence
    on_conflict: Callable[[Conflict, Link], None]
    gratuitous_interval_s: float
    clock: Callable[[], float]
    counters: Counters = field(default_factory=Counters)
    own_macs: set[MacAddress] = field(default_factory=set)
    """Of all usable links; kept by the driver."""


class Station:
    """Announces addresses on one link; closes the port when it is closed."""

    def __init__(self, link: Link, port: PacketPort, around: Surroundings) -> None:
        self.link = link
        self._port = port
        self._around = around
        self._responder: Responder = PacketResponder(
            port,
            link=link,
            own_macs=around.own_macs,
            may_answer=around.may_answer,
            clock=around.clock,
            counters=around.counters,
            on_conflict=around.on_conflict,
        )
        self._burst = Burst(interval_s=around.gratuitous_interval_s, now=around.clock())
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.TimerHandle | None = None

    def announce(self, addresses: Collection[IPv4Address]) -> None:
        """Hear requests for these and tell everybody, before anything else."""
        self._responder.announce(addresses)
        self._go_on(Announced(tuple(addresses)))

    def withdraw(self, addresses: Collection[IPv4Address]) -> None:
        """Fall silent about these."""
        self._responder.withdraw(addresses)
        self._go_on(Withdrawn(tuple(addresses)))

    def follow(self, link: Link, announced: Collection[IPv4Address]) -> None:
        """Take over the link's new MAC or name; a new MAC is told to everybody."""
        is_new_mac = link.mac != self.link.mac
        self.link = link
        self._responder.follow(link)
        if is_new_mac:
            self._go_on(Announced(tuple(announced)))

    def close(self) -> None:
        """Leave the link."""
        if self._wake is not None:
            self._wake.cancel()
        self._responder.close()
        self._port.close()

    def _go_on(self, event: Announced | Withdrawn | Tick) -> None:
        """Send what is due and see to it that the schedule is asked again in time."""
        now = self._around.clock()
        self._send(self._burst.handle(event, now=now))
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        deadline = self._burst.deadline
        if deadline != inf:
            self._wake = self._loop.call_later(deadline - now, self._go_on, Tick())

    def _send(self, frames: Iterable[Gratuitous]) -> None:
        """Send all that the fence lets through; what the kernel does not take, a later round repeats."""
        counters = self._around.counters
        for address, operation in frames:
            if not self._around.may_answer(address, self._around.clock()):
                counters.drops[DropReason.FENCED] += 1
                continue
            try:
                self._port.send(arp.gratuitous(address, my_mac=self.link.mac, operation=operation))
            except OSError as error:
                counters.failed(error)
            else:
                counters.gratuitous[address] += 1
