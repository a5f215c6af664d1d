"""A node whose port 179 belongs to another BGP speaker that peers with the router already, as Calico's BIRD.

Two ways out: our session goes to that speaker, on the node itself, which tells the router our routes; or it
goes to the router from a second address of the node.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.announcer import Announcer, Plan, PlannedPeer, PlannedRoutes
from lab.machine import Machine
from lab.network import Lab
from lab.rack import NODE_ASN, ROUTER_ASN
from lab.routers.bird import Bird, BirdProcess
from lab.routers.shape import Configuration, Neighbour, kernel_routes
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
POD_PREFIX = "10.244.7.0/24"
OURS = "203.0.113.7/32"
OURS_6 = "2001:db8:3::7/128"
SECOND_ADDRESS = "192.0.2.111"
LOOPBACK_6 = "fd00:179::2"
"""IPv6 has but one address of the loopback itself, and a session needs two."""
OUR_ASN = 64513
"""BIRD takes no session with its own address and its own AS."""
SEEN_WITHIN_S = 20.0
OF_THE_NODE = f"""\
router id 192.0.2.11;
protocol device {{}}
protocol static pods {{ ipv4; route {POD_PREFIX} unreachable; }}
protocol bgp tor {{
  local 192.0.2.11 as {NODE_ASN}; neighbor 192.0.2.1 as {ROUTER_ASN};
  connect delay time 1; connect retry time 1; error wait time 1, 1; hold time 9;
  ipv4 {{ import none; export all; next hop self; }};
  ipv6 {{ import none; export all; next hop address 2001:db8:1::11; }};
}}
protocol bgp bareway {{
  local 127.0.0.1 as {NODE_ASN}; neighbor 127.0.0.2 as {OUR_ASN};
  multihop; passive on; hold time 9;
  ipv4 {{ import all; export none; }};
}}
protocol bgp bareway6 {{
  local ::1 as {NODE_ASN}; neighbor {LOOPBACK_6} as {OUR_ASN};
  multihop; passive on; hold time 9;
  ipv6 {{ import all; export none; }};
}}
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """A node with that other speaker, and the router."""

    lab: Lab
    node: Machine
    router: Bird
    other: BirdProcess

    def announce(self, *sessions: tuple[str, str], peer_asn: int) -> Announcer:
        """By these sessions, each to an address from an address."""
        peers = tuple(
            PlannedPeer(
                name=to,
                address=to,
                source_address=source,
                local_asn=OUR_ASN,
                peer_asn=peer_asn,
                router_id=SECOND_ADDRESS,
            )
            for to, source in sessions
        )
        routes = tuple(PlannedRoutes(first=prefix, communities=("64512:100",)) for prefix in (OURS, OURS_6))
        announcer = Announcer(self.node, Plan(peers=peers, routes=routes), folder=self.lab.logs)
        for to, _ in sessions:
            announcer.wait(to, within_s=SEEN_WITHIN_S)
        return announcer

    def wait_for_kernel(self, prefix: str, *hops: str) -> None:
        wait_for(
            lambda: set(kernel_routes(self.router.machine).get(prefix, ())) == set(hops),
            what=f"{prefix} by {hops} in the router's kernel",
            within_s=SEEN_WITHIN_S,
        )


@pytest.fixture
def beside(lab: Lab) -> Iterator[Beside]:
    lan = lab.switch("lan")
    router_machine = lab.machine("router", lan, "192.0.2.1/24")
    node = lab.machine("node1", lan, "192.0.2.11/24")
    node.run("ip", "address", "add", f"{SECOND_ADDRESS}/24", "dev", node.cable.interface)
    node.run("ip", "address", "add", f"{LOOPBACK_6}/128", "dev", "lo")
    neighbours = (
        Neighbour(address=node.address, local=router_machine.address, asn=NODE_ASN),
        Neighbour(address=SECOND_ADDRESS, local=router_machine.address, asn=OUR_ASN),
    )
    told = Configuration(asn=ROUTER_ASN, router_id=router_machine.address, neighbours=neighbours)
    router = Bird(router_machine, told)
    other = BirdProcess(node)
    other.start(OF_THE_NODE)
    found = Beside(lab, node, router, other)
    found.wait_for_kernel(POD_PREFIX, node.address)  # what was there before us
    yield found
    other.remove()
    router.stop()


def test_the_other_speaker_tells_the_router_our_routes(beside: Beside) -> None:
    announcer = beside.announce(("127.0.0.1", "127.0.0.2"), ("::1", LOOPBACK_6), peer_asn=NODE_ASN)
    beside.wait_for_kernel(OURS, beside.node.address)
    beside.wait_for_kernel(OURS_6, beside.node.address_6)
    path = beside.router.routes()[OURS].by(beside.node.address)
    assert path is not None
    assert path.as_path == (NODE_ASN, OUR_ASN)
    assert path.communities == {"64512:100"}
    assert announcer.process.stop() == 0
    beside.wait_for_kernel(POD_PREFIX, beside.node.address)


def test_a_second_address_has_a_session_of_its_own(beside: Beside) -> None:
    beside.announce((beside.router.machine.address, SECOND_ADDRESS), peer_asn=ROUTER_ASN)
    beside.wait_for_kernel(OURS, SECOND_ADDRESS)
    beside.wait_for_kernel(OURS_6, beside.node.address_6)
    assert beside.router.session(beside.node.address) == "established"
    beside.wait_for_kernel(POD_PREFIX, beside.node.address)
