"""What one of our programs said of itself as JSON, read back: the other direction of `bareway.model.plain`.

Any frozen dataclass of the model can be read so. Fields that a newer program adds are left out, those that an
older one lacks get their defaults. A reader of a class is made once, since answers hold thousands of objects.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from bareway.model.names import IPAddress, ObjectKey

T = TypeVar("T")

Reader = Callable[[object], Any]
ADDRESS: Final = frozenset({IPv4Address, IPv6Address})
NAMES_KEPT: Final = (
    16_384  # addresses and Services that are remembered as read: each speaker names the same ones
)


class Unintelligible(ValueError):
    """It is not what a program of ours says; the sentence names the place."""


def read_said(kind: type[T], value: object) -> T:
    """An object of this dataclass, from lists, mappings and text.

    Raises:
        Unintelligible: something has another form than the class promises.
    """
    try:
        found: T = _of_class(kind)(value)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Unintelligible(f"this is no {kind.__name__}: {error}") from error
    return found


def read_page(body: bytes) -> Mapping[str, object]:
    """The object that a verb prints with ``-o json``.

    Raises:
        Unintelligible: it is none.
    """
    try:
        page: dict[str, object] = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise Unintelligible(f"what came is no answer in JSON: {error}") from error
    return page


_readers: dict[type, Reader] = {}


def _of_class(kind: type) -> Reader:
    """Reads an object of one dataclass; made once for each."""
    if kind not in _readers:
        _readers[kind] = _made_for(kind)
    return _readers[kind]


def _made_for(kind: type) -> Reader:
    hints = get_type_hints(kind)
    known = [(field.name, _of(hints[field.name])) for field in fields(kind)]
    needed = [
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    ]

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r:.60} is no object")
        missing = [name for name in needed if name not in value]
        if missing:
            raise TypeError(f"it lacks {', '.join(missing)}")
        return kind(**{name: reader(value[name]) for name, reader in known if name in value})

    return read


def _of(hint: Any) -> Reader:  # noqa: ANN401 - whatever a field may be
    """Reads what one field of a class may hold."""
    if isinstance(hint, NewType):
        return _of(hint.__supertype__)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint) and isinstance(hint, type):
        return _of_class(hint)
    return _of_several(get_origin(hint), get_args(hint))


def _of_several(origin: object, arguments: tuple[Any, ...]) -> Reader:
    if origin in (Union, types.UnionType):
        if set(arguments) - {type(None)} == ADDRESS:
            return _perhaps(_address) if type(None) in arguments else _address
        inner = [one for one in arguments if one is not type(None)]
        assert len(inner) == 1, "a choice of two types cannot be told apart in JSON"  # noqa: S101 - our mistake
        return _perhaps(_of(inner[0]))
    if origin is tuple:
        read = _of(arguments[0])
        return lambda value: tuple(map(read, _listed(value)))
    if origin is Mapping:
        read_key, read_item = map(_of, arguments)
        return lambda value: {read_key(key): read_item(item) for key, item in _mapped(value).items()}
    raise AssertionError(f"no reader for a field of type {origin}")


def _perhaps(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.60} is no list")
    return value


def _mapped(value: object) -> dict[object, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is no object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is neither true nor false")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is no whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is no number")
    return float(value)


@lru_cache(maxsize=NAMES_KEPT)
def _address(value: object) -> IPAddress:
    return ip_address(_text(value))


@lru_cache(maxsize=NAMES_KEPT)
def _key(value: object) -> ObjectKey:
    namespace, _, name = _text(value).rpartition("/")
    return ObjectKey(namespace, name)


_SIMPLE: Final[Mapping[object, Reader]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    ObjectKey: _key,
}
