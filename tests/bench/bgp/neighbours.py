"""Eight routers get 5,000 routes: how much longer seven of them wait when one has stopped reading.

It gets many more before, so that every buffer on the way to it is full: the kernel's, asyncio's, ours.
"""

import time
from collections.abc import Sequence

import msgspec

from bench.bgp.conditions import Conditions, pss_mb
from bench.trials import say
from lab.announcer import Announcer, Plan, PlannedPeer, PlannedRoutes
from lab.machine import Machine
from lab.network import Lab
from lab.observations import longest_stall
from lab.rack import NODE_ASN, ROUTER_ASN
from lab.routers.bird import Bird
from lab.routers.shape import Configuration, Neighbour
from lab.stations import StallWatch
from lab.waiting import wait_for

ROUTERS = 8
ROUTES = 5_000
BEFORE = 6
"""So many times as many routes fill what lies between; a chunk of ours alone holds 13,000."""
WITHIN_S = 120.0
POLL_S = 0.003
SMALL_BUFFERS = "4096 16384 16384"
"""Of the kernel, on both sides, so that a few kilobytes fill them."""


class Convergence(msgspec.Struct, frozen=True, kw_only=True):
    """One change of all routes, and its way to all who read; seconds."""

    reading: int
    is_one_deaf: bool
    last_s: float
    """From the moment that the driver knew of them, until the last of those who read had all."""
    pss_mb: float
    owed: int
    """Prefixes that wait for the one who does not read."""
    stall_s: float


def neighbours(conditions: Conditions) -> list[Convergence]:
    """Alone and beside a deaf one, in turn."""
    found: list[Convergence] = []
    for _ in range(conditions.trials):
        routes = conditions.addresses or ROUTES
        found += [_one(routes, is_one_deaf=False), _one(routes, is_one_deaf=True)]
    return found


def _one(routes: int, *, is_one_deaf: bool) -> Convergence:
    with Lab() as lab:
        lan = lab.switch("lan")
        node = lab.machine("node1", lan, "192.0.2.11/24")
        node.run("sh", "-c", f"echo {SMALL_BUFFERS} > /proc/sys/net/ipv4/tcp_wmem")
        machines = [lab.machine(f"router{i}", lan, f"192.0.2.{100 + i}/24") for i in range(1, ROUTERS + 1)]
        for machine in machines:
            machine.run("sh", "-c", f"echo {SMALL_BUFFERS} > /proc/sys/net/ipv4/tcp_rmem")
        birds = [_bird(machine, node) for machine in machines]
        stalls = StallWatch(node)
        peers = tuple(_peer(machine) for machine in machines)
        announcer = Announcer(node, Plan(peers=peers), folder=lab.logs)
        for machine in machines:
            announcer.wait(machine.name)
        reading = birds[1:] if is_one_deaf else birds
        if is_one_deaf:
            birds[0].freeze()
        _tell(announcer, reading, BEFORE * routes)
        _tell(announcer, reading, (BEFORE + 1) * routes)
        ended = time.monotonic()
        began = announcer.words("wanted")[-1].at
        found = Convergence(
            reading=len(reading),
            is_one_deaf=is_one_deaf,
            last_s=round(ended - began, 4),
            pss_mb=pss_mb(announcer.program),
            owed=announcer.status(machines[0].name).owed,
            stall_s=round(longest_stall(stalls.stalls, since=began), 4),
        )
        for bird in birds:
            bird.thaw()
            bird.stop()
    say(
        f"  {found.reading} routers that read{', one that does not' if is_one_deaf else ''}: all had {routes}"
        f" routes after {found.last_s:.3f} s; {found.owed} owed"
    )
    return found


def _tell(announcer: Announcer, reading: Sequence[Bird], count: int) -> None:
    planned = (PlannedRoutes(first="10.0.0.0/32", count=count),)
    announcer.become(Plan(peers=announcer.plan.peers, routes=planned))
    wait_for(
        lambda: all(bird.imported(announcer.machine.address) == count for bird in reading),
        what=f"{count} routes at all who read",
        within_s=WITHIN_S,
        poll_s=POLL_S,
    )


def _bird(machine: Machine, node: Machine) -> Bird:
    neighbour = Neighbour(address=node.address, local=machine.address, asn=NODE_ASN)
    return Bird(
        machine,
        Configuration(
            asn=ROUTER_ASN,
            router_id=machine.address,
            neighbours=(neighbour,),
            hold_time_s=90,
            fills_kernel=False,
        ),
    )


def _peer(machine: Machine) -> PlannedPeer:
    return PlannedPeer(
        name=machine.name,
        address=machine.address,
        local_asn=NODE_ASN,
        peer_asn=ROUTER_ASN,
        router_id="192.0.2.11",
        hold_time_s=90,
    )
