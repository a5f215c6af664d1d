"""Whom we hear just now: a majority (policy ``safe``), or nobody at all (isolated).

Counted by when a member's frame was read, never by what adapts or is scaled: for our own silence only the
profile's time counts. A frame read right after a pause may be as old as the pause, and counts as that old.

Not covered: groups of more than nine members, where no member hears all others itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from bareway.gossip.profile import Profile
from bareway.model.names import NodeName

NEVER = -inf


@dataclass(slots=True, kw_only=True)
class Quorum:
    """Of one member; its own voice counts as one."""

    profile: Profile
    peers: frozenset[NodeName] = frozenset()
    """The others that the API has as Nodes."""
    joined: frozenset[NodeName] = frozenset()
    """The others that were ever heard of as members."""
    left: frozenset[NodeName] = frozenset()
    """Those that said goodbye and are not back: nobody waits for them."""
    _heard: dict[NodeName, float] = field(default_factory=dict)
    _refused: set[NodeName] = field(default_factory=set)
    """Nodes that live and where nobody listens: as long as nobody joined there, none need be waited for."""
    _doubt_until: float = NEVER
    _doubt_as: float = NEVER

    def heard(self, peer: NodeName, *, now: float) -> None:
        """A frame of a peer was read."""
        self._refused.discard(peer)
        self._heard[peer] = self._doubt_as if now < self._doubt_until else now

    def heard_of(self, name: NodeName) -> None:
        """Somebody says that it is, or was, a member: who starts anew counts those too that it never met."""
        self.joined |= {name}

    def refused(self, peer: NodeName) -> None:
        """Its node answered that nobody listens there."""
        self._refused.add(peer)

    def paused(self, *, since: float, now: float) -> None:
        """We read nothing since then; what we read in the next moment may be as old."""
        self._doubt_until, self._doubt_as = now + self.profile.interval_s / 2, since

    def see(self, members: Mapping[NodeName, bool]) -> None:
        """All others known as members, and whether each said goodbye."""
        self.joined = self.joined & self.peers | members.keys()
        self.left = frozenset(name for name, has_left in members.items() if has_left)

    @property
    def voters(self) -> frozenset[NodeName]:
        """The others who are counted: Nodes that ever joined, or may have joined as far as we know."""
        return self.peers & self.joined if self.joined else self.peers - self._refused

    @property
    def is_ours_alone(self) -> bool:
        """Whether there is nobody to hear: no member but those that left, and no Node that may be one."""
        return not (self._expected() - self.left)

    def missing(self, living: Iterable[NodeName]) -> frozenset[NodeName]:
        """The Nodes with a speaker, as far as we can know, that are not among these."""
        return self._expected() - self.left - frozenset(living)

    def is_fresh(self, *, now: float) -> bool:
        """Whether we heard, ourselves included, a majority just now."""
        voters = self.voters
        return 1 + len(self._fresh(voters, now)) >= (len(voters) + 1) // 2 + 1

    def is_isolated(self, *, now: float) -> bool:
        """Whether there are others and none of them was heard just now."""
        return not self.is_ours_alone and not self._fresh(self._heard, now)

    def ends_at(self) -> float:
        """When the majority is lost if nobody is heard any more; long ago if there is none."""
        needed = (len(self.voters) + 1) // 2
        if needed == 0:
            return inf
        times = sorted((self._heard.get(name, NEVER) for name in self.voters), reverse=True)
        return times[needed - 1] + self.profile.silence_s

    def _expected(self) -> frozenset[NodeName]:
        return self.joined & self.peers | (frozenset() if self.joined else self.peers - self._refused)

    def _fresh(self, names: Iterable[NodeName], now: float) -> list[NodeName]:
        """Exactly until ``ends_at`` of one voice."""
        silence_s = self.profile.silence_s
        return [name for name in names if now < self._heard.get(name, NEVER) + silence_s]
