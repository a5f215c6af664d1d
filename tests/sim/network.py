"""Edges between hosts as TCP has them: in order, late when something is lost, silent when cut.

A cut is directed and says nothing to either end; what was sent waits and comes after the cut ends. A process
that ends sends FIN; a host without power sends nothing, and answers what it does not know with RST once it is
back. A dial is refused (host up, nobody listens), unanswered, or leads to an edge after a round trip.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from bareway.model.names import NodeName

DIAL_TIMEOUT_S = 1.0
RETRANSMIT_S = 0.2
"""A lone lost segment comes that much later (Linux's floor of the retransmission timer)."""
CROSSED_S = 1.0
"""Two edges of a pair opened within this time crossed: the one dialled by the lower name stays."""


@dataclass(slots=True, eq=False)
class Wire:
    """One TCP connection; each end may be gone without the other knowing."""

    dialer: NodeName
    listener: NodeName
    opened_at: float
    ends: set[NodeName] = field(default_factory=set)
    waiting: dict[NodeName, list[bytes]] = field(default_factory=dict)
    """By sender: frames that wait for a cut to end."""
    last_at: dict[NodeName, float] = field(default_factory=dict)
    """By sender: when the last frame arrives; nothing overtakes it."""

    def other(self, end: NodeName) -> NodeName:
        """The far end."""
        return self.listener if end == self.dialer else self.dialer


@dataclass(slots=True)
class Network:
    """Who reaches whom, and how long it takes."""

    rng: Random
    at: Callable[[float, Callable[[], None]], None]
    """Call something at a time."""
    cuts: set[tuple[NodeName, NodeName]] = field(default_factory=set)
    loss: float = 0.0

    def reaches(self, source: NodeName, target: NodeName) -> bool:
        """Whether frames of the one get to the other now."""
        return (source, target) not in self.cuts

    def delay_s(self) -> float:
        """One way through the switch."""
        return self.rng.uniform(0.0002, 0.002)

    def arrival(self, wire: Wire, source: NodeName, now: float) -> float:
        """When a frame sent now arrives."""
        lost_s = 0.0
        while self.rng.random() < self.loss:
            lost_s = RETRANSMIT_S if lost_s == 0 else 2 * lost_s
        at = max(now + self.delay_s() + lost_s, wire.last_at.get(source, 0.0))
        wire.last_at[source] = at
        return at
