"""Conditions in a Service's status (meta/v1 Condition): ours among those of others, read and written.

A list is replaced whole by a merge patch (RFC 7396 section 2), so the conditions of others are kept as they
are, in their order, and written again beside ours. Whatever is no condition is kept just the same.
"""

import sys
from collections.abc import Mapping, Sequence

import msgspec

from bareway.model.services import Condition, Service

ASSIGNED = "bareway.io/AddressAssigned"
_STATUS = {True: "True", False: "False"}


def read_conditions(entries: Sequence[object]) -> tuple[Condition | None, tuple[str, ...]]:
    """Ours, and the others as JSON."""
    ours: Condition | None = None
    others: list[str] = []
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("type") == ASSIGNED:
            ours = _read(entry)
        else:
            others.append(msgspec.json.encode(entry).decode())
    return ours, tuple(others)


def conditions_body(service: Service, condition: Condition | None) -> list[object] | None:
    """The whole list with ``condition`` as ours, or without ours; None = no list."""
    body: list[object] = [msgspec.json.decode(text) for text in service.other_conditions]
    if condition is not None:
        body.append(_body(condition))
    return body or None


def _read(entry: Mapping[object, object]) -> Condition:
    """Texts are shared: all Services that wait for the same say the same."""
    generation = entry.get("observedGeneration")
    return Condition(
        is_true=entry.get("status") == _STATUS[True],
        reason=sys.intern(_text(entry, "reason")),
        message=sys.intern(_text(entry, "message")),
        since=sys.intern(_text(entry, "lastTransitionTime")),
        generation=generation if isinstance(generation, int) else 0,
    )


def _text(entry: Mapping[object, object], field: str) -> str:
    value = entry.get(field)
    return value if isinstance(value, str) else ""


def _body(condition: Condition) -> Mapping[str, object]:
    body: dict[str, object] = {
        "type": ASSIGNED,
        "status": _STATUS[condition.is_true],
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": condition.since,
    }
    if condition.generation:
        body["observedGeneration"] = condition.generation
    return body
