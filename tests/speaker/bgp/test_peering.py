"""What a peering makes of addresses of this node that come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_interface
from itertools import count
from random import Random

from bareway.bgp.events import Start, Stop, StopReason, Want
from bareway.model.names import IPAddress
from speaker.bgp.peering import Peering
from speaker.layer2.netlink import AddressMessage
from support.bgp import NODE6, hosts, hosts6, routes
from support.bgp_wires import NODE, Router, router, towards
from support.until import until

(HOST,), (HOST6,) = hosts(1), hosts6(1)
BOTH = routes(str(HOST), str(HOST6))


def on_link(*addresses: IPAddress) -> list[AddressMessage]:
    """All on one interface."""
    return [AddressMessage(index=7, address=ip_interface(f"{one}/24")) for one in addresses]


class Rig:
    """A peering, and what it finds when it asks for the addresses of this node."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.known = on_link(NODE, NODE6)
        self.peering = Peering(
            towards(),
            rng=Random("a peering"),
            numbers=count(1),
            spawn=group.create_task,
            on_output=lambda *_: None,
            on_quiet=lambda: None,
            addresses=lambda: self.known,
        )

    def find(self, *addresses: IPAddress) -> None:
        """These are the addresses now."""
        self.known = on_link(*addresses)
        self.peering.readdress()


@asynccontextmanager
async def up(tor: Router) -> AsyncIterator[Rig]:
    """A session that told a route of both families, over a connection of IPv4."""
    async with asyncio.TaskGroup() as group:
        rig = Rig(group)
        rig.peering.handle(Want(routes=BOTH))
        rig.peering.handle(Start())
        await tor.has(HOST, HOST6)
        try:
            yield rig
        finally:
            rig.peering.handle(Stop(reason=StopReason.SHUTDOWN))
            await until(lambda: rig.peering.is_quiet)


async def test_an_end_that_is_on_no_interface_changes_nothing_that_was_told() -> None:
    async with router() as tor, up(tor) as rig:
        rig.find(NODE6)  # our end is on its way back, or the connection is about to end
        rig.find()
        rig.find(NODE, NODE6)
        rig.peering.handle(Want(routes=routes(str(HOST6))))
        await tor.has(HOST6)
        assert len(tor.last.updates) == 3  # each family's route, and HOST that is taken back


async def test_a_next_hop_that_leaves_the_interface_of_our_end_takes_its_routes_along() -> None:
    async with router() as tor, up(tor) as rig:
        rig.find(NODE)
        await tor.has(HOST)
        rig.find(NODE, NODE6)
        await tor.has(HOST, HOST6)


async def test_a_next_hop_that_comes_beside_the_one_that_was_told_changes_nothing() -> None:
    lower = NODE6 - 1
    async with router() as tor, up(tor) as rig:
        rig.find(NODE, lower, NODE6)
        rig.peering.handle(Want(routes=routes(str(HOST6))))
        await tor.has(HOST6)
        assert len(tor.last.updates) == 3  # as if nothing had come
        rig.find(NODE, lower)
        await until(lambda: len(tor.last.updates) == 4)
        assert lower.packed in tor.routes[HOST6].next_hop
