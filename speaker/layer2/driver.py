"""Puts layer 2 to work on all usable links, and keeps to it while links come, go and change.

An address is announced on every usable link; a reply leaves through the link that asked. What is to be
announced outlives links: one that appears or returns is told everything anew. Every frame, answer or
unasked, passes the fence. IPv6 addresses are counted and left alone until NDP comes.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address
from typing import Final

from bareway.layer2.burst import INTERVAL_S
from bareway.layer2.responder import Conflict
from bareway.model.names import InterfaceName, IPAddress
from bareway.runtime.clock import monotonic
from speaker.layer2.answering import Fence
from speaker.layer2.counters import Counters, NotAnnounced
from speaker.layer2.link_watch import LinkWatch
from speaker.layer2.links import EXCLUDED, Link, LinkRefusal, Links
from speaker.layer2.sockets import MissingCapability, PacketPort, PacketSocket, RoutePort, RouteSocket
from speaker.layer2.station import Station, Surroundings

logger = logging.getLogger(__name__)

REOPEN_AFTER_S: Final = 1.0
"""Until a link whose socket could not be opened is tried again, unless netlink has news before."""


class Layer2Driver:
    """Announces addresses on all usable links; ``run`` it in a TaskGroup."""

    def __init__(
        self,
        *,
        may_answer: Fence,
        on_links: Callable[[], None],
        on_conflict: Callable[[Conflict, Link], None],
        gratuitous_interval_s: float = INTERVAL_S,
        excluded: re.Pattern[str] = EXCLUDED,
        clock: Callable[[], float] = monotonic,
        open_packet: Callable[[Link], PacketPort] = PacketSocket,
        open_route: Callable[[], RoutePort] = RouteSocket,
    ) -> None:
        """Nothing is opened yet.

        Args:
            may_answer: asked before every frame: may this address be answered for at this time?
            on_links: called after ``links`` changed.
            on_conflict: called for each frame in which a stranger calls an announced address its own.
            gratuitous_interval_s: distance of the lasting repeats.
            excluded: names of interfaces that are left alone.
            clock: monotonic seconds.
            open_packet: opens a link; tests pass a fake.
            open_route: opens the kernel's news about links; tests pass a fake.
        """
        self._around = Surroundings(
            may_answer=may_answer,
            on_conflict=on_conflict,
            gratuitous_interval_s=gratuitous_interval_s,
            clock=clock,
        )
        self._on_links = on_links
        self._open_packet = open_packet
        self._watch = LinkWatch(on_change=self._follow, excluded=excluded, open_route=open_route)
        self._announced: dict[IPv4Address, None] = {}
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
    def announced(self) -> tuple[IPv4Address, ...]:
        """What is announced now, in the order in which it came."""
        return tuple(self._announced)

    def announce(self, addresses: Iterable[IPAddress]) -> None:
        """Announce these from now on, or anew.

        Before this returns, requests for all of them are heard and the first frames are on the wire: those
        of up to 200 addresses, the others at the schedule's pace.
        """
        given = tuple(addresses)
        wanted = _ipv4(given)
        for station in self._stations.values():
            station.announce(wanted)
        self._announced.update(dict.fromkeys(wanted))
        self.counters.ignored[NotAnnounced.IPV6_NOT_YET] += len(given) - len(wanted)

    def withdraw(self, addresses: Iterable[IPAddress]) -> None:
        """Neither answer for these nor mention them from this call on."""
        gone = _ipv4(addresses)
        for station in self._stations.values():
            station.withdraw(gone)
        for address in gone:
            self._announced.pop(address, None)

    async def run(self) -> None:
        """Follow the links until cancelled, then fall silent.

        Raises:
            MissingCapability: if this process may not open raw sockets.
        """
        try:
            await self._watch.run()
        finally:
            self._wait_no_more()
            for station in self._stations.values():
                station.close()
            self._stations.clear()

    def _follow(self, links: Links) -> None:
        """Make the stations those of ``links``."""
        before = self.links
        self._around.own_macs.clear()
        self._around.own_macs.update(link.mac for link in links.usable.values())
        for index in self._stations.keys() - links.usable.keys():
            station = self._stations.pop(index)
            station.close()
            logger.info("layer 2 link lost", extra={"link": station.link.name})
        for index, link in links.usable.items():
            if index not in self._stations:
                self._open(link)
            elif link != self._stations[index].link:
                self._stations[index].follow(link, self.announced)
                logger.info("layer 2 link changed", extra={"link": link.name, "mac": str(link.mac)})
        self._reopen_later(links)
        if self.links != before:
            self._on_links()

    def _open(self, link: Link) -> None:
        try:
            port = self._open_packet(link)
        except MissingCapability:
            raise
        except OSError as error:
            self.counters.failed(error)
            logger.warning("layer 2 link refused", extra={"link": link.name, "error": str(error)})
            return
        self._stations[link.index] = station = Station(link, port, self._around)
        station.announce(self.announced)
        logger.info("layer 2 link opened", extra={"link": link.name, "mac": str(link.mac)})

    def _reopen_later(self, links: Links) -> None:
        self._wait_no_more()
        if self._stations.keys() != links.usable.keys():
            loop = asyncio.get_running_loop()
            self._reopening = loop.call_later(REOPEN_AFTER_S, self._follow, links)

    def _wait_no_more(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None


def _ipv4(addresses: Iterable[IPAddress]) -> tuple[IPv4Address, ...]:
    return tuple(address for address in addresses if isinstance(address, IPv4Address))
