"""What a machine says: heartbeats at their time, news at once, and all that it knows when asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.edges import Edges
from bareway.gossip.events import Closed, DialFailed, Hangup, Opened, Output, Received, Send
from bareway.gossip.findings import Finding
from bareway.gossip.listeners import Listeners
from bareway.gossip.membership import Membership
from bareway.gossip.message import Heartbeat, News, PingAnswer, PingRequest, Pull, State, news, states
from bareway.gossip.profile import Profile
from bareway.gossip.sides import Sides
from bareway.model.names import NodeName

NOTICES: Final = 3
"""Heartbeats that announce a slower interval and still come at the former: one may be left out."""


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
    listeners: Listeners = field(init=False)
    """Observers: they are told what everybody is told."""
    _sequence: int = 0
    _pace: Profile = field(init=False)
    """At whose interval we beat: after a change to a slower one still that of the former."""
    _notices: int = 0
    """How many heartbeats more announce a slower interval before it takes effect."""

    def __post_init__(self) -> None:
        self.listeners = Listeners(profile=self.profile)
        self._pace = self.profile

    def use(self, profile: Profile, *, now: float) -> None:
        """Another profile: a slower interval is announced first, a faster one begins at once."""
        self.profile = self.listeners.profile = profile
        self._notices = NOTICES if profile.interval_s > self._pace.interval_s else 0
        if not self._notices:
            self._pace = profile
            self.beat_at = min(self.beat_at, now)

    def beat(self, *, now: float) -> list[Output]:
        """A heartbeat on every edge, if it is time; an observer that is gone is not told any more."""
        if now < self.beat_at:
            return []
        if self._notices:
            self._notices -= 1
        else:
            self._pace = self.profile
        self.beat_at = now + self._pace.interval_s
        self._sequence += 1
        beat = Heartbeat(
            sequence=self._sequence,
            interval_ms=self.profile.interval_ms,
            generation=self.table.generation,
            view_digest=self.membership.digest,
            claims_digest=self.table.digest,
            side=self.sides.own(now=now),
        )
        gone = [Hangup(peer=name) for name in self.listeners.hopeless(now=now)]
        for hangup in gone:
            self.listeners.closed(hangup.peer)
        peers = (*self.edges.open, *self.listeners.open)
        return [*gone, *(Send(peer=peer, message=beat) for peer in peers)]

    def tell(
        self,
        own: Sequence[Claim],
        passed_on: Sequence[Claim],
        findings: Sequence[Finding] = (),
        overheard: Sequence[Finding] = (),
        *,
        source: NodeName | None,
        now: float,
    ) -> list[Send]:
        """Everything new to all, but nothing back to its ``source``; ``overheard`` to observers only."""
        listeners = self.listeners.open
        to_listeners = news((), (), overheard, relay=False) if listeners else []
        sends = [Send(peer=peer, message=message) for peer in listeners for message in to_listeners]
        if not (self.membership.news or own or passed_on or findings):
            return sends
        me = self.membership.me
        reports = self.sides.mark(self.membership.take_news(), me=me, now=now)
        peers = self.edges.open
        relay = not self.membership.reached_by(peers)
        own_findings = [finding for finding in findings if finding.by == me]
        to_source = news([report for report in reports if report.by == me], own, own_findings, relay=relay)
        to_others = news(reports, [*own, *passed_on], findings, relay=relay)
        return sends + [
            Send(peer=peer, message=message)
            for peer in (*peers, *listeners)
            for message in (to_source if peer == source else to_others)
        ]

    def answer(self, peer: NodeName, number: int, *, now: float) -> list[Send]:
        """All that we know, to one who asked for it by ``number``."""
        reports = self.sides.mark(self.membership.reports(), me=self.membership.me, now=now)
        return [Send(peer=peer, message=state) for state in states(number, reports, tuple(self.table))]

    def attend(
        self, event: Opened | Closed | DialFailed | Received, *, now: float
    ) -> list[Hangup] | list[Send]:
        """Serve an observer; of what it says only the generation of the lists that it wrote is taken."""
        name = event.peer
        match event:
            case Opened():
                return [] if self.listeners.opened(name, now=now) else [Hangup(peer=name)]
            case Closed() | DialFailed():
                self.listeners.closed(name)
            case Received(message=message) if self.listeners.heard(name, now=now):
                match message:
                    case Heartbeat():
                        self.listeners.announces(name, interval_s=message.interval_s)
                        self.table.hear_generation(message.generation)
                    case Pull():
                        return self.answer(name, message.number, now=now)
                    case News() | State() | PingRequest() | PingAnswer():
                        pass
            case Received():
                pass
        return []
