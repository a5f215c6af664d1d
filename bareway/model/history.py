"""Who had an address when: what one speaker remembers, and what it tells of it.

A speaker sees every claim of its group, its own and those of others. So each keeps the same history as far as
it heard it, by its own clock, and one that starts anew is told nothing of what was: the others still know.
"""

from dataclasses import dataclass
from datetime import datetime

from bareway.model.names import IPAddress, NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """An address that changed hands, as one speaker saw it."""

    address: IPAddress
    """The first one of those that are announced together."""
    generation: int
    """Of the claim, which is the same wherever it is seen; so is its count."""
    count: int
    former: NodeName | None
    """Who had it; None: nobody, as far as this speaker knows."""
    holder: NodeName | None
    """Who has it since; None: nobody."""
    at: datetime
    """When it saw that, in UTC."""
    reason: str
    """A word of ``HandoverReason``."""
    gap_s: float | None = None
    """From the last time that it heard the former holder to the claim; 0 where that one went on answering
    until it saw the claim; None: this speaker cannot tell."""
    detail: str = ""
    """What people wrote about it, such as the reason of a drain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerHistory:
    """All that one speaker remembers, or what it does of one address."""

    node: NodeName
    since: datetime
    """From then on it remembers everything, in UTC: it began to listen, or forgot what was before."""
    dropped: int = 0
    """How many it forgot, because there were too many."""
    key: IPAddress | None = None
    """Under which the address that was asked for is claimed: the first one of its group. None: all were
    asked for."""
    handovers: tuple[Handover, ...] = ()
    """The oldest first."""
