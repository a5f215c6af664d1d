"""Who could announce a group, in classes: nodes of a better class go before all others.

A class says what outweighs an even load: not draining, serving more of a shared address's Services, speaking
both families of a group that has both, an address in the subnet, the operator's word, no cordon, and the
score of preferred nodes. Facts about a living member are those it tells itself; without gossip they are read
from its Node. A cordon is always read there: it says what the scheduler may do, not what the node can.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bareway.decide.announcement.announcers import IPV6, Group, own_refusal
from bareway.decide.announcement.interfaces import allows
from bareway.gossip.claims import Claim
from bareway.gossip.member import LinkFact
from bareway.model.configuration import OnCordon, Pool
from bareway.model.names import IPAddress, IPNetwork, NodeName
from bareway.model.nodes import EXCLUDE_LABEL, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A speaker, as it tells of itself."""

    name: NodeName
    alive: bool = True
    eligible: bool = True
    """It has started and its own node may announce."""
    draining: bool = False
    """By whatever mark, or it leaves: it announces only what nobody else can."""
    cordoned: bool = False
    """Nothing new is placed there (``on-cordon: keep``; with ``move`` it drains)."""
    links: tuple[LinkFact, ...] = ()
    """The usable ones; none = it does not tell, and counts as being wherever it is needed."""

    def may_announce(self, group: Group) -> bool:
        """Whether its links are those that the pools allow and speak the key's family, as far as it tells."""
        if not self.links:
            return True
        if group.key.version == IPV6 and self.lacks_ipv6(group):
            return False
        return group.link_refusal([link.name for link in self.links]) is None

    def lacks_ipv6(self, group: Group) -> bool:
        """Whether it could not answer for the IPv6 addresses of a group, as far as it tells."""
        return bool(self.links) and group.lacks_ipv6({link.name: link.speaks_ipv6 for link in self.links})

    def networks_for(self, pool: Pool | None) -> frozenset[IPNetwork]:
        """The subnets on the links where addresses of ``pool`` are announced; None = on all."""
        links = (link for link in self.links if pool is None or allows(pool, link.name))
        return frozenset(network for link in links for network in link.networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What an observer of gossip knows."""

    members: Mapping[NodeName, Member]
    claims: Mapping[IPAddress, Claim] = field(default_factory=dict)
    """The best claim of each group, by its key."""
    joined: frozenset[NodeName] = frozenset()
    """All that were ever members."""
    changed_at: float
    """When the view changed last: somebody came, died, or is suspected."""
    calm_s: float
    """A view that did not change for so long is stable (T_edge + S of the profile)."""
    generation: int = 0
    """The highest heard."""


class Standing(NamedTuple):
    """The class of a node for a group; the lower goes first."""

    draining: bool
    tier: int
    lacks_ipv6: bool
    """It can announce the IPv4 addresses of a group of both families, and no others."""
    off_subnet: bool
    unwished: bool
    """The operator named another node (``bareway.io/announce-from``), or none."""
    cordoned: bool
    demerit: int
    """Minus the score of preferred nodes."""


@dataclass(frozen=True, slots=True)
class Field:
    """All candidates for a group."""

    classes: tuple[tuple[Standing, tuple[NodeName, ...]], ...]
    """The best first, names in order."""
    standing: Mapping[NodeName, Standing]

    @property
    def best(self) -> tuple[NodeName, ...]:
        """The nodes of the best class."""
        return self.classes[0][1] if self.classes else ()

    def keeps(self, node: NodeName) -> bool:
        """Whether a present holder may stay: it is of the best class; a cordon moves nothing away."""
        standing = self.standing.get(node)
        return standing is not None and standing._replace(cordoned=False) <= self.classes[0][0]


def members_of(
    nodes: Iterable[Node], *, ignore_exclude_label: bool = False, on_cordon: OnCordon = OnCordon.KEEP
) -> dict[NodeName, Member]:
    """Every Node as a living member: what there is to go by without gossip."""
    nodes = tuple(nodes)
    ignore = ignore_exclude_label or all(EXCLUDE_LABEL in node.labels for node in nodes)
    moves = on_cordon is OnCordon.MOVE
    return {
        node.name: Member(
            name=node.name,
            eligible=own_refusal(node, nodes, ignore_exclude_label=ignore) is None,
            draining=node.is_draining or (node.unschedulable and moves),
            cordoned=node.unschedulable,
        )
        for node in nodes
    }


def score(pools: Iterable[Pool], labels: Mapping[str, str]) -> int:
    """How much the pools of a group prefer a node with these labels: the sum of all weights that apply."""
    return sum(
        preferred.weight
        for pool in pools
        for preferred in pool.preferred_nodes
        if preferred.selector.matches(labels)
    )


class Fields:
    """The candidates for each group; groups that differ in nothing share one Field."""

    def __init__(self, members: Mapping[NodeName, Member], nodes: Iterable[Node]) -> None:
        """Of ``members`` those that are alive and eligible are candidates; ``nodes`` have the labels."""
        self._members = {name: m for name, m in sorted(members.items()) if m.alive and m.eligible}
        self._labels = {node.name: node.labels for node in nodes}
        self._networks = sorted(
            {network for member in self._members.values() for network in member.networks_for(None)},
            key=lambda network: (network.version, int(network.network_address), network.prefixlen),
        )
        self._scores: dict[tuple[str, ...], Mapping[NodeName, int]] = {}
        self._known: dict[tuple[object, ...], Field] = {}

    def of(self, group: Group, wished: NodeName | None = None) -> Field:
        """The candidates for ``group``; ``wished`` is where the operator wants it."""
        near = frozenset(network for network in self._networks if group.key in network)
        names = tuple(pool.name for pool in group.pools)
        home = _home(group)
        place = (group.permitted, group.lesser, near, group.key.version, group.has_both)
        about = (names, home.name if home is not None else "", place, wished)
        if about not in self._known:
            self._known[about] = self._field(group, home, near, wished)
        return self._known[about]

    def _field(
        self, group: Group, home: Pool | None, near: frozenset[IPNetwork], wished: NodeName | None
    ) -> Field:
        scores = self._scores_of(group.pools)
        standing: dict[NodeName, Standing] = {}
        for tier, permitted in enumerate(group.tiers or (frozenset(self._members),)):
            for name in permitted & self._members.keys():
                member = self._members[name]
                if not member.may_announce(group):
                    continue
                far = bool(near and member.links) and near.isdisjoint(member.networks_for(home))
                standing[name] = Standing(
                    draining=member.draining,
                    tier=tier,
                    lacks_ipv6=member.lacks_ipv6(group),
                    off_subnet=far,
                    unwished=name != wished,
                    cordoned=member.cordoned,
                    demerit=-scores.get(name, 0),
                )
        classes: dict[Standing, list[NodeName]] = {}
        for name in sorted(standing):
            classes.setdefault(standing[name], []).append(name)
        return Field(tuple((one, tuple(classes[one])) for one in sorted(classes)), standing)

    def _scores_of(self, pools: tuple[Pool, ...]) -> Mapping[NodeName, int]:
        names = tuple(pool.name for pool in pools)
        if names not in self._scores:
            choosy = [pool for pool in pools if pool.preferred_nodes]
            self._scores[names] = {
                name: score(choosy, self._labels.get(name, {})) for name in self._members if choosy
            }
        return self._scores[names]


def _home(group: Group) -> Pool | None:
    """The pool of the group's key, where it matters on which links that is announced."""
    if not any(pool.interfaces for pool in group.pools):
        return None
    return next((p for p in group.pools if any(group.key in one for one in p.ranges)), None)
