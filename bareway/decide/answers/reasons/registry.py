"""All words that are explained, and how one is found by what somebody typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bareway.decide.answers.reasons import (
    allocation,
    announcement,
    doctor,
    frames,
    gossip,
    leftovers,
    programs,
    questions,
    routing,
)
from bareway.decide.answers.reasons.explanation import Explanation, Topic

TOPICS: Final[tuple[Topic, ...]] = (
    *allocation.TOPICS,
    *announcement.TOPICS,
    *questions.TOPICS,
    *doctor.TOPICS,
    *gossip.TOPICS,
    *routing.TOPICS,
    *programs.TOPICS,
    *leftovers.TOPICS,
    *frames.TOPICS,
)
"""In the order in which they are listed: what users meet most often comes first."""
NEAREST_MAX: Final = 3
CLOSENESS: Final = 0.5  # of 1; a slip of the pen is above, another word is mostly below


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One word, with what it is about."""

    topic: Topic
    explanation: Explanation

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Its own, and those that say the same with it."""
        return (self.topic, *(topic for topic in TOPICS if topic.enum in self.explanation.also))


def entries() -> Iterator[Entry]:
    """All of them, by topic."""
    for topic in TOPICS:
        for explanation in topic.words:
            yield Entry(topic=topic, explanation=explanation)


def find(word: str) -> tuple[Entry, ...]:
    """What the word means, whatever its case: one entry for each meaning; none where nobody says it."""
    sought = word.casefold()
    return tuple(entry for entry in entries() if entry.explanation.word.casefold() == sought)


def nearest(word: str) -> tuple[str, ...]:
    """Words that look like it, the most alike first."""
    sought = word.casefold()
    known = {entry.explanation.word.casefold(): entry.explanation.word for entry in entries()}
    parts = [one for one in known if sought and sought in one]
    found = dict.fromkeys([*parts, *get_close_matches(sought, known, n=NEAREST_MAX, cutoff=CLOSENESS)])
    return tuple(known[one] for one in list(found)[:NEAREST_MAX])
