"""Our own questions about a member: does it live although we do not hear it?

A *trial* begins with our own alarm and runs beside the suspicion: a fresh connection in the place of the edge
that is silent, and three others who are asked whether they hear it. If it has refuted and is silent on our
edge all the same, others are asked before it is accused again: two that cannot talk would else keep the
whole group busy. A *patrol* is SWIM's probe of members that are no neighbours, one after the other in an
order drawn by lot: it finds who died with all its watchers, or whom only some hold alive (Das, Gupta,
Motivala, DSN 2002, section 4.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Final

from bareway.gossip.edges import Edges
from bareway.gossip.events import Output, Probe, Probed, Send
from bareway.gossip.health import MEMBERS_MIN, Health
from bareway.gossip.membership import Membership
from bareway.gossip.message import WAIT_MAX_MS, PingAnswer, PingRequest
from bareway.gossip.profile import PATROL_S, RELAY_SHARE, RELAYS, Profile
from bareway.model.names import NodeName

PATROL_BEATS: Final = 10
"""A slow profile patrols at least so many heartbeats apart."""


@dataclass(slots=True, kw_only=True)
class Inquiry:
    """One member about whom we ask."""

    target: NodeName
    number: int
    is_trial: bool
    relays_at: float
    """When others are asked; never again once they were."""
    ends_at: float
    asked: frozenset[NodeName] = frozenset()
    denied: set[NodeName] = field(default_factory=set)
    """Who of those asked said no in time."""


@dataclass(slots=True, kw_only=True)
class Inquiries:
    """All that are open, and the patrol."""

    profile: Profile
    edges: Edges
    membership: Membership
    health: Health
    rng: Random
    patrol_at: float
    _open: dict[NodeName, Inquiry] = field(default_factory=dict)
    _beat: list[NodeName] = field(default_factory=list)
    """Whom the patrol visits before it draws a new order, the last one first."""
    _numbers: int = 0

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        times = (min(each.relays_at, each.ends_at) for each in self._open.values())
        return min(times, default=inf) if self._open else self.patrol_at

    def is_open(self, target: NodeName) -> bool:
        """Whether we are asking about it."""
        return target in self._open

    def try_(self, target: NodeName, *, now: float) -> None:
        """Our edge to it raised the alarm: everything at once."""
        member = self.membership.get(target)
        if member is None or not member.lives or member.report.crashed:
            return
        self.edges.refresh(target, now=now)
        ends_at = now + self.membership.suspicion_s(target)
        self._open[target] = self._inquiry(target, is_trial=True, relays_at=now, ends_at=ends_at)

    def inquire(self, target: NodeName, *, now: float) -> None:
        """We do not hear it, and it has refuted before: accused only if nobody else hears it either."""
        if target not in self._open:
            ends_at = now + self.membership.suspicion_s(target)
            self._open[target] = self._inquiry(target, is_trial=False, relays_at=now, ends_at=ends_at)

    def spoke(self, target: NodeName, *, now: float) -> None:
        """It was heard, by us or by one whom we asked."""
        inquiry = self._open.pop(target, None)
        if inquiry is not None and inquiry.is_trial:
            self.membership.acquit(target, now=now)

    def probed(self, event: Probed, *, now: float) -> None:
        """A probe of ours ended."""
        if event.alive:
            self.spoke(event.peer, now=now)
            return
        inquiry = self._open.get(event.peer)
        if inquiry is None or inquiry.is_trial:
            return
        if event.refused:
            del self._open[event.peer]
            self.membership.accuse(event.peer, crashed=True, now=now)
        elif not inquiry.asked:
            inquiry.relays_at = now

    def answered(self, relay: NodeName, answer: PingAnswer, *, now: float) -> None:
        """One whom we asked says whether it hears the member."""
        for inquiry in self._open.values():
            if inquiry.number == answer.number and relay in inquiry.asked:
                if answer.heard:
                    self.spoke(inquiry.target, now=now)
                else:
                    inquiry.denied.add(relay)
                return

    def on_time(self, *, now: float) -> list[Output]:
        """What is due."""
        out: list[Output] = []
        for inquiry in [each for each in self._open.values() if each.relays_at <= now]:
            out.extend(self._ask_relays(inquiry))
        for inquiry in [each for each in self._open.values() if each.ends_at <= now]:
            self._end(inquiry, now=now)
        if self.patrol_at <= now and not self._open:
            out.extend(self._patrol(now))
        return out

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: answers may wait unread."""
        for inquiry in self._open.values():
            inquiry.ends_at += lag_s

    def _ask_relays(self, inquiry: Inquiry) -> list[Send]:
        inquiry.relays_at = inf
        watchers = self.membership.rings.neighbours(inquiry.target)
        others = [peer for peer in self.edges.open if peer != inquiry.target]
        relays = self._some([peer for peer in others if peer not in watchers])
        relays += self._some([peer for peer in others if peer in watchers])
        inquiry.asked = frozenset(relays[:RELAYS])
        wait_s = RELAY_SHARE * self.membership.suspicion_s(inquiry.target)
        request = PingRequest(
            number=inquiry.number, target=inquiry.target, wait_ms=min(round(wait_s * 1000), WAIT_MAX_MS)
        )
        return [Send(peer=peer, message=request) for peer in relays[:RELAYS]]

    def _some(self, peers: list[NodeName]) -> list[NodeName]:
        return self.rng.sample(peers, min(RELAYS, len(peers)))

    def _end(self, inquiry: Inquiry, *, now: float) -> None:
        """Nobody vouched for it; whether at least the no of those asked came tells about ourselves."""
        del self._open[inquiry.target]
        is_group = len(self.membership.rings) >= MEMBERS_MIN
        if is_group and len(inquiry.asked) == RELAYS and not inquiry.denied:
            self.health.worsen(now=now)
        if not inquiry.is_trial:
            self.membership.accuse(inquiry.target, crashed=False, now=now)

    def _patrol(self, now: float) -> list[Probe]:
        every_s = max(PATROL_S, PATROL_BEATS * self.profile.interval_s)
        self.patrol_at = now + every_s * self.health.patience
        target = self._next(self.membership.living)
        if target is None:
            return []
        silence_s = self.profile.silence_s * self.health.patience
        inquiry = self._inquiry(
            target, is_trial=False, relays_at=now + silence_s, ends_at=now + 2 * silence_s
        )
        self._open[target] = inquiry
        return [Probe(peer=target)]

    def _next(self, living: Iterable[NodeName]) -> NodeName | None:
        """The next in order of those that live and that we do not hear anyway."""
        others = set(living).difference(self.edges.open)
        if not others:
            return None
        while True:
            while self._beat:
                if (name := self._beat.pop()) in others:
                    return name
            self._beat = sorted(others)
            self.rng.shuffle(self._beat)

    def _inquiry(self, target: NodeName, *, is_trial: bool, relays_at: float, ends_at: float) -> Inquiry:
        self._numbers += 1
        return Inquiry(
            target=target, number=self._numbers, is_trial=is_trial, relays_at=relays_at, ends_at=ends_at
        )
