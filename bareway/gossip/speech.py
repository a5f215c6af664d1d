"""What a machine says: heartbeats at their time, news at once, and all that it knows when asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.edges import Edges
from bareway.gossip.events import Send
from bareway.gossip.membership import Membership
from bareway.gossip.message import Heartbeat, news, states
from bareway.gossip.profile import Profile
from bareway.gossip.sides import Sides
from bareway.model.names import NodeName


@dataclass(slots=True, kw_only=True)
class Speech:
    """Speaks of what the other parts of one machine know."""

    profile: Profile
    edges: Edges
    membership: Membership
    table: ClaimTable
    sides: Sides
    beat_at: float
    """When the next heartbeat is due."""
    _sequence: int = 0

    def beat(self, *, now: float) -> list[Send]:
        """A heartbeat on every edge, if it is time."""
        if now < self.beat_at:
            return []
        self.beat_at = now + self.profile.interval_s
        self._sequence += 1
        beat = Heartbeat(
            sequence=self._sequence,
            interval_ms=self.profile.interval_ms,
            generation=self.table.generation,
            view_digest=self.membership.digest,
            claims_digest=self.table.digest,
            side=self.sides.own(now=now),
        )
        return [Send(peer=peer, message=beat) for peer in self.edges.open]

    def tell(
        self, own: Sequence[Claim], passed_on: Sequence[Claim], *, source: NodeName | None, now: float
    ) -> list[Send]:
        """Everything new to everybody, but nothing back to its ``source``."""
        me = self.membership.me
        reports = self.sides.mark(self.membership.take_news(), me=me, now=now)
        peers = self.edges.open
        relay = not self.membership.reached_by(peers)
        to_source = news([report for report in reports if report.by == me], own, relay=relay)
        to_others = news(reports, [*own, *passed_on], relay=relay)
        return [
            Send(peer=peer, message=message)
            for peer in peers
            for message in (to_source if peer == source else to_others)
        ]

    def answer(self, peer: NodeName, number: int, *, now: float) -> list[Send]:
        """All that we know, to one who asked for it by ``number``."""
        reports = self.sides.mark(self.membership.reports(), me=self.membership.me, now=now)
        return [Send(peer=peer, message=state) for state in states(number, reports, tuple(self.table))]
