"""Where speakers are, by Pods and Nodes: who is let in, and who is expected."""

from ipaddress import ip_address
from itertools import permutations

from bareway.decide.discovery import discover
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import Node
from bareway.model.pods import Pod

ME, A, B, C = (NodeName(name) for name in ("me", "a", "b", "c"))


def node(name: NodeName, address: str | None) -> Node:
    return Node(name=name, addresses=(ip_address(address),) if address else ())


def pod(on: NodeName | None, address: str | None = None, *, number: int = 0, is_gone: bool = False) -> Pod:
    addresses = (ip_address(address),) if address else ()
    return Pod(
        key=ObjectKey("bareway-system", f"{on}-{number}"), node=on, host_addresses=addresses, is_gone=is_gone
    )


NODES = [node(ME, "192.0.2.9"), node(A, "192.0.2.1"), node(B, "192.0.2.2")]


def test_without_pods_every_node_is_expected() -> None:
    found = discover(NODES, [], me=ME)
    assert found.where == {A: ip_address("192.0.2.1"), B: ip_address("192.0.2.2")}
    assert found.expected == {A, B}


def test_with_pods_those_are_expected_that_have_one_and_all_are_let_in() -> None:
    found = discover(NODES, [pod(ME), pod(A), pod(None)], me=ME)
    assert found.where.keys() == {A, B}
    assert found.expected == {A}


def test_a_pod_that_ended_runs_no_speaker() -> None:
    assert discover(NODES, [pod(A), pod(B, is_gone=True)], me=ME).expected == {A}


def test_a_pod_tells_where_a_node_is_that_says_nothing_of_itself() -> None:
    found = discover([node(A, None)], [pod(A, "192.0.2.7"), pod(C, "192.0.2.8")], me=ME)
    assert found.where == {A: ip_address("192.0.2.7"), C: ip_address("192.0.2.8")}
    assert found.expected == {A, C}


def test_a_nodes_own_word_counts_before_that_of_a_pod() -> None:
    assert discover(NODES, [pod(A, "198.51.100.1")], me=ME).where[A] == ip_address("192.0.2.1")


def test_one_of_which_no_address_is_known_cannot_be_expected() -> None:
    found = discover([node(A, None), node(B, "192.0.2.2")], [pod(A), pod(B)], me=ME)
    assert found.where.keys() == found.expected == {B}


def test_the_order_in_which_pods_are_listed_does_not_show() -> None:
    pods = [pod(C, "192.0.2.8", number=1), pod(C, "192.0.2.7", number=2), pod(A, "192.0.2.1")]
    assert len({tuple(sorted(discover([], some, me=ME).where.items())) for some in permutations(pods)}) == 1
