"""What the link says of a member that gossip does not hear: as long as it answers there, nobody takes over.

While a member is suspected, those who would follow it ask the link for some of its addresses. If its hardware
address answers, gossip alone is cut: its addresses are left to it, for twice the time of detection at most,
and the link is asked again meanwhile. Nobody takes an address from one that fell silent without having asked.

A process that crashed needs no question: its end was seen, and its grace is counted elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.gossip.events import Ask, Question
from bareway.gossip.ownership import Hold
from bareway.gossip.profile import Profile
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName

PROBE_GAP_S: Final = 0.03
"""Between two probes, and after the last one until the answer is told."""
ANSWER_SLACK_S: Final = 0.02
"""An answer to a question may be told so much later, on a busy machine."""
ASKED_MAX: Final = 8
"""Addresses of one member that are asked for: they tell of it, not of themselves."""
SEARCHED_MAX: Final = 64
"""Addresses looked through for those of which we are a successor."""
SUCCESSORS: Final = 2
"""So many of the order ask while the suspicion runs; the others when their turn comes."""
ASK_AGAIN_S: Final = 0.25
HOLD_S: Final = 0.4
"""An answer counts until the next question was answered."""
HOLD_FACTOR: Final = 2
"""The hold is bounded by twice the time of detection (T_edge + S)."""


@dataclass(slots=True, kw_only=True)
class _Record:
    """What was asked about one member, and what was heard."""

    macs: frozenset[MacAddress]
    bound: float
    asked_until: float
    hold_until: float = -inf
    witness: IPAddress | None = None
    """An address for which it answered."""
    again_at: float = inf

    @property
    def hold(self) -> Hold:
        return Hold(min(self.hold_until, self.bound), self.asked_until)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All members asked about."""

    profile: Profile
    _records: dict[NodeName, _Record] = field(default_factory=dict)
    _asked: dict[IPAddress, NodeName] = field(default_factory=dict)

    @property
    def holds(self) -> dict[NodeName, Hold]:
        """What it means for the addresses of each."""
        return {node: record.hold for node, record in self._records.items()}

    @property
    def deadline(self) -> float:
        """When the link is to be asked again."""
        if not self._records:
            return inf
        return min((record.again_at for record in self._records.values()), default=inf)

    @property
    def probes(self) -> int:
        """As many as are answered while the shortest suspicion runs; three in most profiles."""
        return max(1, min(3, int((self.profile.suspicion_s - ANSWER_SLACK_S) / PROBE_GAP_S) - 1))

    def knows(self, node: NodeName) -> bool:
        """Whether the link was asked about a member since it fell silent."""
        return node in self._records

    def ask(
        self, node: NodeName, addresses: Iterable[IPAddress], macs: frozenset[MacAddress], *, now: float
    ) -> list[Ask]:
        """Ask for some addresses of a member that fell silent."""
        asked = [address for address, _ in zip(addresses, range(ASKED_MAX), strict=False)]
        if not asked or not macs:  # one that publishes no links could not be told from others
            return []
        self._records[node] = _Record(
            macs=macs,
            bound=now + HOLD_FACTOR * self.profile.calm_s,
            asked_until=now + self.probes * PROBE_GAP_S + ANSWER_SLACK_S,
        )
        self._asked.update(dict.fromkeys(asked, node))
        return [self._question(address) for address in asked]

    def answered(self, address: IPAddress, macs: frozenset[MacAddress], *, now: float) -> None:
        """What the link said."""
        node = self._asked.get(address)
        record = self._records.get(node) if node is not None else None
        if record is None:
            return
        if not record.macs.isdisjoint(macs):
            record.witness = address
            record.hold_until = now + HOLD_S
            record.again_at = now + ASK_AGAIN_S if now + ASK_AGAIN_S < record.bound else inf
        elif record.witness == address:
            record.hold_until, record.again_at, record.witness = now, inf, None

    def ask_again(self, *, now: float) -> list[Ask]:
        """Does it still answer?"""
        asks: list[Ask] = []
        for record in self._records.values():
            if record.again_at <= now and record.witness is not None:
                record.again_at = inf
                asks.append(self._question(record.witness))
        return asks

    def keep(self, silent: Iterable[NodeName]) -> None:
        """These are suspected or dead; of all others nothing need be known."""
        kept = frozenset(silent)
        for node in [node for node in self._records if node not in kept]:
            del self._records[node]
        self._asked = {address: node for address, node in self._asked.items() if node in self._records}

    def _question(self, address: IPAddress) -> Ask:
        return Ask(address=address, question=Question.SUSPECT, probes=self.probes)
