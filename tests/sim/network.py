"""Who reaches whom, and how long a frame takes: cuts in one direction or both, loss, what waits for a repair.

A cut says nothing to either end; what TCP has sent waits and comes after the cut ends.
"""

from dataclasses import dataclass, field
from random import Random

from bareway.model.names import NodeName

DIAL_TIMEOUT_S = 1.0
RETRANSMIT_S = 0.2
"""A lone lost segment comes that much later (Linux's floor of the retransmission timer)."""
RETRANSMIT_MAX_S = 6.4
"""By then the edge is long given up (the driver's TCP_USER_TIMEOUT is far less)."""
DELAY_MIN_S, DELAY_MAX_S = 0.0002, 0.002
"""One way through the switch, and until the far program has its turn."""


@dataclass(slots=True, eq=False)
class Wire:
    """One TCP connection; each end may be gone without the other knowing."""

    dialer: NodeName
    listener: NodeName
    opened_at: float
    ends: set[NodeName] = field(default_factory=set)
    waiting: dict[NodeName, list[object]] = field(default_factory=dict)
    """By sender: frames that wait for a cut to end."""
    last_at: dict[NodeName, float] = field(default_factory=dict)
    """By sender: when the last frame arrives; nothing overtakes it."""

    def other(self, end: NodeName) -> NodeName:
        """The far end."""
        return self.listener if end == self.dialer else self.dialer


@dataclass(slots=True)
class Network:
    """What carries gossip."""

    rng: Random
    cuts: set[tuple[NodeName, NodeName]] = field(default_factory=set)
    loss: float = 0.0

    def reaches(self, source: NodeName, target: NodeName) -> bool:
        """Whether frames of the one get to the other now."""
        return (source, target) not in self.cuts

    def delay_s(self) -> float:
        """One way."""
        return DELAY_MIN_S + (DELAY_MAX_S - DELAY_MIN_S) * self.rng.random()

    def arrival(self, wire: Wire, source: NodeName, now: float) -> float:
        """When a frame sent now arrives."""
        at = now + self.delay_s()
        if self.loss:
            lost_s = 0.0
            while self.rng.random() < self.loss and lost_s < RETRANSMIT_MAX_S:
                lost_s = RETRANSMIT_S if lost_s == 0 else 2 * lost_s
            at += lost_s
        at = max(at, wire.last_at.get(source, 0.0))
        wire.last_at[source] = at
        return at
