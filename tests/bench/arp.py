"""How fast ARP is answered, what it costs, and how long a thousand addresses take to be told.

As root: ``PYTHONPATH=tests:. python -m bench.arp``. Two namespaces and a cable; the driver runs in a
process of its own, this one asks. One JSON object on standard output holds all figures.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from socket import socket

from bareway.gossip.events import Permission
from bareway.layer2 import arp
from speaker.layer2.driver import Layer2Driver
from support.arp import frame
from support.netns import Cable, cable
from support.until import until

FIRST_VIP = IPv4Address("192.168.0.0")
FOREIGN = IPv4Address("10.0.0.0")
ANSWER_WITHIN_S = 1.0


def main() -> None:
    """Measure all and print it; with an argument, be the process that answers."""
    if len(sys.argv) > 1:
        asyncio.run(respond(int(sys.argv[1])))
        return
    with cable() as wire:
        figures: dict[str, object] = {"gratuitous": asyncio.run(tell(1000))}
        for count in (1, 128, 1000):
            with responder(count) as pid, wire.client_socket() as client:
                figures[f"{count} addresses"] = {
                    "paced, one a millisecond": ask(client, wire, pid, count, requests=5000, pace_s=0.001),
                    "back to back": ask(client, wire, pid, count, requests=20_000, pace_s=0.0),
                    "foreign, 20,000 a second": disturb(client, pid, seconds=3),
                }
    print(json.dumps(figures, indent=1))


async def respond(count: int) -> None:
    """Answer for ``count`` addresses until killed; says so when the filter is exact."""
    driver = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    driver.announce(FIRST_VIP + 3 * i for i in range(count))
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        await until(lambda: driver.links)
        await asyncio.sleep(0.2)
        print("ready", flush=True)


async def tell(count: int) -> dict[str, float]:
    """How long ``announce`` takes, and the first round."""
    driver = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    addresses = [FIRST_VIP + 3 * i for i in range(count)]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run())
        await until(lambda: driver.links)
        cpu, begin = time.process_time(), time.monotonic()
        driver.announce(addresses)
        returned = time.monotonic()
        while not driver.counters.gratuitous[addresses[-1]]:  # noqa: ASYNC110 - to the nearest turn
            await asyncio.sleep(0)
        told = time.monotonic()
        busy = time.process_time() - cpu
        task.cancel()
    return {
        "addresses": count,
        "announce returns after ms": round((returned - begin) * 1e3, 2),
        "all told after ms": round((told - begin) * 1e3, 2),
        "cpu ms, spinning included": round(busy * 1e3, 2),
    }


@contextmanager
def responder(count: int) -> Iterator[int]:
    """A process that answers; its id."""
    command = [sys.executable, "-m", "bench.arp", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def ask(
    client: socket, wire: Cable, pid: int, count: int, *, requests: int, pace_s: float
) -> dict[str, float]:
    """Ask for one address after the other, and wait for each answer by spinning."""
    frames = [frame(FIRST_VIP + 3 * i, sender_mac=wire.CLIENT_MAC) for i in range(count)]
    took_us: list[float] = []
    lost = 0
    cpu = cpu_s(pid)
    due = time.monotonic()
    for number in range(requests):
        due = max(due + pace_s, time.monotonic())
        while time.monotonic() < due:
            pass
        begin = time.perf_counter()
        client.send(frames[number % count])
        if answered(client, begin):
            took_us.append((time.perf_counter() - begin) * 1e6)
        else:
            lost += 1
    return {
        **percentiles(took_us),
        "lost": lost,
        "responder cpu us per reply": round((cpu_s(pid) - cpu) / requests * 1e6, 1),
    }


def answered(client: socket, begin: float) -> bool:
    """Whether a reply comes in time; gratuitous frames do not count."""
    while time.perf_counter() - begin < ANSWER_WITHIN_S:
        try:
            if not arp.decode(client.recv(64)).is_gratuitous:
                return True
        except BlockingIOError:
            pass
    return False


def disturb(client: socket, pid: int, *, seconds: float) -> dict[str, float]:
    """What requests for others cost the responder."""
    foreign = frame(FOREIGN)
    cpu, begin = cpu_s(pid), time.monotonic()
    sent = 0
    while (elapsed := time.monotonic() - begin) < seconds:
        if sent < elapsed * 20_000:
            client.send(foreign)
            sent += 1
    return {"sent": sent, "percent of a core": round((cpu_s(pid) - cpu) / seconds * 100, 2)}


def percentiles(took_us: list[float]) -> dict[str, float]:
    """The middle and the tail."""
    cuts = statistics.quantiles(took_us, n=1000)
    return {
        "p50 us": round(cuts[499], 1),
        "p99 us": round(cuts[989], 1),
        "p99.9 us": round(cuts[998], 1),
        "max us": round(max(took_us), 1),
    }


def cpu_s(pid: int) -> float:
    """Seconds that ``pid`` has run, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("bench.arp makes network namespaces: run it as root")
    main()
