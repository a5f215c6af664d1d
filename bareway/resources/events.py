"""Event (core/v1): the body of a new one, and the patch that counts it once more."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.resources.fields import WireObject

EVENTS_NAMESPACE = "default"  # where the API keeps Events about objects without a namespace
MESSAGE_MAX = 1024  # characters; the API refuses longer ones
NAME_MAX = 230  # of the 253 characters of a name, so that the digest fits
DIGEST_DIGITS = 16


class EventType(StrEnum):
    """Field ``type`` of an Event; the API knows these two."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Note:
    """What is told about an object; two that are equal are the same piece of news."""

    about: ObjectReference
    type: EventType
    reason: str
    message: str


class WireEvent(WireObject, frozen=True, gc=False):
    """What is needed of an Event that exists, to count it once more."""

    count: int | None = None


def event_key(note: Note, component: str, instance: str) -> ObjectKey:
    """Namespace and name of the Event: the same for the same news, so that the API itself remembers it."""
    parts = (component, instance, note.about.kind, note.about.uid, note.type, note.reason, note.message)
    digest = sha256("\0".join(parts).encode()).hexdigest()[:DIGEST_DIGITS]
    return ObjectKey(
        note.about.key.namespace or EVENTS_NAMESPACE, f"{note.about.key.name[:NAME_MAX]}.{digest}"
    )


def event_body(note: Note, component: str, instance: str, at: str) -> Mapping[str, object]:
    """A new Event; ``at`` is the time of day, RFC 3339 in UTC."""
    key = event_key(note, component, instance)
    about = note.about
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "involvedObject": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "name": about.key.name,
            **({"namespace": about.key.namespace} if about.key.namespace else {}),
            **({"uid": about.uid} if about.uid else {}),
        },
        "type": note.type.value,
        "reason": note.reason,
        "message": note.message[:MESSAGE_MAX],
        "source": {"component": component, **({"host": instance} if instance else {})},
        "reportingComponent": component,
        "reportingInstance": instance,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def again_patch(event: WireEvent, at: str) -> Mapping[str, object]:
    """The same news once more."""
    return {
        "metadata": {"resourceVersion": event.resource_version},
        "count": (event.count or 1) + 1,
        "lastTimestamp": at,
    }
