"""Measures what the speaker achieves: how soon a new address is announced, how soon a lost node is replaced.

It is told what happened after it has happened, so that measuring delays nothing. What cannot be told apart
from a later event is not counted, rather than counted wrongly.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from bareway.gossip.events import MemberChanged
from bareway.gossip.member import MemberState
from bareway.model.names import IPAddress, NodeName
from bareway.runtime.clock import monotonic
from bareway.runtime.histograms import SPANS_S, Histogram

NEW_S: Final = 30.0
"""An address that is announced later than this after it was decided was announced elsewhere before."""
TAKEOVER_S: Final = 5.0
"""Whoever takes an address later than this after a death does so for another reason: the ladder of those
who may has some ten steps of 0.3 s in it."""

LastHeard = Callable[[NodeName], float | None]


def nothing_heard(_: NodeName) -> float | None:
    """As long as there is no gossip."""
    return None


class Measuring:
    """The stop-watches of one speaker."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._changed_at: float | None = None
        self._groups: frozenset[IPAddress] = frozenset()
        self._decided: dict[IPAddress, float] = {}
        """Groups that are new, not announced here yet, and since when they could be."""
        self._lost: dict[NodeName, tuple[float, float | None]] = {}
        """Members under suspicion or just dead: their last sign of life, and when they were held dead."""
        self.last_heard: LastHeard = nothing_heard
        self.convergence: Final = Histogram(SPANS_S)
        self.failover: Final = Histogram(SPANS_S)
        self.changes: Final[Counter[tuple[str, str]]] = Counter()
        """How often a member was held otherwise than before, by state and reason."""

    def changed(self) -> None:
        """Something changed in Kubernetes or on the node: what follows is measured from the first of it."""
        if self._changed_at is None:
            self._changed_at = self._clock()

    def took_in(self) -> float:
        """A look begins, and takes in all changes so far; returns since when the first of them waits."""
        now, since = self._clock(), self._changed_at
        self._changed_at = None
        return now if since is None else since

    def decided(
        self, groups: Mapping[IPAddress, object], announced: Collection[IPAddress], *, since: float
    ) -> None:
        """A look ended: these groups are to be announced, those are announced here."""
        keys = frozenset(groups)
        new = keys - self._groups
        self._groups = keys
        over = self._clock() - NEW_S
        self._decided = {key: at for key, at in self._decided.items() if key in keys and at > over}
        self._decided.update(dict.fromkeys(new, since))
        self._announced(key for key in new if key in announced)

    def announced(self, keys: Iterable[IPAddress], new: int) -> None:
        """Their first frames were handed to the kernel; ``new`` of them were not announced here before."""
        self._announced(keys)
        if new:
            self._took_over(new)

    def member_changed(self, change: MemberChanged) -> None:
        """A member is held otherwise than before."""
        self.changes[change.state, change.reason] += 1
        now = self._clock()
        match change.state:
            case MemberState.SUSPECT:
                self._lost.setdefault(change.name, (self._last_sign(change.name, now), None))
            case MemberState.DEAD:
                last_sign, _ = self._lost.get(change.name, (self._last_sign(change.name, now), None))
                self._lost[change.name] = (last_sign, now)
            case MemberState.ALIVE | MemberState.LEFT:
                self._lost.pop(change.name, None)

    def _last_sign(self, name: NodeName, now: float) -> float:
        heard = self.last_heard(name)
        return now if heard is None else heard

    def _announced(self, keys: Iterable[IPAddress]) -> None:
        if not self._decided:
            return
        now = self._clock()
        for key in keys:
            since = self._decided.pop(key, None)
            if since is not None and now - since < NEW_S:
                self.convergence.observe(now - since)

    def _took_over(self, count: int) -> None:
        if not self._lost:
            return
        now = self._clock()
        self._lost = {
            name: (last_sign, dead_at)
            for name, (last_sign, dead_at) in self._lost.items()
            if dead_at is None or now - dead_at < TAKEOVER_S
        }
        if self._lost:
            self.failover.observe(now - min(last_sign for last_sign, _ in self._lost.values()), count)
