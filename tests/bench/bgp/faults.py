"""What a client behind a router loses: on a drain, a restart, a crash, a power cut. With BIRD and with FRR.

New connections at a fixed rate, by ECMP over three nodes, policy Local, BFD at 100 ms times 3, graceful
restart agreed on.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import msgspec

from bench.bgp.conditions import Conditions, whole
from bench.trials import STALL_MAX_S, say
from lab.machine import Machine
from lab.network import Lab
from lab.observations import longest_stall, outage, served_again
from lab.route_changes import RouteWatch
from lab.routed import Routed
from lab.routers.bird import Bird
from lab.routers.frr import Frr
from lab.stations import Prober, StallWatch
from lab.waiting import wait_for

SEEN_WITHIN_S = 60.0
EVERY_MS = 1.0
AWAY_S = 5.0
"""Of a speaker that is told to end and started again; the issue is about ten seconds at most."""
WATCHED_ON_S = 1.0


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """One trial; times after the fault, in seconds."""

    router: str
    fault: str
    requests: int
    failed: int
    reasons: dict[str, int]
    """``ConnectionResetError`` was open while the router chose another way for it."""
    outage_s: float
    """From the last good answer to the next good one."""
    left_s: float | None
    """Until the router's kernel did not send to the node any more; None if it never stopped."""
    back_s: float | None
    """Until it did again."""
    stall_s: float


Act = Callable[["Bench", Machine], None]


class Bench:
    """Three nodes, one router, one Service."""

    def __init__(self, routed: Routed) -> None:
        self.routed = routed
        self.routes = RouteWatch(routed.rack.router)
        self.stalls = StallWatch(routed.rack.router)
        self._count = 0

    def trial(self, fault: str, act: Act, undo: Act | None) -> Loss:
        """Act on the first node while the client asks; then undo it."""
        routed = self.routed
        node = routed.nodes[0]
        routed.wait_for_ways(*routed.nodes, within_s=SEEN_WITHIN_S)
        self._wait_watched()
        self._count += 1
        prober = routed.probe(every_ms=EVERY_MS, name=f"{fault}-{self._count}".replace(" ", "-"))
        began = time.monotonic()
        self._served(prober, began)
        began = time.monotonic()
        act(self, node)
        self._served(prober, time.monotonic())
        ends_at = time.monotonic() + WATCHED_ON_S
        wait_for(lambda: time.monotonic() > ends_at, what="a while", within_s=5.0, poll_s=0.05)
        found = self._told(fault, node, prober, began)
        prober.process.kill()
        if undo is not None:
            undo(self, node)
        return found

    def is_fresh(self, node: Machine) -> bool:
        """Its session is up, and its route not a stale one."""
        route = self.routed.router.routes().get(self.routed.prefix)
        path = route.by(node.address) if route is not None else None
        is_up = self.routed.router.session(node.address) == "established"
        return path is not None and not path.is_stale and is_up

    def wait_fresh(self, node: Machine) -> None:
        wait_for(
            lambda: self.is_fresh(node), what=f"{node.name} to be back", within_s=SEEN_WITHIN_S, poll_s=0.1
        )

    def _wait_watched(self) -> None:
        """BFD begins with a packet a second (RFC 5880 section 6.8.3): a route may come before it is Up."""
        router = self.routed.router
        assert isinstance(router, Bird | Frr)
        wait_for(
            lambda: all(router.is_watched(node.address) for node in self.routed.nodes),
            what="BFD with every node",
            within_s=SEEN_WITHIN_S,
            poll_s=0.05,
        )

    def _served(self, prober: Prober, since: float) -> None:
        wait_for(
            lambda: served_again(prober.attempts, since=since, in_a_row=100),
            what="a client that is served",
            within_s=SEEN_WITHIN_S,
            poll_s=0.1,
        )

    def _told(self, fault: str, node: Machine, prober: Prober, began: float) -> Loss:
        attempts = [attempt for attempt in prober.attempts if attempt.sent_at >= began]
        reasons = Counter(attempt.failure for attempt in attempts if attempt.body is None)
        seen = outage(prober.attempts, since=began)
        changes = self.routes.changes(self.routed.prefix, since=began)
        left = [change.at for change in changes if change.is_gone or node.address not in change.hops]
        back = [
            change.at for change in changes if node.address in change.hops and left and change.at > left[0]
        ]
        found = Loss(
            router=self.routed.router.name,
            fault=fault,
            requests=len(attempts),
            failed=reasons.total(),
            reasons=dict(reasons),
            outage_s=round(seen.seconds, 4) if seen is not None else -1.0,
            left_s=round(left[0] - began, 4) if left else None,
            back_s=round(back[0] - began, 4) if back else None,
            stall_s=round(longest_stall(self.stalls.stalls, since=began), 4),
        )
        say(
            f"  {found.router}: {fault}: failed {found.failed} of {found.requests} {found.reasons},"
            f" outage {found.outage_s:.3f} s, route gone after {found.left_s} s, back after {found.back_s} s"
        )
        return found


def drain(bench: Bench, node: Machine) -> None:
    """Marked, avoided, withdrawn, ended."""
    bench.routed.mark(node)
    wait_for(
        lambda: bench.routed.router.session(node.address) != "established",
        what="the session to end",
        within_s=SEEN_WITHIN_S,
        poll_s=0.1,
    )


def undrain(bench: Bench, node: Machine) -> None:
    bench.routed.unmark(node)


def restart(bench: Bench, node: Machine) -> None:
    """SIGTERM to the container, and another one some seconds later."""
    began = time.monotonic()
    bench.routed.system.speakers[node.name].stop()
    wait_for(lambda: time.monotonic() > began + AWAY_S, what="a while", within_s=30.0, poll_s=0.05)
    bench.routed.system.start_speaker(node)
    bench.wait_fresh(node)


def crash(bench: Bench, node: Machine) -> None:
    """kill -9 of the main program; the BFD process lives and starts another."""
    bench.routed.system.crash(node)
    bench.wait_fresh(node)


def container(bench: Bench, node: Machine) -> None:
    """kill -9 of all of it; the kubelet starts another container at once."""
    process = bench.routed.system.speakers[node.name]
    for pid in whole(process):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    bench.routed.system.start_speaker(node)
    bench.wait_fresh(node)


def power_off(bench: Bench, node: Machine) -> None:
    node.power_off()
    others = {other.name for other in bench.routed.nodes if other is not node}
    wait_for(
        lambda: set(bench.routed.ways()) == others,
        what="the route to go",
        within_s=SEEN_WITHIN_S,
        poll_s=0.05,
    )


def repair(bench: Bench, node: Machine) -> None:
    bench.routed.repair(node)


FAULTS: dict[str, tuple[Act, Act | None]] = {
    "power-off": (power_off, repair),
    "drain": (drain, undrain),
    "restart": (restart, None),
    "crash": (crash, None),
    "container": (container, None),
}


def measure(*faults: str) -> Callable[[Conditions], list[Loss]]:
    """A scenario of these faults in turn, on each router."""

    def scenario(conditions: Conditions) -> list[Loss]:
        found: list[Loss] = []
        for kind in (Bird, Frr):
            with Lab() as lab:
                bench = Bench(Routed(lab, kind, backends=(1, 1, 1)))
                for fault in faults:
                    for _ in range(conditions.trials):
                        found += _repeated(bench, fault)
                bench.routed.stop()
        return found

    return scenario


def _repeated(bench: Bench, fault: str) -> list[Loss]:
    """Once more if the host stood still; both are kept."""
    act, undo = FAULTS[fault]
    found = [bench.trial(fault, act, undo)]
    if found[0].stall_s > STALL_MAX_S:
        say(f"  the host itself stood still for {found[0].stall_s * 1000:.0f} ms: repeated once")
        found.append(bench.trial(fault, act, undo))
    return found
