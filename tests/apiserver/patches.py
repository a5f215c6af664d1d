"""The three ways to change an object by a patch.

Merge patch is RFC 7396 section 2; JSON patch is RFC 6902 section 4; the strategic merge patch is
Kubernetes' own: as a merge patch, but lists merge by the keys in ``schema.py``, with the directives that
kubectl writes ($patch, $setElementOrder, $deleteFromPrimitiveList, $retainKeys). Server-side apply is left
out.
"""

import copy
from collections.abc import Mapping
from typing import Any, TypeAlias

from apiserver import refusals
from apiserver.refusals import Reason, Refused
from apiserver.schema import Field, Leaf, ListOf, MapOf, Struct

Fields: TypeAlias = Mapping[str, Field]

_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"


def merge(target: Any, patch: Any) -> Any:
    """Apply a merge patch: null removes, objects merge, everything else replaces (RFC 7396 section 2)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def json_patch(target: Any, operations: Any) -> Any:
    """Apply a JSON patch, all of it or nothing (RFC 6902 section 5)."""
    if not isinstance(operations, list):
        raise refusals.bad_request("a JSON patch is a list of operations")
    document = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Refused(
                code=422,
                reason=Reason.INVALID,
                message="the server rejected our request due to an error in our request",
                details={},
            ) from error
    return document


def strategic_merge(target: Any, patch: Any, schema: Field) -> Any:
    """Apply a strategic merge patch to a value of that schema."""
    match schema:
        case Struct(fields=fields) if isinstance(patch, dict):
            return _merge_object(target, patch, fields)
        case MapOf(value=inner) if isinstance(patch, dict):
            return _merge_object(target, patch, dict.fromkeys({*patch, *(target or {})}, inner))
        case ListOf() if isinstance(patch, list):
            return _merge_list(target if isinstance(target, list) else [], patch, schema, order=None)
        case Leaf.ANY:
            return merge(target, patch)
        case _:
            return copy.deepcopy(patch)


def _merge_object(target: Any, patch: dict[str, Any], fields: Fields) -> Any:
    if patch.get("$patch") == "delete":
        return {}
    replaces = patch.get("$patch") == "replace" or not isinstance(target, dict)
    merged: dict[str, Any] = {} if replaces else dict(target)
    _apply_directives(merged, patch)
    orders = {key.removeprefix(_ORDER): value for key, value in patch.items() if key.startswith(_ORDER)}
    for key, value in ({name: [] for name in orders} | patch).items():
        schema = fields.get(key, Leaf.ANY)
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(schema, ListOf) and isinstance(value, list):
            merged[key] = _merge_list(merged.get(key, []), value, schema, order=orders.get(key))
        else:
            merged[key] = strategic_merge(merged.get(key), value, schema)
    return merged


def _apply_directives(merged: dict[str, Any], patch: dict[str, Any]) -> None:
    if "$retainKeys" in patch:
        for name in merged.keys() - set(patch["$retainKeys"]):
            del merged[name]
    for key, values in patch.items():
        if key.startswith(_DELETE_VALUES):
            name = key.removeprefix(_DELETE_VALUES)
            merged[name] = [item for item in merged.get(name, []) if item not in values]


def _merge_list(target: list[Any], patch: list[Any], schema: ListOf, *, order: list[Any] | None) -> list[Any]:
    if schema.is_set:
        merged = target + [item for item in patch if item not in target]
    elif schema.merge_key:
        merged = _merge_items(target, patch, schema)
    else:
        return copy.deepcopy(patch)
    return _ordered(merged, target, patch if order is None else order, schema.merge_key)


def _merge_items(target: list[Any], patch: list[Any], schema: ListOf) -> list[Any]:
    key = schema.merge_key
    merged = [] if any(item.get("$patch") == "replace" for item in patch) else list(target)
    for item in patch:
        if item.get("$patch") == "replace":
            continue
        if key not in item:
            message = f"map: {item} does not contain declared merge key: {key}"
            raise Refused(code=500, reason=Reason.UNKNOWN, message=message)
        place = next((index for index, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [old for old in merged if old.get(key) != item[key]]
        elif place is None:
            merged.append(strategic_merge({}, item, schema.item))
        else:
            merged[place] = strategic_merge(merged[place], item, schema.item)
    return merged


def _ordered(merged: list[Any], before: list[Any], order: list[Any], key: str) -> list[Any]:
    """Items that the patch names stand in its order; each other one before the first that it stood before."""

    def identity(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    wished = [identity(item) for item in order]
    stood = [identity(item) for item in before]
    named = [item for item in merged if identity(item) in wished]
    named.sort(key=lambda item: wished.index(identity(item)))
    others = [item for item in merged if identity(item) not in wished]
    result: list[Any] = []
    for item in named:
        known = identity(item) in stood
        while known and others and stood.index(identity(others[0])) < stood.index(identity(item)):
            result.append(others.pop(0))
        result.append(item)
    return result + others


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    name, path = operation["op"], _steps(operation["path"])
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        return _add(_remove(document, path), path, operation["value"])
    if name == "add":
        return _add(document, path, operation["value"])
    if name in {"move", "copy"}:
        source = _steps(operation["from"])
        value = copy.deepcopy(_find(document, source))
        return _add(_remove(document, source) if name == "move" else document, path, value)
    if name != "test" or _find(document, path) != operation["value"]:
        raise ValueError("no such operation, or a test that failed")
    return document


def _steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901 section 4)."""
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} does not begin with a slash")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _find(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _find(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _find(document, path[:-1])
    if not isinstance(parent, list):
        parent[path[-1]] = value
    elif path[-1] == "-":
        parent.append(value)
    else:
        place = int(path[-1])
        if not 0 <= place <= len(parent):
            raise IndexError(f"place {place} is outside the list")
        parent.insert(place, value)
    return document
