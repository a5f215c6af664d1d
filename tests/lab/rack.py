"""A site behind a router: nodes on one side, the client on the other; only BGP leads to an address.

    192.0.2.1     router     its side of the nodes; 198.51.100.1 the client's
    192.0.2.11    node1 …    announce addresses of 203.0.113.0/24 and 2001:db8:3::/64
    198.51.100.100 client    knows nothing but the router

A node can carry a backend of its own, whose page names the node: so a client sees who was chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv6Address

from lab import manifests
from lab.machine import Machine
from lab.network import Lab
from lab.routers.shape import Configuration, Neighbour, kernel_routes
from lab.site import BACKEND_PORT, Backend, Site
from lab.stations import start_module

POOL = "203.0.113.10-203.0.113.99"
POOL_6 = "2001:db8:3::10-2001:db8:3::99"
CLIENTS = "198.51.100.0/24"
CLIENTS_6 = "2001:db8:2::/64"
ROUTER_ASN = 64500
NODE_ASN = 64512
HOLD_TIME_S = 9
ROUTER_SYSCTLS = {
    "ipv4/fib_multipath_hash_policy": "1",  # ports count too: else one client always lands on one node
    "ipv6/fib_multipath_hash_policy": "1",
}
BFD_PROFILE = """\
bfd-profiles:
- name: fast
  receive-interval: 100
  transmit-interval: 100
  detect-multiplier: 3
"""


class Rack(Site):
    """The machines, and what their router has to be told; which one runs there is the caller's choice."""

    def __init__(self, lab: Lab, *, nodes: int = 3) -> None:
        self.outside = lab.switch("outside", prefix_6=CLIENTS_6)
        super().__init__(lab, nodes=nodes)
        for name, value in ROUTER_SYSCTLS.items():
            self.router.run("sh", "-c", f"echo {value} > /proc/sys/net/{name}")
        self.client.route("default", via="198.51.100.1")
        self.client.route("2000::/3", via=CLIENTS_6.replace("/64", "1"))
        for node in self.nodes:
            node.route(CLIENTS, via=self.router.address)
            node.route(CLIENTS_6, via=self.router.address_6)

    def _client(self) -> Machine:
        self.router = self.lab.machine("router", self.lan, "192.0.2.1/24")
        self.router.connect(self.outside, "198.51.100.1/24")
        return self.lab.machine("client", self.outside, "198.51.100.100/24")

    def ways(self, prefix: str) -> Mapping[str, int]:
        """The router's kernel: through which nodes the prefix goes, with weights."""
        return ways(self.router, self.nodes, prefix)

    def session(self, node: Machine, *, is_ipv6: bool = False) -> tuple[str, str]:
        """The addresses of a node's session: its own, and the router's."""
        if is_ipv6:
            return node.address_6, self.router.address_6
        return node.address, self.router.address

    def router_configuration(
        self,
        *,
        is_ipv6: bool = False,
        password: str = "",
        has_bfd: bool = False,
        hold_time_s: int = HOLD_TIME_S,
        asn: int = ROUTER_ASN,
    ) -> Configuration:
        """The router waits for each node, by one family."""
        neighbours = tuple(
            Neighbour(address=ours, local=its, asn=NODE_ASN, password=password, has_bfd=has_bfd)
            for ours, its in (self.session(node, is_ipv6=is_ipv6) for node in self.nodes)
        )
        return Configuration(
            asn=asn, router_id=self.router.address, neighbours=neighbours, hold_time_s=hold_time_s
        )

    def serve_on(self, node: Machine, number: int = 1) -> Backend:
        """A backend of the node's own; ``number`` tells several apart, whose pages are alike."""
        place = self.nodes.index(node) + 1
        backend = Backend(
            address=f"10.244.{place}.{number}",
            address_6=f"fd00:10:244:{place}::{number}",
            port=BACKEND_PORT,
            page=node.name,
            node=node.name,
        )
        for address in (backend.address, backend.address_6):
            node.hold(address)
        self.start_backend(node, backend)
        return backend

    def start_backend(self, node: Machine, backend: Backend) -> None:
        """Once more after the node had no power; it holds its addresses already."""
        addresses = f"{backend.address},{backend.address_6}"
        words = (addresses, str(backend.port), backend.page)
        name = f"backend-{backend.address.rpartition('.')[2]}"
        start_module(node, "lab.tools.backend", *words, name=name).wait_for_output("serving")


def link_local(machine: Machine) -> str:
    """Made of its hardware address (RFC 4291 appendix A)."""
    octets = bytes.fromhex(machine.mac.replace(":", ""))
    identifier = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    return str(IPv6Address(b"\xfe\x80" + b"\0" * 6 + identifier))


def ways(router: Machine, nodes: Iterable[Machine], prefix: str) -> Mapping[str, int]:
    """Through which nodes the router's kernel sends a prefix, with weights; empty without a route."""
    hops = kernel_routes(router).get(prefix, {})
    names = {
        address: node.name for node in nodes for address in (node.address, node.address_6, link_local(node))
    }
    return {names.get(hop, hop): weight for hop, weight in hops.items()}


def peer(
    address: str,
    *,
    name: str = "",
    password: str = "",
    has_bfd: bool = False,
    hold_time_s: int = HOLD_TIME_S,
    more: Sequence[str] = (),
) -> str:
    """One entry of ``peers`` in the configuration of the speakers; ``more`` are further lines."""
    lines = [
        f"- peer-address: {address}",
        f"  peer-asn: {ROUTER_ASN}",
        f"  my-asn: {NODE_ASN}",
        f"  hold-time: {hold_time_s}s",
        *([f"  name: {name}"] if name else []),
        *([f"  password: {password}"] if password else []),
        *(["  bfd-profile: fast"] if has_bfd else ["  graceful-restart: on"]),
        *(f"  {line}" for line in more),
    ]
    return "\n".join(lines)


def configuration(
    *peers: str,
    pools: Sequence[str] = (POOL, POOL_6),
    advertisement: Sequence[str] = (),
    has_bfd: bool = False,
) -> str:
    """The ConfigMap: all pools by BGP, to these peers; ``advertisement`` are lines of its only one."""
    told = [
        "  bgp-advertisements:",
        "  - communities:",
        "    - 64512:100",
        *(f"    {line}" for line in advertisement),
    ]
    document = "\n".join([*told, "peers:", *peers]) + "\n" + (BFD_PROFILE if has_bfd else "")
    return manifests.configuration(*pools, protocol="bgp", more=document)
