"""What the gossip driver reports: why it dropped something, how often, and what changed at its port.

The driver counts everything and logs nothing; notices are few by design (one per change), so that a program
may write each into its log while a flood of garbage only moves a counter.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from bareway.gossip.roles import is_observer
from bareway.model.names import NodeName
from bareway.runtime.histograms import SHORT_S, Histogram

HEARD_MAX: Final = 4_096
"""Peers whose last frame is remembered: names of Nodes come and go for years."""


class Drop(StrEnum):
    """Why the driver itself dropped a connection; beside what sealing refuses and what was no message."""

    BAD_HTTP = "BadHttp"
    """Bytes that are no HTTP request."""
    NOT_GOSSIP = "NotGossip"
    """A request for something else, or an answer by something else."""
    BAD_FRAME = "BadFrame"
    """WebSocket frames of a kind that we never send, or broken ones."""
    TOO_SLOW = "TooSlow"
    """No proof of the key in time."""
    TOO_MANY = "TooMany"
    """Too many connections that have proven nothing yet."""
    TOO_OFTEN = "TooOften"
    """Too many connections from one address in a short time."""
    DUPLICATE = "Duplicate"
    """A second edge between the same two; one is kept."""
    STUCK = "Stuck"
    """The other end does not take what we have for it."""


@dataclass(slots=True)
class GossipCounters:
    """Counts since the start; read them at any time for the metrics."""

    sessions: int = 0
    """Edges open now, whoever dialled."""
    frames_sent: int = 0
    frames_received: int = 0
    beats_skipped: int = 0
    """Heartbeats not sent because the edge had enough to carry."""
    throttled: int = 0
    """How often a peer was made to wait because it sent too much."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Connections and frames dropped, by the word for it."""
    silences: Histogram = field(default_factory=lambda: Histogram(SHORT_S))
    """Between two frames of a peer while the edge to it is open; of observers nothing is expected."""
    lateness: Histogram = field(default_factory=lambda: Histogram(SHORT_S))
    """How late the loop came to the machine's deadline."""
    heard_at: dict[NodeName, float] = field(default_factory=dict)
    """When the last frame of each peer came, the latest last; of as many as were heard last."""

    def heard(self, peer: NodeName, *, after_s: float, now: float) -> None:
        """A frame of ``peer`` came, so long after the one before it."""
        if not is_observer(peer):
            self.heard_at.pop(peer, None)
            self.heard_at[peer] = now
            if len(self.heard_at) > HEARD_MAX:
                del self.heard_at[next(iter(self.heard_at))]
            self.silences.observe(after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The port is ours now."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBusy:
    """The port could not be taken; it is tried again until it can."""

    host: str
    port: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """This source began to be refused for this reason; told again only after it was let in, or changed."""

    source: str
    reason: str


Notice: TypeAlias = Listening | PortBusy | TurnedAway
