"""Label and field selectors, as they stand in the query of a list or a watch."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from apiserver import refusals
from apiserver.kinds import Kind
from apiserver.store import JsonObject

Matcher: TypeAlias = Callable[[JsonObject], bool]

_SET_TERM = re.compile(r"^([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)$")
_PLAIN_TERM = re.compile(r"^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$")
_PRESENCE_TERM = re.compile(r"^(!?)\s*([^\s!=,()]+)$")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


def matcher(kind: Kind, *, labels: str, fields: str) -> Matcher:
    """Whether an object is among those asked for."""
    by_label = _label_terms(labels)
    by_field = _field_terms(kind, fields)

    def matches(value: JsonObject) -> bool:
        own: Mapping[str, str] = value["metadata"].get("labels", {})
        return all(term(own) for term in by_label) and all(
            (field_of(value, path) == wanted) is equal for path, wanted, equal in by_field
        )

    return matches


def selected_name(fields: str) -> str:
    """The name of the one object that a field selector can fit; empty if it can fit others."""
    found = (_PLAIN_TERM.match(term) for term in _terms(fields))
    exact = (term[3] for term in found if term and term[1] == "metadata.name" and term[2] != "!=")
    return next(exact, "")


def field_of(value: JsonObject, path: str) -> str:
    """The text of a field that a selector may name; empty where it is absent."""
    if path == "source":
        path = "source.component"
    found: Any = value
    for name in path.split("."):
        found = found.get(name, "") if isinstance(found, dict) else ""
    if isinstance(found, bool):
        return str(found).lower()
    return "false" if path == "spec.unschedulable" and found == "" else str(found)


def _terms(text: str) -> list[str]:
    return [term.strip() for term in _COMMA_OUTSIDE_PARENTHESES.split(text) if term.strip()]


def _label_terms(text: str) -> list[Callable[[Mapping[str, str]], bool]]:
    return [_label_term(term) for term in _terms(text)]


def _label_term(term: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET_TERM.match(term):
        key, word, listed = found.groups()
        values = frozenset(value.strip() for value in listed.split(","))
        if word == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _PLAIN_TERM.match(term):
        key, sign, value = found.groups()
        if sign == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _PRESENCE_TERM.match(term):
        negated, key = found.groups()
        return lambda labels: (key in labels) is not bool(negated)
    raise refusals.bad_request(f'unable to parse requirement: found "{term}", which is no label selector')


def _field_terms(kind: Kind, text: str) -> list[tuple[str, str, bool]]:
    terms = []
    for term in _terms(text):
        found = _PLAIN_TERM.match(term)
        if found is None:
            raise refusals.bad_request(f"invalid field selector {term!r}; can't understand {term!r}")
        path, sign, value = found.groups()
        if path not in kind.fields:
            raise refusals.bad_request(_unknown_field(kind, path))
        terms.append((path, value, sign != "!="))
    return terms


def _unknown_field(kind: Kind, path: str) -> str:
    if kind.selectable:
        return f"field label not supported: {path}"
    known = ", ".join(f'"{name}"' for name in sorted(kind.fields))
    return f'"{path}" is not a known field selector: only {known}'
