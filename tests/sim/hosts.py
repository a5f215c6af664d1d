"""A machine of the simulated cluster: power, links, a process that may be frozen, and its edges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Final, Protocol

from bareway.gossip.events import Event, Output, OwnFacts
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import LinkFact
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, IPNetwork, NodeName
from sim.network import Wire

UNREADY: Final = OwnFacts(ready=False, able=False)
SUBNETS: Final[tuple[IPNetwork, ...]] = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/64"))


class Pause(StrEnum):
    """What of a machine stands still."""

    MAIN = "main program"
    """SIGSTOP: the kernel goes on, what comes waits in sockets."""
    WHOLE = "whole machine"
    """A hypervisor's pause: frames are lost; TCP sends them again."""


@dataclass(slots=True, eq=False)
class Host:
    """A machine with at most one speaker process."""

    name: NodeName
    mac: MacAddress
    powered: bool = False
    pause: Pause | None = None
    paused_at: float = 0.0
    process: GossipMachine | None = None
    life: int = 0
    """Grows with each process, so that what was meant for an earlier one is not told to the next."""
    epoch: int = 0
    tick_at: float = float("inf")
    """When its timer is set."""
    facts: OwnFacts = UNREADY
    """As the speaker told them to its machine."""
    has_link: bool = True
    """Its own kernel sees the carrier."""
    is_usable: bool = True
    """No condition NetworkUnavailable."""
    is_drained: bool = False
    """By its marks, as its own speaker has read them."""
    ends: bool = False
    """SIGTERM arrived."""
    is_lax: bool = False
    """kube-proxy's addresses stand on a device, and strictARP is missing: its kernel answers for them all."""
    wires: dict[NodeName, Wire] = field(default_factory=dict)
    backlog: list[Event | Callable[[], None]] = field(default_factory=list)
    """What came while paused."""
    announced: set[IPAddress] = field(default_factory=set)
    """What its machine told it to answer for."""
    asks: dict[IPAddress, list[Callable[[], None]]] = field(default_factory=dict)
    """Isolated: who waits for a reply while the link is asked."""
    last_turn: float = 0.0
    booted_at: float = 0.0
    told_at: float = 0.0
    """When its facts changed last."""

    @property
    def frozen(self) -> bool:
        """Whether its process has no turn."""
        return self.pause is not None

    @property
    def running(self) -> bool:
        """Whether its process has a turn."""
        return self.process is not None and self.pause is None and self.powered

    def facts_now(self, *, ready: bool) -> OwnFacts:
        """What its speaker says of it."""
        link = LinkFact(name=InterfaceName("eth0"), mac=self.mac, networks=SUBNETS)
        return OwnFacts(
            ready=ready,
            able=self.is_usable and self.has_link,
            leaving=self.is_drained or self.ends,
            links=(link,) if self.has_link else (),
        )


class Check(Protocol):
    """Looks at the world after every event; ``event`` is None after a fault."""

    def __call__(self, host: Host, event: Event | None, outputs: Sequence[Output]) -> None: ...
