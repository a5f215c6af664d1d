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
from bareway.model.configuration import Configuration, Peer
from bareway.model.names import IPAddress, PoolName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selection import Selection
from bareway.model.selectors import Selector


def is_alone(
    me: Node, nodes: Collection[Node], configuration: Configuration, *, ignore_exclude_label: bool = False
) -> bool:
    """Nobody would announce what ``me`` takes back; False where it announces nothing anyway."""
    ours = _told(me, configuration)
    if not ours:
        return False
    tellers = _Tellers(ours, configuration)
    on_cordon = configuration.layer2.on_cordon
    # Whether every node is excluded need not be found out for each: one that is not says so for all.
    witnesses = [one for one in nodes if EXCLUDE_LABEL not in one.labels][:1] or nodes
    return not any(
        other.name != me.name
        and other.is_ready
        and leaving_reason(other, on_cordon) is None
        and own_refusal(other, witnesses, ignore_exclude_label=ignore_exclude_label) is None
        and tellers.has(other)
        for other in nodes
    )


class _Tellers:
    """The nodes that tell one of some routers of one of some pools."""

    def __init__(self, told: frozenset[tuple[PoolName, IPAddress]], configuration: Configuration) -> None:
        self._pools = configuration.pools
        routers: dict[PoolName, set[IPAddress]] = {}
        for name, router in told:
            routers.setdefault(name, set()).add(router)
        made: dict[tuple[frozenset[IPAddress], tuple[str, ...]], Selection] = {}
        self._sessions: dict[tuple[PoolName, tuple[str, ...]], Selection] = {}
        """With such a router, by pool and by the peers that an advertisement names: who has one."""
        for pool in configuration.pools:
            meant = frozenset(routers.get(pool.name, ()))
            for names in {one.peers for one in pool.advertisements} or {()}:
                if (meant, names) not in made:
                    made[meant, names] = _with_sessions(configuration.peers, meant, names)
                self._sessions[pool.name, names] = made[meant, names]

    def has(self, node: Node) -> bool:
        """Whether the node is one of them."""
        return any(
            self._sessions[pool.name, one.peers].matches(node.labels)
            for pool in self._pools
            for one in advertisements_of(pool, node)
        )


def _with_sessions(
    peers: tuple[Peer, ...], routers: frozenset[IPAddress], names: tuple[str, ...]
) -> Selection:
    """The nodes with a session with one of the routers, by an entry that is named; no name = by any."""
    named = frozenset(names)
    meant = [peer for peer in peers if peer.address in routers and (not named or peer.name in named)]
    everywhere = (Selector(),)
    return Selection(one for peer in meant for one in peer.node_selectors or everywhere)


def _told(node: Node, configuration: Configuration) -> frozenset[tuple[PoolName, IPAddress]]:
    """Which routers the node tells of which pools."""
    peers = [peer for _, peer in selected_peers(node, configuration)]
    return frozenset(
        (pool.name, peer.address)
        for pool in configuration.pools
        for one in advertisements_of(pool, node)
        for peer in peers
        if not one.peers or peer.name in one.peers
    )
