"""Says who else answers for addresses of ours: some lines a minute, however many frames say so.

Every conflicting frame is counted (``layer2.counters``); what to do about a conflict is decided elsewhere.
"""

import logging
from collections.abc import Callable
from typing import Final

from bareway.layer2.responder import Conflict
from bareway.model.names import IPAddress
from bareway.runtime.clock import monotonic
from speaker.layer2.links import Link

logger = logging.getLogger(__name__)

QUIET_S: Final = 60.0
"""An address is spoken of once in this time: a stranger may send a thousand frames a second."""
LINES_MAX: Final = 20
"""In that time, about all addresses together: a neighbour with proxy ARP calls every one its own."""


class ConflictLog:
    """Remembers of which addresses it spoke a moment ago."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._told: dict[IPAddress, float] = {}

    def tell(self, conflict: Conflict, link: Link) -> None:
        """Log it, unless this address was spoken of just now, or so many others were."""
        now = self._clock()
        self._told = {address: at for address, at in self._told.items() if now - at < QUIET_S}
        if conflict.address in self._told or len(self._told) >= LINES_MAX:
            return
        self._told[conflict.address] = now
        logger.warning(
            "another station answers for an address of ours",
            extra={"ip": str(conflict.address), "mac": str(conflict.mac), "link": link.name},
        )
