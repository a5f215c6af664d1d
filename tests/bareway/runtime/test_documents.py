"""Short documents are read at once, long ones beside the loop, and each of them once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bareway.resources.configurations import read_configuration
from bareway.runtime.documents import AT_ONCE_MAX, DocumentReader
from support.until import until

SHORT = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
LONG = SHORT + "\n" + "#" * AT_ONCE_MAX
LONGER = LONG.replace("name: a", "name: b")
SLOW = "address-pools:\n- name: a\n  protocol: layer2\n  addresses:\n"
SLOW += "".join(f"  - 10.{number >> 8}.{number & 255}.0/32\n" for number in range(4000))


class Listener:
    def __init__(self) -> None:
        self.calls = 0
        self.reader = DocumentReader(on_read=self._read)

    def _read(self) -> None:
        self.calls += 1


@asynccontextmanager
async def running() -> AsyncIterator[Listener]:
    listener = Listener()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listener.reader.run())
        yield listener
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_short_document_is_ready_at_once() -> None:
    reader = DocumentReader(on_read=lambda: None)
    assert reader.is_ready(SHORT, "")
    assert reader.read(SHORT) == read_configuration(SHORT)


async def test_a_long_document_is_ready_when_it_was_read_and_its_owner_is_told() -> None:
    async with running() as listener:
        assert not listener.reader.is_ready(LONG, "")
        assert not listener.reader.is_ready(LONG, "")
        await until(lambda: listener.calls)
        assert listener.reader.is_ready(LONG, "")
        assert listener.reader.read(LONG) is listener.reader.read(LONG)
        assert listener.reader.read(LONG) == read_configuration(LONG)
    assert listener.calls == 1


async def test_a_document_that_is_asked_for_while_it_is_read_is_read_once() -> None:
    async with running() as listener:
        listener.reader.is_ready(SLOW, "")
        for _ in range(3):
            await asyncio.sleep(0)
        listener.reader.is_ready(SLOW, "")
        await until(lambda: listener.calls)
        listener.reader.is_ready(LONGER, "")
        await until(lambda: listener.reader.is_ready(LONGER, ""))
    assert listener.calls == 2


async def test_both_documents_count_together_and_are_told_apart() -> None:
    half = "#" * (AT_ONCE_MAX // 2 + 1)
    async with running() as listener:
        assert not listener.reader.is_ready(half, half)
        await until(lambda: listener.reader.is_ready(half, half))
        assert not listener.reader.is_ready(half, half + "#")


async def test_of_two_long_documents_the_last_one_wanted_is_read() -> None:
    async with running() as listener:
        listener.reader.is_ready(LONG, "")
        listener.reader.is_ready(LONGER, "")
        await until(lambda: listener.reader.is_ready(LONGER, ""))
        found = listener.reader.read(LONGER).configuration
        assert found is not None
        assert [pool.name for pool in found.pools] == ["b"]


async def test_while_a_long_document_is_read_the_loop_turns() -> None:
    async with running() as listener:
        listener.reader.is_ready(SLOW, "")
        turns = 0
        while not listener.calls:
            turns += 1
            await asyncio.sleep(0)
    assert turns > 10
