"""In which order members stand for an address: total, and equal on every node that knows the same.

Who leaves comes last; then come the tiers of the wish (nodes that serve all Services of a shared address of
policy Local, then those that serve most); then, of a group of both families, members that speak IPv4 alone;
then members without an address in its subnet, if others have one; then the position in the announcer lists;
then MetalLB's rank. Nothing else decides.

Who publishes links and speaks IPv6 on none of them may not announce an IPv6 address: nobody would hear it.
Who has only link-local addresses may, after those in the subnet. A group of both families goes by its key,
the IPv4 address: where nobody speaks IPv6 that one is announced all the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bareway.gossip.events import ANYBODY, Wish
from bareway.gossip.member import Facts
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import rank


class _Subnets(NamedTuple):
    """The networks of a member as numbers: asking them for an address must cost little."""

    v4: tuple[tuple[int, int], ...]
    """Mask and network address of each."""
    v6: tuple[tuple[int, int], ...]

    def hold(self, version: int, number: int) -> bool:
        """Whether an address is in one of them."""
        networks = self.v4 if version == 4 else self.v6  # noqa: PLR2004 - of IP
        return any(number & mask == network for mask, network in networks)


@dataclass(slots=True)
class Order:
    """The living members as they stand at one moment, ourselves included."""

    standings: Mapping[NodeName, Facts] = field(default_factory=dict)
    _subnets: dict[NodeName, _Subnets] = field(init=False)
    """Of those who publish their links; who does not counts as being in every subnet."""
    _without_ipv6: frozenset[NodeName] = field(init=False)
    """Members without a link that may carry an IPv6 address: it is switched off on some nodes."""

    def __post_init__(self) -> None:
        self._subnets = {name: _subnets(facts) for name, facts in self.standings.items() if facts.links}
        self._without_ipv6 = frozenset(name for name, subnets in self._subnets.items() if not subnets.v6)

    def eligible(self, node: NodeName, address: IPAddress, wish: Wish, *, started: bool = True) -> bool:
        """Whether a member may announce; without ``started`` also one that is only about to start."""
        standing = self.standings.get(node)
        if standing is None or not standing.able or (started and not standing.started):
            return False
        if address.version != 4 and node in self._without_ipv6:  # noqa: PLR2004 - of IP
            return False
        return tier(node, wish) is not None

    def candidates(self, address: IPAddress, wish: Wish, *, started: bool = True) -> Iterator[NodeName]:
        """All who may announce."""
        return (node for node in self.standings if self.eligible(node, address, wish, started=started))

    def place(self, me: NodeName, among: Iterable[NodeName], address: IPAddress, wish: Wish) -> int:
        """How many of these come before ``me``."""
        number, mine, my_rank = int(address), self._coarse(me, address, int(address), wish), b""
        place = 0
        for node in among:
            if node == me:
                continue
            theirs = self._coarse(node, address, number, wish)
            if theirs == mine:
                my_rank = my_rank or rank(me, address)
                place += (rank(node, address), node) < (my_rank, me)
            else:
                place += theirs < mine
        return place

    def in_order(
        self, among: Iterable[NodeName], address: IPAddress, wish: Wish = ANYBODY
    ) -> tuple[NodeName, ...]:
        """All of these, first the one that should announce."""
        number = int(address)
        return tuple(
            sorted(
                among,
                key=lambda node: (self._coarse(node, address, number, wish), rank(node, address), node),
            )
        )

    def _coarse(
        self, node: NodeName, address: IPAddress, number: int, wish: Wish
    ) -> tuple[bool, int, bool, bool, int]:
        """What decides before rank does."""
        nodes, subnets = wish.nodes, self._subnets.get(node)
        return (
            self.standings[node].leaving,
            tier(node, wish) or 0,
            wish.has_both and node in self._without_ipv6,
            subnets is not None and not subnets.hold(address.version, number),
            nodes.index(node) if node in nodes else len(nodes),
        )


def tier(node: NodeName, wish: Wish) -> int | None:
    """In which tier of the wish a node is, the best is 0; None: it may not announce."""
    if wish.tiers is None:
        return 0
    for number, nodes in enumerate(wish.tiers):
        if node in nodes:
            return number
    return None


def _subnets(facts: Facts) -> _Subnets:
    networks = [network for link in facts.links for network in link.networks]
    v4, v6 = (
        tuple(
            (int(network.netmask), int(network.network_address))
            for network in networks
            if network.version == version
        )
        for version in (4, 6)
    )
    return _Subnets(v4, v6)
