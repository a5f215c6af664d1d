"""How fast a change in Kubernetes is one in the router's kernel: a Service's address, its last endpoint."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import msgspec

from bench.bgp.conditions import Conditions
from bench.trials import say
from lab import manifests
from lab.apis import EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.observations import longest_stall
from lab.route_changes import RouteWatch
from lab.routed import BOTH, Routed
from lab.routers.bird import Bird
from lab.routers.frr import Frr
from lab.stations import IMPORTABLE, StallWatch
from lab.waiting import wait_for

SEEN_WITHIN_S = 30.0
BETWEEN_S = 0.3
"""Between two trials: what was told of the former is over."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One trial; seconds from the request that changed the object."""

    router: str
    what: str
    family: str
    first_s: float
    """Until the first node's news was in the router's kernel."""
    last_s: float
    """Until it was that of all nodes."""
    stall_s: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All trials, and the middle one of each kind."""

    middle_s: dict[str, float]
    trials: list[Change]


def changes(conditions: Conditions) -> Summary:
    """Both routers, both changes."""
    found: list[Change] = []
    for kind in (Bird, Frr):
        with _running(kind) as bench:
            for number in range(conditions.trials):
                for family in conditions.family:
                    found += [bench.address(family, number), bench.endpoint(family)]
    kinds = sorted({(one.router, one.what, one.family) for one in found})
    return Summary(
        middle_s={
            " ".join(kind): round(
                median(one.last_s for one in found if (one.router, one.what, one.family) == kind), 4
            )
            for kind in kinds
        },
        trials=found,
    )


class Bench:
    """Two nodes behind a router; each trial changes one object by a PATCH."""

    def __init__(self, routed: Routed) -> None:
        self._routed = routed
        self._routes = RouteWatch(routed.rack.router)
        self._stalls = StallWatch(routed.rack.router)

    def address(self, family: str, number: int) -> Change:
        """The Service of another has no address; then it gets one."""
        host = number % 40 + 40
        address = f"203.0.113.{host}" if family == "4" else f"2001:db8:3::{host}"
        self._patch("/api/v1/namespaces/default/services/other/status", _status(None))
        prefix = f"{address}/{32 if family == '4' else 128}"
        self._settle(lambda: not self._routed.rack.ways(prefix))
        at = self._patch("/api/v1/namespaces/default/services/other/status", _status(address))
        everybody = {node.name for node in self._routed.nodes}
        self._settle(lambda: set(self._routed.rack.ways(prefix)) == everybody)
        return self._told("Service gets its address", family, prefix, at)

    def endpoint(self, family: str) -> Change:
        """The last endpoint of one of two nodes goes, policy Local; then it is back."""
        prefix = self._routed.prefix if family == "4" else f"{self._routed.six}/128"
        staying, leaving = self._routed.nodes
        self._routed.wait_for_ways(staying, leaving)
        # An endpoint of either family keeps a Service's addresses at its node: the last one is what counts.
        order = ("IPv6", "IPv4") if family == "4" else ("IPv4", "IPv6")
        at = [self._serve(each, staying) for each in order][-1]
        self._settle(lambda: set(self._routed.rack.ways(prefix)) == {staying.name})
        told = self._told("last local endpoint goes", family, prefix, at)
        for each in order:
            self._serve(each, staying, leaving)
        self._routed.wait_for_ways(staying, leaving)
        return told

    def _serve(self, family: str, *nodes: Machine) -> float:
        """From now on by these nodes."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-{family.lower()}"
        ends = [
            {
                "addresses": [backend.address if family == "IPv4" else backend.address_6],
                "nodeName": node.name,
            }
            for node in nodes
            for backend in self._routed.backends[node.name]
        ]
        return self._patch(path, {"endpoints": ends})

    def _settle(self, look: Callable[[], bool]) -> None:
        wait_for(look, what="the router's kernel to follow", within_s=SEEN_WITHIN_S)
        ends_at = time.monotonic() + BETWEEN_S
        wait_for(lambda: time.monotonic() > ends_at, what="a while", within_s=2.0, poll_s=0.05)

    def _patch(self, path: str, body: object) -> float:
        api = self._routed.system.api
        assert isinstance(api, EmbeddedApi)
        words = (api.url, path, json.dumps(body))
        machine = self._routed.rack.api
        command = ("env", *(f"{name}={value}" for name, value in IMPORTABLE.items()))
        return float(machine.run(*command, sys.executable, "-m", "lab.tools.patch", *words))

    def _told(self, what: str, family: str, prefix: str, at: float) -> Change:
        seen = self._routes.changes(prefix, since=at)
        it = Change(
            router=self._routed.router.name,
            what=what,
            family=family,
            first_s=round(seen[0].at - at, 4),
            last_s=round(seen[-1].at - at, 4),
            stall_s=round(longest_stall(self._stalls.stalls, since=at), 4),
        )
        say(f"  {it.router} IPv{family}: {what}: {it.first_s * 1000:.1f} … {it.last_s * 1000:.1f} ms")
        return it


def _status(address: str | None) -> object:
    return {"status": {"loadBalancer": {"ingress": [{"ip": address}] if address else []}}}


@contextmanager
def _running(kind: type[Bird | Frr]) -> Iterator[Bench]:
    with Lab() as lab:
        routed = Routed(lab, kind, backends=(1, 1))
        routed.wait_for_ways(*routed.nodes)
        assert routed.system.controller is not None
        routed.system.controller.kill()  # addresses are ours to give from here on
        ends = [backend for several in routed.backends.values() for backend in several]
        slices = [manifests.endpoint_slice("other", ends, family=family) for family in BOTH]
        routed.system.apply(manifests.service("other", families=BOTH), *slices)
        yield Bench(routed)
        routed.stop()
