"""How fast questions are answered, what they cost, and how long a thousand addresses take to be told.

    make bench ONLY=arp

As root. Two namespaces and a cable; the driver runs in a process of its own and answers for a thousand
addresses of each family, this one asks. Some 75 seconds; one JSON object on standard output. A row during
which the host itself stood still is measured once more, and both are kept.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address

import msgspec

from bareway.gossip.events import Permission
from bareway.model.names import IPAddress
from bench.arguments import EXIT_COULD_NOT_TRY
from bench.asker import Answered, Asker, Storm, asker
from bench.burners import busy_cores
from bench.stalls import Stalls, watched
from bench.trials import heed_interrupts, say
from lab.commands import LabError, what_is_missing
from lab.stations import IMPORTABLE
from speaker.layer2.driver import Layer2Driver
from support.netns import Cable, cable
from support.until import until

FIRST: dict[str, IPAddress] = {"IPv4": IPv4Address("192.168.0.0"), "IPv6": IPv6Address("2001:db8::")}
EVERY = 3
"""One address in so many of a pool is ours: the others are other nodes'."""
PACE_S = 0.001
REQUESTS = 5000
STORM_S = 3.0
BUSY_FOR_S = 30.0
"""At most; more than the busy row takes."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The first round of an announcement."""

    addresses: int
    returned_ms: float
    """When ``announce`` returned, the first frames sent."""
    cpu_ms: float
    """Of that."""
    all_told_ms: float


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one; of each the last one counts, those before it were spoiled by the host."""

    told: Told
    quiet: list[Answered]
    """One question a millisecond."""
    busy: list[Answered]
    """The same while a program on each core does nothing but count."""
    for_others: list[Storm]
    """20,000 questions a second for other nodes' addresses."""
    for_ours: list[Storm]
    """10,000 a second for ours."""
    stalls_s: dict[str, float]
    """How long the host stood still during the row that counts."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    addresses: int
    """Of each family."""
    load_before: float
    load: float
    """Of the last minute, at the end; what runs here and the busy cores included."""
    families: dict[str, Family]


def main(arguments: Sequence[str]) -> int:
    """Measure all and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--addresses", type=int, default=1000)
    parser.add_argument("--respond", action="store_true", help="be the process that answers")
    given = parser.parse_args(arguments)
    if given.respond:
        asyncio.run(respond(given.addresses))
        return 0
    if sentence := what_is_missing():
        say(sentence)
        return EXIT_COULD_NOT_TRY
    heed_interrupts()
    load_before = os.getloadavg()[0]
    try:
        families = measure(given.addresses)
    except LabError as error:
        say(f"not measured: {error}")
        return EXIT_COULD_NOT_TRY
    report = Report(
        addresses=given.addresses,
        load_before=round(load_before, 2),
        load=round(os.getloadavg()[0], 2),
        families=families,
    )
    print(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    return 0


def measure(count: int) -> dict[str, Family]:
    """Every row, one after the other."""
    with cable() as wire, watched() as stalls:
        told = {family: asyncio.run(tell(family, count)) for family in FIRST}
        with responder(count) as pid:
            return {family: rows(wire, stalls, family, pid, told[family]) for family in FIRST}


def rows(wire: Cable, stalls: Stalls, family: str, pid: int, told: Told) -> Family:
    """Those of one family."""
    count = told.addresses
    ours = [FIRST[family] + EVERY * i for i in range(count)]
    others = [FIRST[family] + EVERY * i + 1 + i % 2 for i in range(count)]
    with asker(wire, family, pid) as asking:
        quiet, at_quiet = stalls.measured(f"{family}, quiet", lambda: _paced(asking, ours))
        busy, at_busy = stalls.measured(f"{family}, busy", lambda: _paced_among_others(asking, ours))
        for_others, at_others = stalls.measured(
            f"{family}, for others", lambda: asking.storm(others, per_s=20_000, seconds=STORM_S)
        )
        for_ours, at_ours = stalls.measured(
            f"{family}, for ours", lambda: asking.storm(ours, per_s=10_000, seconds=STORM_S)
        )
    say(
        f"  {family}: {quiet[-1].p50_ms} / {quiet[-1].p99_ms} ms,"
        f" busy {busy[-1].p50_ms} / {busy[-1].p99_ms} ms; others' {for_others[-1].cpu_percent} % of a core;"
        f" ours {for_ours[-1].lost} of {for_ours[-1].sent} lost"
    )
    return Family(
        told=told,
        quiet=quiet,
        busy=busy,
        for_others=for_others,
        for_ours=for_ours,
        stalls_s={"quiet": at_quiet, "busy": at_busy, "for_others": at_others, "for_ours": at_ours},
    )


def _paced(asking: Asker, ours: Sequence[IPAddress]) -> Answered:
    return asking.paced(ours, requests=REQUESTS, every_s=PACE_S)


def _paced_among_others(asking: Asker, ours: Sequence[IPAddress]) -> Answered:
    with busy_cores(seconds=BUSY_FOR_S):
        return _paced(asking, ours)


def _driver() -> Layer2Driver:
    return Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)


async def respond(count: int) -> None:
    """Answer for ``count`` addresses of each family until killed; says so when the announcement is over."""
    driver = _driver()
    driver.announce(first + EVERY * i for first in FIRST.values() for i in range(count))
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        await until(lambda: driver.links)
        await asyncio.sleep(5 + count / 100)  # ten frames for each address of each family, 2,000 a second
        print("ready", flush=True)


async def tell(family: str, count: int) -> Told:
    """How long ``announce`` takes, and the first round."""
    driver = _driver()
    addresses = [FIRST[family] + EVERY * i for i in range(count)]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run())
        await until(lambda: driver.links and driver.links[0].has_ipv6)
        cpu, begin = time.process_time(), time.monotonic()
        driver.announce(addresses)
        returned, busy = time.monotonic(), time.process_time() - cpu
        while not driver.counters.gratuitous[addresses[-1]]:  # noqa: ASYNC110 - to the nearest turn
            await asyncio.sleep(0)
        told = time.monotonic()
        task.cancel()
    return Told(
        addresses=count,
        returned_ms=round((returned - begin) * 1e3, 2),
        cpu_ms=round(busy * 1e3, 2),
        all_told_ms=round((told - begin) * 1e3, 2),
    )


@contextmanager
def responder(count: int) -> Iterator[int]:
    """A process that answers; its id."""
    command = [sys.executable, "-m", "bench.arp", "--respond", "--addresses", str(count)]
    environment = {**os.environ, **IMPORTABLE}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
