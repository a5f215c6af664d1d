"""What gossip asks is asked on the link, and what the link says comes back under the group's key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from bareway.gossip.events import Answered, Ask, Event, Question, Sighted
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from speaker import asking
from speaker.asking import Asking
from support.until import until

KEY, SECOND, ALONE = (ip_address(text) for text in ("192.0.2.1", "2001:db8::1", "192.0.2.9"))
MAC, OTHER_MAC = MacAddress(b"\2\0\0\0\0\1"), MacAddress(b"\2\0\0\0\0\2")


class Link:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[IPAddress, int]] = []
        self.macs = {KEY: {MAC}, SECOND: {OTHER_MAC}}
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def ask(self, address: IPAddress, probes: int) -> frozenset[MacAddress]:
        self.asked.append((address, probes))
        await self.may_answer.wait()
        return frozenset(self.macs.get(address, ()))


class Groups:
    def addresses_of(self, key: IPAddress) -> Sequence[IPAddress]:
        return (KEY, SECOND) if key == KEY else (key,)

    def key_of(self, address: IPAddress) -> IPAddress | None:
        return KEY if address in (KEY, SECOND) else None


class Made:
    def __init__(self) -> None:
        self.link = Link()
        self.told: list[Event] = []
        self.asking = Asking(self.link, Groups(), tell=self.told.append)


@asynccontextmanager
async def running() -> AsyncIterator[Made]:
    made = Made()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.asking.run())
        yield made
        task.cancel()


async def test_an_answer_carries_its_question_and_everybody_who_answered() -> None:
    async with running() as made:
        made.asking.take(Ask(address=KEY, question=Question.DUPLICATE, probes=3))
        await until(lambda: made.told)
        assert made.told == [
            Answered(address=KEY, question=Question.DUPLICATE, macs=frozenset({MAC, OTHER_MAC}))
        ]
        assert made.link.asked == [(KEY, 3), (SECOND, 3)]


@pytest.mark.parametrize("question", [Question.SUSPECT, Question.CONFLICT])
async def test_of_a_member_one_address_tells_enough(question: Question) -> None:
    async with running() as made:
        made.asking.take(Ask(address=KEY, question=question, probes=1))
        await until(lambda: made.told)
        assert made.link.asked == [(KEY, 1)]
        assert made.told == [Answered(address=KEY, question=question, macs=frozenset({MAC}))]


async def test_silence_is_an_answer_too() -> None:
    async with running() as made:
        made.asking.take(Ask(address=ALONE, question=Question.SUSPECT, probes=1))
        await until(lambda: made.told)
        assert made.told == [Answered(address=ALONE, question=Question.SUSPECT, macs=frozenset())]


async def test_questions_do_not_wait_for_each_other() -> None:
    async with running() as made:
        made.link.may_answer.clear()
        for address in (KEY, ALONE):
            made.asking.take(Ask(address=address, question=Question.SUSPECT, probes=1))
        await until(lambda: len(made.link.asked) == 2)
        assert made.told == []
        made.link.may_answer.set()
        await until(lambda: len(made.told) == 2)


async def test_one_question_too_many_is_dropped_and_the_next_one_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "QUESTIONS_MAX", 1)
    async with running() as made:
        for _ in range(2):
            made.asking.take(Ask(address=KEY, question=Question.SUSPECT, probes=1))
        await until(lambda: made.told)
        assert made.asking.dropped == 1
        made.asking.take(Ask(address=KEY, question=Question.SUSPECT, probes=1))
        await until(lambda: len(made.told) == 2)


async def test_a_sighting_is_told_by_key_and_only_of_what_is_announced_here() -> None:
    async with running() as made:
        made.asking.sighted(SECOND, MAC, True)
        made.asking.sighted(ALONE, MAC, False)
        assert made.told == [Sighted(address=KEY, mac=MAC, is_solicited=True)]
