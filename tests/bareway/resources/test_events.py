"""bareway.resources.events: the name of an Event is what it says; the API accepts every one."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.resources.events import EventType, Note, WireEvent, again_patch, event_body, event_key
from bareway.resources.fields import Metadata
from support.builders import key

WEB = ObjectReference(kind="Service", key=key("shop/web"), uid="u1")
NOTE = Note(WEB, EventType.NORMAL, "IPAllocated", 'Assigned IP ["192.0.2.1"]')
DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAMES = st.from_regex(DNS_SUBDOMAIN, fullmatch=True).filter(lambda name: len(name) <= 253)


def test_the_same_news_has_the_same_name_and_other_news_another() -> None:
    assert event_key(NOTE, "c", "n") == event_key(NOTE, "c", "n")
    others = {
        event_key(NOTE, "other", "n"),
        event_key(NOTE, "c", "other"),
        event_key(Note(WEB, EventType.WARNING, NOTE.reason, NOTE.message), "c", "n"),
        event_key(Note(WEB, EventType.NORMAL, "Other", NOTE.message), "c", "n"),
        event_key(Note(WEB, EventType.NORMAL, NOTE.reason, "other"), "c", "n"),
        event_key(Note(ObjectReference(kind="Service", key=WEB.key, uid="u2"), *_rest()), "c", "n"),
    }
    assert len(others | {event_key(NOTE, "c", "n")}) == 7


def _rest() -> tuple[EventType, str, str]:
    return NOTE.type, NOTE.reason, NOTE.message


@given(NAMES, st.text(max_size=100))
@example("a" * 253, "x" * 1025)
def test_every_event_is_one_that_the_api_accepts(name: str, message: str) -> None:
    note = Note(ObjectReference(kind="Node", key=ObjectKey("", name)), EventType.WARNING, "R", message)
    body = event_body(note, "c", "", "2026-01-01T00:00:00Z")
    where = event_key(note, "c", "")
    assert len(where.name) <= 253
    assert DNS_SUBDOMAIN.fullmatch(where.name)
    assert body["metadata"] == {"name": where.name, "namespace": "default"}
    assert isinstance(body["message"], str)
    assert len(body["message"]) <= 1024


def test_counting_once_more_needs_the_version_read() -> None:
    present = WireEvent(metadata=Metadata(name="x", resource_version="8"), count=4)
    assert again_patch(present, "2026-01-01T00:00:00Z") == {
        "metadata": {"resourceVersion": "8"},
        "count": 5,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    assert again_patch(WireEvent(metadata=Metadata(name="x")), "t")["count"] == 2
