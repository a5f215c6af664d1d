"""From the body of a request to an object whose fields all are known and of the right type.

As the real server: a wrong type is refused with 400; nulls, empty lists and empty maps vanish; an unknown
field is dropped, or refused where the client asked for ``fieldValidation=Strict`` as kubectl does.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from types import UnionType
from typing import Any, Final

import msgspec
import yaml

from apiserver import protobuf, refusals
from apiserver.kinds import Kind
from apiserver.schema import SCHEMAS, Field, Leaf, ListOf, MapOf, Struct
from apiserver.store import JsonObject

_ZONE = r"(Z|[+-]\d\d:\d\d)"
_TIME: Final = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?{_ZONE}")
_MICRO_TIME: Final = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}\d*{_ZONE}")


class _Unreadable(Exception):
    """A value is not of the type of its field."""


def read_body(body: bytes, content_type: str) -> Any:
    """The JSON, YAML or protobuf in the body of a request."""
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    try:
        return yaml.safe_load(body) if content_type.endswith("yaml") else msgspec.json.decode(body)
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        message = f"the object provided is unrecognized: couldn't get version/kind; json parse error: {error}"
        raise refusals.bad_request(message) from error


def read_object(kind: Kind, value: Any, *, strict: bool) -> JsonObject:
    """The object as this kind knows it, or a refusal that names what does not fit."""
    if not isinstance(value, dict):
        raise refusals.bad_request(f"the object provided is unrecognized (must be of type {kind.name})")
    try:
        return _object(kind, value, strict=strict)
    except _Unreadable as error:
        version, name = value.get("apiVersion", kind.version), value.get("kind", kind.name)
        prefix = f'{name} in version "{version}" cannot be handled as a {kind.name}'
        raise refusals.bad_request(f"{prefix}: {error}") from error


def read_patched(kind: Kind, value: Any, *, strict: bool) -> JsonObject:
    """The same for what a patch has made of an object: here the patch is at fault."""
    if not isinstance(value, dict):
        raise refusals.bad_patch(value, "it leaves no object")
    try:
        return _object(kind, value, strict=strict)
    except _Unreadable as error:
        raise refusals.bad_patch(value, str(error)) from error


def _object(kind: Kind, value: dict[str, Any], *, strict: bool) -> JsonObject:
    if (value.get("apiVersion", kind.api_version), value.get("kind", kind.name)) != (
        kind.api_version,
        kind.name,
    ):
        raise _Unreadable("unknown conversion")
    unknown: list[str] = []
    clean: JsonObject = _read(value, SCHEMAS[kind], path="", owner=kind.name, unknown=unknown)
    if unknown and strict:
        sentences = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise _Unreadable(f"strict decoding error: {sentences}")
    clean.setdefault("metadata", {})
    return {"kind": kind.name, "apiVersion": kind.api_version} | clean


def _read(value: Any, schema: Field, *, path: str, owner: str, unknown: list[str]) -> Any:
    match schema:
        case Leaf():
            return _leaf(value, schema, path=path, owner=owner)
        case Struct() if isinstance(value, dict):
            return _struct(value, schema, path=path, unknown=unknown)
        case MapOf(value=inner) if isinstance(value, dict):
            return {
                key: _read(item, inner, path=path, owner=owner, unknown=unknown)
                for key, item in value.items()
                if item is not None
            }
        case ListOf(item=inner) if isinstance(value, list):
            return [
                _read(item, inner, path=f"{path}[{index}]", owner=owner, unknown=unknown)
                for index, item in enumerate(value)
            ]
        case Struct() | MapOf() | ListOf():
            raise _wrong_type(value, schema, path=path, owner=owner)


def _struct(value: dict[str, Any], schema: Struct, *, path: str, unknown: list[str]) -> JsonObject:
    clean: JsonObject = {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if key not in schema.fields:
            unknown.append(where)
            continue
        field = schema.fields[key]
        read = None if item is None else _read(item, field, path=where, owner=schema.name, unknown=unknown)
        if read is not None and not (isinstance(field, MapOf | ListOf) and not read):
            clean[key] = read
    return clean


_TYPES: Final[Mapping[Leaf, type | UnionType]] = {
    Leaf.FLAG: bool,
    Leaf.NUMBER: int,
    Leaf.TEXT_OR_NUMBER: str | int,
}


def _leaf(value: Any, leaf: Leaf, *, path: str, owner: str) -> Any:
    if leaf is Leaf.ANY:
        return value
    fits = isinstance(value, _TYPES.get(leaf, str))
    if not fits or (isinstance(value, bool) and leaf is not Leaf.FLAG):  # Python's bool is an int
        raise _wrong_type(value, leaf, path=path, owner=owner)
    return _text(value, leaf)


def _text(value: Any, leaf: Leaf) -> Any:
    """The value, if it is written as such a text must be."""
    if leaf is Leaf.TIME and not _TIME.fullmatch(value):
        raise _Unreadable(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    if leaf is Leaf.MICRO_TIME and not _MICRO_TIME.fullmatch(value):
        raise _Unreadable(f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse')
    if leaf is Leaf.BASE64:
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise _Unreadable("illegal base64 data at input byte 0") from error
    return value


def _wrong_type(value: Any, schema: Field, *, path: str, owner: str) -> _Unreadable:
    words: dict[type, str] = {str: "string", bool: "bool", dict: "object", list: "array"}
    word = words.get(type(value), "number")
    wanted = _type_word(schema)
    return _Unreadable(f"json: cannot unmarshal {word} into Go struct field {owner}.{path} of type {wanted}")


def _type_word(schema: Field) -> str:
    match schema:
        case Leaf():
            return schema.value.partition(",")[0]
        case Struct(name=name):
            return f"v1.{name}"
        case MapOf(value=inner):
            return f"map[string]{_type_word(inner)}"
        case ListOf(item=inner):
            return f"[]{_type_word(inner)}"
