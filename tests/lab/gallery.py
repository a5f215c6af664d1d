"""Two nodes with the whole of Bareway, and four routers that all peer with both of them, by both families.

One system for many questions: it takes longer to start than any of them to answer.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

from lab.apis import EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.rack import NODE_ASN, ROUTER_ASN, configuration, peer, ways
from lab.routers.bird import Bird
from lab.routers.frr import Frr
from lab.routers.gobgp import Gobgp
from lab.routers.openbgpd import Openbgpd
from lab.routers.shape import Announced, Configuration, Neighbour, Router
from lab.site import Site
from lab.system import System
from lab.waiting import wait_for

KINDS: Final[Mapping[str, Callable[[Machine, Configuration], Router]]] = {
    "bird": Bird,
    "frr": Frr,
    "gobgp": Gobgp,
    "openbgpd": Openbgpd,
}
PACKAGES: Final = {"bird": "bird2", "frr": "frr", "gobgp": "gobgpd", "openbgpd": "openbgpd"}
FIRST_HOST: Final = 241
FAMILIES: Final = ("IPv4", "IPv6")
KEY: Final = "of-the-lab-alone"
SECRET: Final = f"""\
apiVersion: v1
kind: Secret
metadata:
  namespace: bareway-system
  name: routers
type: kubernetes.io/basic-auth
stringData:
  password: {KEY}
"""
SEEN_WITHIN_S: Final = 30.0
"""A session begins anew within seconds; the machine may be busy."""


class Gallery:
    """The machines, the system, and each router by its name."""

    def __init__(self, lab: Lab) -> None:
        self.site = Site(lab, nodes=2)
        self.nodes = self.site.nodes
        self.machines = {
            name: lab.machine(name, self.site.lan, f"192.0.2.{FIRST_HOST + number}/24")
            for number, name in enumerate(KINDS)
        }
        self.routers: dict[str, Router] = {}
        self._monitors: dict[str, Process] = {}
        self.system = System(self.site, EmbeddedApi)
        self.system.start_cluster()
        self.system.start_all()
        self.start_routers()
        self.configure()
        self.system.publish(families=FAMILIES)
        self.four, self.six = self._prefixes()

    def start_routers(self, *, password: str = "") -> None:
        """All four anew."""
        self.stop_routers()
        for name, kind in KINDS.items():
            self.routers[name] = kind(self.machines[name], self._told(self.machines[name], password))

    def stop_routers(self) -> None:
        for router in self.routers.values():
            router.stop()
        self.routers.clear()

    def configure(self, *, has_keys: bool = False) -> None:
        """Every node peers with every router, by both families."""
        key = ("password-secret: routers",) if has_keys else ()
        peers = [
            peer(address, name=f"{name}-{family}", more=key)
            for name, machine in self.machines.items()
            for family, address in ((4, machine.address), (6, machine.address_6))
        ]
        self.system.apply(configuration(*peers))

    def _told(self, machine: Machine, password: str) -> Configuration:
        neighbours = tuple(
            Neighbour(address=ours, local=its, asn=NODE_ASN, password=password)
            for node in self.nodes
            for ours, its in ((node.address, machine.address), (node.address_6, machine.address_6))
        )
        return Configuration(asn=ROUTER_ASN, router_id=machine.address, neighbours=neighbours)

    def _prefixes(self) -> tuple[str, str]:
        path = "jsonpath={.status.loadBalancer.ingress[*].ip}"

        def both() -> list[str]:
            found = self.system.kubectl("get", "service", "web", "-o", path).split()
            return found if len(found) == len(FAMILIES) else []

        found = sorted(
            map(ip_address, wait_for(both, what="both addresses", within_s=20)), key=lambda a: a.version
        )
        return f"{found[0]}/32", f"{found[1]}/128"

    # -- looking

    def ways(self, router: str, prefix: str) -> set[str]:
        """The nodes to which this router's kernel sends packets for the prefix."""
        return set(ways(self.machines[router], self.nodes, prefix))

    def has_path(self, router: str, prefix: str, peer: str, *, community: str = "") -> bool:
        """Whether that node's route is there, and carries the community."""
        route = self.routers[router].routes().get(prefix)
        path = route.by(peer) if route is not None else None
        return path is not None and not path.is_stale and (not community or community in path.communities)

    def monitor(self, router: str) -> Process:
        """What happens to its kernel's routes from now on, a line each."""
        return self.machines[router].start("monitor", "ip", "monitor", "route")

    # -- waiting

    def wait_for_session(self, router: str, peer: str, *, is_up: bool = True) -> None:
        self._wait(
            lambda: (self.routers[router].session(peer) == "established") is is_up,
            f"{router} to {'have' if is_up else 'lose'} its session with {peer}",
        )

    def wait_for_path(self, router: str, prefix: str, peer: str) -> Announced:
        """A route of that node's that is good."""
        self._wait(lambda: self.has_path(router, prefix, peer), f"{router} to have {prefix} of {peer}")
        path = self.routers[router].routes()[prefix].by(peer)
        assert path is not None
        return path

    def wait_for_ways(self, router: str, prefix: str) -> None:
        """The kernel's, to all nodes; not every router fills one."""
        if self.routers[router].fills_kernel:
            everybody = {node.name for node in self.nodes}
            what = f"{router}'s kernel to send {prefix} to both nodes"
            self._wait(lambda: self.ways(router, prefix) == everybody, what)

    def wait_for_refusal(self, router: str) -> None:
        """Somebody came without a key."""
        counter = "TcpExtTCPMD5NotFound"

        def refused() -> int:
            shown = self.machines[router].run("nstat", "-az", counter).split()
            return int(shown[shown.index(counter) + 1])

        self._wait(refused, f"{router} to refuse who has no key")

    def _wait(self, look: Callable[[], object], what: str) -> None:
        wait_for(look, what=what, within_s=SEEN_WITHIN_S, poll_s=0.1)
