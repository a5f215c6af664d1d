"""What the ring needs to speak BGP: a router on its network, and a client behind that.

192.0.2.3       router: BIRD
198.51.100.1    the same, towards its own side
198.51.100.100  far: asks for pages through the router
"""

from collections.abc import Mapping
from typing import Final

from cluster.installation import (
    CONFIGURATION,
    MANIFESTS,
    ROLLED_WITHIN_S,
    SETTLED_WITHIN_S,
    SPEAKERS,
    SYSTEM,
    Installation,
)
from cluster.node import Node
from lab.machine import Machine
from lab.manifests import documents, endpoint_slice, service
from lab.process import Process
from lab.rack import BFD_PROFILE, CLIENTS, NODE_ASN, ROUTER_ASN, ROUTER_SYSCTLS, peer, ways
from lab.routers.bird import Bird
from lab.routers.shape import Configuration, Neighbour
from lab.stations import Prober
from lab.waiting import wait_for

OVERLAY: Final = MANIFESTS / "overlays" / "bgp"
NAME: Final = "routed"
"""Of the pool and of the Service."""
POOL: Final = f"""\
- name: {NAME}
  protocol: bgp
  auto-assign: false
  addresses:
  - 203.0.113.0/24
"""
EVERY_MS: Final = 20.0


class RoutedInstallation:
    """Bareway with a router as a peer, and a Service whose page comes from beside the nodes."""

    def __init__(self, bareway: Installation) -> None:
        self.bareway = bareway
        lan, lab = bareway.ring.lan, bareway.ring.lab
        outside = lab.switch("outside")
        self.router = lab.machine("router", lan.switch, f"{lan.network}.3/24")
        self.router.connect(outside, "198.51.100.1/24")
        self.far = lab.machine("far", outside, "198.51.100.100/24")
        self.far.route("default", via="198.51.100.1")
        for name, value in ROUTER_SYSCTLS.items():
            self.router.run("sh", "-c", f"echo {value} > /proc/sys/net/{name}")
        for machine in (lan.api, *self.hosts):
            machine.route(CLIENTS, via=self.router.address)
        self.bird = Bird(self.router, self._configuration())
        self._example = CONFIGURATION.read_text().replace("192.0.2.", f"{lan.network}.")
        self.address = ""

    @property
    def hosts(self) -> list[Machine]:
        return [node.machine.host for node in self.bareway.ring.nodes]

    @property
    def prefix(self) -> str:
        return f"{self.address}/32"

    def install(self) -> None:
        """The overlay in place of what is installed, the router as a peer, the Service."""
        kubectl = self.bareway.kubectl
        kubectl("apply", "-k", str(OVERLAY))
        # In the document of the example: a pool more, and all that stands beside pools.
        document = f"{POOL}peers:\n{peer(self.router.address, has_bfd=True)}\n{BFD_PROFILE}"
        indented = "".join(f"    {line}\n" for line in document.splitlines())
        kubectl("apply", "-f", "-", stdin=f"{self._example.rstrip()}\n{indented}")
        kubectl("-n", SYSTEM, "rollout", "status", SPEAKERS, timeout_s=ROLLED_WITHIN_S)
        front = service(NAME).replace(
            f"  name: {NAME}\n",
            f"  name: {NAME}\n  annotations: {{metallb.universe.tf/address-pool: {NAME}}}\n",
            1,
        )
        kubectl("apply", "-f", "-", stdin=documents(front, endpoint_slice(NAME, [self.bareway.outside()])))
        self.address = self.bareway.await_address(NAME)

    def remove(self) -> None:
        """As the other stories know it: without a peer. The speakers stay as they are."""
        self.bareway.kubectl("delete", "service", NAME, "--ignore-not-found")
        self.bareway.kubectl("apply", "-f", "-", stdin=self._example)
        self.bird.stop()

    def ways(self) -> Mapping[str, int]:
        """Through which nodes the router's kernel sends."""
        return ways(self.router, self.hosts, self.prefix)

    def wait_for_ways(self, *nodes: Node, within_s: float = SETTLED_WITHIN_S) -> None:
        """Until it sends through these and no others."""
        names = {node.name for node in nodes}
        wait_for(lambda: set(self.ways()) == names, what=f"routes by {sorted(names)}", within_s=within_s)

    def probe(self, name: str) -> Prober:
        """The far client asks for pages."""
        return Prober(self.far, self.address, 80, "--every-ms", str(EVERY_MS), name=name)

    def monitor(self) -> Process:
        """What happens to the routes of the router's kernel from now on, a line each."""
        return self.router.start("monitor", "ip", "monitor", "route")

    def mark(self, node: Node, *, drained: bool) -> None:
        """The operator's mark of a drain."""
        mark = "bareway.io/drain=maintenance" if drained else "bareway.io/drain-"
        self.bareway.kubectl("annotate", "--overwrite", "node", node.name, mark)

    def _configuration(self) -> Configuration:
        neighbours = tuple(
            Neighbour(address=host.address, local=self.router.address, asn=NODE_ASN, has_bfd=True)
            for host in self.hosts
        )
        return Configuration(asn=ROUTER_ASN, router_id=self.router.address, neighbours=neighbours)
