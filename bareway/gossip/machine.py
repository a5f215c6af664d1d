"""The gossip machine: one member of the group, without sockets, clock or chance of its own.

Feed it events with the time; it returns what to do. It keeps the view (``membership``) and the edges
(``edges``), by which ``detector`` notices who dies; which addresses are ours is decided by ``election``, when
we may act by ``guard``. Who only observes hears what is said (``speech``) and is nothing to all the others.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import inf
from random import Random
from typing import Final

from bareway.gossip.changes import Witness
from bareway.gossip.claims import Claim
from bareway.gossip.detector import Detector
from bareway.gossip.edges import Edge, Edges
from bareway.gossip.election import Election
from bareway.gossip.events import (
    Answered,
    Closed,
    DialFailed,
    Event,
    Hangup,
    KeyHeld,
    Leave,
    MemberChanged,
    Opened,
    Output,
    OwnFacts,
    PartitionPolicy,
    PeersKnown,
    Permission,
    Probed,
    Received,
    Send,
    Sighted,
    Tick,
    UseProfile,
    Wanted,
    WithdrawReason,
)
from bareway.gossip.guard import Guard
from bareway.gossip.member import Member, MemberReason, MemberState, Report, publishable
from bareway.gossip.membership import Membership
from bareway.gossip.message import Heartbeat, Message, News, PingAnswer, PingRequest, Pull, State
from bareway.gossip.profile import Profile
from bareway.gossip.quorum import Quorum
from bareway.gossip.readiness import Readiness
from bareway.gossip.roles import is_observer
from bareway.gossip.sides import Sides
from bareway.gossip.speech import Speech
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from bareway.model.problems import Problem

LAG_DIVISOR: Final = 3
"""A turn later than planned by a third of the silence counts as a pause: first listen, then accuse."""
HOUSEKEEPING_S: Final = 5.0
"""So seldom all is looked at anew, though nothing is said to have changed."""


class GossipMachine:
    """One member of the group."""

    def __init__(
        self,
        *,
        me: NodeName,
        epoch: int,
        profile: Profile,
        rng: Random,
        now: float,
        partition: Partition = Partition.AVAILABLE,
        witness: Witness | None = None,
    ) -> None:
        self._me = me
        self._quorum = Quorum(profile=profile)
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
        self._detector = Detector(
            edges=self._edges, membership=self._membership, profile=profile, rng=rng, now=now
        )
        self._sides = Sides()
        self._election = Election(
            profile=profile,
            membership=self._membership,
            sides=self._sides,
            quorum=self._quorum,
            is_silent=lambda name: self._edges.is_silent(name, now=self._now),
            witness=witness,
        )
        self._peers: frozenset[NodeName] = frozenset()
        self._facts = OwnFacts(ready=False, able=False)
        self._guard = Guard(
            profile=profile,
            edges=self._edges,
            membership=self._membership,
            sides=self._sides,
            election=self._election,
            quorum=self._quorum,
            readiness=Readiness(calm_s=profile.calm_s),
            partition=partition,
            ran_at=lambda: self._now,
        )
        self._speech = Speech(
            profile=profile,
            edges=self._edges,
            membership=self._membership,
            table=self._election.table,
            sides=self._sides,
            beat_at=now,
        )
        self._left = False
        self._housekeeping_at = now + HOUSEKEEPING_S
        self._seen_version = -1
        self._due = now
        """Nothing is due before."""
        # what one call of handle collects
        self._out: list[Output] = []
        self._source: NodeName | None = None

    # ------------------------------------------------------------ surface

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Take one event; returns what to do, in order: an ``Announce`` comes first."""
        if self._left:
            return []
        self._out, self._source = [], None
        self._wake(now)
        self._take(event, now)
        if self._is_all_the_same(event, now):
            return []
        if now >= self._due or now >= self._next():
            self._on_time(now)
        self._guard.keep_quorum(now=now)
        self._settle(now)
        self._due = self._next()
        return self._out

    @property
    def deadline(self) -> float:
        """When the machine wants a ``Tick``: the next heartbeat at the latest."""
        return inf if self._left else self._due

    def _is_all_the_same(self, event: Event, now: float) -> bool:
        """Whether it was a heartbeat that told us nothing, as most do: nothing follows from it."""
        return (
            isinstance(event, Received)
            and isinstance(event.message, Heartbeat)
            and now < self._due <= self._edges.deadline
            and self._seen_version == self._membership.standing_version
            and self._election.silenced is None
            and not (self._out or self._membership.changes)
        )

    def _next(self) -> float:
        """When something is due."""
        return min(
            self._speech.beat_at,
            self._detector.deadline,
            self._election.deadline,
            self._guard.deadline,
            self._housekeeping_at,
        )

    def may_answer(self, address: IPAddress, *, now: float) -> Permission:
        """The fence at each reply."""
        return self._guard.permission(address, ran_at=self._now, now=now)

    @property
    def answering(self) -> frozenset[IPAddress]:
        """What we answer for now."""
        return self._election.answering

    def members(self) -> tuple[Member, ...]:
        """All members known, ourselves included, by name."""
        return tuple(sorted(self._membership.everybody, key=lambda member: member.name))

    @property
    def turned_away_by(self) -> tuple[NodeName, ...]:
        """Members that live and would not have us: another key, or our name is not known there."""
        return self._edges.turned_away_by

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is configured and not proven for a group like this."""
        return self._guard.problems

    @property
    def own(self) -> Report:
        """What we say of ourselves."""
        return self._membership.own

    def claims(self) -> tuple[Claim, ...]:
        """The best claim of each address that somebody holds, v4 before v6, ascending."""
        return self._election.held()

    # ------------------------------------------------------------ events

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Opened() | Closed() | DialFailed() | Received() if is_observer(event.peer):
                self._out.extend(self._speech.attend(event, now=now))
            case Opened() | Closed() | DialFailed() | Probed():
                self._meet(event, now)
            case Received():
                self._receive(event.peer, event.message, now)
            case PeersKnown() | Wanted() | OwnFacts() | Leave():
                self._be_told(event, now)
            case PartitionPolicy() | KeyHeld() | UseProfile():
                self._be_set(event, now)
            case Answered() | Sighted():
                self._election.ask_the_link(event, now=now)
            case Tick():
                pass

    def _meet(self, event: Opened | Closed | DialFailed | Probed, now: float) -> None:
        match event:
            case Opened():
                number = self._edges.opened(event.peer, now=now)
                self._out.append(Send(peer=event.peer, message=Pull(number=number)))
                self._out.extend(self._detector.heard(event.peer, now=now))
            case Closed() | DialFailed():
                self._lose(event, now)
            case Probed():
                self._out.extend(self._detector.probed(event, now=now))

    def _lose(self, event: Closed | DialFailed, now: float) -> None:
        if isinstance(event, Closed):
            is_lost = self._edges.closed(event.peer, now=now)
        else:
            is_lost = self._edges.dial_failed(event.peer, turned_away=event.turned_away, now=now)
            if event.refused:
                self._quorum.refused(event.peer)
        if is_lost and event.refused:
            self._membership.accuse(event.peer, crashed=True, now=now)

    def _be_set(self, event: PartitionPolicy | KeyHeld | UseProfile, now: float) -> None:
        match event:
            case PartitionPolicy():
                self._guard.partition = event.partition
            case KeyHeld():
                self._membership.say(replace(self._membership.own.facts, key_id=event.key_id))
            case UseProfile():
                self._profile = event.profile
                self._guard.use(event.profile)
                self._detector.use(event.profile)
                self._speech.use(event.profile, now=now)

    def _be_told(self, event: PeersKnown | Wanted | OwnFacts | Leave, now: float) -> None:
        match event:
            case PeersKnown():
                self._peers = self._quorum.peers = event.peers - {self._me}
                self._detector.know(self._peers, now=now)
            case Wanted():
                self._election.want(event, now=now)
            case OwnFacts():
                self._know(event, now)
            case Leave():
                self._leave()

    def _receive(self, peer: NodeName, message: Message, now: float) -> None:
        edge = self._edges.heard(peer, now=now)
        if edge is None:
            return
        self._source = peer
        self._out.extend(self._detector.heard(peer, now=now))
        self._quorum.heard(peer, now=now)
        match message:
            case Heartbeat():
                self._hear_heartbeat(edge, message, now)
            case News():
                self._hear(message.reports, message.claims, passes_on=message.relay, now=now)
                self._election.hear_findings(message.findings, passes_on=message.relay, now=now)
            case Pull():
                self._out.extend(self._speech.answer(peer, message.number, now=now))
            case PingRequest() | PingAnswer():
                self._out.extend(self._detector.asked(peer, message, now=now))
            case State():
                started = self._membership.own.facts.started
                self._hear(message.reports, message.claims, passes_on=started, now=now)
                if message.last and message.number == edge.pull:
                    self._guard.pull_ended(edge, now=now)

    def _hear_heartbeat(self, edge: Edge, beat: Heartbeat, now: float) -> None:
        self._sides.hear(edge.peer, beat.side)
        self._edges.announces(edge.peer, interval_s=beat.interval_s)
        table = self._election.table
        table.hear_generation(beat.generation)
        differs = (beat.view_digest, beat.claims_digest) != (self._membership.digest, table.digest)
        if number := self._edges.differs(edge, differs=differs, now=now):
            self._out.append(Send(peer=edge.peer, message=Pull(number=number)))

    def _hear(
        self, reports: Iterable[Report], claims: Iterable[Claim], *, passes_on: bool, now: float
    ) -> None:
        heard_directly = self._sides.known.intersection(self._edges.open) - {self._source}
        for report in reports:
            self._membership.hear(report, now=now)
            if report.name != self._me and not is_observer(report.name):
                self._quorum.heard_of(report.name)
            if report.name not in heard_directly and self._membership.holds(report):
                self._sides.hear(report.name, report.side)
        self._election.hear(claims, source=self._source, passes_on=passes_on, now=now)

    def _know(self, facts: OwnFacts, now: float) -> None:
        before, self._facts = self._facts, facts
        self._detector.has(facts.links)
        started = self._membership.own.facts.started
        if facts.ready and facts.able and not (before.ready and before.able):
            started = False
            self._guard.ready(now=now)
        elif not (facts.ready and facts.able):
            self._guard.readiness.unready()
        own, links = self._membership.own.facts, publishable(facts.links)
        own = replace(own, started=started, able=facts.able, leaving=facts.leaving, links=links)
        self._membership.say(own)

    def _leave(self) -> None:
        self._membership.leave()
        self._election.silence(WithdrawReason.LEFT)
        self._left = True

    # ------------------------------------------------------------ time

    def _wake(self, now: float) -> None:
        """Were we paused? Who did not listen must not accuse, and after a long pause not answer."""
        gap_s = now - self._now
        self._now = now
        lag_s = gap_s - self._profile.interval_s
        if lag_s <= self._profile.silence_s / LAG_DIVISOR:
            return
        self._due = now
        self._detector.delay_by(gap_s, now=now)  # by all of it: what waits unread comes before any verdict
        self._speech.listeners.delay_by(lag_s)
        self._election.delay_by(lag_s)
        self._guard.paused(gap_s, now=now)

    def _pull(self, peer: NodeName, now: float) -> None:
        self._out.append(Send(peer=peer, message=Pull(number=self._edges.begin_pull(peer, now=now))))

    def _on_time(self, now: float) -> None:
        self._out.extend(self._detector.on_time(now=now))
        self._guard.on_time(now=now)
        if self._housekeeping_at <= now:
            self._housekeeping_at = now + HOUSEKEEPING_S
            self._membership.forget_the_dead(now=now)
            self._election.keep_house(ready=self._facts.ready, now=now)

    # ------------------------------------------------------------ what follows from it

    def _settle(self, now: float) -> None:
        if self._guard.wants_pulls:
            self._guard.wants_pulls = False
            for peer in self._edges.open:
                self._pull(peer, now)
        self._see_members(now)
        told = self._election.settle(now=now)
        self._out.extend(self._speech.tell(*told, source=self._source, now=now))
        self._out.extend(self._speech.beat(now=now))
        self._out[:0] = self._election.outcome()

    def _see_members(self, now: float) -> None:
        """What changed in the view may vacate addresses, and changes the order."""
        changes = self._membership.take_changes()
        self._out.extend(changes)
        for change in changes:
            self._see_change(change, now)
        if self._seen_version != self._membership.standing_version:
            self._seen_version = self._membership.standing_version
            self._detector.see_members(now=now)
            self._guard.record_view(now=now)
            self._election.see_members(now=now)
        if changes:
            self._election.see_states(changes, now=now)

    def _see_change(self, change: MemberChanged, now: float) -> None:
        if change.state is MemberState.DEAD and change.name in self._edges.open:
            self._edges.hung_up(change.name, now=now)
            self._out.append(Hangup(peer=change.name))
        if not self._membership.lives(change.name):
            self._sides.forget(change.name)
        if change.reason in {MemberReason.JOINED, MemberReason.RETURNED, MemberReason.REJOINED}:
            self._detector.returned(change, now=now)
        self._election.announce_again(since=self._membership.apart_since(change))
        if change.reason is MemberReason.RETURNED and change.name in self._edges.open:
            # Its claims counted for nothing while it was held dead: ask for them now, not by a digest.
            self._pull(change.name, now)
