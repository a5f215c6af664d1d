"""Two controllers; the one that leads crashes, or is stopped cleanly: how long nobody serves."""

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Literal

import msgspec

from bench.controller.creation import told
from bench.controller.program import Program
from bench.controller.servers import load
from bench.controller.stage import Open, Stage, names, stage
from lab.commands import LabError

SERVED_WITHIN_S = 60.0
STANDS_BY_S = 2.0
"""So long the standby has everything and does nothing before the leader ends."""

End = Literal["crash", "clean stop"]


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    end: End
    services: int
    """That held addresses."""
    served_s: float
    """From the signal until a Service that was created right after it had its address."""
    load: float


async def measure_takeovers(open_server: Open, services: int, ends: Sequence[End]) -> list[Takeover]:
    """One after the other; before each a new one stands by."""
    async with stage(open_server) as on, AsyncExitStack() as stack:
        leader = await stack.enter_async_context(on.controller("a0"))
        await leader.holds(0)
        await on.create(names(services))
        await on.onlooker.served(names(services), within_s=SERVED_WITHIN_S)
        await told(on, services)
        done: list[Takeover] = []
        for number, end in enumerate(ends):
            standby = await stack.enter_async_context(on.controller(f"a{number + 1}"))
            await standby.is_ready()
            await asyncio.sleep(STANDS_BY_S)
            done.append(await _end(on, leader, end, f"late-{number}", services))
            leader = standby
        return done


async def _end(on: Stage, leader: Program, end: End, late: str, services: int) -> Takeover:
    if await on.leader() != leader.name:
        raise LabError(f"{leader.name} does not lead")
    struck_at = time.monotonic()
    leader.process.signal(signal.SIGTERM if end == "clean stop" else signal.SIGKILL)
    await on.create([late])
    await on.onlooker.served([late], within_s=SERVED_WITHIN_S)
    await leader.stop()
    return Takeover(
        end=end,
        services=services,
        served_s=round(on.onlooker.served_at[late] - struck_at, 3),
        load=load(),
    )
