"""MetalLB's rank, against vectors of its own order (v0.11 and later)."""

from ipaddress import ip_address

import pytest

from bareway.model.names import NodeName
from bareway.model.rank import rank, ranked

NODES = [NodeName(name) for name in ("node1", "node2", "node3")]


@pytest.mark.parametrize(
    ("address", "order"),
    [
        ("192.168.10.0", "node2 node1 node3"),
        ("192.168.10.1", "node3 node1 node2"),
        ("10.20.30.1", "node1 node2 node3"),
        ("fc00::1", "node3 node1 node2"),
    ],
)
def test_nodes_stand_in_the_order_that_metallb_gives_them(address: str, order: str) -> None:
    assert ranked(NODES, ip_address(address)) == tuple(order.split())
    assert ranked(reversed(NODES), ip_address(address)) == tuple(order.split())


def test_ipv6_is_ranked_by_its_canonical_text() -> None:
    assert rank(NODES[0], ip_address("FC00:0:0:0::1")) == rank(NODES[0], ip_address("fc00::1"))
