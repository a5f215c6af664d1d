"""The edges to others as timers see them: who is silent, whom to dial and when, whose digests differ.

One edge per pair of members; the lower name dials, and an observer always does. Whoever starts, or wakes from
a pause, dials everybody once, whoever's turn it is. A pull on an edge is open until the last part of its
answer came.
"""

from dataclasses import dataclass, field
from math import inf
from random import Random

from bareway.gossip.profile import (
    DIAL_MAX_S,
    PROBE_DELAY_S,
    PULL_GAP_MAX_S,
    REACCUSE_S,
    RETRY_MAX_S,
    RETRY_MIN_S,
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
    """When its silence raises the next alarm, if the peer is held alive then."""
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
    _edges: dict[NodeName, Edge] = field(default_factory=dict)
    _pulls: int = 0

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
        return tuple(peer for peer, edge in self._edges.items() if edge.open)

    @property
    def turned_away_by(self) -> tuple[NodeName, ...]:
        """The peers that live and would not have us."""
        return tuple(peer for peer, edge in self._edges.items() if edge.turned_away)

    def hears(self, peer: NodeName, *, now: float) -> bool:
        """Whether the peer spoke to us within the time that it is allowed to be silent."""
        edge = self._edges.get(peer)
        return edge is not None and edge.open and now - edge.heard_at <= self._silence(edge)

    def suspicion_s(self, peer: NodeName) -> float:
        """The shortest suspicion of a peer, by the interval it announced."""
        edge = self._edges.get(peer)
        return self.profile.suspicion_of(edge.interval_s if edge else self.profile.interval_s)

    # ------------------------------------------------------------ whom we know

    def keep(self, peers: frozenset[NodeName], *, now: float) -> None:
        """These are the peers to have an edge to; others are forgotten unless their edge is open."""
        for peer in sorted(peers - self._edges.keys()):
            edge = self._edge(peer)
            edge.accuse_at = now + REACCUSE_S + self.profile.silence_s
            edge.dial_at = now if self._calls(peer) else now + PROBE_DELAY_S
        for peer in [peer for peer in self._edges if peer not in peers]:
            if not self._edges[peer].open:
                del self._edges[peer]

    def dial_everybody(self, *, now: float) -> None:
        """At once, whoever's turn it is."""
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

    # ------------------------------------------------------------ what happens to one

    def opened(self, peer: NodeName, *, now: float) -> int:
        """An edge is up; returns the number of the pull to begin with."""
        edge = self._edge(peer)
        edge.open, edge.turned_away, edge.dial_at = True, False, inf
        edge.opened_at = edge.heard_at = now
        edge.interval_s = self.profile.interval_s
        edge.accuse_at = now + self._silence(edge)
        edge.differs_since, edge.pull_gap_s, edge.pull_after = None, 0.0, 0.0
        return self.begin_pull(edge.peer, now=now)

    def closed(self, peer: NodeName, *, now: float) -> bool:
        """It ended; whether it was open. We dial again at once; a moment later if it is the peer's turn."""
        edge = self._edges.get(peer)
        if edge is None or not edge.open:
            return False
        edge.open, edge.pull = False, None
        if now - edge.opened_at >= RETRY_MAX_S:
            edge.backoff_s = RETRY_MIN_S
            edge.dial_at = now if self._calls(peer) else now + PROBE_DELAY_S
        else:
            edge.dial_at = now + self._backoff(edge)
        return True

    def dial_failed(self, peer: NodeName, *, turned_away: bool = False, now: float) -> bool:
        """Try again later, if it is our turn; whether the peer is without an edge now."""
        edge = self._edges.get(peer)
        if edge is None or edge.open:
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
        edge.heard_at = now
        edge.accuse_at = now + self._silence(edge)
        return edge

    def announces(self, peer: NodeName, *, interval_s: float) -> None:
        """The peer said how often it will be heard; holds from its last frame on."""
        edge = self._edges[peer]
        edge.interval_s = interval_s
        edge.accuse_at = edge.heard_at + self._silence(edge)

    def delay_by(self, lag_s: float) -> None:
        """We did not listen for ``lag_s``: nobody was silent in that time."""
        for edge in self._edges.values():
            edge.heard_at += lag_s
            edge.accuse_at += lag_s

    # ------------------------------------------------------------ what is due

    def silent(self, *, now: float) -> list[NodeName]:
        """Whose silence raises the alarm now; each again only after REACCUSE_S."""
        due = [edge for edge in self._edges.values() if edge.accuse_at <= now]
        for edge in due:
            edge.accuse_at = now + REACCUSE_S
        return [edge.peer for edge in due]

    def hopeless(self, *, now: float) -> list[NodeName]:
        """Open edges that are silent for so long that they are to be hung up."""
        return [edge.peer for edge in self._edges.values() if edge.open and self._hang_up_at(edge) <= now]

    def hung_up(self, peer: NodeName, *, now: float) -> None:
        """We gave it up."""
        edge = self._edges[peer]
        edge.open, edge.pull = False, None
        edge.dial_at = now + self._backoff(edge) if self._calls(peer) else inf

    def to_dial(self, *, now: float) -> list[NodeName]:
        """Whom to dial now; each again if the driver never says how it ended."""
        due = [edge for edge in self._edges.values() if edge.dial_at <= now]
        for edge in due:
            edge.dial_at = now + DIAL_MAX_S
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
        """When any of these is due."""
        return min(
            (
                min(
                    edge.accuse_at,
                    edge.dial_at,
                    self._hang_up_at(edge) if edge.open else inf,
                )
                for edge in self._edges.values()
            ),
            default=inf,
        )

    def _calls(self, peer: NodeName) -> bool:
        """Whether it is our turn to dial."""
        return self.always_dials or self.me < peer

    def _edge(self, peer: NodeName) -> Edge:
        return self._edges.setdefault(peer, Edge(peer=peer, interval_s=self.profile.interval_s))

    def _silence(self, edge: Edge) -> float:
        return self.profile.silence_of(edge.interval_s)

    def _hang_up_at(self, edge: Edge) -> float:
        return edge.heard_at + HANGUP_FACTOR * self._silence(edge)

    def _backoff(self, edge: Edge) -> float:
        wait_s = edge.backoff_s * self.rng.uniform(0.5, 1.0)
        edge.backoff_s = min(2 * edge.backoff_s, RETRY_MAX_S)
        return wait_s
