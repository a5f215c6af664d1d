"""What the API server refuses in any object: names, labels, annotations, and keys of data."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from apiserver.kinds import CONFIG_MAPS, NAMESPACES, SECRETS, SERVICES, Kind
from apiserver.refusals import Cause
from apiserver.store import JsonObject

NAME_MAX: Final = 253
LABEL_MAX: Final = 63

SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character"
)
LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character"
)
NAME_PART_TEXT: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)
LABEL_VALUE_TEXT: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character"
)
DATA_KEY_TEXT: Final = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"

_LABEL = re.compile(rf"(?=.{{1,{LABEL_MAX}}}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(
    rf"(?=.{{1,{NAME_MAX}}}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_NAME_PART = re.compile(rf"(?=.{{1,{LABEL_MAX}}}$)([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def mistakes(kind: Kind, new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """The rules for every kind that an object breaks."""
    metadata = new["metadata"]
    yield from _name_mistakes(kind, metadata.get("name", ""))
    yield from _key_mistakes("metadata.labels", metadata.get("labels", {}))
    yield from _key_mistakes("metadata.annotations", metadata.get("annotations", {}))
    for value in metadata.get("labels", {}).values():
        if value and not _NAME_PART.fullmatch(value):
            yield _invalid("metadata.labels", value, LABEL_VALUE_TEXT)
    if kind in {CONFIG_MAPS, SECRETS}:
        yield from _data_mistakes(new, old)


def _name_mistakes(kind: Kind, name: str) -> Iterator[Cause]:
    is_label = kind in {SERVICES, NAMESPACES}
    if not (_LABEL if is_label else _SUBDOMAIN).fullmatch(name):
        yield _invalid("metadata.name", name, LABEL_TEXT if is_label else SUBDOMAIN_TEXT)


def _key_mistakes(path: str, named: Mapping[str, str]) -> Iterator[Cause]:
    for key in named:
        prefix, _, name = key.rpartition("/")
        if prefix and not _SUBDOMAIN.fullmatch(prefix):
            yield _invalid(path, key, f"prefix part {SUBDOMAIN_TEXT}")
        if not _NAME_PART.fullmatch(name):
            yield _invalid(path, key, NAME_PART_TEXT)


def _data_mistakes(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    for key in new.get("data", {}):
        if not _DATA_KEY.fullmatch(key):
            yield _invalid(f"data[{key}]", key, DATA_KEY_TEXT)
    if old is not None and old.get("immutable") and old.get("data") != new.get("data"):
        message = "Forbidden: field is immutable when `immutable` is set"
        yield Cause(path="data", message=message, word="FieldValueForbidden")


def _invalid(path: str, value: Any, why: str) -> Cause:
    return Cause(path=path, message=f'Invalid value: "{value}": {why}')
