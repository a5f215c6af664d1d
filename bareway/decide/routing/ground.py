"""What holds for all Services on one node, so that deciding for one of them is a look-up.

Peers that get the same routes are one audience: routes are kept once for each audience, not for each peer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.announcement.layer2_pools import Layer2Pools
from bareway.decide.routing.sessions import selected_peers
from bareway.decide.routing.terms import Terms, attributes_of
from bareway.model.configuration import Advertisement, Configuration, Peer, Pool, Protocol
from bareway.model.names import IPAddress
from bareway.model.nodes import Node
from bareway.model.selectors import Selector, any_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Peers that get the same routes."""

    peers: tuple[str, ...]
    is_weighted: bool = False


class Ground:
    """One node under one configuration."""

    def __init__(self, configuration: Configuration, node: Node | None, refusal: Refusal | None) -> None:
        """``refusal``: why this node may announce nothing (``own_refusal``)."""
        self.refusal = refusal
        self._pools = Layer2Pools(configuration.pools)
        advertisements = [advertisements_of(pool, node) for pool in configuration.pools]
        peers = [peer for _, peer in selected_peers(node, configuration)] if node is not None else []
        self.audiences = _audiences(peers, advertisements)
        self._terms = [tuple(_terms(some, self.audiences)) for some in advertisements]
        self._is_bgp = [pool.protocol is Protocol.BGP for pool in configuration.pools]
        self.audience_of: Mapping[str, int] = {
            name: place for place, audience in enumerate(self.audiences) for name in audience.peers
        }

    def terms(self, address: IPAddress) -> tuple[Terms, ...] | None:
        """How ``address`` is announced, perhaps to nobody; None = it is in no bgp pool."""
        place = self._pools.find(address)
        if place is None or not self._is_bgp[place]:
            return None
        return self._terms[place]


def advertisements_of(pool: Pool, node: Node | None) -> tuple[Advertisement, ...]:
    """Those of a bgp pool that this node sends."""
    if pool.protocol is not Protocol.BGP or node is None or not _selects(pool.node_selectors, node):
        return ()
    every = pool.advertisements or (Advertisement(),)
    return tuple(one for one in every if _selects(one.node_selectors, node))


def _audiences(peers: list[Peer], advertisements: list[tuple[Advertisement, ...]]) -> tuple[Audience, ...]:
    """Peers by what they get, in the order of the document."""
    named = [one.peers for some in advertisements for one in some if one.peers]
    found: dict[tuple[bool, ...], list[str]] = {}
    for peer in peers:
        kind = (peer.weighted, *(peer.name in names for names in named))
        found.setdefault(kind, []).append(peer.name)
    return tuple(Audience(peers=tuple(names), is_weighted=kind[0]) for kind, names in found.items())


def _terms(advertisements: tuple[Advertisement, ...], audiences: tuple[Audience, ...]) -> list[Terms]:
    made = [
        Terms(
            length=one.aggregation_length,
            length_v6=one.aggregation_length_v6,
            attributes=attributes_of(one),
            audiences=frozenset(
                place
                for place, audience in enumerate(audiences)
                if not one.peers or audience.peers[0] in one.peers
            ),
        )
        for one in advertisements
    ]
    return [one for one in made if one.audiences]


def _selects(selectors: tuple[Selector, ...], node: Node) -> bool:
    return not selectors or any_matches(selectors, node.labels)
