"""An observer of the group, without sockets, clock or chance of its own: it knows what members know.

It dials, pulls and listens, and says nothing but that it lives. It suspects nobody itself and holds each
member as members hold it. What it knows stands on those whose answer to a pull it has in full and whose edge
is open; without any it knows nothing, and begins anew: who died meanwhile would never be told.

Not covered: forgetting a member that no member knows any longer, before the last edge is gone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

from bareway.gossip.claims import NOBODY, Claim, ClaimTable, Outcome
from bareway.gossip.edges import Edge, Edges
from bareway.gossip.events import (
    Answered,
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    KeyHeld,
    Leave,
    Opened,
    Output,
    OwnFacts,
    PartitionPolicy,
    PeersKnown,
    Probed,
    Received,
    Send,
    Sighted,
    Tick,
    UseProfile,
    Wanted,
)
from bareway.gossip.findings import Finding, Heard
from bareway.gossip.forgetting import Forgetting
from bareway.gossip.member import NO_SIDE, LinkFact, Member, MemberReason, MemberState, Report
from bareway.gossip.membership import Membership
from bareway.gossip.message import Heartbeat, Message, News, PingAnswer, PingRequest, Pull, State
from bareway.gossip.profile import MEMBERS_MAX, Profile
from bareway.model.names import IPAddress, NodeName

DIAL_ALL_MAX: Final = 9
"""So many speakers are all dialled."""
DIAL_SOME: Final = 4
"""Of more, these: each knows all, and one tells of what another has not heard."""
BEAT_S: Final = 0.5
"""Between two heartbeats: a program that decides for long must not lose its edges."""
LAG_S: Final = 0.15
"""A turn so late was a pause: nobody was silent then."""
PAUSE_S: Final = 0.5
"""A turn so late may leave unread what others said: nothing is sure until a pull begun after it has ended."""
HOUSEKEEPING_S: Final = 1.0
"""So seldom others are dialled in the place of those that do not answer, and claims are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A member, as the members hold it."""

    name: NodeName
    alive: bool
    """Not dead and not gone; a suspect lives."""
    eligible: bool
    """It has started and its own node may announce."""
    leaving: bool
    links: tuple[LinkFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that the observer knows at one moment."""

    members: Mapping[NodeName, Seen]
    claims: Mapping[IPAddress, Claim]
    """The best claim of each address that somebody holds."""
    joined: frozenset[NodeName]
    """All members ever heard of."""
    generation: int
    """The highest heard, of announcer lists."""
    stable_since: float
    """When a member came, went or was suspected last; infinite while one is suspected."""
    calm_s: float
    """A view that did not change for so long is stable, by what the members say of their profile."""


class Observer:
    """One observer."""

    def __init__(self, *, me: NodeName, profile: Profile, rng: Random, now: float) -> None:
        self._me = me
        self._profile = profile
        self._rng = rng
        self._edges = Edges(me=me, profile=profile, rng=rng, always_dials=True)
        self._peers: frozenset[NodeName] = frozenset()
        self._dialled: frozenset[NodeName] = frozenset()
        self._failed: set[NodeName] = set()
        """Of those dialled, who could not be reached since this was looked at last."""
        self._wanted: frozenset[IPAddress] | None = None
        """None until it is told: then nothing is forgotten."""
        self._joined: set[NodeName] = set()
        self._findings = Heard()
        self._generation = 0
        self._sequence = 0
        self._beat_at = now
        self._housekeeping_at = now + HOUSEKEEPING_S
        self._planned_at = inf
        """When the next turn was to be at the latest."""
        self._out: list[Output] = []
        self.version = 0
        """Grows when the picture changes."""
        self._begin(now)

    def _begin(self, now: float) -> None:
        """Know nothing but what stays true: who ever joined, and the highest generation."""
        own = Report(name=self._me, epoch=0, incarnation=0, state=MemberState.ALIVE, by=self._me)
        self._membership = Membership(
            own=own,
            hears=lambda _: False,  # members hear
            believes=True,
            suspicion_s=self._edges.suspicion_s,
            born_at=now,
            changed_at=now,
        )
        self._own_digest = self._membership.digest
        self._table = ClaimTable(lives=self._membership.lives)
        self._forgetting = Forgetting(me=self._me, table=self._table)
        self._met: set[NodeName] = set()
        self._changed_at = now
        self._seen_version = -1

    # ------------------------------------------------------------ surface

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Take one event; returns what to do, in order."""
        self._out = []
        self._wake(now)
        self._take(event, now)
        if now >= self.deadline:
            self._on_time(now)
        self._see_members(now)
        self._beat(now)
        self._planned_at = self.deadline
        return self._out

    @property
    def deadline(self) -> float:
        """When the observer wants a ``Tick``."""
        beat_at = self._beat_at if self._edges.open else inf
        return min(beat_at, self._edges.deadline, self._housekeeping_at)

    def picture(self, *, now: float) -> Picture | None:
        """What is known; None if nothing is."""
        if not any(self._edges.hears(peer, now=now) for peer in self._met):
            return None
        others = [member for member in self._membership.everybody if member.name != self._me]
        is_trial_on = any(member.state is MemberState.SUSPECT for member in others)
        return Picture(
            members={member.name: _seen(member) for member in others},
            claims={claim.address: claim for claim in self._table if claim.node != NOBODY},
            joined=frozenset(self._joined),
            generation=self._generation,
            stable_since=inf if is_trial_on else self._changed_at,
            calm_s=max(self._calm_s(peer) for peer in self._met),
        )

    @property
    def edges(self) -> tuple[NodeName, ...]:
        """To whom an edge is open."""
        return self._edges.open

    def findings(self) -> tuple[Finding, ...]:
        """What members said in the last minute is wrong on their links."""
        return self._findings.all

    def knows_lists(self, generation: int) -> None:
        """The program saw or wrote announcer lists of this generation; heartbeats carry it to all members."""
        self._generation = max(self._generation, generation)

    # ------------------------------------------------------------ events

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Opened() | Closed() | DialFailed():
                self._dial_ended(event, now)
            case PeersKnown():
                self._peers = event.peers
                self._choose(now)
            case Wanted():
                self._want(frozenset(event.addresses))
            case Received():
                self._receive(event.peer, event.message, now)
            case Tick() | OwnFacts() | PartitionPolicy() | Leave() | Answered() | Sighted():
                pass
            case Probed() | KeyHeld() | UseProfile():
                pass

    def _dial_ended(self, event: Opened | Closed | DialFailed, now: float) -> None:
        match event:
            case Opened():
                number = self._edges.opened(event.peer, now=now)
                self._out.append(Send(peer=event.peer, message=Pull(number=number)))
                self._beat_at = min(self._beat_at, now)  # it learns at once how seldom we are heard
            case Closed():
                if self._edges.closed(event.peer, now=now):
                    self._lose(event.peer, now)
            case DialFailed():
                self._edges.dial_failed(event.peer, turned_away=event.turned_away, now=now)
                self._failed.add(event.peer)

    def _want(self, addresses: frozenset[IPAddress]) -> None:
        for address in addresses - (self._wanted or frozenset()):
            self._table.want(address)
        self._wanted = addresses

    def _receive(self, peer: NodeName, message: Message, now: float) -> None:
        edge = self._edges.heard(peer, now=now)
        if edge is None:
            return
        match message:
            case Heartbeat():
                self._hear_heartbeat(edge, message, now)
            case News():
                self._hear(message.reports, message.claims, now)
                self.version += self._findings.hear(message.findings, now=now)
            case State():
                self._hear(message.reports, message.claims, now)
                if message.last and message.number == edge.pull:
                    edge.pull = None
                    self._met.add(peer)
                    self.version += 1
            case Pull() | PingRequest() | PingAnswer():
                pass

    def _hear_heartbeat(self, edge: Edge, beat: Heartbeat, now: float) -> None:
        self._edges.announces(edge.peer, interval_s=beat.interval_s)
        self._hear_generation(beat.generation)
        view_digest = self._membership.digest ^ self._own_digest
        differs = (beat.view_digest, beat.claims_digest) != (view_digest, self._table.digest)
        if number := self._edges.differs(edge, differs=differs, now=now):
            self._out.append(Send(peer=edge.peer, message=Pull(number=number)))

    def _hear(self, reports: Iterable[Report], claims: Iterable[Claim], now: float) -> None:
        for report in reports:
            self._membership.hear(report, now=now)
            if len(self._joined) < MEMBERS_MAX:
                self._joined.add(report.name)
        for claim in claims:
            if self._table.hear(claim) is Outcome.KEPT:
                self.version += 1
        self._hear_generation(self._table.generation)

    def _hear_generation(self, generation: int) -> None:
        if generation > self._generation:
            self._generation = generation
            self.version += 1

    def _lose(self, peer: NodeName, now: float) -> None:
        """An edge is gone; with the last one that counted goes all that we know."""
        self._failed.add(peer)
        self._met.discard(peer)
        if not self._met:
            self._begin(now)
            self.version += 1
            self._pull_everybody(now)

    # ------------------------------------------------------------ time

    def _wake(self, now: float) -> None:
        """Were we paused? Then much may be unread."""
        lag_s = now - self._planned_at
        if lag_s <= LAG_S:
            return
        self._edges.delay_by(lag_s)
        if lag_s > PAUSE_S:
            self._met.clear()
            self.version += 1
            self._pull_everybody(now)

    def _pull_everybody(self, now: float) -> None:
        for peer in self._edges.open:
            number = self._edges.begin_pull(peer, now=now)
            self._out.append(Send(peer=peer, message=Pull(number=number)))

    def _on_time(self, now: float) -> None:
        self._edges.silent(now=now)  # an alarm that we do not raise
        for peer in self._edges.hopeless(now=now):
            self._edges.hung_up(peer, now=now)
            self._out.append(Hangup(peer=peer))
            self._lose(peer, now)
        if self._housekeeping_at <= now:
            self._housekeeping_at = now + HOUSEKEEPING_S
            self._membership.forget_the_dead(now=now)
            self.version += self._findings.forget(now=now)
            if self._wanted is not None:
                self._forgetting.sweep(self._wanted, now=now)
            self._choose(now)
        for peer in self._edges.to_dial(now=now):
            self._out.append(Dial(peer=peer))

    def _choose(self, now: float) -> None:
        """Whom to dial: all, or of many some, and others in the place of those that do not answer."""
        if len(self._peers) <= DIAL_ALL_MAX:
            self._dialled = self._peers
        else:
            kept = (self._dialled & self._peers) - self._failed
            others = self._peers - kept - self._failed
            living = others & frozenset(self._membership.living)
            count = max(0, DIAL_SOME - len(kept))
            drawn = self._rng.sample(sorted(living), min(count, len(living)))
            rest = sorted(others - living)
            drawn += self._rng.sample(rest, min(count - len(drawn), len(rest)))
            self._dialled = kept | frozenset(drawn)
        self._failed.clear()
        self._edges.keep(self._dialled, now=now)

    def _see_members(self, now: float) -> None:
        self._membership.take_news()  # nobody hears it from us
        changes = self._membership.take_changes()
        for change in changes:
            if change.reason in {MemberReason.JOINED, MemberReason.RETURNED, MemberReason.REJOINED}:
                self._edges.returned(change.name, now=now)
        self._out.extend(changes)
        if changes:
            self._changed_at = now
        if self._seen_version != self._membership.version:
            self._seen_version = self._membership.version
            self.version += 1

    def _beat(self, now: float) -> None:
        if now < self._beat_at or not self._edges.open:
            return
        self._beat_at = now + BEAT_S
        self._sequence += 1
        beat = Heartbeat(
            sequence=self._sequence,
            interval_ms=round(BEAT_S * 1000),
            generation=self._generation,
            view_digest=self._membership.digest,
            claims_digest=self._table.digest,
            side=NO_SIDE,
        )
        self._out.extend(Send(peer=peer, message=beat) for peer in self._edges.open)

    def _calm_s(self, peer: NodeName) -> float:
        edge = self._edges.get(peer)
        interval_s = edge.interval_s if edge is not None else self._profile.interval_s
        return self._profile.silence_of(interval_s) + self._profile.suspicion_of(interval_s)


def _seen(member: Member) -> Seen:
    facts = member.report.facts
    return Seen(
        name=member.name,
        alive=member.lives,
        eligible=facts.started and facts.able,
        leaving=facts.leaving,
        links=facts.links,
    )
