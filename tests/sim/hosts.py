"""A machine of the simulated group: power, a process that may be frozen, and its edges."""

from dataclasses import dataclass, field
from typing import Protocol

from bareway.gossip.events import Event, Output, OwnFacts
from bareway.gossip.machine import GossipMachine
from bareway.model.names import NodeName
from sim.network import Wire

UNREADY = OwnFacts(ready=False, able=False)


@dataclass(slots=True)
class Host:
    """A machine with at most one speaker process."""

    name: NodeName
    powered: bool = False
    frozen: bool = False
    frozen_at: float = 0.0
    process: GossipMachine | None = None
    life: int = 0
    """Grows with each process, so that what was meant for an earlier one is not told to the next."""
    epoch: int = 0
    ticks: int = 0
    told: int = 0
    """Up to which of the API's changes."""
    facts: OwnFacts = UNREADY
    wires: dict[NodeName, Wire] = field(default_factory=dict)
    backlog: list[Event] = field(default_factory=list)
    """What came while frozen."""

    @property
    def running(self) -> bool:
        """Whether its process has a turn."""
        return self.powered and self.process is not None and not self.frozen


class Check(Protocol):
    """Looks at the world after every event; ``event`` is None after a fault."""

    def __call__(self, host: Host, event: Event | None, outputs: list[Output]) -> None: ...
