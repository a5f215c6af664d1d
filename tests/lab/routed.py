"""Bareway on a rack behind one router, with a Service that each node serves by backends of its own."""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

from lab import manifests
from lab.apis import Api, EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.rack import Rack, configuration, peer
from lab.routers.shape import Configuration, Router
from lab.site import Backend, Site
from lab.stations import Prober
from lab.system import System
from lab.waiting import wait_for

SEEN_WITHIN_S = 60.0
"""A speaker starts in a second or two, and a session begins at once; the machine may be busy."""
BOTH = ("IPv4", "IPv6")


class Routed:
    """The rack, the system on it, the router, and the addresses of the Service."""

    def __init__(
        self,
        lab: Lab,
        kind: Callable[[Machine, Configuration], Router],
        *,
        backends: Sequence[int] = (1, 1),
        has_bfd: bool = True,
        is_weighted: bool = False,
        api: Callable[[Site], Api] = EmbeddedApi,
    ) -> None:
        """``backends`` says how many each node has; there are as many nodes."""
        self.rack = Rack(lab, nodes=len(backends))
        self.nodes = self.rack.nodes
        self.backends: dict[str, list[Backend]] = {
            node.name: [self.rack.serve_on(node, number) for number in range(1, count + 1)]
            for node, count in zip(self.nodes, backends, strict=True)
        }
        self.system = System(self.rack, api)
        self.system.start_cluster()
        self.system.start_all()
        self.router = kind(self.rack.router, self.rack.router_configuration(has_bfd=has_bfd))
        more = ("weighted: true",) if is_weighted else ()
        self.system.apply(
            configuration(peer(self.rack.router.address, has_bfd=has_bfd, more=more), has_bfd=has_bfd)
        )
        self.system.apply(manifests.service("web", families=BOTH, traffic="Local"))
        self.serve(self.backends)
        self.four, self.six = self._addresses()

    @property
    def prefix(self) -> str:
        return f"{self.four}/32"

    def serve(self, backends: Mapping[str, Sequence[Backend]]) -> None:
        """From now on these are the ready endpoints."""
        flat = [backend for several in backends.values() for backend in several]
        self.system.apply(*(manifests.endpoint_slice("web", flat, family=family) for family in BOTH))

    def ways(self, *, is_ipv6: bool = False) -> Mapping[str, int]:
        """The router's kernel: through which nodes the address goes, by name, with weights."""
        return self.rack.ways(f"{self.six}/128" if is_ipv6 else self.prefix)

    def wait_for_ways(self, *nodes: Machine, within_s: float = SEEN_WITHIN_S) -> None:
        """Until the router's kernel sends both addresses through these nodes and no others."""
        wanted = {node.name for node in nodes}
        wait_for(
            lambda: set(self.ways()) == wanted and set(self.ways(is_ipv6=True)) == wanted,
            what=f"the router's kernel to go through {sorted(wanted)}",
            within_s=within_s,
        )

    def probe(self, *, every_ms: float = 5.0, is_ipv6: bool = False, name: str = "requests") -> Prober:
        """The client asks on a new connection each few milliseconds."""
        address = self.six if is_ipv6 else self.four
        return Prober(self.rack.client, address, 80, "--every-ms", str(every_ms), name=name)

    def monitor(self) -> Process:
        """What happens to the router's kernel's routes from now on, a line each."""
        return self.rack.router.start("monitor", "ip", "-ts", "monitor", "route")

    def mark(self, node: Machine) -> None:
        self.system.kubectl("annotate", "node", node.name, "bareway.io/drain=maintenance")

    def unmark(self, node: Machine) -> None:
        self.system.kubectl("annotate", "node", node.name, "bareway.io/drain-")

    def repair(self, node: Machine) -> None:
        """Power a node on again, with all that ran on it."""
        node.power_on()
        for backend in self.backends[node.name]:
            self.rack.start_backend(node, backend)
        self.system.api.attach(node)
        self.system.start_speaker(node)

    def stop(self) -> None:
        self.router.stop()

    def _addresses(self) -> tuple[str, str]:
        path = "jsonpath={.status.loadBalancer.ingress[*].ip}"

        def both() -> list[str]:
            found = self.system.kubectl("get", "service", "web", "-o", path).split()
            return found if len(found) == len(BOTH) else []

        found = wait_for(both, what="both addresses", within_s=SEEN_WITHIN_S, poll_s=0.1)
        four, six = sorted(map(ip_address, found), key=lambda address: address.version)
        return str(four), str(six)
