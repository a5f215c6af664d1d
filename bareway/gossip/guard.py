"""When a member may act: it has started, it was not just paused, and it hears whom its policy asks for.

It joins the start and the fence (``readiness``) with the majority that policy ``safe`` asks for (``quorum``),
and makes the claims side silent when one of them fails. Whoever was silent dials everybody at once and asks
what is still its own before it speaks again; its memory of the group weighs nothing against that of others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from bareway.gossip.edges import Edge, Edges
from bareway.gossip.election import Election
from bareway.gossip.events import Permission, WithdrawReason
from bareway.gossip.member import NO_SIDE
from bareway.gossip.membership import Membership
from bareway.gossip.profile import Profile
from bareway.gossip.quorum import Quorum
from bareway.gossip.readiness import Readiness
from bareway.gossip.rings import FULL_MESH_MAX
from bareway.gossip.sides import Sides
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from bareway.model.problems import Problem, Severity

PROVEN_MAX: Final = FULL_MESH_MAX
"""Members up to which policy ``safe`` is proven."""


def unproven(members: int) -> Problem:
    """Policy ``safe`` in a group that is too great for it."""
    return Problem(
        path="layer2.partition",
        message=f"safe is proven for {PROVEN_MAX} members at most, and there are {members}: some of them may"
        " take the loss of a few others for the loss of the majority, and stop to answer",
        hint="write partition: available",
        severity=Severity.WARNING,
    )


def twin(me: NodeName) -> Problem:
    """Another process says that it is this node."""
    return Problem(
        path="--node-name",
        message=f"another speaker goes by the name {me}: what the two say of themselves contradicts",
        hint="give each node a name of its own",
    )


@dataclass(slots=True, kw_only=True)
class Guard:
    """Judges by what the other parts of one machine know."""

    profile: Profile
    edges: Edges
    membership: Membership
    sides: Sides
    election: Election
    quorum: Quorum
    readiness: Readiness
    partition: Partition
    ran_at: Callable[[], float]
    """When the machine had its last turn."""
    wants_pulls: bool = False
    """All that have an edge are to be asked for everything."""

    def permission(self, address: IPAddress, *, ran_at: float, now: float) -> Permission:
        """The fence at each reply: the claim is ours, our detector ran just now, and whom it heard."""
        if not self.election.answers(address):
            return Permission.NO
        if not self.edges.known:
            return Permission.YES
        if now - ran_at > self.profile.silence_s:
            return Permission.NO
        match self.partition:
            case Partition.SAFE:
                return Permission.YES if self.quorum.is_fresh(now=now) else Permission.NO
            case Partition.AVAILABLE:
                return Permission.ASK_FIRST if self.quorum.is_isolated(now=now) else Permission.YES

    @property
    def problems(self) -> tuple[Problem, ...]:
        """A majority is counted by who is heard directly: in a great group nobody hears all others."""
        found: list[Problem] = []
        members = 1 + len(self.quorum.voters)
        if self.partition is Partition.SAFE and members > PROVEN_MAX:
            found.append(unproven(members))
        if self.membership.has_twin(now=self.ran_at()):
            found.append(twin(self.membership.me))
        return tuple(found)

    def use(self, profile: Profile) -> None:
        """Another profile."""
        self.profile = self.quorum.profile = profile
        self.election.use(profile)
        self.readiness.calm_s = profile.calm_s

    @property
    def deadline(self) -> float:
        """When something is due."""
        needs_quorum = self.partition is Partition.SAFE and self.election.silenced is None
        quorum_ends_at = self.quorum.ends_at() if needs_quorum else inf
        fence_ends_at = inf if self.edges.open else self.readiness.deadline  # whoever is there may answer yet
        return min(self.start_at(), fence_ends_at, quorum_ends_at)

    def start_at(self) -> float:
        """When we start, as far as is known now."""
        if self.membership.own.facts.started or self.election.silenced is WithdrawReason.NO_QUORUM:
            return inf
        return self.readiness.start_at(
            alone=not self.edges.known,
            unwelcome=len(self.edges.turned_away_by) > len(self.edges.open),
            has_claims=self.election.holds_any,
            changed_at=self.membership.changed_at,
        )

    def ready(self, *, now: float) -> None:
        """The caches are synced and the node is able: the way to the start begins."""
        self.sides.clear()
        self.readiness.ready(now=now)
        self.wants_pulls = True

    def paused(self, gap_s: float, *, now: float) -> None:
        """We had no turn for so long."""
        self.quorum.paused(since=now - gap_s, now=now)
        if gap_s <= self.profile.silence_s:
            return
        if self.edges.known:
            self._fall_silent(WithdrawReason.FENCED, now)
        else:
            self.election.announce_again()  # nobody can have taken it, but clients may have forgotten us

    def pull_ended(self, edge: Edge, *, now: float) -> None:
        """A member has told us all it knows."""
        edge.pull = None
        self.readiness.pull_ended(begun_at=edge.pulled_at, lives=bool(self.membership.living))
        self._end_fence(now)

    def on_time(self, *, now: float) -> None:
        """Start, or end a fence for want of answers, when it is time."""
        if self.readiness.deadline <= now and not self.edges.open:
            self.readiness.nobody_answers(now=now)
            self._end_fence(now)
        self._start(now)

    def keep_quorum(self, *, now: float) -> None:
        """Policy ``safe``: without a majority we are silent, and learn what is ours when it is back.

        Others may hear us yet, or of us: they are told that we serve nothing, so that they take over. Whom we
        hold dead when the majority is back it may hold alive: what that is worth shows after a detection.
        """
        is_lost = self.partition is Partition.SAFE and not self.quorum.is_fresh(now=now)
        if is_lost and self.election.silenced is None:
            self._fall_silent(WithdrawReason.NO_QUORUM, now)
            self.sides.record(NO_SIDE, now=now)  # and so for a window after we speak again
            self.membership.say(replace(self.membership.own.facts, started=False))
        elif self.election.silenced is WithdrawReason.NO_QUORUM and not (is_lost or self.readiness.fenced):
            self.election.wait_until(now + self.profile.calm_s)
            self._speak_again(now)
            self._start(now)

    def record_view(self, *, now: float) -> None:
        """The view has changed; it counts for our side if we act at all."""
        if self.membership.own.facts.started and not self.readiness.fenced:
            self.sides.record(self.membership.view, now=now)

    def _start(self, now: float) -> None:
        if self.start_at() <= now:
            self.membership.say(replace(self.membership.own.facts, started=True))
            self.readiness.was_started = True

    def _fall_silent(self, reason: WithdrawReason, now: float) -> None:
        self.readiness.fence(now=now)
        self.sides.clear()
        self.election.silence(reason)
        self.edges.dial_everybody(now=now)
        self.wants_pulls = True

    def _end_fence(self, now: float) -> None:
        if self.election.silenced is WithdrawReason.FENCED and not self.readiness.fenced:
            self._speak_again(now)

    def _speak_again(self, now: float) -> None:
        self.election.speak_again()
        self.record_view(now=now)
