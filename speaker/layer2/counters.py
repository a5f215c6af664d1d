"""What happened on layer 2 since the start, for metrics and status."""

import errno
from collections import Counter
from dataclasses import dataclass, field

from bareway.layer2.drops import DropReason
from bareway.model.names import IPAddress


@dataclass(slots=True)
class Counters:
    """Only ever grow; an address keeps its figures when it moves away, as MetalLB's do."""

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

    def failed(self, error: OSError, frames: int = 1) -> None:
        """Note that the kernel refused ``frames``."""
        self.failures[errno.errorcode.get(error.errno or 0, "unknown")] += frames
