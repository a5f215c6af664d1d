"""An observer at real members on loopback: it dials, is let in by its role, and disturbs nobody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from random import Random

import pytest

from bareway.gossip.events import Dial, Opened, OwnFacts, PeersKnown, Tick
from bareway.gossip.listeners import LISTENERS_MAX
from bareway.gossip.machine import GossipMachine
from bareway.gossip.observer import Observer, Picture
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.roles import observer_name
from bareway.gossip.sealing import Keyring, Refusal
from bareway.model.names import NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.gossip.dialler import Where
from bareway.runtime.gossip.driver import GossipDriver
from bareway.runtime.gossip.report import Listening
from support.gossip import KEYRING, LOOPBACK, ScriptedMachine, running, station, until
from support.wishes import wanted as wanting

pytestmark = pytest.mark.slow

FAST = PROFILES[ProfileName.FAST]
ALICE, BOB = NodeName("alice"), NodeName("bob")


class Observing:
    """An observer and its driver."""

    def __init__(self, observer: Observer, driver: GossipDriver) -> None:
        self.observer = observer
        self.driver = driver

    def learn(self, where: dict[NodeName, Where]) -> None:
        self.driver.locate(where)
        self.driver.tell(PeersKnown(peers=frozenset(where)))

    @property
    def picture(self) -> Picture | None:
        return self.observer.picture(now=monotonic())

    @property
    def living(self) -> set[str]:
        seen = self.picture
        return {name for name, one in seen.members.items() if one.alive} if seen else set()


@asynccontextmanager
async def observing(pod: str = "pod", keyring: Keyring = KEYRING) -> AsyncIterator[Observing]:
    name = observer_name(pod)
    observer = Observer(me=name, profile=PROFILES[ProfileName.DEFAULT], rng=Random(pod), now=monotonic())
    async with running(name, observer, keyring=keyring, port=None) as (driver, _, notices):
        yield Observing(observer, driver)
        assert not any(isinstance(notice, Listening) for notice in notices)


@asynccontextmanager
async def member(name: NodeName) -> AsyncIterator[tuple[GossipMachine, GossipDriver, Where]]:
    machine = GossipMachine(me=name, epoch=1, profile=FAST, rng=Random(name), now=monotonic())
    async with running(name, machine) as (driver, _, notices):
        await until(lambda: any(isinstance(notice, Listening) for notice in notices))
        (port,) = (notice.port for notice in notices if isinstance(notice, Listening))
        yield machine, driver, Where(LOOPBACK, port)


async def test_an_observer_learns_members_and_claims_and_is_no_member() -> None:
    address = ip_address("192.0.2.1")
    async with observing() as seer:
        async with member(ALICE) as (first, at_first, here), member(BOB) as (second, at_second, there):
            where = {ALICE: here, BOB: there}
            for driver in (at_first, at_second):
                driver.locate(where)
                driver.tell(PeersKnown(peers=frozenset(where)))
                driver.tell(wanting({address: None}))
                driver.tell(OwnFacts(ready=True, able=True))
            seer.learn(where)
            await until(lambda: seer.picture is not None and address in seer.picture.claims)
            await until(lambda: seer.living == {ALICE, BOB})
            for machine in (first, second):
                await until(lambda machine=machine: machine.own.facts.started)  # type: ignore[misc]  # mypy cannot type a default of a lambda
                assert {one.name for one in machine.members()} == {ALICE, BOB}
            holder = first if first.answering else second
            seen = seer.picture
            assert seen is not None
            await until(
                lambda: (
                    seer.picture is not None
                    and seer.picture.claims == {claim.address: claim for claim in holder.claims()}
                )
            )
            seer.observer.knows_lists(7)
            await until(lambda: second._election.table.generation == 7)  # no part of the surface shows it
        await until(lambda: seer.picture is None)


async def test_an_observer_with_another_key_is_turned_away() -> None:
    async with station("alice") as alice, observing(keyring=Keyring([b"a foreign key"])) as stranger:
        stranger.learn({ALICE: alice.where})
        await until(lambda: alice.dropped(Refusal.UNKNOWN_KEY) > 0)
        assert not alice.has_opened(observer_name("pod"))


async def test_a_name_that_is_neither_a_nodes_nor_an_observers_is_turned_away_still() -> None:
    machine = ScriptedMachine()
    async with station("alice") as alice, running("pod", machine, port=None) as (driver, _, _):
        driver.locate({ALICE: alice.where})
        driver.tell(PeersKnown(peers=frozenset()))
        machine.next(Dial(peer=ALICE))
        driver.tell(Tick())
        await until(lambda: alice.dropped(Refusal.UNKNOWN_NAME) > 0)


async def test_one_that_is_dialled_cannot_pass_for_an_observer() -> None:
    async with station("controller/x") as pretender, station("alice") as alice:
        alice.driver.locate({BOB: pretender.where})
        alice.act(Dial(peer=BOB))
        await until(lambda: alice.dropped(Refusal.UNKNOWN_NAME) > 0)
        assert Opened(peer=pretender.name) not in alice.machine.events


async def test_beyond_a_few_observers_the_next_is_hung_up() -> None:
    async with member(ALICE) as (machine, driver, where), AsyncExitStack() as stack:
        driver.tell(OwnFacts(ready=True, able=True))
        for number in range(LISTENERS_MAX):
            seer = await stack.enter_async_context(observing(f"pod-{number}"))
            seer.learn({ALICE: where})
            await until(lambda seer=seer: seer.living == {ALICE})  # type: ignore[misc]  # mypy cannot type a default of a lambda
        late = await stack.enter_async_context(observing("late"))
        late.learn({ALICE: where})
        await until(lambda: late.driver.counters.frames_sent > 0 and late.observer.edges == ())
        assert late.picture is None
        await until(lambda: driver.counters.sessions == LISTENERS_MAX)
        assert [one.name for one in machine.members()] == [ALICE]
