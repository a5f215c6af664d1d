"""When a status that somebody wrote over is put right: at once, and ever more slowly for who insists.

Two controllers that both think an address theirs would otherwise write as fast as the API lets them.
"""

import math
from dataclasses import dataclass
from typing import Final

from bareway.model.names import ServiceKey

FIRST_PAUSE_S: Final = 1.0
PAUSE_CAP_S: Final = 60.0
FORGIVEN_S: Final = 300.0  # who was quiet for so long is corrected at once again


@dataclass(slots=True)
class _Corrected:
    at: float
    pause_s: float = FIRST_PAUSE_S


class Corrections:
    """Remembers when each Service was corrected last."""

    def __init__(self) -> None:
        self._corrected: dict[ServiceKey, _Corrected] = {}
        self.due_s = math.inf
        """When the first of those that were put off may be corrected."""

    def begin(self, *, now_s: float) -> None:
        """A new look: nobody is put off yet."""
        self.due_s = math.inf
        old = [key for key, one in self._corrected.items() if now_s - one.at > FORGIVEN_S]
        for key in old:
            del self._corrected[key]

    def may(self, key: ServiceKey, *, now_s: float) -> bool:
        """Whether to correct the Service now; if so, it counts as corrected."""
        last = self._corrected.get(key)
        if last is None:
            self._corrected[key] = _Corrected(now_s)
            return True
        if now_s < last.at + last.pause_s:
            self.due_s = min(self.due_s, last.at + last.pause_s)
            return False
        last.at, last.pause_s = now_s, min(PAUSE_CAP_S, last.pause_s * 2)
        return True
