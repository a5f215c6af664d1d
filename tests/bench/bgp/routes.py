"""How fast routes of one attribute set reach BIRD, of Bareway's engine and of GoBGP beside it.

The engine is the speaker's own driver without a cluster above it, so that announcers alone are compared. BIRD
is asked every few milliseconds how many it has, and puts none into its kernel.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from bench.bgp.conditions import Conditions, cpu_s, pss_mb
from bench.trials import STALL_MAX_S, say
from lab.announcer import Announcer, Plan, PlannedPeer, PlannedRoutes
from lab.network import Lab
from lab.observations import longest_stall
from lab.rack import NODE_ASN, ROUTER_ASN
from lab.routers.bird import Bird
from lab.routers.gobgp import Gobgp
from lab.routers.shape import Configuration, Neighbour
from lab.stations import StallWatch
from lab.waiting import wait_for

SIZES = (10_000, 100_000)
FIRST = {"4": "10.0.0.0/32", "6": "fd00:1::/128"}
FEEDER_ASN = 64513
WITHIN_S = 120.0
POLL_S = 0.003


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """One announcer's start with so many routes; seconds."""

    announcer: str
    family: str
    routes: int
    established_to_last_s: float
    start_to_last_s: float
    cpu_s: float
    """Of the announcer, from its start to the last route."""
    pss_mb: float
    pss_above_idle_mb: float | None
    """More than the same program with a session and no routes; None where it was not measured."""
    stall_s: float


def flood(conditions: Conditions) -> list[Flood]:
    """Both announcers in turn, as often as wanted."""
    found: list[Flood] = []
    idle_mb = _idle_mb()
    sizes = (conditions.addresses,) if conditions.addresses else SIZES
    for size in sizes:
        for family in conditions.family:
            for _ in range(conditions.trials):
                found += _one(_bareway, family, size, idle_mb)
                found += _one(_gobgp, family, size, idle_mb)
    return found


class Place:
    """BIRD, a machine beside it, and a timer that sees stalls."""

    def __init__(self, lab: Lab, family: str) -> None:
        lan = self.lan = lab.switch("lan")
        self.lab = lab
        self.node = lab.machine("node1", lan, "192.0.2.11/24")
        self.router = lab.machine("router", lan, "192.0.2.1/24")
        is_ipv6 = family == "6"
        self.ours = self.node.address_6 if is_ipv6 else self.node.address
        self.its = self.router.address_6 if is_ipv6 else self.router.address
        neighbour = Neighbour(address=self.ours, local=self.its, asn=NODE_ASN)
        told = Configuration(
            asn=ROUTER_ASN, router_id="192.0.2.1", neighbours=(neighbour,), hold_time_s=90, fills_kernel=False
        )
        self.bird = Bird(self.router, told)
        self.stalls = StallWatch(self.router)

    def measure(self, began: float, routes: int) -> tuple[float, float]:
        """When the session was not up yet for the last time, and when the last route was there.

        So what lies between is too long by the time between two looks, never too short.
        """
        down_at = began

        def all_there() -> bool:
            nonlocal down_at
            looked_at = time.monotonic()
            shown = self.bird.counts(self.ours)
            if not shown.is_up:
                down_at = looked_at
            return shown.imported >= routes

        wait_for(all_there, what=f"{routes} routes at BIRD", within_s=WITHIN_S, poll_s=POLL_S)
        return down_at - began, time.monotonic() - began


Announce = Callable[[Place, str, int, float], Flood]


def _one(announce: Announce, family: str, routes: int, idle_mb: float) -> Iterator[Flood]:
    """One trial, repeated once if the host stood still."""
    for _ in range(2):
        with _place(family) as place:
            it = announce(place, family, routes, idle_mb)
        say(
            f"  {it.announcer} {it.routes} of IPv{family}: established → last"
            f" {it.established_to_last_s:.3f} s, start → last {it.start_to_last_s:.2f} s,"
            f" CPU {it.cpu_s:.2f} s, PSS {it.pss_mb} MB"
        )
        yield it
        if it.stall_s <= STALL_MAX_S:
            return


@contextmanager
def _place(family: str) -> Iterator[Place]:
    with Lab() as lab:
        place = Place(lab, family)
        yield place
        place.bird.stop()


def _peer(place: Place) -> PlannedPeer:
    return PlannedPeer(
        name="bird",
        address=place.its,
        local_asn=NODE_ASN,
        peer_asn=ROUTER_ASN,
        router_id="192.0.2.11",
        hold_time_s=90,
    )


def _idle_mb() -> float:
    """Of the program with a session and no routes."""
    with _place("4") as place:
        idle = Announcer(place.node, Plan(peers=(_peer(place),)), folder=place.lab.logs)
        idle.wait("bird")
        idle.status("bird")
        return pss_mb(idle.program)


def _bareway(place: Place, family: str, routes: int, idle_mb: float) -> Flood:
    began = time.monotonic()
    it = Announcer(
        place.node, Plan(peers=(_peer(place),), routes=_planned(family, routes)), folder=place.lab.logs
    )
    established_s, last_s = place.measure(began, routes)
    used_s = cpu_s(it.program)
    it.status("bird")
    memory_mb = pss_mb(it.program)
    return Flood(
        announcer="bareway",
        family=family,
        routes=routes,
        established_to_last_s=round(last_s - established_s, 4),
        start_to_last_s=round(last_s, 3),
        cpu_s=used_s,
        pss_mb=memory_mb,
        pss_above_idle_mb=round(memory_mb - idle_mb, 1),
        stall_s=round(longest_stall(place.stalls.stalls, since=began), 4),
    )


def _gobgp(place: Place, family: str, routes: int, _: float) -> Flood:
    """It is fed by a session of its own, then it gets BIRD as a peer: no other way is faster to fill it."""
    feeder = place.lab.machine("feeder", place.lan, "192.0.2.12/24")
    source = Neighbour(address=feeder.address, local=place.node.address, asn=FEEDER_ASN)
    told = Configuration(asn=NODE_ASN, router_id="192.0.2.11", neighbours=(source,), hold_time_s=90)
    began = time.monotonic()
    gobgp = Gobgp(place.node, told)
    peer = PlannedPeer(
        name="gobgp",
        address=place.node.address,
        local_asn=FEEDER_ASN,
        peer_asn=NODE_ASN,
        router_id="192.0.2.12",
        hold_time_s=90,
    )
    Announcer(feeder, Plan(peers=(peer,), routes=_planned(family, routes)), folder=place.lab.logs)
    wait_for(
        lambda: gobgp.imported(feeder.address) == routes,
        what="GoBGP to be fed",
        within_s=WITHIN_S,
        poll_s=0.2,
    )
    gobgp.ask("neighbor", "add", place.its, "as", str(ROUTER_ASN), "family", f"ipv{family}-unicast")
    established_s, last_s = place.measure(began, routes)
    process = gobgp.process
    found = Flood(
        announcer="gobgp",
        family=family,
        routes=routes,
        established_to_last_s=round(last_s - established_s, 4),
        start_to_last_s=round(last_s, 3),
        cpu_s=cpu_s(process.pid),
        pss_mb=pss_mb(process.pid),
        pss_above_idle_mb=None,
        stall_s=round(longest_stall(place.stalls.stalls, since=began), 4),
    )
    gobgp.stop()
    return found


def _planned(family: str, routes: int) -> tuple[PlannedRoutes, ...]:
    return (PlannedRoutes(first=FIRST[family], count=routes, communities=("64512:100",)),)
