"""What a scrape costs: ``python -m bench.scrape``: CPU of one page of a speaker with 5,000 Services.

The page is made as the program makes it, from parts that hold the addresses; only the API server and the link
are not there. Once with a third of them announced here, and once with all.
"""

import asyncio
import gc
import time
from ipaddress import IPv4Address

from msgspec import Struct, json

from bareway.decide.announcement.announcers import Announcers, Group
from bareway.gossip.events import Announce, Permission
from bareway.model.names import IPAddress, ObjectKey
from bareway.runtime.families import speaker_families
from bareway.runtime.metrics import Exposition
from bareway.runtime.program import GARBAGE_THRESHOLDS
from speaker.layer2.driver import Layer2Driver
from speaker.status import SelfReport
from support.rig import rig

SERVICES = 5_000
SCRAPES = 15
MS = 1_000
FIRST = IPv4Address("10.0.0.0")


class Scrapes(Struct, frozen=True, kw_only=True):
    """Of several scrapes of one speaker."""

    announced: int
    lines: int
    cpu_ms_min: float
    cpu_ms_median: float
    cpu_ms_max: float


async def measure(announced: int) -> Scrapes:
    """Where so many of the Services are announced by this speaker."""
    async with rig() as made:
        layer2 = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
        report = SelfReport(
            made.settings, watch=made.watch, speaker=made.speaker, layer2=layer2, profile=lambda: "default"
        )
        groups: dict[IPAddress, Group] = {}
        for number in range(SERVICES):
            key = FIRST + number
            service = ObjectKey("shop", f"service-{number}")
            groups[key] = Group(key=key, addresses=(key,), services=(service,), permitted=None)
            for counts in (layer2.counters.requests, layer2.counters.responses, layer2.counters.gratuitous):
                counts[IPv4Address(int(key))] = number
        made.speaker.decided = Announcers(groups=groups)
        made.speaker.announcing.decide(groups)
        made.speaker.on_output(Announce(addresses=tuple(groups)[:announced]))
        exposition = Exposition()
        spent_ms, page = [], b""
        for _ in range(SCRAPES):
            began = time.thread_time()
            page = await exposition.text(speaker_families(report.figures()))
            spent_ms.append((time.thread_time() - began) * MS)
    spent_ms.sort()
    return Scrapes(
        announced=announced,
        lines=page.count(b"\n"),
        cpu_ms_min=round(spent_ms[0], 1),
        cpu_ms_median=round(spent_ms[SCRAPES // 2], 1),
        cpu_ms_max=round(spent_ms[-1], 1),
    )


async def main() -> None:
    """Print both as JSON."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)  # as the programs do
    measured = [await measure(announced) for announced in (SERVICES // 3, SERVICES)]
    print(json.format(json.encode(measured)).decode())


if __name__ == "__main__":
    asyncio.run(main())
