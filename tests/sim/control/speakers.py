"""Speakers, as far as announcer lists move them: they claim what the lists say, and what a dead one held.

Gossip itself is simulated beside this (`sim.world`); here the living agree at once, and each controller sees
the same.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from bareway.decide.announcement.members import Member, Observed
from bareway.gossip.claims import Claim
from bareway.gossip.findings import Finding, FindingWord
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName

CALM_S: Final = 0.75
NODES: Final = (NodeName("n1"), NodeName("n2"), NodeName("n3"))


class Stranger(NamedTuple):
    """A station that answers for an address, and is no speaker."""

    mac: MacAddress
    since: float


class Speakers:
    """Who lives, and who claims what."""

    def __init__(self) -> None:
        self.strangers: dict[IPAddress, Stranger] = {}
        self.shown: set[IPAddress] = set()
        """What Services show; known once there are strangers."""
        self.living = set(NODES)
        self.draining: set[NodeName] = set()
        self.claims: dict[IPAddress, Claim] = {}
        self.generation = 0
        self.version = 0
        self.changed_at = 0.0

    def change(self, *, now: float) -> None:
        """Somebody came, died, drains, or does so no more."""
        self.changed_at = now
        self.version += 1

    def follow(self, lists: AnnouncerLists) -> None:
        """Do what the lists ask for: a newer entry moves, and a dead holder is replaced."""
        self.generation = max(self.generation, lists.generation)
        entries = {address: entry for shard in lists.shards for address, entry in shard.entries.items()}
        before = dict(self.claims)
        for address in [*self.claims]:
            if address not in entries:
                del self.claims[address]
        for address, entry in entries.items():
            first = next((name for name in entry.nodes if name in self.living), None)
            old = self.claims.get(address)
            if first is None:
                continue
            if old is None or old.node not in self.living:
                count = old.count + 1 if old is not None and old.generation == self.generation else 1
                self._claim(address, first, self.generation, count)
            elif entry.generation > old.generation and first != old.node:
                self._claim(address, first, entry.generation, 1)
        if self.claims != before:
            self.version += 1

    def _claim(self, address: IPAddress, node: NodeName, generation: int, count: int) -> None:
        self.claims[address] = Claim(address=address, generation=generation, count=count, node=node)

    def findings(self) -> tuple[Finding, ...]:
        """Who answers for what is claimed: found as soon as it is."""
        return tuple(
            Finding(
                address=address,
                word=FindingWord.ADDRESS_IN_USE,
                mac=stranger.mac,
                node=None,
                by=self.claims[address].node,
            )
            for address, stranger in self.strangers.items()
            if address in self.claims and address in self.shown
        )

    def members(self) -> Mapping[NodeName, Member]:
        """All that ever joined."""
        return {
            name: Member(name=name, alive=name in self.living, draining=name in self.draining)
            for name in NODES
        }


class Sight:
    """What one controller's observer sees."""

    def __init__(self, speakers: Speakers, *, ago_s: Callable[[float], float]) -> None:
        self._speakers = speakers
        self._ago_s = ago_s

    @property
    def version(self) -> int:
        return self._speakers.version

    def observed(self, *, now: float) -> Observed:
        speakers = self._speakers
        return Observed(
            members=speakers.members(),
            claims=dict(speakers.claims),
            joined=frozenset(NODES),
            changed_at=now - self._ago_s(speakers.changed_at),
            calm_s=CALM_S,
            generation=speakers.generation,
        )

    def findings(self, *, now: float) -> tuple[Finding, ...]:
        return self._speakers.findings()

    def tell(self, *, generation: int, wanted: Iterable[IPAddress] | None = None) -> None:
        """What is only wished and not written, nobody need know."""
