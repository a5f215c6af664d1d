"""Runs a coroutine to its end, from a verb that is no coroutine itself."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def run(work: Coroutine[None, None, T]) -> T:
    """What ``work`` returns; Ctrl-C ends it.

    As ``asyncio.run``, which at its end writes out as text what the main task returned, and throws that away:
    a second for the answers of sixteen speakers about 5,000 addresses. So the main task returns nothing.
    """
    found: list[T] = []

    async def keep() -> None:
        found.append(await work)

    asyncio.run(keep())
    return found[0]
