"""A driver at work."""

from collections.abc import AsyncIterator

import pytest_asyncio

from support.speaker import Speaker, driver_with


@pytest_asyncio.fixture
async def speaker() -> AsyncIterator[Speaker]:
    """It runs on a fake wire and has opened eth0."""
    async with driver_with() as speaker:
        yield speaker
