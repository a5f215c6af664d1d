"""Whose a hardware address is, by the links that members publish."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bareway.gossip.member import LinkFact, Member
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName


@dataclass(slots=True, kw_only=True)
class Stations:
    """Of all members known, the dead included: their kernels may answer on."""

    me: NodeName
    _by_mac: Mapping[MacAddress, NodeName] = field(default_factory=dict)
    _own: tuple[LinkFact, ...] = ()

    def see(self, members: Iterable[Member]) -> None:
        """What members say of their links may have changed."""
        links = {member.name: member.report.facts.links for member in members}
        self._own = links.get(self.me, ())
        self._by_mac = {link.mac: name for name, some in links.items() for link in some}

    def owner(self, mac: MacAddress) -> NodeName | None:
        """Whose it is; None: no member's that is known."""
        return self._by_mac.get(mac)

    def of(self, node: NodeName) -> frozenset[MacAddress]:
        """The hardware addresses of a member."""
        return frozenset(mac for mac, name in self._by_mac.items() if name == node)

    def own_for(self, address: IPAddress) -> MacAddress | None:
        """With which of ours we answer for an address: of the link in its subnet, else of the first."""
        near = (link.mac for link in self._own if any(address in network for network in link.networks))
        return next(near, self._own[0].mac if self._own else None)
