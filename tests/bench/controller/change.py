"""Single Services on a cluster at rest, and a hundred of a thousand replaced: create → address."""

import asyncio
import time

import msgspec

from apiserver.client import MERGE
from bench.controller.creation import told
from bench.controller.figures import Spread, spread
from bench.controller.servers import load
from bench.controller.stage import OURS, Open, Stage, names, stage

SERVED_WITHIN_S = 60.0
APART_S = 0.3
"""Between two writes: each finds a controller that has nothing to do."""


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    services: int
    replaced: int
    rate_per_s: float
    waited_s: Spread
    """From the answer to each creation until its address was seen."""
    load: float


class Single(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of many single Services."""

    services: int
    created_to_address_s: Spread
    """From the answer to the creation until the address was seen."""
    own_write_s: Spread
    """From a patch of a status by somebody else until that was seen: what the API server itself takes."""
    above_s: Spread
    """``created_to_address_s`` without the median of ``own_write_s``."""
    load: float


async def measure_replacement(open_server: Open, services: int, replaced: int) -> Replacement:
    """Delete so many of them, and create as many new ones."""
    async with stage(open_server) as on, on.controller() as controller:
        await controller.holds(0)
        created = await on.create(names(services))
        await on.onlooker.served(created.answered_at, within_s=SERVED_WITHIN_S)
        await told(on, services)
        await on.delete(names(replaced))
        created = await on.create(names(replaced, "new"))
        await on.onlooker.served(created.answered_at, within_s=SERVED_WITHIN_S)
        waited = [on.onlooker.served_at[name] - at for name, at in created.answered_at.items()]
        return Replacement(
            services=services,
            replaced=replaced,
            rate_per_s=created.rate,
            waited_s=spread(waited),
            load=load(),
        )


async def measure_single(open_server: Open, services: int) -> Single:
    """One after the other, each with a pause before it."""
    async with stage(open_server) as on, on.controller() as controller:
        await controller.holds(0)
        await on.create_unserved("other")
        waited, own = [], []
        for number, name in enumerate(names(services, "single")):
            await asyncio.sleep(APART_S)
            own.append(await _own_write(on, "other", number))
            await asyncio.sleep(APART_S)
            created = await on.create([name])
            await on.onlooker.served([name], within_s=SERVED_WITHIN_S)
            waited.append(on.onlooker.served_at[name] - created.ended_at)
        own_write = spread(own)
        return Single(
            services=services,
            created_to_address_s=spread(waited),
            own_write_s=own_write,
            above_s=spread([one - own_write.p50 for one in waited]),
            load=load(),
        )


async def _own_write(on: Stage, name: str, number: int) -> float:
    """How long a patch of a status takes until it is seen; our controller has nothing to do with it."""
    begun_at = time.monotonic()
    entry = {"ip": f"192.0.2.{number % 250}"}
    patch = {"status": {"loadBalancer": {"ingress": [entry]}}}
    answer = await on.client.patch(f"{OURS}/{name}/status", patch, MERGE)
    return await on.onlooker.seen(name, answer.version) - begun_at
