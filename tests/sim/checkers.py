"""What must hold at every moment, and what must be true once all is calm.

Two members never answer for one address longer than a flood, or where gossip is cut and the segment is whole
than an exchange of frames; under policy ``safe`` never at all without contact (I6). Nobody is left unanswered
for long while somebody could answer (I7). A thawed member answers nothing before it is confirmed (fence). A
holder that lives, may go on and is in contact loses an address only to a newer list. In the end all views and
claims are equal, and one answers each address (I5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from bareway.gossip.claims import Claim
from bareway.gossip.events import Announce, Event, MemberChanged, Output, Permission, Received, Send
from bareway.gossip.message import Pull, State
from bareway.gossip.profile import FENCE_MAX_S, LADDER_STEP_S, START_MAX_S
from bareway.model.announcer_lists import shard_of
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from sim.answers import Answers, is_reachable
from sim.broken import Broken, broken
from sim.contact import Contact
from sim.ending import Ending
from sim.hosts import Host
from sim.network import RETRANSMIT_S
from sim.rules_of_membership import RulesOfMembership
from sim.world import World

__all__ = ["Broken", "Checkers"]

WHOLE_S = 4.0
"""Reconnection takes up to 2 s after a heal, a dial on its way 1 s; then a push-pull."""
FLOOD_S = 0.05
"""Above three heartbeats until digests are exchanged: the exchange itself."""
SETTLE_S = 0.5
"""After a fault, TCP's retransmissions of what waited."""
MEET_S = 2.5
"""After a repair two halves find each other again; until then neither sees the other's frames."""
EXCHANGE_S = 0.06
"""One exchange of frames on the segment, with a probe that is waited for."""
SWEEP_S = 0.1
MEASURE_S = 0.005
"""Two that answer are looked at so often, and whenever that changes."""
PROVOKED_S = 7.0
"""Later than this after a fault nothing moves because of it: the window of sides is over."""
TOLD_S = 1.0
"""What a member says of itself is known everywhere by then."""


@dataclass(slots=True)
class Thaw:
    """A member that was frozen for long and is not confirmed yet."""

    at: float
    pulls: set[int] = field(default_factory=set)
    """The numbers of the pulls that it began since."""


@dataclass(slots=True)
class Twice:
    """Two answer for one address."""

    since: float
    connected_since: float
    """As far as all was well between them all the time."""
    apart_before_s: float
    """How long they had been without contact when it began."""


class Checkers:
    """All invariants of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers = Answers(world)
        self.contact = Contact(world)
        self._membership = RulesOfMembership(world, self.contact)
        self._twice: dict[tuple[IPAddress, NodeName, NodeName], Twice] = {}
        self._thawed: dict[NodeName, Thaw] = {}
        self._frozen: dict[NodeName, float] = {}
        self._doubles: dict[tuple[IPAddress, frozenset[NodeName]], float] = {}
        self._heard_doubles = 0
        self._measured_at = -inf
        self._heard_at: dict[NodeName, float] = {}
        """When a host read the last frame of another: an edge may live for less than a sweep."""
        self.longest_twice_s = 0.0
        """Of two that are well connected."""
        world.after_event.append(self.look)
        world.at(world.now + SWEEP_S, self._sweep)

    def look(self, host: Host, event: Event | None, outputs: Sequence[Output]) -> None:
        """After every event."""
        self._look_for_thaws(host, event, outputs)
        if isinstance(event, Received):
            self._heard_at[host.name] = self._world.now
        for output in outputs:
            if isinstance(output, MemberChanged):
                self._membership.changed(host, output)
            elif isinstance(output, Announce):
                self._look_at_reasons(host, output.addresses)
        if outputs or event is None:
            self._membership.note(host)
            if self.answers.refresh(host):
                self._look_for_two()
                self._measured_at = -inf
        if self._twice and self._world.now >= self._measured_at + MEASURE_S:
            self._measured_at = self._world.now
            self._measure()

    def _look_for_thaws(self, host: Host, event: Event | None, outputs: Sequence[Output]) -> None:
        if event is None:
            self._note_thaw(host)
            self.answers.see_vacancies(self.answers.of[host.name])
        elif host.name in self._thawed:
            self._follow_thaw(host, event, outputs)

    def at_the_end(self) -> None:
        """After calm."""
        Ending(self._world, self.answers).look()

    def broken(self, text: str) -> None:
        """Say what is wrong and how to see it again."""
        broken(self._world, self._world.seed, text)

    # ------------------------------------------------------------ now and then

    def _sweep(self) -> None:
        world = self._world
        world.at(world.now + SWEEP_S, self._sweep)
        self.contact.look()
        self._membership.sweep()
        for host in world.hosts.values():
            if host.running and host.name in self._thawed:
                self._look_at_fence(host)
        self._look_for_the_isolated()
        self._look_for_vacancies()
        self._look_at_double_replies()

    def _look_for_the_isolated(self) -> None:
        """Policy ``available``: who holds and hears nobody asks the link before each answer."""
        world, profile = self._world, self._world.profile
        running = [host.name for host in world.hosts.values() if host.running]
        for host in world.hosts.values():
            others = [name for name in running if name != host.name]
            if not host.running or not others or not host.announced or host.name in self._thawed:
                continue
            apart_s = min(self.contact.apart_s(host.name, name) for name in others)
            apart_s = min(apart_s, world.now - self._heard_at.get(host.name, -inf))
            is_long = min(apart_s, world.now - world.whole_since) > profile.silence_s + 2 * profile.interval_s
            if is_long and any(self._says_yes(host.name, key) for key in sorted(host.announced, key=int)):
                self.broken(f"{host.name} hears nobody for {apart_s:.3f} s and answers without asking")

    def _look_for_vacancies(self) -> None:
        """I7, with room for whatever the last fault did; the bounds of single faults are in ``bounds``."""
        world = self._world
        if world.network.loss or world.segment.strangers:  # who finds one there may withhold what is new
            return
        never_answered = world.wanted.keys() - self.answers.by.keys() - self.answers.vacant_since.keys()
        self.answers.see_vacancies(never_answered)
        most_s = self.vacancy_max_s
        for key, since in self.answers.vacant_since.items():
            if world.now - max(since, world.whole_since) > most_s and self.eligible(key):
                self.broken(f"nobody answers for {key} since {since:.4f}, could: {self.eligible(key)}")

    @property
    def vacancy_max_s(self) -> float:
        """Detection, an unconfirmed suspicion, a start without anybody, and everybody's turn."""
        profile = self._world.profile
        return (
            profile.silence_s
            + 6 * profile.suspicion_s
            + START_MAX_S
            + 2 * profile.calm_s
            + len(self._world.names) * LADDER_STEP_S
            + WHOLE_S
        )

    def eligible(self, key: IPAddress) -> list[NodeName]:
        """Who could answer the client."""
        world, permitted = self._world, self._world.wanted.get(key)
        majority = len(world.names) // 2 + 1 if world.partition is Partition.SAFE else 0
        return [
            host.name
            for host in world.hosts.values()
            if host.running and host.facts.ready and host.facts.able
            if (permitted is None or host.name in permitted) and is_reachable(world, host.name)
            if self.contact.size(host.name) >= majority and self._knows(host, key)
        ]

    def _knows(self, host: Host, key: IPAddress) -> bool:
        return key in self._world.api.mirrors[host.name].objects.wanted

    def _look_at_double_replies(self) -> None:
        world = self._world
        replies = world.segment.double_replies[self._heard_doubles :]
        self._heard_doubles += len(replies)
        for at, key, names in replies:
            first = self._doubles.setdefault((key, names), at)
            if first < world.whole_since:
                self._doubles[key, names] = first = at
            if at - first > EXCHANGE_S and world.network.loss == 0 and at - world.whole_since > WHOLE_S:
                self.broken(f"a client hears {sorted(names)} for {key} again and again")

    # ------------------------------------------------------------ moves need a reason

    def _look_at_reasons(self, host: Host, keys: Sequence[IPAddress]) -> None:
        """Who takes an address from a holder that could go on needs a newer list.

        Not while a partition may be to blame: then the sides decide.
        """
        world = self._world
        if world.now - world.network_since < PROVOKED_S or world.network.loss or world.network.cuts:
            return
        for key in keys:
            if key in self.answers.of[host.name] or key in world.churned:
                continue  # it is told again; or who slept has forgotten it
            for name in self.answers.by.get(key, ()):
                holder = world.hosts[name]
                if name != host.name and self._could_go_on(holder, key, by=host):
                    self._look_at_claims(key, holder, host)

    def _look_at_claims(self, key: IPAddress, holder: Host, host: Host) -> None:
        new, old = _claim(host, key), _claim(holder, key)
        if new is None or old is None or old.node != holder.name:
            return
        if host.facts.leaving and self._world.now - host.told_at > TOLD_S:
            self.broken(f"{host.name} leaves and takes {key} from {holder.name}")
        if not holder.facts.leaving and not self._is_listed(key, host, since=old.generation):
            self.broken(f"{host.name} takes {key} from {holder.name} without a newer list ({old} -> {new})")

    def _is_listed(self, key: IPAddress, host: Host, *, since: int) -> bool:
        """Whether a list that is newer than the holder's claim names the host, as far as that one knows."""
        entry = self._world.api.mirrors[host.name].shards[shard_of(key)].entries.get(key)
        return entry is not None and entry.generation > since and host.name in entry.nodes

    def _could_go_on(self, holder: Host, key: IPAddress, *, by: Host) -> bool:
        """As far as the holder, the API and the other know."""
        now, mirrors = self._world.now, self._world.api.mirrors
        nobody: frozenset[NodeName] = frozenset()
        views = [self._world.wanted, *(mirrors[host.name].objects.wanted for host in (holder, by))]
        return (
            holder.process is not None
            and holder.facts.able
            and now - max(holder.told_at, holder.booted_at) > PROVOKED_S
            and not self._world.segment.strangers
            and all(each is None or holder.name in each for each in (view.get(key, nobody) for view in views))
        )

    # ------------------------------------------------------------ the fence

    def _follow_thaw(self, host: Host, event: Event, outputs: Sequence[Output]) -> None:
        thaw = self._thawed[host.name]
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.message, Pull):
                thaw.pulls.add(output.message.number)
        message = event.message if isinstance(event, Received) else None
        confirmed = isinstance(message, State) and message.last and message.number in thaw.pulls
        if confirmed or self._world.now >= thaw.at + FENCE_MAX_S:
            del self._thawed[host.name]
        else:
            self._look_at_fence(host)

    def _look_at_fence(self, host: Host) -> None:
        if any(self._says_yes(host.name, key) for key in host.announced):
            self.broken(f"{host.name} answers before it is confirmed")

    def _note_thaw(self, host: Host) -> None:
        now = self._world.now
        if host.frozen:
            self._frozen.setdefault(host.name, now)
            return
        frozen_at = self._frozen.pop(host.name, now)
        if not host.running or host.process is None:
            self._thawed.pop(host.name, None)
        elif now - frozen_at > self._world.profile.silence_s and len(self._world.names) > 1:
            self._thawed[host.name] = Thaw(at=now)
            if any(self._says_yes(host.name, address) for address in self._world.wanted):
                self.broken(f"{host.name} answers right after it thawed")

    # ------------------------------------------------------------ two that answer

    def _says_yes(self, name: NodeName, key: IPAddress) -> bool:
        process = self._world.hosts[name].process
        return process is not None and process.may_answer(key, now=self._world.now) is Permission.YES

    def _look_for_two(self) -> None:
        now = self._world.now
        found: dict[tuple[IPAddress, NodeName, NodeName], Twice] = {}
        for key, names in self.answers.by.items():
            for place, one in enumerate(names if len(names) > 1 else ()):
                for other in names[place + 1 :]:
                    known = self._twice.get((key, one, other))
                    if known is None:
                        self.contact.look()
                        known = Twice(now, now, self.contact.apart_s(one, other))
                    found[key, one, other] = known
        self._twice = found

    def _measure(self) -> None:
        world, now = self._world, self._world.now
        profile = world.profile
        for (key, one, other), twice in self._twice.items():
            if not (self._says_yes(one, key) and self._says_yes(other, key)) or world.network.loss:
                twice.since = twice.connected_since = now
                twice.apart_before_s = self.contact.apart_s(one, other)
                continue
            lasts_s = now - twice.since
            well = self.contact.direct(one, other) and now >= world.whole_since + SETTLE_S
            twice.connected_since = twice.connected_since if well else now
            self.longest_twice_s = max(self.longest_twice_s, now - twice.connected_since)
            if now - twice.connected_since > 4 * profile.interval_s + FLOOD_S:
                self._two_answer(key, one, other, "although they talk to each other")
            together_s = self.contact.together_s(one, other)
            if min(lasts_s, together_s, now - world.whole_since) > WHOLE_S + 10 * profile.interval_s:
                self._two_answer(key, one, other, "although they are in contact")
            if together_s == 0:
                self._measure_apart(key, one, other, twice)

    def _measure_apart(self, key: IPAddress, one: NodeName, other: NodeName, twice: Twice) -> None:
        world, profile = self._world, self._world.profile
        lasts_s = world.now - twice.since
        calm = world.now - world.whole_since > SETTLE_S + profile.silence_s
        shared_s = world.now - max(twice.since, world.healed_at + MEET_S)
        if world.segment.shared(one, other) and calm and shared_s > EXCHANGE_S:
            self._two_answer(key, one, other, "on one segment")
        if world.partition is Partition.SAFE:
            if twice.apart_before_s > profile.silence_s + profile.interval_s:
                what = f"without contact for {twice.apart_before_s:.3f} s before"
                self._two_answer(key, one, other, what)
            if min(lasts_s, self.contact.apart_s(one, other)) > profile.silence_s + profile.interval_s:
                self._two_answer(key, one, other, "without contact")

    def _two_answer(self, key: IPAddress, one: NodeName, other: NodeName, how: str) -> None:
        since = self._twice[key, one, other].since
        self.broken(f"{one} and {other} both answer for {key} since {since:.4f} {how}")


def _claim(host: Host, key: IPAddress) -> Claim | None:
    assert host.process is not None
    return next((claim for claim in host.process.claims() if claim.address == key), None)


assert SETTLE_S > 2 * RETRANSMIT_S
