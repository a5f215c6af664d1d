"""Which sightings are passed on: each kind a few times a second, however often it is seen on the wire."""

from typing import Final

from bareway.layer2.responder import Sighting

WINDOW_S: Final = 0.05
"""The same is told once in this time: as long as two stations may answer for one address at most."""
WINDOW_MAX: Final = 500
"""Different ones told in that time: ten thousand a second, from a neighbour that calls everything its own."""


class Gate:
    """Remembers what went through it in this window."""

    def __init__(self, *, now: float) -> None:
        self._began = now
        self._told: set[Sighting] = set()

    def admits(self, sighting: Sighting, *, now: float) -> bool:
        """Whether to tell it now."""
        if now - self._began >= WINDOW_S:
            self._told.clear()
            self._began = now
        if sighting in self._told or len(self._told) >= WINDOW_MAX:
            return False
        self._told.add(sighting)
        return True
