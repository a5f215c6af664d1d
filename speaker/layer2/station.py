"""One link at work: its sockets, who answers on it, and the schedule of what it is told unasked."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from math import inf
from typing import Final

from bareway.layer2.burst import FIRST_AT_ONCE, Announced, Burst, Gratuitous, Tick, Withdrawn
from bareway.layer2.responder import ETHERTYPES
from bareway.model.names import IPAddress
from speaker.layer2.answering import OpenResponder, PacketResponder
from speaker.layer2.groups import GroupPort
from speaker.layer2.links import Link
from speaker.layer2.sending import Sender, Surroundings
from speaker.layer2.sockets import PacketPort

TURN_S: Final = 0.005
"""Frames are sent for so long at a stretch: a thousand, each of which asks the link first, would keep the
loop for longer than members may be silent, and who takes them over for that reason would do the same."""


class Station:
    """Announces addresses on one link; closes the ports when it is closed."""

    def __init__(
        self,
        link: Link,
        ports: Mapping[int, PacketPort],
        groups: GroupPort,
        around: Surroundings,
        *,
        gratuitous_interval_s: float,
        open_responder: OpenResponder = PacketResponder,
    ) -> None:
        """``ports`` by ethertype."""
        self.link = link
        self._ports = ports
        self._around = around
        by_version = {version: ports[ethertype] for version, ethertype in ETHERTYPES.items()}
        self._sender = Sender(by_version, link, around)
        self._responder = open_responder(ports, groups, link=link, sender=self._sender, around=around)
        self._announced: dict[IPAddress, None] = {}
        self._burst = Burst(interval_s=gratuitous_interval_s, now=around.clock())
        self._due: deque[Gratuitous] = deque()
        """Frames that wait for our next turn."""
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.Handle | None = None

    @property
    def announced(self) -> Collection[IPAddress]:
        """What is announced here."""
        return self._announced.keys()

    def announce(self, addresses: Iterable[IPAddress]) -> None:
        """Hear requests for those that may be here and tell everybody, before anything else."""
        mine = [address for address in addresses if self._may_be_here(address)]
        # Those that may be told at once do not wait for what the others cost.
        for some in (mine[:FIRST_AT_ONCE], mine[FIRST_AT_ONCE:]):
            if some:
                self._responder.announce(some)
                self._announced.update(dict.fromkeys(some))
                self._go_on(Announced(tuple(some)))

    def withdraw(self, addresses: Iterable[IPAddress]) -> None:
        """Fall silent about these."""
        gone = [address for address in addresses if address in self._announced]
        if gone:
            self._responder.withdraw(gone)
            for address in gone:
                self._announced.pop(address, None)
            self._due = deque(frame for frame in self._due if frame.address in self._announced)
            self._go_on(Withdrawn(tuple(gone)))

    def follow(self, link: Link, announced: Collection[IPAddress]) -> None:
        """Take over the link's new MAC, name or families; a new MAC is told to everybody.

        ``announced`` is what the driver announces, here or elsewhere.
        """
        is_new_mac = link.mac != self.link.mac
        self.link = link
        self._responder.follow(link)
        self._sender.follow(link)
        if is_new_mac:  # of this one nothing was told yet: all repeats, not those of what is told anew
            self._go_on(Withdrawn(tuple(self._announced)))
        self.settle(announced, anew=is_new_mac)

    def settle(self, announced: Collection[IPAddress], *, anew: bool = False) -> None:
        """Announce those of ``announced`` that may be here, and nothing else; all of them if ``anew``."""
        self.withdraw([address for address in self._announced if not self._may_be_here(address)])
        self.announce([address for address in announced if anew or address not in self._announced])

    def repeat_every(self, interval_s: float) -> None:
        """The user wants another distance of the lasting repeats."""
        self._burst.repeat_every(interval_s, now=self._around.clock())
        self._go_on(Tick())

    def close(self) -> None:
        """Leave the link."""
        if self._wake is not None:
            self._wake.cancel()
        self._sender.close()
        self._responder.close()
        for port in self._ports.values():
            port.close()

    def _may_be_here(self, address: IPAddress) -> bool:
        return self.link.speaks(address) and self._around.allows(address, self.link.name)

    def _go_on(self, event: Announced | Withdrawn | Tick) -> None:
        """Send what is due and see to it that the schedule is asked again in time."""
        now = self._around.clock()
        if not (self._due and isinstance(event, Tick)):
            self._due.extend(self._burst.handle(event, now=now))
        self._send(until=now + TURN_S)
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        deadline = self._burst.deadline
        if self._due:
            self._wake = self._loop.call_soon(self._go_on, Tick())
        elif deadline != inf:
            self._wake = self._loop.call_later(deadline - now, self._go_on, Tick())

    def _send(self, *, until: float) -> None:
        """Send all that the fence lets through; what the kernel does not take, a later round repeats."""
        while self._due:
            address, form = self._due.popleft()
            self._sender.send(address, form)
            if self._around.clock() >= until:
                return
