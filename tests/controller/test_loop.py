"""When the loop looks again, in virtual time."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random

import pytest

from bareway.model.names import ObjectKey
from bareway.model.objects import Secret
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.assumptions import Memory
from controller.loop import AT_ONCE, FAILED_PAUSE_S, PAUSE_S, RESYNC_S, RETRY_CAP_S, Loop
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.apply import Outcome
from controller.writing.effects import CreateKey, Effect

SETTINGS = Settings(socket=None)
QUIET = Outcome()
FAILED = Outcome(done=1, failed=1, outdated=1)


class Doer:
    """Does nothing, says what it is told to say, and remembers when."""

    def __init__(self) -> None:
        self.says = QUIET
        self.then = QUIET
        self.at: list[float] = []
        self.effects: list[tuple[Effect, ...]] = []

    async def apply(self, effects: Iterable[Effect]) -> Outcome:
        self.at.append(asyncio.get_running_loop().time())
        self.effects.append(tuple(effects))
        said, self.says = self.says, self.then
        return said

    def pauses(self) -> list[float]:
        return [round(later - earlier, 6) for earlier, later in zip(self.at, self.at[1:], strict=False)]


class Turns:
    """Whose turn it is; ours, unless a test says otherwise."""

    def __init__(self) -> None:
        self.term = 1
        self.ours = asyncio.Event()
        self.ours.set()

    def enter(self) -> bool:
        return self.ours.is_set()

    async def wait(self) -> None:
        await self.ours.wait()


class Rig:
    """A loop with mirrors that do not run."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.memory = Memory()
        self.turns = Turns()
        client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
        self.watch = Watch(client, SETTINGS, rng=Random("loop"), on_change=self.changed.set)
        self.doer = Doer()
        self.loop = Loop(
            SETTINGS,
            watch=self.watch,
            applier=self.doer,
            memory=self.memory,
            turn=self.turns,
            changed=self.changed,
            unix_time=lambda: 0,
            rng=Random("loop"),
        )

    def sync(self) -> None:
        for mirror in self.watch.mirrors:
            mirror._synced.set()
        self.changed.set()


@asynccontextmanager
async def running(*, synced: bool = True) -> AsyncIterator[Rig]:
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(rig.loop.run())
        if synced:
            rig.sync()
        await asyncio.sleep(0.001)
        yield rig
        task.cancel()


@pytest.mark.looptime
async def test_nothing_is_decided_before_everything_was_listed() -> None:
    async with running(synced=False) as rig:
        for mirror in rig.watch.mirrors[:-1]:
            mirror._synced.set()
            rig.changed.set()
            await asyncio.sleep(1000)
        assert rig.doer.effects == []
        rig.sync()
        await asyncio.sleep(1)
        assert rig.doer.effects == [(CreateKey(key=ObjectKey("bareway-system", "memberlist")),)]


@pytest.mark.looptime
async def test_without_a_change_all_is_looked_at_again_now_and_then() -> None:
    async with running() as rig:
        await asyncio.sleep(3 * RESYNC_S + 1)
        assert rig.doer.pauses() == [RESYNC_S] * 3


@pytest.mark.looptime
async def test_a_lone_change_is_looked_at_at_once() -> None:
    async with running() as rig:
        await asyncio.sleep(10)
        rig.changed.set()
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(1)
        assert rig.doer.at[-1] == begun


@pytest.mark.looptime
async def test_the_changes_of_a_burst_are_gathered() -> None:
    async with running() as rig:
        for _ in range(1000):
            rig.changed.set()
            await asyncio.sleep(0.001)
        assert len(rig.doer.at) == pytest.approx(1 / PAUSE_S + AT_ONCE, abs=2)
        assert min(rig.doer.pauses()[AT_ONCE + 1 :]) >= PAUSE_S


@pytest.mark.looptime
async def test_some_changes_after_a_quiet_while_are_looked_at_at_once() -> None:
    async with running() as rig:
        for _ in range(3):
            await asyncio.sleep(1)
            begun = asyncio.get_running_loop().time()
            for _ in range(AT_ONCE):
                rig.changed.set()
                await asyncio.sleep(0.001)
            assert rig.doer.at[-1] - begun < AT_ONCE * 0.001


@pytest.mark.looptime
async def test_as_long_as_a_pass_changes_something_the_next_one_follows_at_once() -> None:
    async with running(synced=False) as rig:
        rig.doer.says, rig.doer.then = Outcome(done=3), QUIET
        rig.sync()
        await asyncio.sleep(1)
        assert rig.doer.pauses() == [0]


@pytest.mark.looptime
async def test_failures_are_repeated_with_growing_pauses_while_nothing_changes() -> None:
    async with running(synced=False) as rig:
        rig.doer.says = rig.doer.then = FAILED
        rig.sync()
        await asyncio.sleep(60)
        pauses = rig.doer.pauses()
        assert 8 <= len(pauses) <= 20
        assert pauses[0] < 0.3
        assert RETRY_CAP_S / 2 <= pauses[-1] <= RETRY_CAP_S


@pytest.mark.looptime
async def test_whatever_changes_failures_are_soon_repeated_only_once_a_second() -> None:
    async with running(synced=False) as rig:
        rig.doer.says = rig.doer.then = FAILED
        rig.sync()
        for _ in range(600):
            rig.changed.set()
            await asyncio.sleep(0.1)
        pauses = rig.doer.pauses()
        assert pauses[0] < 0.3
        assert set(pauses[5:]) == {FAILED_PAUSE_S}


@pytest.mark.looptime
async def test_a_write_that_always_fails_delays_what_changes_by_a_second_at_most() -> None:
    async with running(synced=False) as rig:
        rig.doer.says = rig.doer.then = FAILED
        rig.sync()
        clock = asyncio.get_running_loop().time
        for moment in range(20):
            await asyncio.sleep(20 + moment / 7)
            changed_at = clock()
            rig.changed.set()
            await asyncio.sleep(2)
            looked_at = next(at for at in rig.doer.at if at >= changed_at)
            assert looked_at - changed_at <= FAILED_PAUSE_S


@pytest.mark.looptime
async def test_after_success_the_pauses_begin_small_again() -> None:
    async with running(synced=False) as rig:
        rig.doer.says = rig.doer.then = Outcome(failed=1)
        rig.sync()
        await asyncio.sleep(60)
        rig.doer.says = rig.doer.then = QUIET
        await asyncio.sleep(RETRY_CAP_S + 1)
        rig.doer.says = rig.doer.then = Outcome(failed=1)
        rig.changed.set()
        await asyncio.sleep(1)
        assert rig.doer.pauses()[-1] < 0.6


@pytest.mark.looptime
async def test_an_outdated_write_is_decided_anew_when_the_mirror_moves() -> None:
    async with running(synced=False) as rig:
        rig.doer.says, rig.doer.then = Outcome(outdated=1), QUIET
        rig.sync()
        await asyncio.sleep(0.01)
        rig.changed.set()
        await asyncio.sleep(1)
        assert rig.doer.pauses() == [pytest.approx(0.01, abs=0.002)]


@pytest.mark.looptime
async def test_an_outdated_write_is_decided_anew_soon_also_when_the_mirror_stays() -> None:
    async with running(synced=False) as rig:
        rig.doer.says, rig.doer.then = Outcome(outdated=1), QUIET
        rig.sync()
        await asyncio.sleep(1)
        assert len(rig.doer.pauses()) == 1
        assert rig.doer.pauses()[0] < 0.3


# ------------------------------------------------------------ two controllers


@pytest.mark.looptime
async def test_while_another_leads_it_looks_now_and_then_and_does_nothing() -> None:
    async with running(synced=False) as rig:
        rig.turns.ours.clear()
        rig.sync()
        for _ in range(100):
            rig.changed.set()
            await asyncio.sleep(0.1)
        assert rig.doer.at == []
        assert rig.loop.report.acceptance.refusal is not None, "it has looked"


@pytest.mark.looptime
@pytest.mark.parametrize("waited_s", [0.5, 5.0, 500.0])
async def test_as_soon_as_it_leads_it_acts(waited_s: float) -> None:
    async with running(synced=False) as rig:
        rig.turns.ours.clear()
        rig.sync()
        await asyncio.sleep(waited_s)
        begun = asyncio.get_running_loop().time()
        rig.turns.ours.set()
        rig.changed.set()  # as the elector does
        await asyncio.sleep(1)
        assert rig.doer.at[0] - begun <= PAUSE_S


@pytest.mark.looptime
async def test_after_others_led_nothing_of_what_was_written_before_is_believed() -> None:
    async with running() as rig:
        (secret,) = (effect for effect in rig.doer.effects[0] if isinstance(effect, CreateKey))
        rig.memory.secrets.note(Secret(key=secret.key), over="")
        rig.changed.set()
        await asyncio.sleep(1)
        assert not rig.doer.effects[-1], "it was written"
        rig.turns.term = 2
        rig.changed.set()
        await asyncio.sleep(1)
        assert rig.doer.effects[-1] == (secret,)


@pytest.mark.looptime
async def test_what_is_due_is_looked_at_though_nothing_changes() -> None:
    async with running() as rig:
        await asyncio.sleep(0.5)
        begun = asyncio.get_running_loop().time()
        dues = [begun + 42, begun + 40, math.inf]  # of these the second is over when it is said

        def look(**_: object) -> tuple[Effect, ...]:
            rig.loop._desk.due_s = dues.pop(0)
            return ()

        rig.loop._desk.look = look  # type: ignore[method-assign]  # nothing else is due then
        rig.changed.set()
        await asyncio.sleep(60)
        assert rig.doer.at[1:] == pytest.approx([begun, begun + 42, begun + 42 + PAUSE_S], abs=0.002)


@pytest.mark.looptime
async def test_now_and_then_no_service_is_passed_over_but_not_with_every_look() -> None:
    async with running() as rig:
        looks: list[float] = []
        clock = asyncio.get_running_loop().time
        rig.loop._desk.look_at_all = lambda: looks.append(clock())  # type: ignore[method-assign]  # a spy
        begun = clock()
        rig.changed.set()
        await asyncio.sleep(2 * RESYNC_S + 1)
        assert looks == pytest.approx([begun + RESYNC_S, begun + 2 * RESYNC_S], abs=0.2)
