"""Between two steps of a long work the loop serves everybody else."""

import asyncio

import pytest

from bareway.model.steps import Steps
from bareway.runtime.turns import in_turns


async def test_others_have_a_turn_after_every_step() -> None:
    seen: list[str] = []

    def work() -> Steps[str]:
        for number in range(3):
            seen.append(f"step {number}")
            yield
        return "made"

    async def other() -> None:
        for number in range(3):
            seen.append(f"other {number}")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(in_turns(work()))
        group.create_task(other())
    assert task.result() == "made"
    assert seen == ["step 0", "other 0", "step 1", "other 1", "step 2", "other 2"]


async def test_a_mistake_in_a_step_is_the_callers() -> None:
    def work() -> Steps[None]:
        yield
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await in_turns(work())
