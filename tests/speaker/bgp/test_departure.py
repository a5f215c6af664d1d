"""What happens to a node's routes when its Node is marked, and when the program ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bareway.bgp.events import Stage, StopReason
from bareway.decide.announcement.leaving import LeavingReason
from speaker.bgp.departure import DRAIN_S, LATE_MARK_S, Departure

pytestmark = pytest.mark.looptime

BEGIN, END = (0.0, "drain begin"), "drain end"
LEAVING = "leave Leaving: node leaves: Drained"


class FakeSessions:
    """It notes what it is told and when; to leave takes a second."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str]] = []
        self.left: list[StopReason] = []

    def note(self, word: str) -> None:
        self.told.append((round(asyncio.get_running_loop().time() - self.began, 3), word))

    @property
    def began(self) -> float:
        self._began: float = getattr(self, "_began", asyncio.get_running_loop().time())
        return self._began

    def drain(self, stage: Stage) -> None:
        self.note(f"drain {stage}")

    async def leave(self, reason: StopReason, text: str = "") -> None:
        self.note(f"leave {reason}: {text}" if text else f"leave {reason}")
        await asyncio.sleep(1.0)
        self.left.append(reason)

    def withhold(self, stage: Stage) -> None:
        self.note(f"withhold {stage}")

    def announce_restart(self) -> None:
        self.note("patience")

    def call_off_restart(self) -> None:
        self.note("no patience")

    def stay(self) -> None:
        self.note("stay")


class World:
    def __init__(self, reason: LeavingReason | None = None, *, is_alone: bool, was_up: bool) -> None:
        self.sessions = FakeSessions()
        self.reason = reason
        self.is_alone = is_alone
        self.is_known = True
        self.departure = Departure(
            self.sessions,
            reason=lambda: self.reason,
            is_alone=lambda: self.is_alone,
            is_known=lambda: self.is_known,
            was_up=was_up,
            clock=lambda: asyncio.get_running_loop().time(),
        )

    async def mark(self, reason: LeavingReason | None, *, is_alone: bool = False) -> None:
        self.reason, self.is_alone = reason, is_alone
        self.departure.look_again()
        await asyncio.sleep(0)

    @property
    def told(self) -> list[tuple[float, str]]:
        return self.sessions.told


@asynccontextmanager
async def world(
    reason: LeavingReason | None = None, *, is_alone: bool = False, was_up: bool = False
) -> AsyncIterator[World]:
    """A speaker that begins on a Node of which this is known."""
    it = World(reason, is_alone=is_alone, was_up=was_up)
    it.sessions.began  # noqa: B018 - from here on time is counted
    async with asyncio.TaskGroup() as group:
        task = group.create_task(it.departure.run())
        await asyncio.sleep(0)
        yield it
        task.cancel()


async def test_a_mark_is_told_by_the_routes_at_once_and_they_are_withdrawn_later() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(DRAIN_S + 2.0)
        assert it.told == [BEGIN, (DRAIN_S, LEAVING)]


async def test_a_mark_that_is_taken_away_in_time_ends_no_session() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(DRAIN_S - 1.0)
        await it.mark(None)
        await asyncio.sleep(5.0)
        assert it.told == [BEGIN, (DRAIN_S - 1.0, END)]


async def test_who_has_left_begins_anew_without_the_mark() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(60.0)
        await it.mark(None)
        await asyncio.sleep(1.0)
        assert it.told[2:] == [(60.0, END), (60.0, "stay")]
        await it.mark(LeavingReason.TO_BE_DELETED)
        assert it.told[4:] == [(61.0, "drain begin")]


async def test_a_node_that_nobody_can_stand_in_for_keeps_its_marked_routes() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED, is_alone=True)
        await asyncio.sleep(60.0)
        assert it.told == [BEGIN]
        await it.mark(LeavingReason.DRAINED, is_alone=False)
        await asyncio.sleep(1.0)
        assert it.told == [BEGIN, (60.0, LEAVING)]


async def test_without_a_mark_the_end_is_a_restart() -> None:
    async with world() as it:
        await it.departure.leave()
        assert it.told == [(0.0, "patience"), (LATE_MARK_S, "leave Restart")]
        assert not it.departure.is_for_good


async def test_a_mark_that_comes_right_after_the_word_to_end_counts() -> None:
    async with world() as it, asyncio.TaskGroup() as group:
        group.create_task(it.departure.leave())
        await asyncio.sleep(LATE_MARK_S / 2)
        await it.mark(LeavingReason.NODE_SHUTDOWN)
        await asyncio.sleep(DRAIN_S + 2.0)
        assert [word for _, word in it.told] == [
            "patience",
            "drain begin",
            "no patience",
            "leave Leaving: node leaves: NodeShutdown",
        ]


async def test_the_end_of_a_marked_node_waits_for_routers_as_the_mark_does() -> None:
    async with world() as it:
        it.reason = LeavingReason.NODE_SHUTDOWN
        await it.departure.leave()
        assert it.told == [BEGIN, (DRAIN_S, "leave Leaving: node leaves: NodeShutdown")]
        assert it.departure.is_for_good


async def test_the_end_in_the_middle_of_a_drain_does_not_begin_it_again() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(DRAIN_S - 3.0)
        await it.departure.leave()
        assert it.told == [BEGIN, (DRAIN_S, LEAVING)]


async def test_the_end_waits_for_a_withdrawal_that_is_under_way() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(DRAIN_S + 0.5)
        await it.departure.leave()
        assert it.sessions.left == [StopReason.LEAVING]


async def test_who_has_left_long_ago_ends_at_once() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(60.0)
        began = asyncio.get_running_loop().time()
        await it.departure.leave()
        assert asyncio.get_running_loop().time() == began
        assert len(it.told) == 2


async def test_the_last_node_leaves_all_the_same_when_it_ends() -> None:
    async with world() as it:
        await it.mark(LeavingReason.DRAINED, is_alone=True)
        await asyncio.sleep(30.0)
        await it.departure.leave()
        assert it.told == [BEGIN, (30.0, LEAVING)]


WITHHELD = (0.0, "withhold begin")


async def test_who_begins_on_a_node_that_has_left_announces_nothing() -> None:
    async with world(LeavingReason.DRAINED) as it:
        await asyncio.sleep(1.0)
        assert it.told == [WITHHELD, BEGIN, (0.0, LEAVING)]
        await asyncio.sleep(59.0)
        await it.mark(None)
        assert it.told[3:] == [(60.0, "withhold end"), (60.0, END), (60.0, "stay")]


async def test_routers_that_kept_routes_of_the_former_life_are_told_that_there_are_none() -> None:
    async with world(LeavingReason.DRAINED, was_up=True) as it:
        await asyncio.sleep(DRAIN_S + 2.0)
        assert it.told == [WITHHELD, BEGIN, (DRAIN_S, LEAVING)]


async def test_nothing_is_decided_before_the_node_is_known_and_then_in_the_same_moment() -> None:
    it = World(LeavingReason.DRAINED, is_alone=False, was_up=False)
    it.is_known = False
    it.departure.look_again()
    assert it.told == []
    it.is_known = True
    it.departure.look_again()  # nothing is awaited here: sessions begin right after
    assert it.told == [WITHHELD, BEGIN]


async def test_the_last_node_begins_with_marked_routes_and_stays() -> None:
    async with world(LeavingReason.DRAINED, is_alone=True) as it:
        await asyncio.sleep(60.0)
        assert it.told == [BEGIN]


async def test_who_begins_on_a_node_that_has_left_ends_at_once() -> None:
    async with world(LeavingReason.DRAINED, was_up=True) as it:
        began = asyncio.get_running_loop().time()
        await it.departure.leave()
        assert it.told == [WITHHELD, BEGIN, (0.0, LEAVING)]
        assert asyncio.get_running_loop().time() == began + 1.0
        assert it.departure.is_for_good


async def test_who_begins_unmarked_is_drained_later_as_ever() -> None:
    async with world() as it:
        await asyncio.sleep(5.0)
        await it.mark(LeavingReason.DRAINED)
        await asyncio.sleep(DRAIN_S + 2.0)
        assert it.told == [(5.0, "drain begin"), (5.0 + DRAIN_S, LEAVING)]
