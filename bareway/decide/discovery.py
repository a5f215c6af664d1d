"""Where the other speakers are, and which of them to expect: by their Pods, and by the Nodes.

Who calls is let in if it goes by the name of any Node: a Pod that has just started may be known to itself
before it is known to us. Expected, and dialled, are the nodes that have a speaker's Pod; without any such Pod
(no right to list them, or other labels) all Nodes are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bareway.model.names import IPAddress, NodeName
from bareway.model.nodes import Node
from bareway.model.pods import Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What the API tells of the group."""

    where: Mapping[NodeName, IPAddress]
    """Everybody who may be a member, and the address of its node."""
    expected: frozenset[NodeName]
    """Those that run a speaker, as far as is known."""


def discover(nodes: Iterable[Node], pods: Iterable[Pod], *, me: NodeName) -> Discovery:
    """All but ``me``; a Node's own address counts before that which its kubelet wrote into a Pod."""
    running = [pod for pod in pods if pod.node is not None and not pod.is_gone]
    where = {
        pod.node: pod.host_addresses[0]
        for pod in sorted(running, key=lambda pod: pod.key)
        if pod.node is not None and pod.host_addresses
    }
    where.update((node.name, node.addresses[0]) for node in nodes if node.addresses)
    where.pop(me, None)
    expected = frozenset(pod.node for pod in running if pod.node is not None) & where.keys()
    return Discovery(where=where, expected=frozenset(expected) or frozenset(where))
