"""bareway.runtime.kube.novelty: what changed is told, what goes round in a loop is told ever more rarely."""

from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType, Note
from bareway.runtime.kube.novelty import PAUSE_CAP_S, Novelty
from support.builders import key


def note(reason: str = "IPAllocated", message: str = "Assigned", about: str = "web") -> Note:
    return Note(ObjectReference(kind="Service", key=key(about)), EventType.NORMAL, reason, message)


def test_the_same_note_is_told_once_however_often_it_is_looked_at() -> None:
    novelty = Novelty()
    assert [novelty.is_news(note(), now=float(now)) for now in range(0, 100_000, 300)].count(True) == 1


def test_each_object_has_its_own_news() -> None:
    novelty = Novelty()
    assert novelty.is_news(note(about="one"), now=0.0)
    assert novelty.is_news(note(about="other"), now=0.0)


def test_another_message_with_the_same_reason_is_news() -> None:
    novelty = Novelty()
    assert novelty.is_news(note(message="192.0.2.1"), now=0.0)
    assert novelty.is_news(note(message="192.0.2.2"), now=0.0)


def test_what_happens_again_after_something_else_is_told_again() -> None:
    novelty = Novelty()
    assert novelty.is_news(note("AllocationFailed"), now=0.0)
    assert novelty.is_news(note("IPAllocated"), now=10.0)
    assert novelty.is_news(note("AllocationFailed"), now=20.0)


def test_two_reasons_that_take_turns_in_a_loop_are_told_ever_more_rarely() -> None:
    novelty = Novelty()
    told = [
        now
        for now in range(0, 24 * 3600, 5)
        for one in (note("AllocationFailed"), note("deprecatedAnnotation"))
        if novelty.is_news(one, now=float(now))
    ]
    assert len(told) < 2 * (12 + 24)
    assert len([now for now in told if now < 3600]) > 10, "but not silenced"
    assert max(told) > 22 * 3600


def test_a_pause_never_exceeds_its_cap() -> None:
    novelty = Novelty()
    now = 0.0
    for _ in range(50):
        now += PAUSE_CAP_S
        assert novelty.is_news(note("A"), now=now)
        assert novelty.is_news(note("B"), now=now)


def test_memory_is_bounded_and_forgets_what_was_told_longest_ago() -> None:
    novelty = Novelty(notes_max=2)
    for name in ("one", "two", "three"):
        assert novelty.is_news(note(about=name), now=0.0)
    assert not novelty.is_news(note(about="three"), now=1.0)
    assert novelty.is_news(note(about="one"), now=1.0)
    assert len(novelty._told) == len(novelty._last) == 2
