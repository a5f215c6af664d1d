"""The network of the ring: a switch, the machines on it, and a client and an observer outside the cluster.

    192.0.2.1    the host itself, if it is let in (``let_host_in``)
    192.0.2.2    api: the control plane
    192.0.2.11   node1 …
    192.0.2.100  client: asks for pages
    192.0.2.101  observer: sees ARP

The addresses are those set aside for documentation: by default those of the examples in ``manifests/``,
which then hold as they are. With the host let in it must be a network that the host does not use itself.
"""

from ipaddress import ip_network
from typing import Final

import msgspec

from cluster.node import pods_of
from lab.commands import CannotTry, LabError, ip
from lab.machine import Machine
from lab.network import Lab
from lab.site import Watchers
from lab.waiting import wait_for

NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")
"""The first three octets of the networks for documentation; the first one is that of the examples."""
HOST_INTERFACE: Final = "bareway-ring"
PAGE_WITHIN_S: Final = 20.0


class Lan:
    """Switch and cables; a machine's own cable is pulled by the machine."""

    def __init__(self, lab: Lab, *, nodes: int, network: str = NETWORKS[0]) -> None:
        self.lab = lab
        self.network = network
        self.switch = lab.switch("lan")
        self.api = lab.machine("api", self.switch, f"{network}.2/24")
        self.client = lab.machine("client", self.switch, f"{network}.100/24")
        self.observer = lab.machine("observer", self.switch, f"{network}.101/24")
        self.nodes = [
            lab.machine(f"node{number}", self.switch, f"{network}.{10 + number}/24")
            for number in range(1, nodes + 1)
        ]
        for machine in (self.api, *self.nodes):
            for number, node in enumerate(self.nodes, start=1):
                if node is not machine:
                    machine.route(pods_of(number), via=node.address)
        for node in self.nodes:  # leads nowhere, but without it a node cannot send to a Service's clusterIP
            node.route("default", via=self.api.address)

    def let_host_in(self) -> None:
        """Plug the host into the switch, so that a person's kubectl and browser reach what is on it."""
        if self.network not in free_networks():
            raise CannotTry(f"this host has a route into {self.network}.0/24 already")
        namespace = self.switch.namespace
        ip(*f"link add {HOST_INTERFACE} type veth peer name host netns {namespace}".split())
        ip(*f"-n {namespace} link set host master br0 up".split())
        ip(*f"address add {self.network}.1/24 dev {HOST_INTERFACE}".split())
        ip("link", "set", HOST_INTERFACE, "up")

    def page(self, url: str, *, client: Machine | None = None, within_s: float = PAGE_WITHIN_S) -> str:
        """What the client's curl gets, as soon as it gets something."""
        asking = client or self.client

        def fetched() -> str:
            try:
                return asking.run("curl", "-sSf", "--max-time", "1", url)
            except LabError:
                return ""

        return wait_for(fetched, what=f"a page from {url} on {asking.name}", within_s=within_s)

    def watch(self, address: str) -> Watchers:
        """Start asking for a page and for ARP answers at this address; who starts it stops it."""
        return Watchers(self, address)


class _Route(msgspec.Struct):
    dst: str


def free_networks() -> list[str]:
    """Those that this host does not use itself."""
    routes = msgspec.json.decode(ip("-json", "-4", "route", "show"), type=list[_Route])
    used = [ip_network(route.dst, strict=False) for route in routes if route.dst != "default"]
    return [
        network
        for network in NETWORKS
        if not any(each.overlaps(ip_network(f"{network}.0/24")) for each in used)
    ]
