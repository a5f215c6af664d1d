"""A layer 2 driver at work on a fake wire."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from bareway.gossip.events import Permission
from bareway.layer2.ethernet import ETHERTYPE_IPV6
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress
from speaker.layer2.answering import PacketResponder
from speaker.layer2.driver import Layer2Driver
from support.layer2 import FakePort, FakeRoute, FakeWire, address, interface
from support.until import until


class Speaker:
    """A driver with all that it touches; its clock is the loop's."""

    def __init__(self) -> None:
        self.wire = FakeWire()
        self.route = FakeRoute(interface(), address(), address("fe80::1/64"))
        self.fenced: set[IPAddress] = set()
        self.isolated: set[IPAddress] = set()
        self.barred: set[tuple[IPAddress, str]] = set()
        """Addresses that may not be announced on the link of this name."""
        self.asked_at: list[float] = []
        self.frame_takes_s = 0.0
        """On a machine that is busy."""
        self._spent_s = 0.0
        self.sighted: list[tuple[IPAddress, MacAddress, bool]] = []
        self.told_of_links: list[tuple[str, ...]] = []
        self.driver = Layer2Driver(
            may_answer=self._may_answer,
            on_links=lambda: self.told_of_links.append(tuple(link.name for link in self.driver.links)),
            on_sighting=lambda *sighting: self.sighted.append(sighting),
            allows=self._allows,
            clock=lambda: asyncio.get_running_loop().time() + self._spent_s,
            open_packet=self.wire.open,
            open_groups=self.wire.open_groups,
            open_route=lambda: self.route,
        )

    @property
    def eth0(self) -> FakePort:
        return self.wire["eth0"]

    @property
    def eth0_ipv6(self) -> FakePort:
        return self.wire.port("eth0", ETHERTYPE_IPV6)

    async def narrowed(self) -> None:
        """The filter is exact again."""
        responder = self.driver._stations[2]._responder
        assert isinstance(responder, PacketResponder)
        await until(lambda: responder.is_exact)

    def _may_answer(self, address: IPAddress, now: float) -> Permission:
        self.asked_at.append(now)
        self._spent_s += self.frame_takes_s
        if address in self.fenced:
            return Permission.NO
        return Permission.ASK_FIRST if address in self.isolated else Permission.YES

    def _allows(self, address: IPAddress, link: InterfaceName) -> bool:
        return (address, link) not in self.barred


@asynccontextmanager
async def running(driver: Layer2Driver) -> AsyncIterator[None]:
    """The driver runs and has opened a link; it ends with the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run())
        try:
            await until(lambda: driver.links)
            yield
        finally:
            task.cancel()


@asynccontextmanager
async def driver_with(announced: Iterable[IPAddress] = ()) -> AsyncIterator[Speaker]:
    """It runs and has opened eth0; these were announced before."""
    speaker = Speaker()
    speaker.driver.announce(announced)
    async with running(speaker.driver):
        yield speaker
    assert all(port.is_closed for port in speaker.wire.opened)
    assert all(groups.is_closed for groups in speaker.wire.groups)
    assert speaker.route.is_closed
