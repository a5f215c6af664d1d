"""A value as JSON has it, for logs and ``-o json``: an object by the names of its fields, a name as text.

Everything goes through: what JSON has no form for is written as its text. Dictionaries keep their order, sets
are sorted, so that equal values are written alike.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final

from bareway.model.names import ObjectKey

PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""Most values, told apart from an Enum's at one glance."""


def plain(value: object) -> object:
    """``value`` made of dict, list, str, int, float, bool and None alone."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return _plain_container(value)


def _plain_container(value: object) -> object:
    match value:
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case AbstractSet():
            return sorted((plain(item) for item in value), key=str)
        case tuple() | list() if not isinstance(value, ObjectKey):  # that one is known as namespace/name
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)
