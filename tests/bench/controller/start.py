"""Services wait while no controller runs: how soon all are served after its start; then the same again."""

import msgspec

from bench.controller.creation import Writes, told, written
from bench.controller.program import Program
from bench.controller.servers import load
from bench.controller.stage import Open, Stage, names, stage

SERVED_WITHIN_S = 120.0


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The first start of one trial."""

    services: int
    first_status_s: float
    last_status_s: float
    """From exec until the last Service was seen with its address."""
    status_cpu_s: float
    """Until then."""
    cpu_s: float
    """Until the last Event."""
    told_s: float
    """From exec until the last Event."""
    writes: Writes
    pss_mb: float
    """When all was told."""
    load: float


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """The second start, with everything in its place."""

    services: int
    settled_s: float
    """From exec until it leads and counts every address as in use."""
    writes: Writes
    cpu_s: float
    pss_mb: float
    load: float


class Starts(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    start: Start
    restart: Restart


async def measure_starts(open_server: Open, services: int) -> Starts:
    """So many wait, on a cluster that never had a controller."""
    async with stage(open_server) as on:
        await on.create(names(services))
        async with on.controller() as controller:
            start = await _start(on, controller, services)
            await controller.stop()
        async with on.controller("second") as controller:
            return Starts(start=start, restart=await _restart(on, controller, services))


async def _start(on: Stage, controller: Program, services: int) -> Start:
    before = await on.writes()  # nobody wrote since the creations: the program still reads its own files
    await on.onlooker.served(names(services), within_s=SERVED_WITHIN_S)
    status_cpu_s = controller.cpu_s()
    after, told_at = await told(on, services)
    times = on.onlooker.served_at.values()
    return Start(
        services=services,
        first_status_s=round(min(times) - controller.begun_at, 3),
        last_status_s=round(max(times) - controller.begun_at, 3),
        status_cpu_s=status_cpu_s,
        cpu_s=controller.cpu_s(),
        told_s=round(told_at - controller.begun_at, 1),
        writes=written(before, after),
        pss_mb=controller.pss_mb(),
        load=load(),
    )


async def _restart(on: Stage, controller: Program, services: int) -> Restart:
    before = await on.writes()
    settled_at = await controller.holds(services)
    after, _ = await told(on, services)
    return Restart(
        services=services,
        settled_s=round(settled_at - controller.begun_at, 3),
        writes=written(before, after),
        cpu_s=controller.cpu_s(),
        pss_mb=controller.pss_mb(),
        load=load(),
    )
