"""The gossip machine: one member of the group, without sockets, clock or chance of its own.

Feed it events with the time; it returns what to do. It keeps the view (``membership``), the edges
(``edges``), the claims (``claims``), decides which addresses are ours (``ownership``), what happens when two
sides of a partition meet (``disputes``), and when we may act at all (``readiness``). Who only observes hears
what is said (``speech``) and is nothing to all the others.

Not covered yet: announcer lists, and the policy ``safe`` for partitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import inf
from random import Random
from typing import Final

from bareway.gossip.claims import NOBODY, Claim, ClaimTable, Outcome
from bareway.gossip.disputes import Disputes
from bareway.gossip.edges import Edge, Edges
from bareway.gossip.events import (
    Closed,
    Dial,
    DialFailed,
    Event,
    Hangup,
    Leave,
    Opened,
    Output,
    OwnFacts,
    PeersKnown,
    Received,
    Send,
    Tick,
    Wanted,
    WithdrawReason,
)
from bareway.gossip.forgetting import Forgetting
from bareway.gossip.member import Facts, Member, MemberReason, MemberState, Report
from bareway.gossip.membership import Membership
from bareway.gossip.message import Heartbeat, Message, News, Pull, State
from bareway.gossip.ownership import Ownership, by_family
from bareway.gossip.profile import Profile
from bareway.gossip.readiness import Readiness
from bareway.gossip.roles import is_observer
from bareway.gossip.sides import Sides
from bareway.gossip.speech import Speech
from bareway.model.names import IPAddress, NodeName

LAG_DIVISOR: Final = 3
"""A turn later than planned by a third of the silence counts as a pause: first listen, then accuse."""
HOUSEKEEPING_S: Final = 5.0
"""So seldom all is looked at anew, though nothing is said to have changed."""


class GossipMachine:
    """One member of the group."""

    def __init__(self, *, me: NodeName, epoch: int, profile: Profile, rng: Random, now: float) -> None:
        self._me = me
        self._profile = profile
        self._edges = Edges(me=me, profile=profile, rng=rng)
        own = Report(name=me, epoch=epoch, incarnation=0, state=MemberState.ALIVE, by=me)
        self._now = now
        self._membership = Membership(
            own=own,
            hears=lambda name: self._edges.hears(name, now=self._now),
            suspicion_s=self._edges.suspicion_s,
            born_at=now,
            changed_at=now,
        )
        self._sides = Sides()
        self._table = ClaimTable(lives=self._membership.lives)
        self._ownership = Ownership(me=me, table=self._table)
        self._disputes = Disputes(
            membership=self._membership, table=self._table, ownership=self._ownership, sides=self._sides
        )
        self._forgetting = Forgetting(me=me, table=self._table)
        self._peers: frozenset[NodeName] = frozenset()
        self._facts = OwnFacts(ready=False, able=False)
        self._readiness = Readiness(calm_s=profile.calm_s)
        self._speech = Speech(
            profile=profile,
            edges=self._edges,
            membership=self._membership,
            table=self._table,
            sides=self._sides,
            beat_at=now,
        )
        self._left = False
        self._housekeeping_at = now + HOUSEKEEPING_S
        self._seen_version = -1
        # what one call of handle collects
        self._out: list[Output] = []
        self._source: NodeName | None = None
        self._own_claims: list[Claim] = []
        self._passed_on: list[Claim] = []
        self._look: set[IPAddress] = set()
        self._again: set[IPAddress] = set()

    # ------------------------------------------------------------ surface

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Take one event; returns what to do, in order: an ``Announce`` comes first."""
        if self._left:
            return []
        self._out, self._source = [], None
        self._wake(now)
        self._take(event, now)
        if now >= self.deadline:
            self._on_time(now)
        self._settle(now)
        return self._out

    @property
    def deadline(self) -> float:
        """When the machine wants a ``Tick``: the next heartbeat at the latest."""
        if self._left:
            return inf
        return min(
            self._speech.beat_at,
            self._edges.deadline,
            self._membership.deadline,
            self._ownership.deadline,
            self._start_at(),
            self._readiness.deadline,
            self._housekeeping_at,
        )

    def may_answer(self, address: IPAddress, *, now: float) -> bool:
        """The fence at each reply: the claim is ours, and our own detector ran just now."""
        if address not in self._ownership.answering:
            return False
        return now - self._now <= self._profile.silence_s or not self._edges.known

    @property
    def answering(self) -> frozenset[IPAddress]:
        """What we answer for now."""
        return frozenset(self._ownership.answering)

    def members(self) -> tuple[Member, ...]:
        """All members known, ourselves included, by name."""
        return tuple(sorted(self._membership.everybody, key=lambda member: member.name))

    @property
    def turned_away_by(self) -> tuple[NodeName, ...]:
        """Members that live and would not have us: another key, or our name is not known there."""
        return self._edges.turned_away_by

    @property
    def own(self) -> Report:
        """What we say of ourselves."""
        return self._membership.own

    def claims(self) -> tuple[Claim, ...]:
        """The best claim of each address that somebody holds, v4 before v6, ascending."""
        held = (claim for claim in self._table if claim.node != NOBODY)
        return tuple(sorted(held, key=lambda claim: by_family(claim.address)))

    # ------------------------------------------------------------ events

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Opened() | Closed() | DialFailed() | Received() if is_observer(event.peer):
                self._out.extend(self._speech.attend(event, now=now))
            case Opened():
                number = self._edges.opened(event.peer, now=now)
                self._out.append(Send(peer=event.peer, message=Pull(number=number)))
            case Closed() | DialFailed():
                self._lose(event, now)
            case Received():
                self._receive(event.peer, event.message, now)
            case PeersKnown() | Wanted() | OwnFacts() | Leave():
                self._be_told(event, now)
            case Tick():
                pass

    def _lose(self, event: Closed | DialFailed, now: float) -> None:
        if isinstance(event, Closed):
            is_lost = self._edges.closed(event.peer, now=now)
        else:
            is_lost = self._edges.dial_failed(event.peer, turned_away=event.turned_away, now=now)
        if is_lost and event.refused:
            self._membership.accuse(event.peer, crashed=True, now=now)

    def _be_told(self, event: PeersKnown | Wanted | OwnFacts | Leave, now: float) -> None:
        match event:
            case PeersKnown():
                self._peers = event.peers - {self._me}
                self._edges.keep(self._peers | self._membership.reachable, now=now)
            case Wanted():
                self._want(event.addresses)
            case OwnFacts():
                self._know(event, now)
            case Leave():
                self._leave()

    def _receive(self, peer: NodeName, message: Message, now: float) -> None:
        edge = self._edges.heard(peer, now=now)
        if edge is None:
            return
        self._source = peer
        match message:
            case Heartbeat():
                self._hear_heartbeat(edge, message, now)
            case News():
                self._hear(message.reports, message.claims, passes_on=message.relay, now=now)
            case Pull():
                self._out.extend(self._speech.answer(peer, message.number, now=now))
            case State():
                started = self._membership.own.facts.started
                self._hear(message.reports, message.claims, passes_on=started, now=now)
                if message.last and message.number == edge.pull:
                    self._pull_ended(edge, now)

    def _hear_heartbeat(self, edge: Edge, beat: Heartbeat, now: float) -> None:
        self._sides.hear(edge.peer, beat.side)
        self._edges.announces(edge.peer, interval_s=beat.interval_s)
        self._table.generation = max(self._table.generation, beat.generation)
        differs = (beat.view_digest, beat.claims_digest) != (self._membership.digest, self._table.digest)
        if number := self._edges.differs(edge, differs=differs, now=now):
            self._out.append(Send(peer=edge.peer, message=Pull(number=number)))

    def _hear(
        self, reports: Iterable[Report], claims: Iterable[Claim], *, passes_on: bool, now: float
    ) -> None:
        heard_directly = set(self._edges.open) - {self._source}
        for report in reports:
            self._membership.hear(report, now=now)
            if report.side is not None and report.name not in heard_directly:
                self._sides.hear(report.name, report.side)
        self._hear_claims(claims, passes_on=passes_on, now=now)

    def _hear_claims(self, claims: Iterable[Claim], *, passes_on: bool, now: float) -> None:
        for claim in claims:
            old = self._table.get(claim.address)
            outcome = self._table.hear(claim)
            if outcome is not Outcome.KEPT:
                if outcome is Outcome.BEATEN and claim.node == self._source:
                    self._again.add(claim.address)
                continue
            self._look.add(claim.address)
            if passes_on:
                self._passed_on.append(claim)
            if old is not None and old.node == self._me != claim.node:
                answer = self._disputes.answer_to(claim, beaten=old, now=now)
                if answer is not None:
                    self._claim(answer)

    def _pull_ended(self, edge: Edge, now: float) -> None:
        edge.pull = None
        fenced = self._readiness.fenced
        self._readiness.pull_ended(begun_at=edge.pulled_at, lives=bool(self._membership.living))
        if fenced and not self._readiness.fenced:
            self._speak_again(now)

    def _want(self, addresses: Mapping[IPAddress, frozenset[NodeName] | None]) -> None:
        before, self._ownership.wanted = self._ownership.wanted, addresses
        self._look.update(before.keys() ^ addresses.keys())
        for address in addresses.keys() - before.keys():
            self._table.want(address)
        self._look.update(
            address for address, permitted in addresses.items() if before.get(address, permitted) != permitted
        )

    def _know(self, facts: OwnFacts, now: float) -> None:
        before, self._facts = self._facts, facts
        started = self._membership.own.facts.started
        if facts.ready and facts.able and not (before.ready and before.able):
            started = False
            self._sides.clear()
            self._readiness.ready(now=now)
            self._pull_everybody(now)
        elif not (facts.ready and facts.able):
            self._readiness.unready()
        self._membership.say(Facts(started=started, able=facts.able, leaving=facts.leaving))

    def _leave(self) -> None:
        self._membership.leave()
        self._ownership.silenced = WithdrawReason.LEFT
        self._left = True
        self._look.update(self._ownership.answering)

    # ------------------------------------------------------------ time

    def _wake(self, now: float) -> None:
        """Were we paused? Who did not listen must not accuse, and after a long pause not answer."""
        gap_s = now - self._now
        self._now = now
        lag_s = gap_s - self._profile.interval_s
        if lag_s <= self._profile.silence_s / LAG_DIVISOR:
            return
        self._edges.delay_by(lag_s)
        self._speech.listeners.delay_by(lag_s)
        self._membership.delay_by(lag_s)
        self._ownership.delay_by(lag_s, now=now)
        if gap_s > self._profile.silence_s and self._edges.known:
            self._readiness.fence(now=now)
            self._sides.clear()
            self._ownership.silenced = WithdrawReason.FENCED
            self._look.update(self._ownership.wanted)
            self._edges.dial_everybody(now=now)
            self._pull_everybody(now)

    def _speak_again(self, now: float) -> None:
        self._ownership.silenced = None
        if self._membership.own.facts.started:
            self._sides.record(self._membership.view, now=now)
        self._look.update(self._ownership.wanted)

    def _pull(self, peer: NodeName, now: float) -> None:
        self._out.append(Send(peer=peer, message=Pull(number=self._edges.begin_pull(peer, now=now))))

    def _pull_everybody(self, now: float) -> None:
        for peer in self._edges.open:
            self._pull(peer, now)

    def _on_time(self, now: float) -> None:
        for peer in self._edges.silent(now=now):
            self._membership.accuse(peer, crashed=False, now=now)
        self._membership.bury(now=now)
        for peer in self._edges.hopeless(now=now):
            self._hang_up(peer, now)
        if self._readiness.deadline <= now and not self._edges.open:
            self._readiness.nobody_answers(now=now)
            self._speak_again(now)
        if self._start_at() <= now:
            own = self._membership.own.facts
            self._membership.say(replace(own, started=True))
            self._readiness.was_started = True
        if self._housekeeping_at <= now:
            self._keep_house(now)
        for peer in self._edges.to_dial(now=now):
            self._out.append(Dial(peer=peer))

    def _keep_house(self, now: float) -> None:
        self._housekeeping_at = now + HOUSEKEEPING_S
        self._membership.forget_the_dead(now=now)
        self._look.update(self._ownership.wanted)
        if self._facts.ready and not self._ownership.silenced:
            for address in self._forgetting.sweep(self._ownership.wanted, now=now):
                self._claim(self._table.next_claim(address, NOBODY))

    def _start_at(self) -> float:
        if self._membership.own.facts.started:
            return inf
        return self._readiness.start_at(
            alone=not self._edges.known,
            unwelcome=len(self._edges.turned_away_by) > len(self._edges.open),
            has_claims=bool(self._table.held_by(self._me)),
            changed_at=self._membership.changed_at,
        )

    def _hang_up(self, peer: NodeName, now: float) -> None:
        self._edges.hung_up(peer, now=now)
        self._out.append(Hangup(peer=peer))

    # ------------------------------------------------------------ what follows from it

    def _settle(self, now: float) -> None:
        self._see_members(now)
        self._ownership.look(self._look, now=now)
        for claim in self._ownership.due(now=now):
            self._claim(claim)
        self._ownership.look(self._again, now=now)
        own, self._own_claims = self._own_claims, []
        passed_on, self._passed_on = self._passed_on, []
        self._out.extend(self._speech.tell(own, passed_on, source=self._source, now=now))
        self._out.extend(self._speech.beat(now=now))
        self._out[:0] = self._ownership.answer_for(self._look, again=self._again)
        self._look, self._again = set(), set()

    def _see_members(self, now: float) -> None:
        """What changed in the view may vacate addresses, and changes the order."""
        changes = self._membership.take_changes()
        self._out.extend(changes)
        for change in changes:
            if change.state is MemberState.DEAD and change.name in self._edges.open:
                self._hang_up(change.name, now)
            if change.reason in {MemberReason.JOINED, MemberReason.RETURNED, MemberReason.REJOINED}:
                self._edges.returned(change.name, now=now)
            if change.reason in {MemberReason.JOINED, MemberReason.RETURNED}:
                self._again |= self._ownership.answering  # while apart each announced what the other had
            if change.reason is MemberReason.RETURNED and change.name in self._edges.open:
                # Its claims counted for nothing while it was held dead: ask for them now, not by a digest.
                self._pull(change.name, now)
        if self._seen_version == self._membership.version:
            return
        self._seen_version = self._membership.version
        self._edges.keep(self._peers | self._membership.reachable, now=now)
        if self._membership.own.facts.started and not self._readiness.fenced:
            self._sides.record(self._membership.view, now=now)
        self._look |= self._ownership.see(self._membership.standings(), self._membership.protected(now=now))

    def _claim(self, claim: Claim) -> None:
        self._table.hear(claim)
        self._own_claims.append(claim)
        self._again.add(claim.address)
