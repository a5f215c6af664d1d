"""Whether another node can take what this one announces by BGP, by what is known of both Nodes.

A stand-in is ready, may announce, does not leave itself, and tells one router at least of a pool that we tell
it of, whatever its entries are called: nodes with source addresses have one each for the same router. What
one pool alone loses is not looked at: a node leaves as a whole, or not.
"""

from collections.abc import Collection

from bareway.decide.announcement.announcers import own_refusal
from bareway.decide.announcement.leaving import leaving_reason
from bareway.decide.routing.ground import advertisements_of
from bareway.decide.routing.sessions import selected_peers
from bareway.model.configuration import Configuration
from bareway.model.names import IPAddress
from bareway.model.nodes import Node


def is_alone(
    me: Node, nodes: Collection[Node], configuration: Configuration, *, ignore_exclude_label: bool = False
) -> bool:
    """Nobody would announce what ``me`` takes back; False where it announces nothing anyway."""
    ours = _told(me, configuration)
    on_cordon = configuration.layer2.on_cordon
    return bool(ours) and not any(
        other.name != me.name
        and other.is_ready
        and leaving_reason(other, on_cordon) is None
        and own_refusal(other, nodes, ignore_exclude_label=ignore_exclude_label) is None
        and not ours.isdisjoint(_told(other, configuration))
        for other in nodes
    )


def _told(node: Node, configuration: Configuration) -> frozenset[tuple[str, IPAddress]]:
    """Which routers the node tells of which pools."""
    peers = [peer for _, peer in selected_peers(node, configuration)]
    return frozenset(
        (pool.name, peer.address)
        for pool in configuration.pools
        for one in advertisements_of(pool, node)
        for peer in peers
        if not one.peers or peer.name in one.peers
    )
