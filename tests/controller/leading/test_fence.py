"""leading.fence: no write begins while another controller leads, and the last one's end is known."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from bareway.runtime.kube.errors import Unreachable, api_error
from controller.leading.fence import Fence, NotLeading

pytestmark = pytest.mark.looptime

LIMIT_S = 1.0
PATH = "/somewhere"


class Permit:
    """An elector that does as it is told."""

    def __init__(self) -> None:
        self.term = 1
        self.leads = asyncio.Event()
        self.leads.set()

    def may_write(self) -> bool:
        return self.leads.is_set()

    async def wait(self) -> None:
        await self.leads.wait()


class Server:
    """Takes a while for each write, or fails."""

    def __init__(self) -> None:
        self.begun: list[tuple[float, str, float]] = []
        self.takes_s = 0.01
        self.fails: Exception | None = None

    async def _do(self, what: str, timeout_s: float) -> bytes:
        self.begun.append((asyncio.get_running_loop().time(), what, timeout_s))
        await asyncio.sleep(self.takes_s)
        if self.fails is not None:
            raise self.fails
        return b"{}"

    async def create(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        return await self._do("create", timeout_s)

    async def replace(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        return await self._do("replace", timeout_s)

    async def merge_patch(self, path: str, body: Mapping[str, object], *, timeout_s: float) -> bytes:
        return await self._do("merge_patch", timeout_s)


class Rig:
    def __init__(self) -> None:
        self.permit = Permit()
        self.server = Server()
        self.clock = asyncio.get_running_loop().time
        self.fence = Fence(self.server, self.permit, limit_s=LIMIT_S, clock=self.clock)

    async def drained_after_s(self) -> float:
        begun = self.clock()
        await self.fence.drain()
        return round(self.clock() - begun, 6)


@pytest.fixture
async def rig() -> Rig:
    made = Rig()
    assert made.fence.enter()
    return made


@asynccontextmanager
async def writing(rig: Rig) -> AsyncIterator[asyncio.Task[bytes]]:
    """A write that is on its way within the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(rig.fence.merge_patch(PATH, {}))
        await asyncio.sleep(0.001)
        yield task


async def test_writes_of_every_kind_are_let_through_and_carry_their_limit(rig: Rig) -> None:
    await rig.fence.create(PATH, {})
    await rig.fence.replace(PATH, {})
    assert await rig.fence.merge_patch(PATH, {}) == b"{}"
    assert [(what, limit_s) for _, what, limit_s in rig.server.begun] == [
        ("create", LIMIT_S),
        ("replace", LIMIT_S),
        ("merge_patch", LIMIT_S),
    ]


async def test_nothing_is_decided_while_another_leads(rig: Rig) -> None:
    rig.permit.leads.clear()
    assert not rig.fence.enter()


async def test_a_write_waits_for_a_renewal_that_is_a_little_late(rig: Rig) -> None:
    rig.permit.leads.clear()
    begun = rig.clock()
    async with writing(rig):
        await asyncio.sleep(0.5)
        assert rig.server.begun == []
        rig.permit.leads.set()
    assert rig.server.begun[0][0] == pytest.approx(begun + 0.5, abs=0.01)


async def test_a_write_does_not_wait_for_ever(rig: Rig) -> None:
    rig.permit.leads.clear()
    with pytest.raises(NotLeading):
        await rig.fence.merge_patch(PATH, {})
    assert rig.server.begun == []


@pytest.mark.parametrize("waits", [False, True], ids=["later", "that waits meanwhile"])
async def test_what_was_decided_before_another_led_is_never_written(rig: Rig, waits: bool) -> None:
    if waits:
        rig.permit.leads.clear()
        asyncio.get_running_loop().call_later(0.1, rig.permit.leads.set)
        asyncio.get_running_loop().call_later(0.1, setattr, rig.permit, "term", 2)
    else:
        rig.permit.term = 2
    with pytest.raises(NotLeading):
        await rig.fence.create(PATH, {})
    assert rig.server.begun == []
    assert rig.fence.enter()
    await rig.fence.create(PATH, {})
    assert rig.fence.term == 2


async def test_after_the_end_nothing_is_let_through_and_nobody_is_told_to_ask_again(rig: Rig) -> None:
    assert await rig.drained_after_s() == 0
    assert not rig.fence.enter()
    with pytest.raises(NotLeading):
        await rig.fence.create(PATH, {})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rig.fence.wait(), 1000)


async def test_the_end_is_when_the_last_write_was_answered(rig: Rig) -> None:
    rig.server.takes_s = 0.7
    async with writing(rig) as task:
        assert await rig.drained_after_s() == pytest.approx(0.7, abs=0.01)
        assert task.done()


@pytest.mark.parametrize(
    ("error", "drained_s"),
    [
        pytest.param(api_error("PATCH", 409, "Conflict", "words"), 0.0, id="a no is an answer"),
        pytest.param(api_error("PATCH", 504, "Timeout", "words"), 2 * LIMIT_S, id="a server that gave up"),
        pytest.param(Unreachable("no answer"), 2 * LIMIT_S, id="no answer"),
    ],
)
async def test_a_write_without_an_answer_may_still_be_on_its_way(
    rig: Rig, error: Exception, drained_s: float
) -> None:
    rig.server.fails = error
    with pytest.raises(type(error)):
        await rig.fence.create(PATH, {})
    assert await rig.drained_after_s() == pytest.approx(drained_s, abs=0.02)


async def test_a_write_that_was_cancelled_may_still_be_on_its_way(rig: Rig) -> None:
    rig.server.takes_s = 100
    async with writing(rig) as task:
        task.cancel()
    assert await rig.drained_after_s() == pytest.approx(2 * LIMIT_S, abs=0.01)
