"""A layer 2 driver at work on a fake wire."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from bareway.layer2.responder import Conflict
from bareway.model.names import IPAddress
from speaker.layer2.answering import PacketResponder
from speaker.layer2.driver import Layer2Driver
from speaker.layer2.links import Link
from support.layer2 import FakePort, FakeRoute, FakeWire, address, interface
from support.until import until


class Speaker:
    """A driver with all that it touches; its clock is the loop's."""

    def __init__(self) -> None:
        self.wire = FakeWire()
        self.route = FakeRoute(interface(), address())
        self.fenced: set[IPAddress] = set()
        self.asked_at: list[float] = []
        self.conflicts: list[tuple[Conflict, str]] = []
        self.told_of_links: list[tuple[str, ...]] = []
        self.driver = Layer2Driver(
            may_answer=self._may_answer,
            on_links=lambda: self.told_of_links.append(tuple(link.name for link in self.driver.links)),
            on_conflict=self._on_conflict,
            clock=lambda: asyncio.get_running_loop().time(),
            open_packet=self.wire.open,
            open_route=lambda: self.route,
        )

    @property
    def eth0(self) -> FakePort:
        return self.wire["eth0"]

    async def narrowed(self) -> None:
        """The filter is exact again."""
        responder = self.driver._stations[2]._responder
        assert isinstance(responder, PacketResponder)
        await until(lambda: not responder._wide)

    def _may_answer(self, address: IPAddress, now: float) -> bool:
        self.asked_at.append(now)
        return address not in self.fenced

    def _on_conflict(self, conflict: Conflict, link: Link) -> None:
        self.conflicts.append((conflict, link.name))


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
    assert speaker.route.is_closed
