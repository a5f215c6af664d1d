"""Three endpoints on one node, one on the other, FRR as the router: who gets how many of 4,000 connections.

Then one endpoint of the three goes: the share follows, and no session is reset.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from bench.bgp.conditions import Conditions
from bench.trials import say
from lab.network import Lab
from lab.observations import served_again
from lab.routed import Routed
from lab.routers.frr import Frr
from lab.waiting import wait_for

CONNECTIONS = 4_000
EVERY_MS = 2.0
FOLLOWED_WITHIN_S = 60.0
WITHIN_S = 120.0


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    connections: int
    share: float
    """Per cent that the node with three endpoints got; 75 is right."""
    weights: Mapping[str, int]
    """In the router's kernel."""
    share_after: float
    """With two endpoints to one; 66.7 is right."""
    weights_after: Mapping[str, int]
    followed_s: float
    """From the change of the endpoint to other weights in the router's kernel; small changes wait."""
    resets: int
    """Sessions that FRR counts as dropped meanwhile."""
    failed: int


def weights(conditions: Conditions) -> list[Share]:
    """As often as wanted, on one rack."""
    with Lab() as lab:
        routed = Routed(lab, Frr, backends=(3, 1), is_weighted=True)
        found = [_one(routed, number) for number in range(conditions.trials)]
        routed.stop()
    return found


def _one(routed: Routed, number: int) -> Share:
    many, few = routed.nodes
    routed.wait_for_ways(many, few)
    wait_for(lambda: _ratio(routed) > 2.5, what="weights of three to one", within_s=FOLLOWED_WITHIN_S)
    before = routed.ways()
    pages, failed = _connections(routed, f"three-{number}")
    drops = _drops(routed)
    began = time.monotonic()
    routed.serve(
        {many.name: routed.backends[many.name][:2], few.name: routed.backends[few.name]},
    )
    wait_for(
        lambda: dict(routed.ways()) != dict(before),
        what="other weights",
        within_s=FOLLOWED_WITHIN_S,
        poll_s=0.05,
    )
    followed_s = time.monotonic() - began
    after = routed.ways()
    later, failed_later = _connections(routed, f"two-{number}")
    routed.serve(routed.backends)
    found = Share(
        connections=pages.total(),
        share=round(100 * pages[many.name] / pages.total(), 1),
        weights=before,
        share_after=round(100 * later[many.name] / later.total(), 1),
        weights_after=after,
        followed_s=round(followed_s, 2),
        resets=_drops(routed) - drops,
        failed=failed + failed_later,
    )
    say(
        f"  {found.share} % of {found.connections} with {dict(before)}, then {found.share_after} % with"
        f" {dict(after)}; {found.resets} sessions reset, {found.failed} failed"
    )
    return found


def _connections(routed: Routed, name: str) -> tuple[Counter[str], int]:
    prober = routed.probe(every_ms=EVERY_MS, name=name)
    began = time.monotonic()
    wait_for(
        lambda: served_again(prober.attempts, since=began), what="a client that is served", within_s=10.0
    )
    wait_for(
        lambda: len(prober.attempts) >= CONNECTIONS, what="all connections", within_s=WITHIN_S, poll_s=0.1
    )
    attempts = prober.attempts[:CONNECTIONS]
    prober.process.kill()
    pages = Counter(attempt.body for attempt in attempts if attempt.body is not None)
    return pages, CONNECTIONS - pages.total()


def _ratio(routed: Routed) -> float:
    found = routed.ways()
    many, few = (found.get(node.name, 0) for node in routed.nodes)
    return many / few if few else 0.0


def _drops(routed: Routed) -> int:
    assert isinstance(routed.router, Frr)
    count = 0
    for node in routed.nodes:
        shown: Mapping[str, Any] = msgspec.json.decode(
            routed.router.ask(f"show bgp neighbors {node.address} json")
        )
        count += int(shown[node.address]["connectionsDropped"])
    return count
