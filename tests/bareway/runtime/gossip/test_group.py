"""The driver with the real machine: whole members on loopback, in real time, on the fast profile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from random import Random

import pytest

from bareway.gossip.events import Leave, OwnFacts, PeersKnown
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.sealing import Keyring, Refusal
from bareway.model.names import IPAddress, NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.driver import GossipDriver, ToProgram
from bareway.runtime.gossip.report import Listening, Notice
from support.gossip import KEYRING, LOOPBACK, running, until
from support.wishes import wanted as wanting

NAMES = (NodeName("node1"), NodeName("node2"), NodeName("node3"))
ADDRESSES: tuple[IPAddress, ...] = tuple(ip_address(f"192.0.2.{number}") for number in range(1, 31))

pytestmark = pytest.mark.slow


class Member:
    """A speaker without Kubernetes and without a network card."""

    def __init__(
        self, machine: GossipMachine, driver: GossipDriver, outputs: list[ToProgram], notices: list[Notice]
    ) -> None:
        self.machine = machine
        self.driver = driver
        self.outputs = outputs
        self.notices = notices

    @property
    def where(self) -> Where:
        (port,) = (notice.port for notice in self.notices if isinstance(notice, Listening))
        return Where(LOOPBACK, port)

    @property
    def living(self) -> set[NodeName]:
        """The others that it holds alive."""
        return {member.name for member in self.machine.members() if member.lives} - {self.machine.own.name}

    @property
    def answers(self) -> frozenset[IPAddress]:
        return self.machine.answering

    def learn(self, where: dict[NodeName, Where]) -> None:
        """What the caches of a speaker would tell it."""
        self.driver.locate(where)
        self.driver.tell(PeersKnown(peers=frozenset(where)))
        self.driver.tell(wanting(dict.fromkeys(ADDRESSES)))
        self.driver.tell(OwnFacts(ready=True, able=True))


class Group:
    """Members that come and go; each keeps its port."""

    def __init__(self) -> None:
        self.members: dict[NodeName, Member] = {}
        self.where: dict[NodeName, Where] = {}
        self._stacks: dict[NodeName, AsyncExitStack] = {}
        self._epoch = 0

    async def start(self, name: NodeName, keyring: Keyring = KEYRING) -> Member:
        self._epoch += 1
        machine = GossipMachine(
            me=name,
            epoch=self._epoch,
            profile=PROFILES[ProfileName.FAST],
            rng=Random(name),
            now=monotonic(),
        )
        stack = self._stacks[name] = AsyncExitStack()
        port = self.where[name].port if name in self.where else 0
        member = Member(
            machine, *await stack.enter_async_context(running(name, machine, keyring=keyring, port=port))
        )
        await until(lambda: any(isinstance(notice, Listening) for notice in member.notices))
        self.members[name] = member
        self.where[name] = member.where
        return member

    async def stop(self, name: NodeName) -> None:
        """As ``kill -9`` does: no goodbye, but FINs, and the port is closed."""
        del self.members[name]
        await self._stacks.pop(name).aclose()

    def introduce(self) -> None:
        for member in self.members.values():
            member.learn(self.where)

    @property
    def answers(self) -> list[IPAddress]:
        return sorted(address for member in self.members.values() for address in member.answers)

    @property
    def agrees(self) -> bool:
        """All know the same claims, and each address is answered for by exactly one."""
        claims = {member.machine.claims() for member in self.members.values()}
        return len(claims) == 1 and self.answers == sorted(ADDRESSES)

    async def close(self) -> None:
        for stack in self._stacks.values():
            await stack.aclose()


@asynccontextmanager
async def group(*names: NodeName) -> AsyncIterator[Group]:
    made = Group()
    try:
        for name in names:
            await made.start(name)
        made.introduce()
        yield made
    finally:
        await made.close()


async def test_three_members_meet_and_share_the_addresses_each_answered_by_one() -> None:
    async with group(*NAMES) as three:
        await until(lambda: three.agrees)
        assert all(len(member.living) == 2 for member in three.members.values())
        assert all(member.driver.counters.sessions == 2 for member in three.members.values())
        assert sum(member.driver.counters.dropped.total() for member in three.members.values()) == 0


async def test_the_addresses_of_a_killed_member_are_taken_by_others_and_stay_there_when_it_returns() -> None:
    async with group(*NAMES) as three:
        await until(lambda: three.agrees)
        lost = three.members[NAMES[1]].answers
        await three.stop(NAMES[1])
        await until(lambda: three.agrees)
        assert lost
        moved = {name: member.answers for name, member in three.members.items()}
        again = await three.start(NAMES[1])
        again.learn(three.where)
        await until(lambda: again.machine.own.facts.started and three.agrees)
        assert {name: member.answers for name, member in three.members.items()} == {
            **moved,
            NAMES[1]: frozenset(),
        }


async def test_a_member_that_says_goodbye_is_replaced_at_once() -> None:
    async with group(*NAMES) as three:
        await until(lambda: three.agrees)
        leaver = three.members[NAMES[0]]
        leaver.driver.tell(Leave())
        await asyncio.wait_for(leaver.driver.flush(), 1)
        await three.stop(NAMES[0])
        await until(lambda: three.agrees)


async def test_a_member_with_a_foreign_key_stays_alone_and_disturbs_nobody() -> None:
    async with group(*NAMES[:2]) as two:
        await until(lambda: two.agrees)
        stranger = await two.start(NAMES[2], Keyring([b"a foreign key"]))
        del two.members[NAMES[2]]
        for member in (*two.members.values(), stranger):
            member.learn(two.where)
        await until(lambda: stranger.driver.counters.dropped[Refusal.UNKNOWN_KEY] > 3)
        assert two.agrees
        assert stranger.living == set()
