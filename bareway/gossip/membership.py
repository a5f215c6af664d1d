"""The view: every member we know, how we hold it, and who accuses whom.

Rules of SWIM with suspicion, as gossip carries them: a report supersedes another of the same member by
``(epoch, incarnation)``, then by the stronger state; an accusation about ourselves is refuted with a higher
incarnation. A death that is only heard of counts as an accusation while we hear the member ourselves, or if
its trial has hardly begun here: when two halves of a group meet again, each hears that its own members died.

What must be told to others is collected in ``news``, what must be told to the user in ``changes``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import inf
from typing import Final

from bareway.gossip.claims import DIGEST_BYTES, DIGEST_MASK
from bareway.gossip.events import MemberChanged
from bareway.gossip.member import Facts, Member, MemberReason, MemberState, Report, Side, supersedes
from bareway.gossip.profile import COUNTER_MAX, CRASH_GRACE_S, MEMBERS_MAX, RETRY_FOR_S, SIDE_WINDOW_S
from bareway.gossip.rings import Rings
from bareway.gossip.roles import is_observer
from bareway.gossip.suspicion import Suspicion
from bareway.model.names import NodeName

OUTBID_EACH_S: Final = 1.0
"""Two processes of one name would outbid each other's words as fast as they travel, and flood the group."""
OUTBID_WITHIN_S: Final = 10.0
OUTBIDS_OF_A_TWIN: Final = 3


@dataclass(slots=True, kw_only=True)
class Membership:
    """The members, ourselves included; ``own`` is what we say of ourselves."""

    own: Report
    hears: Callable[[NodeName], bool]
    """Whether a member spoke to us just now, on our own edge."""
    suspicion_s: Callable[[NodeName], float]
    """The shortest suspicion of a member, by the interval it announced."""
    born_at: float
    """When our process started."""
    changed_at: float
    """When the set of living members last changed."""
    believes: bool = False
    """Whoever only observes holds each member as it hears that others do."""
    version: int = 0
    """Grows with every change."""
    set_version: int = 0
    """Grows when somebody comes, dies or is forgotten."""
    standing_version: int = 0
    """Grows when that happens or somebody says something else of itself: not with a mere suspicion."""
    rings: Rings = field(default_factory=Rings)
    """Those that live, ourselves included, and who is whose neighbour."""
    outbid_at: float = -inf
    """When somebody last knew a newer word of ours than we did."""
    outbids: int = 0
    """How often in a row."""
    digest: int = 0
    """Over the living others and ourselves: name, epoch, incarnation."""
    news: list[Report] = field(default_factory=list)
    changes: list[MemberChanged] = field(default_factory=list)
    _members: dict[NodeName, Member] = field(default_factory=dict)
    _suspicions: dict[NodeName, Suspicion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digest = _fingerprint(self.own)
        self.rings.add(self.own.name)

    @property
    def me(self) -> NodeName:
        """Our name."""
        return self.own.name

    @property
    def everybody(self) -> tuple[Member, ...]:
        """Ourselves and all others, dead ones included."""
        return (Member(report=self.own, since=self.born_at), *self._members.values())

    def get(self, name: NodeName) -> Member | None:
        """One of the others."""
        return self._members.get(name)

    def lives(self, name: NodeName) -> bool:
        """Whether a member is held alive (or suspect); we always live."""
        if name == self.me:
            return True
        member = self._members.get(name)
        return member is not None and member.lives

    def is_back(self, name: NodeName, *, now: float) -> bool:
        """Whether a member was held dead a moment ago: its claims may be of another side."""
        member = self._members.get(name)
        return member is not None and member.lives and member.is_back(now)

    @property
    def living(self) -> tuple[NodeName, ...]:
        """The others that live."""
        return tuple(name for name, member in self._members.items() if member.lives)

    @property
    def view(self) -> Side:
        """The view of this moment, as a side: how many live, and the lowest of their names."""
        names = (self.me, *self.living)
        return Side(len(names), min(names))

    def reached_by(self, peers: Iterable[NodeName]) -> bool:
        """Whether what is said to ``peers`` is said to all that live."""
        reached = set(peers)
        return len(self.rings) <= len(reached) + 1 and set(self.living) <= reached

    @property
    def reachable(self) -> frozenset[NodeName]:
        """The others to have an edge to, also the dead: they may come back."""
        return frozenset(
            name for name, member in self._members.items() if member.state is not MemberState.LEFT
        )

    def holds(self, report: Report) -> bool:
        """Whether a member lives by this word and no older one: what it saw before its death is of no use."""
        member = self._members.get(report.name)
        if member is None or not member.lives:
            return False
        return (member.report.epoch, member.report.incarnation) == (report.epoch, report.incarnation)

    def apart_since(self, change: MemberChanged) -> float:
        """Since when a member that comes may have announced what we claimed; infinity: it did not.

        What it claimed there need not reach us: others may tell it first that we know better, and then its
        claims are ours. What we had claimed long before, and never anew, it cannot have taken with a claim
        that is worse. A newcomer that has not started has claimed nothing at all.
        """
        member = self._members.get(change.name)
        if member is not None and change.reason is MemberReason.RETURNED and member.parted_at is not None:
            return member.parted_at - SIDE_WINDOW_S
        if member is not None and change.reason is MemberReason.JOINED and member.report.facts.started:
            return -inf
        return inf

    def standings(self) -> dict[NodeName, Facts]:
        """What the living say of themselves, ourselves included."""
        standings = {name: member.report.facts for name, member in self._members.items() if member.lives}
        standings[self.me] = self.own.facts
        return standings

    def protected(self, *, now: float) -> dict[NodeName, float]:
        """Whose claims stay its own although its process crashed, and until when."""
        return {
            name: member.protected_until
            for name, member in self._members.items()
            if member.protected_until > now
        }

    def reports(self) -> tuple[Report, ...]:
        """Everything we could tell, ourselves first."""
        return (self.own, *(member.report for member in self._members.values()))

    def take_news(self) -> list[Report]:
        """What must be told to others; each once."""
        news, self.news = self.news, []
        return news

    def take_changes(self) -> list[MemberChanged]:
        """What must be told to the user; each once."""
        changes, self.changes = self.changes, []
        return changes

    # ------------------------------------------------------------ ourselves

    def say(self, facts: Facts) -> None:
        """Publish our own facts, if they are new."""
        if facts != self.own.facts:
            self._raise_incarnation(self.own.version, facts)

    def leave(self) -> None:
        """Say goodbye: from now on nothing said about us is refuted."""
        self.own = replace(self.own, state=MemberState.LEFT)
        self.version += 1
        self.standing_version += 1
        self.news.append(self.own)

    def _raise_incarnation(self, above: tuple[int, int], facts: Facts) -> None:
        epoch, incarnation = max(above, self.own.version)
        self.digest ^= _fingerprint(self.own)
        self.standing_version += facts != self.own.facts
        self.own = replace(self.own, epoch=epoch, incarnation=incarnation + 1, facts=facts)
        self.digest ^= _fingerprint(self.own)
        self.version += 1
        self.news.append(self.own)

    # ------------------------------------------------------------ hearing

    def hear(self, report: Report, *, now: float) -> None:
        """Merge what somebody says of a member."""
        if is_observer(report.name) or max(report.version) > COUNTER_MAX:
            return
        if report.name == self.me:
            self._hear_of_myself(report, now=now)
            return
        member = self._members.get(report.name)
        if member is None:
            if report.state in {MemberState.ALIVE, MemberState.SUSPECT} and len(self._members) < MEMBERS_MAX:
                self._hear_of_a_stranger(report, now=now)
        elif report.state is MemberState.DEAD and member.lives and not self._is_credible(report, now=now):
            self._accuse(member, replace(report, state=MemberState.SUSPECT), now=now)
        elif report.state is MemberState.SUSPECT:
            self._accuse(member, report, now=now)
        elif supersedes(report, member.report):
            self._put(member, report, _reason(report, member, me=self.me), now=now)
            self.news.append(report)

    def accuse(self, name: NodeName, *, crashed: bool, now: float) -> None:
        """Our own edge to a member raises the alarm."""
        member = self._members.get(name)
        if member is not None and member.lives:
            accusation = replace(member.report, state=MemberState.SUSPECT, by=self.me, crashed=crashed)
            self._accuse(member, accusation, now=now)

    def acquit(self, name: NodeName, *, now: float) -> None:
        """We have fresh evidence that a suspect lives; it tells the others itself."""
        member = self._members.get(name)
        if member is not None and member.state is MemberState.SUSPECT:
            report = replace(member.report, state=MemberState.ALIVE, crashed=False)
            self._put(member, report, MemberReason.REFUTED, now=now)

    def bury(self, *, now: float) -> None:
        """Declare dead whoever did not refute in time."""
        for name in [name for name in self._suspicions if self._ends_at(name) <= now]:
            member = self._members[name]
            report = replace(member.report, state=MemberState.DEAD, by=self.me)
            self._put(member, report, MemberReason.NOT_REFUTED, now=now)
            self.news.append(report)

    def forget_the_dead(self, *, now: float) -> None:
        """Drop members that are gone for RETRY_FOR_S."""
        for name, member in list(self._members.items()):
            if not member.lives and member.since <= now - RETRY_FOR_S:
                del self._members[name]
                self.version += 1
                self.set_version += 1
                self.standing_version += 1

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: all trials wait."""
        for name, suspicion in self._suspicions.items():
            self._suspicions[name] = suspicion.delayed_by(lag_s)

    @property
    def deadline(self) -> float:
        """When the next trial ends, as far as is known now."""
        if not self._suspicions:
            return inf
        return min((self._ends_at(name) for name in self._suspicions), default=inf)

    def _is_credible(self, death: Report, *, now: float) -> bool:
        """Whether to believe a death: who suspects as long as others do has given the same time to refute."""
        if self.believes:
            return True
        trial = self._suspicions.get(death.name)
        return trial is not None and trial.is_half_over(now) and not self.hears(death.name)

    def _hear_of_myself(self, report: Report, *, now: float) -> None:
        """Refute at once; what a former life of ours said, or a twin, is answered now and then."""
        if self.own.state is MemberState.LEFT or report.version < self.own.version:
            return
        if report.state is MemberState.ALIVE:
            if report.version == self.own.version or now < self.outbid_at + OUTBID_EACH_S:
                return
            self.outbids = self.outbids + 1 if now < self.outbid_at + OUTBID_WITHIN_S else 1
            self.outbid_at = now
        self._raise_incarnation(report.version, self.own.facts)

    def has_twin(self, *, now: float) -> bool:
        """Whether another process goes by our name: a former life of ours says something new once only."""
        return self.outbids >= OUTBIDS_OF_A_TWIN and now < self.outbid_at + OUTBID_WITHIN_S

    def _hear_of_a_stranger(self, report: Report, *, now: float) -> None:
        member = Member(report=replace(report, state=MemberState.ALIVE), since=now)
        self._members[report.name] = member
        self.digest ^= _fingerprint(report)
        self.changed_at = now
        self.version += 1
        self.set_version += 1
        self.standing_version += 1
        self.rings.add(report.name)
        self.changes.append(
            MemberChanged(name=report.name, state=MemberState.ALIVE, reason=MemberReason.JOINED)
        )
        if report.state is MemberState.SUSPECT:
            self._accuse(member, report, now=now)
        else:
            self.news.append(report)

    def _accuse(self, member: Member, report: Report, *, now: float) -> None:
        known = member.report
        if report.version < known.version or (report.version == known.version and not member.lives):
            return
        suspicion = self._suspicions.get(member.name)
        if suspicion is None or report.version > known.version:
            self._put(member, report, _reason(report, member, me=self.me), now=now)
            self._suspicions[member.name] = Suspicion(
                started_at=now, minimum_s=self.suspicion_s(member.name), accusers=frozenset({report.by})
            )
        elif report.crashed and not known.crashed:
            self._put(member, replace(known, crashed=True), MemberReason.CRASHED, now=now)
            self._suspicions[member.name] = suspicion.joined_by(report.by)
        elif report.by not in suspicion.accusers and suspicion.counts_more:
            self._suspicions[member.name] = suspicion.joined_by(report.by)
        else:
            return
        self.news.append(report)

    def _put(self, member: Member, report: Report, reason: MemberReason, *, now: float) -> None:
        new = replace(member, report=report)
        if report.state is not member.state:
            new = replace(new, since=now)
            self.changes.append(MemberChanged(name=report.name, state=report.state, reason=reason))
        if report.crashed and not member.report.crashed:
            new = replace(new, protected_until=now + CRASH_GRACE_S)
        if new.lives != member.lives:
            self.changed_at = now
            if new.lives:
                self.rings.add(report.name)
                is_restarted = report.epoch != member.report.epoch
                new = replace(new, revived_at=now, parted_at=member.since, is_restarted=is_restarted)
            else:
                self.rings.remove(report.name)
        if new.lives != member.lives or report.state is MemberState.LEFT:
            self.set_version += 1
            self.standing_version += 1
        elif report.facts != member.report.facts or new.protected_until != member.protected_until:
            self.standing_version += 1
        if report.state is not MemberState.SUSPECT:
            self._suspicions.pop(report.name, None)
        self._members[report.name] = new
        self.version += 1
        self.digest ^= member.lives * _fingerprint(member.report) ^ new.lives * _fingerprint(report)

    def _ends_at(self, name: NodeName) -> float:
        watchers = self.rings.neighbours(name)
        healthy = sum(each == self.me or self._members[each].state is MemberState.ALIVE for each in watchers)
        return self._suspicions[name].ends_at(observers=healthy)


def _reason(report: Report, member: Member, *, me: NodeName) -> MemberReason:
    match report.state:
        case MemberState.ALIVE:
            if member.lives:
                return MemberReason.REFUTED
            return MemberReason.REJOINED if member.state is MemberState.LEFT else MemberReason.RETURNED
        case MemberState.SUSPECT:
            if report.crashed:
                return MemberReason.CRASHED
            return MemberReason.SILENT if report.by == me else MemberReason.ACCUSED
        case MemberState.DEAD:
            return MemberReason.REPORTED_DEAD
        case MemberState.LEFT:
            return MemberReason.SAID_GOODBYE


def _fingerprint(report: Report) -> int:
    text = f"{report.name}#{report.epoch}#{report.incarnation}"
    return int.from_bytes(blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()) & DIGEST_MASK
