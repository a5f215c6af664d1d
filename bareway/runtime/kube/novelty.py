"""Which notes about objects are news: an Event is written when something changed, not when it was looked at.

A note that is the last one told about its object is old. One that was told before, with another in between,
is told again, each time after a pause twice as long: two reasons that take turns in a loop cannot flood the
API. Memory is bounded: what was told longest ago is forgotten, and would be told again.
"""

from collections import OrderedDict
from dataclasses import dataclass

from bareway.model.objects import ObjectReference
from bareway.resources.events import Note

NOTES_MAX = 8192  # one for each of 5,000 Services, and room
FIRST_PAUSE_S = 1.0  # what happens twice, such as a pool exhausted again, is told twice
PAUSE_CAP_S = 3600.0  # the API keeps an Event for an hour by default


@dataclass(slots=True)
class _Told:
    at: float
    pause_s: float = FIRST_PAUSE_S


class Novelty:
    """A memory of what was told."""

    def __init__(self, notes_max: int = NOTES_MAX) -> None:
        self._notes_max = notes_max
        self._last: OrderedDict[ObjectReference, Note] = OrderedDict()
        self._told: OrderedDict[Note, _Told] = OrderedDict()

    def is_news(self, note: Note, *, now: float) -> bool:
        """Whether to tell ``note`` now; if so, it counts as told."""
        told = self._told.get(note)
        if told is not None:
            if self._last.get(note.about) == note or now - told.at < told.pause_s:
                return False
            told.pause_s = min(PAUSE_CAP_S, told.pause_s * 2)
            told.at = now
        self._remember(note, told or _Told(now))
        return True

    def _remember(self, note: Note, told: _Told) -> None:
        self._told[note] = told
        self._told.move_to_end(note)
        self._last[note.about] = note
        self._last.move_to_end(note.about)
        if len(self._told) > self._notes_max:
            self._told.popitem(last=False)
        if len(self._last) > self._notes_max:
            self._last.popitem(last=False)
