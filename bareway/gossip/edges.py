"""The edges to others as timers see them: who is silent, whom to dial and when, whose digests differ.

One edge per pair of neighbours; the lower name dials, and an observer always does. Whoever starts, or wakes
from a pause, dials everybody once, whoever's turn it is. When neighbours change, the edges to the former ones
stay until those to the new ones are open. A pull on an edge is open until the last part of its answer came.
"""

from dataclasses import dataclass, field
from math import inf
from random import Random

from bareway.gossip.gaps import Gaps
from bareway.gossip.profile import (
    DIAL_MAX_S,
    GAP_FACTOR,
    PROBE_DELAY_S,
    PULL_GAP_MAX_S,
    REACCUSE_S,
    RETRY_LOST_MAX_S,
    RETRY_MAX_S,
    RETRY_MIN_S,
    SILENCE_MAX_FACTOR,
    SURPLUS_S,
    Profile,
)
from bareway.model.names import NodeName

HANGUP_FACTOR = 2
"""An edge silent for twice the time of its alarm is given up: a fresh one may get through."""


@dataclass(slots=True, kw_only=True)
class Edge:
    """What we keep of one peer, whether the edge is open or not."""

    peer: NodeName
    interval_s: float
    open: bool = False
    opened_at: float = 0.0
    heard_at: float = 0.0
    accuse_at: float = inf
    """When its silence raises the next alarm, if the peer is held alive then and we are healthy."""
    alarms: int = 0
    """Since the peer was heard."""
    silence_s: float
    """What the peer may keep by the interval that it announced; we hear it, or do not, by this."""
    tolerance_s: float
    """What it may keep before we accuse it: more on an edge that loses frames."""
    gaps: Gaps = field(default_factory=Gaps)
    """Between its frames, since the edge is open."""
    wanted: bool = False
    """The peer is one of those to have an edge to."""
    surplus_at: float = inf
    """When an edge that is not wanted may be hung up."""
    backoff_max_s: float = RETRY_MAX_S
    turned_away: bool = False
    """The peer lives and would not have us when we called last."""
    dial_at: float = inf
    backoff_s: float = RETRY_MIN_S
    pull: int | None = None
    """The number of our pull that is not answered in full yet."""
    pulled_at: float = 0.0
    differs_since: float | None = None
    pull_after: float = 0.0
    pull_gap_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Edges:
    """All of them, by peer, in the order in which they became known."""

    me: NodeName
    profile: Profile
    rng: Random
    always_dials: bool = False
    """Nobody dials us."""
    patience: int = 1
    """By what the silence that others may keep is multiplied before we accuse them: our own health."""
    needed: frozenset[NodeName] = frozenset()
    """The neighbours that live: while an edge to one of these is missing, no other is given up."""
    _edges: dict[NodeName, Edge] = field(default_factory=dict)
    _pulls: int = 0
    _open: tuple[NodeName, ...] | None = ()
    """As last computed; None: anew."""
    _due: float | None = inf
    """Nothing is due before; None: to be computed. Frames that come only make it later than that."""

    def get(self, peer: NodeName) -> Edge | None:
        """The edge to a peer that we know of."""
        return self._edges.get(peer)

    @property
    def known(self) -> bool:
        """Whether there is anybody to have an edge to."""
        return bool(self._edges)

    @property
    def open(self) -> tuple[NodeName, ...]:
        """The peers whose edge is open."""
        if self._open is None:
            self._open = tuple(peer for peer, edge in self._edges.items() if edge.open)
        return self._open

    @property
    def turned_away_by(self) -> tuple[NodeName, ...]:
        """The peers that live and would not have us."""
        return tuple(peer for peer, edge in self._edges.items() if edge.turned_away)

    def hears(self, peer: NodeName, *, now: float) -> bool:
        """Whether the peer spoke to us within the time that it is allowed to be silent."""
        edge = self._edges.get(peer)
        return edge is not None and edge.open and now - edge.heard_at <= edge.silence_s

    def is_silent(self, peer: NodeName, *, now: float) -> bool:
        """Whether the peer says nothing on an open edge, though we may have patience with it yet."""
        edge = self._edges.get(peer)
        return edge is not None and edge.open and now - edge.heard_at > edge.silence_s

    def suspicion_s(self, peer: NodeName) -> float:
        """The shortest suspicion of a peer, by the interval it announced."""
        edge = self._edges.get(peer)
        return self.profile.suspicion_of(edge.interval_s if edge else self.profile.interval_s)

    # ------------------------------------------------------------ whom we know

    def keep(
        self, peers: frozenset[NodeName], *, lost: frozenset[NodeName] = frozenset(), now: float
    ) -> None:
        """These are the peers to have an edge to; others are forgotten once their edge is closed.

        Those ``lost`` to discovery are dialled more and more seldom.
        """
        self._change()
        for peer in sorted(peers):
            edge = self._edge(peer)
            edge.backoff_max_s = RETRY_LOST_MAX_S if peer in lost else RETRY_MAX_S
            if edge.wanted:
                continue
            edge.wanted, edge.surplus_at = True, inf
            if not edge.open:
                edge.accuse_at = now + REACCUSE_S + self.profile.silence_s
                edge.dial_at = now if self._calls(peer) else now + PROBE_DELAY_S
        for edge in [edge for peer, edge in self._edges.items() if peer not in peers]:
            if not edge.open:
                del self._edges[edge.peer]
            elif edge.wanted:
                edge.wanted, edge.surplus_at = False, self._surplus_at(now)

    def dial_everybody(self, *, now: float) -> None:
        """At once, whoever's turn it is."""
        self._change()
        for edge in self._edges.values():
            if not edge.open:
                edge.dial_at = now

    def returned(self, peer: NodeName, *, now: float) -> None:
        """Others met one that was dead: do not wait for the back-off."""
        edge = self._edges.get(peer)
        if edge is not None and not edge.open:
            edge.backoff_s = RETRY_MIN_S
            edge.dial_at = now if self._calls(peer) else now + PROBE_DELAY_S
            edge.accuse_at = now + REACCUSE_S
            self._change()

    # ------------------------------------------------------------ what happens to one

    def opened(self, peer: NodeName, *, now: float) -> int:
        """An edge is up; returns the number of the pull to begin with."""
        edge = self._edge(peer)
        self._change()
        edge.open, edge.turned_away, edge.dial_at = True, False, inf
        edge.opened_at = edge.heard_at = now
        edge.alarms = 0
        edge.gaps = Gaps()
        self._expect(edge, self.profile.interval_s)
        edge.accuse_at = now + edge.silence_s
        if not edge.wanted:
            edge.surplus_at = self._surplus_at(now)
        edge.differs_since, edge.pull_gap_s, edge.pull_after = None, 0.0, 0.0
        return self.begin_pull(edge.peer, now=now)

    def closed(self, peer: NodeName, *, now: float) -> bool:
        """It ended; whether it was open. We dial again at once; a moment later if it is the peer's turn."""
        edge = self._edges.get(peer)
        if edge is None or not edge.open:
            return False
        self._change()
        edge.open, edge.pull = False, None
        if not edge.wanted:
            del self._edges[peer]
        elif now - edge.opened_at >= RETRY_MAX_S:
            edge.backoff_s = RETRY_MIN_S
            edge.dial_at = now if self._calls(peer) else now + PROBE_DELAY_S
        else:
            edge.dial_at = now + self._backoff(edge)
        return True

    def dial_failed(self, peer: NodeName, *, turned_away: bool = False, now: float) -> bool:
        """Try again later, if it is our turn; whether the peer is without an edge now."""
        edge = self._edges.get(peer)
        if edge is None:
            return False
        self._change()
        if edge.open:  # we wanted a fresh one
            edge.dial_at = inf
            return False
        edge.turned_away = turned_away
        # Who is turned away goes on asking: only so it learns that it is welcome, or that the other died.
        asks = turned_away or self._calls(peer)
        edge.dial_at = now + self._backoff(edge) if asks else inf
        return True

    def heard(self, peer: NodeName, *, now: float) -> Edge | None:
        """A frame came; None if the edge is not open and the frame is to be ignored."""
        edge = self._edges.get(peer)
        if edge is None or not edge.open:
            return None
        edge.gaps.add(now - edge.heard_at)
        edge.heard_at = now
        edge.accuse_at = now + edge.tolerance_s
        edge.alarms = 0
        return edge

    def announces(self, peer: NodeName, *, interval_s: float) -> None:
        """The peer said how often it will be heard; holds from its last frame on."""
        edge = self._edges[peer]
        before_s = edge.tolerance_s
        self._expect(edge, interval_s)
        edge.accuse_at = edge.heard_at + edge.tolerance_s
        if edge.tolerance_s < before_s:
            self._change()

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: nobody was silent in that time."""
        for edge in self._edges.values():
            edge.heard_at += lag_s
            edge.accuse_at += lag_s

    # ------------------------------------------------------------ what is due

    def silent(self, *, now: float) -> list[NodeName]:
        """Whose silence raises the alarm now; each again only after REACCUSE_S."""
        self._change()
        due = [edge for edge in self._edges.values() if self._accuse_at(edge) <= now]
        for edge in due:
            edge.accuse_at = now + REACCUSE_S
            edge.alarms += 1
        return [edge.peer for edge in due]

    def alarms(self, peer: NodeName) -> int:
        """How often the silence of a peer raised the alarm since we heard it last."""
        return self._edges[peer].alarms

    def is_alarm(self, *, now: float) -> bool:
        """Whether anybody's silence raises the alarm now."""
        return any(self._accuse_at(edge) <= now for edge in self._edges.values())

    def quiet(self, *, now: float) -> int:
        """How many open edges are silent for more than half of what is allowed."""
        edges = [edge for edge in self._edges.values() if edge.open]
        return sum(now - edge.heard_at > edge.silence_s / 2 for edge in edges)

    def refresh(self, peer: NodeName, *, now: float) -> None:
        """Try a new edge in the place of one that is silent."""
        edge = self._edges.get(peer)
        if edge is not None:
            edge.dial_at = now
            self._change()

    def surplus(self, *, now: float) -> list[NodeName]:
        """Open edges that nobody needs: those of former neighbours, once the new ones have theirs."""
        due = [edge.peer for edge in self._edges.values() if edge.open and edge.surplus_at <= now]
        if not due or all(self._is_open(peer) for peer in self.needed):
            return due
        for peer in due:
            self._edges[peer].surplus_at = now + SURPLUS_S
        self._change()
        return []

    def hopeless(self, *, now: float) -> list[NodeName]:
        """Open edges that are silent for so long that they are to be hung up."""
        return [edge.peer for edge in self._edges.values() if edge.open and self._hang_up_at(edge) <= now]

    def hung_up(self, peer: NodeName, *, now: float) -> None:
        """We gave it up."""
        self._change()
        edge = self._edges[peer]
        edge.open, edge.pull = False, None
        edge.dial_at = now + self._backoff(edge) if self._calls(peer) else inf
        if not edge.wanted:
            del self._edges[peer]

    def to_dial(self, *, now: float) -> list[NodeName]:
        """Whom to dial now; each again if the driver never says how it ended."""
        due = [edge for edge in self._edges.values() if edge.dial_at <= now]
        for edge in due:
            edge.dial_at = now + DIAL_MAX_S
        self._change()
        return [edge.peer for edge in due]

    def begin_pull(self, peer: NodeName, *, now: float) -> int:
        """Number a new pull on an open edge; it takes the place of one not ended."""
        edge = self._edges[peer]
        self._pulls += 1
        edge.pull, edge.pulled_at = self._pulls, now
        return self._pulls

    def differs(self, edge: Edge, *, differs: bool, now: float) -> int | None:
        """A heartbeat told whether the peer knows the same; the number of the pull that this calls for."""
        if not differs:
            edge.differs_since, edge.pull_gap_s = None, 0.0
            return None
        if edge.differs_since is None:
            edge.differs_since = now
        waits = edge.pull is not None and now - edge.pulled_at < PULL_GAP_MAX_S
        if waits or now - edge.differs_since < self.profile.differ_s or now < edge.pull_after:
            return None
        edge.pull_gap_s = min(max(2 * edge.pull_gap_s, self.profile.differ_s), PULL_GAP_MAX_S)
        edge.pull_after = now + edge.pull_gap_s
        return self.begin_pull(edge.peer, now=now)

    @property
    def deadline(self) -> float:
        """When any of these may be due: never too late, and sometimes too early."""
        if self._due is None:
            self._due = min(map(self._due_at, self._edges.values()), default=inf)
        return self._due

    def _due_at(self, edge: Edge) -> float:
        at = min(self._accuse_at(edge), edge.dial_at)
        return min(at, self._hang_up_at(edge), edge.surplus_at) if edge.open else at

    def _change(self) -> None:
        """Something may be due earlier, or another edge be open."""
        self._due = self._open = None

    def _calls(self, peer: NodeName) -> bool:
        """Whether it is our turn to dial."""
        return self.always_dials or self.me < peer

    def _edge(self, peer: NodeName) -> Edge:
        edge = self._edges.get(peer)
        if edge is None:
            profile = self.profile
            silence_s = profile.silence_s
            edge = Edge(peer=peer, interval_s=profile.interval_s, silence_s=silence_s, tolerance_s=silence_s)
            self._edges[peer] = edge
        return edge

    def _surplus_at(self, now: float) -> float:
        """Who only observes keeps what it has: nobody else is to spare its edges."""
        return inf if self.always_dials else now + SURPLUS_S

    def _is_open(self, peer: NodeName) -> bool:
        edge = self._edges.get(peer)
        return edge is not None and edge.open

    def _expect(self, edge: Edge, interval_s: float) -> None:
        """This is how often the peer will be heard."""
        edge.interval_s = interval_s
        edge.silence_s = self.profile.silence_of(interval_s)
        adapted_s = min(GAP_FACTOR * edge.gaps.usual_s, SILENCE_MAX_FACTOR * edge.silence_s)
        edge.tolerance_s = max(edge.silence_s, adapted_s)

    def _accuse_at(self, edge: Edge) -> float:
        return edge.accuse_at + (self.patience - 1) * edge.silence_s

    def _hang_up_at(self, edge: Edge) -> float:
        return edge.heard_at + HANGUP_FACTOR * self.patience * edge.tolerance_s

    def _backoff(self, edge: Edge) -> float:
        wait_s = min(edge.backoff_s, edge.backoff_max_s) * self.rng.uniform(0.5, 1.0)
        edge.backoff_s = min(2 * edge.backoff_s, edge.backoff_max_s)
        return wait_s
