"""A speaker's start in a cluster with thousands of Services: until the last route is at BIRD, and its cost.

Whole speaker, embedded API server, Services that had their addresses before; policy Cluster.
"""

import time
from dataclasses import replace

import msgspec

from bench.bgp.conditions import Conditions, cpu_s, pss_mb, whole
from bench.trials import STALL_MAX_S, say
from lab.multitude import POOLS, FilledApi, addresses_of
from lab.network import Lab
from lab.observations import longest_stall
from lab.rack import Rack, configuration, peer
from lab.routers.bird import Bird
from lab.site import Site
from lab.stations import StallWatch
from lab.system import System
from lab.waiting import wait_for

SIZES = (1_000, 5_000)
WITHIN_S = 180.0
POLL_S = 0.005
REST_S = 5.0
"""Until what the start needed is given back."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start; seconds, MB of 1,000,000 bytes."""

    services: int
    family: str
    start_to_last_s: float
    established_to_last_s: float
    """Too long by the time between two looks at most."""
    cpu_s: float
    """Of all processes of the container until then."""
    pss_mb: float
    """Of all of them, some seconds later."""
    stall_s: float


def starts(conditions: Conditions) -> list[Start]:
    """Each size and family, as often as wanted."""
    found: list[Start] = []
    for size in (conditions.addresses,) if conditions.addresses else SIZES:
        for family in conditions.family:
            for _ in range(conditions.trials):
                found.append(_one(size, family))
                if found[-1].stall_s > STALL_MAX_S:
                    say(f"  the host itself stood still for {found[-1].stall_s * 1000:.0f} ms: once more")
                    found.append(_one(size, family))
    return found


def _one(count: int, family: str) -> Start:
    with Lab() as lab:
        rack = Rack(lab, nodes=1)
        addresses = addresses_of(count, (f"IPv{family}",))

        def filled(site: Site) -> FilledApi:
            return FilledApi(site, addresses)

        system = System(rack, filled)
        system.start_cluster()
        told = rack.router_configuration()
        bird = Bird(rack.router, replace(told, fills_kernel=False))
        system.apply(configuration(peer(rack.router.address), pools=POOLS))
        (node,) = rack.nodes
        stalls = StallWatch(rack.router)
        began = down_at = time.monotonic()
        process = system.start_speaker(node)

        def all_there() -> bool:
            nonlocal down_at
            looked_at = time.monotonic()
            shown = bird.counts(node.address)
            if not shown.is_up:
                down_at = looked_at
            return shown.imported >= count

        wait_for(all_there, what=f"{count} routes at BIRD", within_s=WITHIN_S, poll_s=POLL_S)
        ended = time.monotonic()
        used_s = sum(map(cpu_s, whole(process)))
        wait_for(lambda: time.monotonic() > ended + REST_S, what="a while", within_s=2 * REST_S, poll_s=0.1)
        found = Start(
            services=count,
            family=family,
            start_to_last_s=round(ended - began, 3),
            established_to_last_s=round(ended - down_at, 4),
            cpu_s=round(used_s, 2),
            pss_mb=pss_mb(*whole(process)),
            stall_s=round(longest_stall(stalls.stalls, since=began), 4),
        )
        bird.stop()
    say(
        f"  {count} Services of IPv{family}: start → last {found.start_to_last_s:.2f} s, established → last"
        f" {found.established_to_last_s:.3f} s, CPU {found.cpu_s:.2f} s, PSS {found.pss_mb} MB"
    )
    return found
