"""Does work in steps without keeping the loop: everything else has its turn between two of them."""

import asyncio
from typing import TypeVar

from bareway.model.steps import Steps

T = TypeVar("T")


async def in_turns(steps: Steps[T]) -> T:
    """What ``steps`` make in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made
        await asyncio.sleep(0)
