"""Reads the protobuf in which ``kubectl create`` and ``kubectl auth can-i`` send what they make.

Answers are JSON always: kubectl accepts both. The layout is that of k8s.io/api ``core/v1/generated.proto``;
a field that stands in no table here is refused by its number, unless it is empty, since Go writes its empty
fields too.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, TypeAlias

from apiserver import refusals
from apiserver.store import JsonObject

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
MAGIC: Final = b"k8s\x00"


class Wire(Enum):
    """How the bytes of a field are read."""

    TEXT = auto()
    TEXTS = auto()
    NUMBER = auto()
    FLAG = auto()
    TEXT_MAP = auto()
    BYTES_MAP = auto()
    NUMBER_OR_TEXT = auto()
    TIME = auto()


@dataclass(frozen=True, slots=True)
class Message:
    """A message within a message, once or, in a list, many times."""

    fields: "Fields"
    is_list: bool = False


Fields: TypeAlias = Mapping[int, tuple[str, "Wire | Message"]]

_METADATA: Final[Fields] = {
    1: ("name", Wire.TEXT),
    2: ("generateName", Wire.TEXT),
    3: ("namespace", Wire.TEXT),
    8: ("creationTimestamp", Wire.TIME),
    11: ("labels", Wire.TEXT_MAP),
    12: ("annotations", Wire.TEXT_MAP),
    14: ("finalizers", Wire.TEXTS),
}
_PORT: Final[Fields] = {
    1: ("name", Wire.TEXT),
    2: ("protocol", Wire.TEXT),
    3: ("port", Wire.NUMBER),
    4: ("targetPort", Wire.NUMBER_OR_TEXT),
    5: ("nodePort", Wire.NUMBER),
    6: ("appProtocol", Wire.TEXT),
}
_SERVICE_SPEC: Final[Fields] = {
    1: ("ports", Message(_PORT, is_list=True)),
    2: ("selector", Wire.TEXT_MAP),
    3: ("clusterIP", Wire.TEXT),
    4: ("type", Wire.TEXT),
    5: ("externalIPs", Wire.TEXTS),
    7: ("sessionAffinity", Wire.TEXT),
    8: ("loadBalancerIP", Wire.TEXT),
    9: ("loadBalancerSourceRanges", Wire.TEXTS),
    10: ("externalName", Wire.TEXT),
    11: ("externalTrafficPolicy", Wire.TEXT),
    12: ("healthCheckNodePort", Wire.NUMBER),
    17: ("ipFamilyPolicy", Wire.TEXT),
    18: ("clusterIPs", Wire.TEXTS),
    19: ("ipFamilies", Wire.TEXTS),
    20: ("allocateLoadBalancerNodePorts", Wire.FLAG),
    21: ("loadBalancerClass", Wire.TEXT),
    22: ("internalTrafficPolicy", Wire.TEXT),
    23: ("trafficDistribution", Wire.TEXT),
}
_RESOURCE_ATTRIBUTES: Final[Fields] = {
    1: ("namespace", Wire.TEXT),
    2: ("verb", Wire.TEXT),
    3: ("group", Wire.TEXT),
    4: ("version", Wire.TEXT),
    5: ("resource", Wire.TEXT),
    6: ("subresource", Wire.TEXT),
    7: ("name", Wire.TEXT),
}
_KINDS: Final[Mapping[tuple[str, str], Fields]] = {
    ("v1", "Namespace"): {1: ("metadata", Message(_METADATA))},
    ("v1", "ConfigMap"): {
        1: ("metadata", Message(_METADATA)),
        2: ("data", Wire.TEXT_MAP),
        3: ("binaryData", Wire.BYTES_MAP),
        4: ("immutable", Wire.FLAG),
    },
    ("v1", "Secret"): {
        1: ("metadata", Message(_METADATA)),
        2: ("data", Wire.BYTES_MAP),
        3: ("type", Wire.TEXT),
        4: ("stringData", Wire.TEXT_MAP),
        5: ("immutable", Wire.FLAG),
    },
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        1: ("metadata", Message(_METADATA)),
        2: ("spec", Message({1: ("resourceAttributes", Message(_RESOURCE_ATTRIBUTES))})),
    },
    ("v1", "Service"): {1: ("metadata", Message(_METADATA)), 2: ("spec", Message(_SERVICE_SPEC))},
}


def decode(body: bytes) -> JsonObject:
    """The object in a body of type ``MEDIA_TYPE``."""
    if not body.startswith(MAGIC):
        raise refusals.bad_request("the body of the request does not begin like Kubernetes protobuf")
    try:
        envelope = dict(_parts(body[len(MAGIC) :]))
        type_meta = {number: bytes(value).decode() for number, value in _parts(envelope[1])}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        fields = _KINDS.get((api_version, kind))
        if fields is None:
            raise refusals.not_implemented(f"does not read {kind} in protobuf; send JSON")
        return {"apiVersion": api_version, "kind": kind} | _message(envelope[2], fields)
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise refusals.bad_request(f"the body of the request is no Kubernetes protobuf: {error}") from error


def _message(data: Any, fields: Fields) -> JsonObject:
    found: JsonObject = {}
    for number, value in _parts(data):
        if number not in fields:
            if value and any(content for _, content in _parts(value)):
                raise refusals.not_implemented(f"does not know field {number} of this protobuf; send JSON")
            continue
        name, wire = fields[number]
        _store(found, name, wire, value)
    return {name: value for name, value in found.items() if value not in ("", 0, None) or value is False}


def _store(found: JsonObject, name: str, wire: Wire | Message, value: Any) -> None:
    match wire:
        case Message(is_list=True):
            found.setdefault(name, []).append(_message(value, wire.fields))
        case Message():
            found[name] = _message(value, wire.fields)
        case Wire.TEXTS:
            found.setdefault(name, []).append(value.decode())
        case Wire.TEXT_MAP | Wire.BYTES_MAP:
            entry = dict(_parts(value))
            content = entry.get(2, b"")
            text = content.decode() if wire is Wire.TEXT_MAP else base64.b64encode(content).decode()
            found.setdefault(name, {})[entry[1].decode()] = text
        case Wire.TEXT | Wire.NUMBER | Wire.FLAG | Wire.NUMBER_OR_TEXT | Wire.TIME:
            found[name] = _READERS[wire](value)


def _number_or_text(value: bytes) -> int | str:
    entry = dict(_parts(value))
    return str(entry.get(3, b"").decode()) if entry.get(1) else int(entry.get(2, 0))


_READERS: Final[Mapping[Wire, Callable[[Any], Any]]] = {
    Wire.TEXT: bytes.decode,
    Wire.NUMBER: int,
    Wire.FLAG: bool,
    Wire.NUMBER_OR_TEXT: _number_or_text,
    Wire.TIME: lambda value: None,  # only the server says when something was made
}


def _parts(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message: number, and a whole number or bytes."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, place = _varint(data, place)
            yield number, value
        elif wire_type == 2:
            length, place = _varint(data, place)
            if place + length > len(data):
                raise ValueError("it ends within a field")
            yield number, data[place : place + length]
            place += length
        else:
            raise ValueError(f"wire type {wire_type} is not used here")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
