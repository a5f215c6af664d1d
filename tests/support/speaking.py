"""Speakers as far as gossip goes: real machines and drivers on loopback, without Kubernetes and the wire."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random

from bareway.gossip.events import OwnFacts, PeersKnown
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.sealing import Keyring
from bareway.model.names import IPAddress, NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.driver import GossipDriver
from bareway.runtime.gossip.report import Listening
from support.gossip import KEYRING, running, until
from support.wishes import wanted as wanting


class Voice:
    """A speaker's part in gossip."""

    def __init__(self, machine: GossipMachine, driver: GossipDriver, where: Where) -> None:
        self.machine = machine
        self.driver = driver
        self.where = where

    def learn(
        self,
        where: Mapping[NodeName, Where],
        wanted: Mapping[IPAddress, frozenset[NodeName] | None],
        *,
        leaving: bool = False,
    ) -> None:
        """What the caches of a speaker tell it."""
        self.driver.locate(where)
        self.driver.tell(PeersKnown(peers=frozenset(where)))
        self.driver.tell(wanting(wanted))
        self.driver.tell(OwnFacts(ready=True, able=True, leaving=leaving))


@asynccontextmanager
async def speaking(
    name: NodeName, *, host: str, port: int = 0, keyring: Keyring = KEYRING, epoch: int = 1
) -> AsyncIterator[Voice]:
    """One that runs until the block ends."""
    profile = PROFILES[ProfileName.FAST]
    machine = GossipMachine(me=name, epoch=epoch, profile=profile, rng=Random(name), now=monotonic())
    async with running(name, machine, keyring=keyring, host=host, port=port) as (driver, _, notices):
        await until(lambda: any(isinstance(notice, Listening) for notice in notices))
        (port,) = (notice.port for notice in notices if isinstance(notice, Listening))
        yield Voice(machine, driver, Where(host, port))
