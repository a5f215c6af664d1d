"""Which notes about objects are news: an Event is written when something changed, not when it was looked at.

A note that is the last one told about its object is old. One that was told before, with another in between,
is told again, each time after a pause twice as long: two reasons that take turns in a loop cannot flood the
API. Memory is bounded: what was told longest ago is forgotten, and would be told again.
"""

from collections import OrderedDict
from typing import NamedTuple

from bareway.resources.events import Note

NOTES_MAX = 8192  # one for each of 5,000 Services, and room
FIRST_PAUSE_S = 1.0  # what happens twice, such as a pool exhausted again, is told twice
PAUSE_CAP_S = 3600.0  # the API keeps an Event for an hour by default


class _Told(NamedTuple):
    at: float
    pause_s: float


class Novelty:
    """A memory of what was told, by hashes of 64 bits: of 5,000 Services it is 1 MB instead of 3."""

    def __init__(self, notes_max: int = NOTES_MAX) -> None:
        self._notes_max = notes_max
        self._last: OrderedDict[int, int] = OrderedDict()
        """Of each object the last note."""
        self._told: OrderedDict[int, _Told] = OrderedDict()

    def is_news(self, note: Note, *, now: float) -> bool:
        """Whether to tell ``note`` now; if so, it counts as told."""
        about, what = hash(note.about), hash(note)
        told = self._told.get(what)
        pause_s = FIRST_PAUSE_S
        if told is not None:
            if self._last.get(about) == what or now - told.at < told.pause_s:
                return False
            pause_s = min(PAUSE_CAP_S, told.pause_s * 2)
        self._remember(about, what, _Told(now, pause_s))
        return True

    def _remember(self, about: int, what: int, told: _Told) -> None:
        self._told[what] = told
        self._told.move_to_end(what)
        self._last[about] = what
        self._last.move_to_end(about)
        if len(self._told) > self._notes_max:
            self._told.popitem(last=False)
        if len(self._last) > self._notes_max:
            self._last.popitem(last=False)
