"""Services are created while the controller runs: how far it stays behind, and what it writes for them."""

from collections import Counter

import msgspec

from bench.controller.servers import Request, load
from bench.controller.stage import Open, Stage, names, stage

SERVED_WITHIN_S = 60.0
EVENTS_PER_S = 20.0
"""Far below the 50 a second that the controller allows itself: a limit for waiting."""


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller wrote, by the API server's count."""

    status: int
    events: int
    others: int
    leases: int
    each: dict[str, int]


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    services: int
    rate_per_s: float
    lag_s: float
    """Of the last address behind the answer to the last creation."""
    writes: Writes
    told_s: float
    """From the last address until the last Event."""
    cpu_s: float
    """Of the controller, from its start to its last Event."""
    load: float


async def measure_creation(open_server: Open, services: int) -> Creation:
    """So many at once, on an empty cluster."""
    async with stage(open_server) as on, on.controller() as controller:
        await controller.holds(0)
        before, _ = await on.quiet(within_s=SERVED_WITHIN_S)
        created = await on.create(names(services))
        await on.onlooker.served(created.answered_at, within_s=SERVED_WITHIN_S)
        after, told_at = await told(on, services)
        return Creation(
            services=services,
            rate_per_s=created.rate,
            lag_s=round(on.onlooker.last_served_at - created.ended_at, 4),
            writes=written(before, after),
            told_s=round(told_at - on.onlooker.last_served_at, 1),
            cpu_s=controller.cpu_s(),
            load=load(),
        )


async def told(on: Stage, services: int) -> tuple[Counter[Request], float]:
    """What was written once nothing is left to be written, and since when nothing was."""
    return await on.quiet(within_s=SERVED_WITHIN_S + services / EVENTS_PER_S)


def written(before: Counter[Request], after: Counter[Request]) -> Writes:
    """What was written in between, but by the people who create and delete Services."""
    status, events = Counter[Request](), Counter[Request]()
    others, leases = Counter[Request](), Counter[Request]()
    for request, count in (after - before).items():
        match request.resource:
            case "services":
                pass
            case "services/status":
                status[request] = count
            case "events":
                events[request] = count
            case "leases":
                leases[request] = count
            case _:
                others[request] = count
    each = status + events + others
    return Writes(
        status=status.total(),
        events=events.total(),
        others=others.total(),
        leases=leases.total(),
        each={str(request): count for request, count in sorted(each.items())},
    )
