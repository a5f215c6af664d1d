"""What happened on layer 2 since the start, for metrics and status."""

import errno
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from bareway.layer2.drops import DropReason
from bareway.model.names import IPAddress


@dataclass(slots=True)
class Counters:
    """An address keeps its figures when it moves away, as in MetalLB; not when no Service has it any more."""

    frames: int = 0
    """That came past the kernel's filter: what layer 2 costs this process."""
    requests: Counter[IPAddress] = field(default_factory=Counter)
    """Asked of us for the address (layer2_requests_received)."""
    responses: Counter[IPAddress] = field(default_factory=Counter)
    """Answered (layer2_responses_sent)."""
    gratuitous: Counter[IPAddress] = field(default_factory=Counter)
    """Frames sent unasked (layer2_gratuitous_sent)."""
    conflicts: Counter[IPAddress] = field(default_factory=Counter)
    """Frames in which another station called the address its own."""
    drops: Counter[DropReason] = field(default_factory=Counter)
    """Frames without an answer, and gratuitous frames kept back by the fence."""
    failures: Counter[str] = field(default_factory=Counter)
    """Frames that the kernel did not take or give, by the name of the error: ENETDOWN, ENOBUFS, …"""

    def keep(self, known: Collection[IPAddress]) -> None:
        """Forget every other address."""
        for counts in (self.requests, self.responses, self.gratuitous, self.conflicts):
            for address in [address for address in counts if address not in known]:
                del counts[address]

    def failed(self, error: OSError, frames: int = 1) -> None:
        """Note that the kernel refused ``frames``."""
        self.failures[errno.errorcode.get(error.errno or 0, "unknown")] += frames
