"""Puts layer 2 to work on all usable links, and keeps to it while links come, go and change.

An address is announced on every usable link that is allowed for it (a pool's ``interfaces``) and speaks its
family; a reply leaves through the link that asked. What is to be announced outlives links: one that appears
or returns is told everything anew. Every frame, answer or unasked, passes the fence.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Final, TypeAlias

from bareway.layer2.burst import INTERVAL_S
from bareway.layer2.responder import DECODE, Sighting
from bareway.layer2.sightings import Gate
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from bareway.model.status import OnLinkStatus
from bareway.runtime.clock import monotonic
from speaker.layer2.answering import OpenResponder, PacketResponder
from speaker.layer2.counters import Counters
from speaker.layer2.groups import GroupPort, GroupSocket
from speaker.layer2.inquiring import Inquirer
from speaker.layer2.link_watch import LinkWatch
from speaker.layer2.links import EXCLUDED, Link, LinkRefusal, Links
from speaker.layer2.sending import Fence, Surroundings
from speaker.layer2.sockets import MissingCapability, PacketPort, PacketSocket, RoutePort, RouteSocket
from speaker.layer2.station import Station

logger = logging.getLogger(__name__)

REOPEN_AFTER_S: Final = 1.0
"""Until a link whose socket could not be opened is tried again, unless netlink has news before."""


OpenPacket: TypeAlias = Callable[[Link, int], PacketPort]
"""Opens a link for frames of an ethertype."""


def everywhere(address: IPAddress, link: InterfaceName) -> bool:  # noqa: ARG001 - whatever they are
    """Any address may be announced on any link."""
    return True


class Layer2Driver:
    """Announces addresses on all usable links; ``run`` it in a TaskGroup."""

    def __init__(
        self,
        *,
        may_answer: Fence,
        on_links: Callable[[], None],
        on_sighting: Callable[[IPAddress, MacAddress, bool], None] | None = None,
        allows: Callable[[IPAddress, InterfaceName], bool] = everywhere,
        gratuitous_interval_s: float = INTERVAL_S,
        excluded: re.Pattern[str] = EXCLUDED,
        clock: Callable[[], float] = monotonic,
        open_packet: OpenPacket = PacketSocket,
        open_groups: Callable[[Link], GroupPort] = GroupSocket,
        open_responder: OpenResponder = PacketResponder,
        open_route: Callable[[], RoutePort] = RouteSocket,
    ) -> None:
        """Nothing is opened yet.

        Args:
            may_answer: asked before every frame: may this address be answered for at this time?
            on_links: called after ``links`` changed.
            on_sighting: called with (address, mac, is_solicited) when another station calls an announced
                address its own; of many alike in a moment, once.
            allows: whether the address may be announced on the link of this name; see ``reconsider``.
            gratuitous_interval_s: distance of the lasting repeats.
            excluded: names of interfaces that are left alone.
            clock: monotonic seconds.
            open_packet: opens a link; tests pass a fake.
            open_groups: opens what joins IPv6 groups on a link; tests pass a fake.
            open_responder: begins to answer on a link.
            open_route: opens the kernel's news about links; tests pass a fake.
        """
        self._inquirer = Inquirer(lambda: self._around)
        self._around = Surroundings(
            may_answer=may_answer,
            ask=self._inquirer.ask,
            allows=allows,
            sighted=self._sighted,
            clock=clock,
        )
        self._gratuitous_interval_s = gratuitous_interval_s
        self._on_links = on_links
        self._on_sighting = on_sighting
        self._gate = Gate(now=clock())
        self._open_packet = open_packet
        self._open_groups = open_groups
        self._open_responder = open_responder
        self._watch = LinkWatch(on_change=self._follow, excluded=excluded, open_route=open_route)
        self._announced: dict[IPAddress, None] = {}
        self._stations: dict[int, Station] = {}
        self._reopening: asyncio.TimerHandle | None = None

    @property
    def counters(self) -> Counters:
        """What happened since the start."""
        return self._around.counters

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that addresses are announced on now."""
        return tuple(station.link for station in self._stations.values())

    @property
    def refused(self) -> Mapping[InterfaceName, LinkRefusal]:
        """The other interfaces, and why not on them."""
        return self._watch.links.refused

    @property
    def announced(self) -> tuple[IPAddress, ...]:
        """What is announced now, in the order in which it came."""
        return tuple(self._announced)

    def on_link(self, address: IPAddress, *, now: float) -> OnLinkStatus:
        """Where an address is answered for, and how long ago frames told of it."""
        lately = self._around.lately
        told, answered = lately.told.get(address), lately.answered.get(address)
        return OnLinkStatus(
            links=tuple(one.link.name for one in self._stations.values() if address in one.announced),
            last_unsolicited_s=None if told is None else max(0.0, now - told),
            last_answer_s=None if answered is None else max(0.0, now - answered),
        )

    def announce(self, addresses: Iterable[IPAddress]) -> None:
        """Announce these from now on, or anew.

        Before this returns, requests for all of them are heard and the first frames are on the wire: those
        of up to 200 addresses, the others at the schedule's pace.
        """
        wanted = tuple(addresses)
        for station in self._stations.values():
            station.announce(wanted)
        self._announced.update(dict.fromkeys(wanted))

    def withdraw(self, addresses: Iterable[IPAddress]) -> None:
        """Neither answer for these nor mention them from this call on."""
        gone = tuple(addresses)
        for station in self._stations.values():
            station.withdraw(gone)
        for address in gone:
            self._announced.pop(address, None)
        self._around.lately.forget(gone)

    def reconsider(self) -> None:
        """``allows`` may say something else now: begin and end what follows from that."""
        for station in self._stations.values():
            station.settle(self._announced.keys())

    def repeat_every(self, interval_s: float) -> None:
        """Another distance of the lasting repeats; infinity for none."""
        self._gratuitous_interval_s = interval_s
        for station in self._stations.values():
            station.repeat_every(interval_s)

    async def ask(self, address: IPAddress, probes: int = 1) -> frozenset[MacAddress]:
        """Who has ``address``, our own links left out: known 30 ms after the last probe.

        Asked on every link that the address may be announced on; nobody answers where there is none.
        """
        answer: asyncio.Future[frozenset[MacAddress]] = asyncio.get_running_loop().create_future()

        def tell(macs: frozenset[MacAddress]) -> None:
            if not answer.done():  # whoever asked may be gone
                answer.set_result(macs)

        self._inquirer.ask(address, probes, tell)
        return await answer

    async def run(self) -> None:
        """Follow the links until cancelled, then fall silent.

        Raises:
            MissingCapability: if this process may not open raw sockets.
        """
        try:
            await self._watch.run()
        finally:
            self._wait_no_more()
            self._inquirer.close()
            for station in self._stations.values():
                station.close()
            self._stations.clear()

    def _sighted(self, sighting: Sighting) -> None:
        self.counters.conflicts[sighting.address] += 1
        if self._on_sighting is not None and self._gate.admits(sighting, now=self._around.clock()):
            self._on_sighting(*sighting)

    def _follow(self, links: Links) -> None:
        """Make the stations those of ``links``."""
        before = self.links
        self._around.own_macs.clear()
        self._around.own_macs.update(link.mac for link in links.usable.values())
        for index in self._stations.keys() - links.usable.keys():
            station = self._stations.pop(index)
            station.close()
            self._inquirer.remove(index)
            logger.info("layer 2 link lost", extra={"link": station.link.name})
        for index, link in links.usable.items():
            if index not in self._stations:
                self._open(link)
            elif link != self._stations[index].link:
                self._inquirer.follow(link)
                self._stations[index].follow(link, self._announced.keys())
                logger.info("layer 2 link changed", extra={"link": link.name, "mac": str(link.mac)})
        self._reopen_later(links)
        if self.links != before:
            self._on_links()

    def _open(self, link: Link) -> None:
        with ExitStack() as opened:
            try:
                ours, asking = self._ports(link, opened), self._ports(link, opened)
            except MissingCapability:
                raise
            except OSError as error:
                self.counters.failed(error)
                logger.warning("layer 2 link refused", extra={"link": link.name, "error": str(error)})
                return
            opened.pop_all()  # theirs to close from here on
        self._inquirer.add(link, asking)
        self._stations[link.index] = station = Station(
            link,
            ours,
            self._open_groups(link),
            self._around,
            gratuitous_interval_s=self._gratuitous_interval_s,
            open_responder=self._open_responder,
        )
        station.announce(self._announced.keys())
        logger.info("layer 2 link opened", extra={"link": link.name, "mac": str(link.mac)})

    def _ports(self, link: Link, opened: ExitStack) -> dict[int, PacketPort]:
        """One for each ethertype."""
        ports: dict[int, PacketPort] = {}
        for ethertype in DECODE:
            ports[ethertype] = port = self._open_packet(link, ethertype)
            opened.callback(port.close)
        return ports

    def _reopen_later(self, links: Links) -> None:
        self._wait_no_more()
        if self._stations.keys() != links.usable.keys():
            loop = asyncio.get_running_loop()
            self._reopening = loop.call_later(REOPEN_AFTER_S, self._follow, links)

    def _wait_no_more(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
