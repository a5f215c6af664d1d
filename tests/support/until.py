"""Waits for the thing itself: a condition, looked at again and again, with an end."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], *, within_s: float = 5.0) -> None:
    """Return as soon as ``condition`` holds; ``TimeoutError`` if it does not come to hold."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is awaited may be the kernel's, without an event
            await asyncio.sleep(0.002)
