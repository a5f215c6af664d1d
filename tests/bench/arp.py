"""How fast questions are answered, what they cost, and how long a thousand addresses take to be told.

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
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from socket import socket

from bareway.gossip.events import Permission
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.ndp import ALL_NODES_MAC
from bareway.model.names import IPAddress
from speaker.layer2.driver import Layer2Driver
from support.arp import frame as ask4
from support.ndp import frame as ask6
from support.netns import Cable, cable
from support.until import until

FIRST: dict[str, IPAddress] = {"IPv4": IPv4Address("192.168.0.0"), "IPv6": IPv6Address("2001:db8::")}
EVERY = 3
"""One address in so many of a pool is ours: the others are other nodes'."""
ANSWER_WITHIN_S = 1.0
SECONDS = 3.0
TO_EVERYBODY = (b"\xff" * 6, bytes(ALL_NODES_MAC))


def main() -> None:
    """Measure all and print it; with arguments, be the process that answers."""
    if len(sys.argv) > 1:
        asyncio.run(respond(sys.argv[1], int(sys.argv[2])))
        return
    figures: dict[str, object] = {}
    with cable() as wire:
        for family in FIRST:
            figures[f"{family}, 1000 addresses told"] = asyncio.run(tell(family, 1000))
            for count in (1, 1000, 5000):
                figures[f"{family}, {count} addresses"] = measure(wire, family, count)
    print(json.dumps(figures, indent=1))


def measure(wire: Cable, family: str, count: int) -> dict[str, object]:
    """All rows for a responder of so many addresses."""
    ethertype = ETHERTYPE_ARP if family == "IPv4" else ETHERTYPE_IPV6
    ours = [question(FIRST[family] + EVERY * i, wire) for i in range(count)]
    others = [question(FIRST[family] + EVERY * i + 1 + i % 2, wire) for i in range(count)]
    with responder(family, count) as pid, wire.client_socket(ethertype=ethertype) as client:
        return {
            "paced, one a millisecond": ask(client, pid, ours, requests=5000, pace_s=0.001),
            "back to back": ask(client, pid, ours, requests=20_000, pace_s=0.0),
            "10,000 a second for ours": storm(client, pid, ours, per_s=10_000),
            "20,000 a second for other nodes' addresses": storm(client, pid, others, per_s=20_000),
        }


def question(address: IPAddress, wire: Cable) -> bytes:
    """Asked of everybody by the client."""
    if isinstance(address, IPv4Address):
        return ask4(address, sender_mac=wire.CLIENT_MAC)
    return ask6(address, frame_source=wire.CLIENT_MAC)


async def respond(family: str, count: int) -> None:
    """Answer for ``count`` addresses until killed; says so when the filter is exact."""
    driver = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    driver.announce(FIRST[family] + EVERY * i for i in range(count))
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run())
        await until(lambda: driver.links)
        await asyncio.sleep(5 + count / 200)  # the rounds of the announcement are over
        print("ready", flush=True)


async def tell(family: str, count: int) -> dict[str, float]:
    """How long ``announce`` takes, and the first round."""
    driver = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
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
    return {
        "addresses": count,
        "announce returns after ms": round((returned - begin) * 1e3, 2),
        "cpu ms of that, 200 frames": round(busy * 1e3, 2),
        "all told after ms": round((told - begin) * 1e3, 2),
    }


@contextmanager
def responder(family: str, count: int) -> Iterator[int]:
    """A process that answers; its id."""
    command = [sys.executable, "-m", "bench.arp", family, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def ask(client: socket, pid: int, frames: list[bytes], *, requests: int, pace_s: float) -> dict[str, float]:
    """Ask for one address after the other, and wait for each answer by spinning."""
    took_us: list[float] = []
    lost = 0
    cpu = cpu_s(pid)
    due = time.monotonic()
    for number in range(requests):
        due = max(due + pace_s, time.monotonic())
        while time.monotonic() < due:
            pass
        begin = time.perf_counter()
        client.send(frames[number % len(frames)])
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
    """Whether a reply comes in time; what is told to everybody does not count."""
    while time.perf_counter() - begin < ANSWER_WITHIN_S:
        if replies(client):
            return True
    return False


def storm(client: socket, pid: int, frames: list[bytes], *, per_s: int) -> dict[str, float]:
    """Many questions a second, whatever becomes of them."""
    cpu, begin = cpu_s(pid), time.monotonic()
    sent = came = 0
    while (elapsed := time.monotonic() - begin) < SECONDS:
        if sent < elapsed * per_s:
            client.send(frames[sent % len(frames)])
            sent += 1
        came += replies(client)
    percent = round((cpu_s(pid) - cpu) / SECONDS * 100, 2)
    last = time.monotonic()
    while time.monotonic() - last < ANSWER_WITHIN_S:  # what waits in a socket is not lost
        if replies(client):
            came += 1
            last = time.monotonic()
    return {"sent": sent, "answered": came, "percent of a core": percent}


def replies(client: socket) -> int:
    """One if a reply to us lies there."""
    try:
        return client.recv(64)[:6] not in TO_EVERYBODY
    except BlockingIOError:
        return 0


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
