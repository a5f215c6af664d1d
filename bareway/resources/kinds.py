"""The kinds of object we watch or own: where each lives in the API, and how its JSON becomes a model object.

One ``Kind[T]`` for one resource: paths, the decoding of a page of a list and of a line of a watch. An object
that cannot be read is a ``Reading`` with Problems, so that one bad object never hides 499 good ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.json import Decoder

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap, Lease, Namespace, ObjectReference, Secret
from bareway.model.problems import Problem
from bareway.model.services import Service
from bareway.resources.endpoints import WireEndpointSlice, read_endpoint_slice
from bareway.resources.fields import WireObject
from bareway.resources.nodes import WireNode, read_node
from bareway.resources.objects import (
    WireConfigMap,
    WireLease,
    WireSecret,
    read_config_map,
    read_lease,
    read_namespace,
    read_secret,
)
from bareway.resources.pods import WirePod, read_pod
from bareway.resources.services import WireService, read_service

if TYPE_CHECKING:
    from bareway.model.cluster import PodState

T = TypeVar("T")
S = TypeVar("S", bound=WireObject)


class Unreadable(ValueError):
    """What came is not what the Kubernetes API promises at this place; the connection cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One object as read: the model object, or all that is wrong with it."""

    key: ObjectKey
    resource_version: str
    content: T | tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``readings`` are made while you walk them, so that it can be done in steps."""

    readings: Iterator[Reading[T]]
    resource_version: str
    continue_token: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The object is gone."""

    key: ObjectKey
    resource_version: str


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Nothing changed up to here."""

    resource_version: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The API ends the watch; status 410 means that it must begin anew with a list."""

    status: int
    reason: str
    message: str


WatchEvent: TypeAlias = Reading[T] | Deleted | Bookmark | Failed
"""A Reading says that the object was added or modified: what was there before is the store's to know."""


class _ListMetadata(Struct, frozen=True, gc=False, rename="camel"):
    resource_version: str | None = None
    continue_token: str | None = msgspec.field(name="continue", default=None)


class _List(Struct, frozen=True, gc=False):
    metadata: _ListMetadata
    items: list[Raw] | None = None


class _Line(Struct, frozen=True, gc=False):
    type: str
    object: Raw


class _Status(Struct, frozen=True, gc=False):
    code: int = 0
    reason: str = ""
    message: str = ""


_LIST = Decoder(_List)
_LINE = Decoder(_Line)
_STATUS = Decoder(_Status)
_ANY_OBJECT = Decoder(WireObject)


class Kind(Generic[T]):
    """One resource of the API, and the model type that its objects become."""

    def __init__(
        self,
        name: str,
        plural: str,
        wire: type[S],
        read: Callable[[S], T | list[Problem]],
        *,
        group: str = "",
        version: str = "v1",
        namespaced: bool = True,
        page_size: int = 500,
    ) -> None:
        self.name = name
        """As in the field ``kind`` of its objects."""
        self.plural = plural
        self.group = group
        self.version = version
        self.namespaced = namespaced
        self.page_size = page_size
        """Objects asked for in one page: about 1 MB, decoded in a few milliseconds."""
        self._read_object = _reader(Decoder(wire), read)
        self._read_plain = _loose_reader(wire, read)

    @property
    def api_version(self) -> str:
        """As in the field ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The path of the collection (in all namespaces with None), of one object, or of its part."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)

    def object_path(self, key: ObjectKey, subresource: str = "") -> str:
        """The path of one object, or of a part of it such as ``status``."""
        return self.path(key.namespace, key.name, subresource)

    def reference(self, key: ObjectKey, uid: str = "") -> ObjectReference:
        """How an Event names one object."""
        return ObjectReference(kind=self.name, key=key, uid=uid, api_version=self.api_version)

    def read(self, body: bytes | Raw) -> Reading[T]:
        """One object, as a GET or the answer to a write carries it.

        Raises:
            Unreadable: it is no object with a name at all.
        """
        return self._read_object(body)

    def read_loosely(self, value: object) -> Reading[T]:
        """One object as lists, mappings and text, as a file holds it: text becomes what its field is.

        Raises:
            Unreadable: it is no object with a name at all.
        """
        return self._read_plain(value)

    def read_page(self, body: bytes) -> Page[T]:
        """One page of a list.

        Raises:
            Unreadable: it is no list.
        """
        try:
            page = _LIST.decode(body)
        except msgspec.MsgspecError as error:
            raise Unreadable(f"no list of {self.plural}: {error}") from error
        return Page(
            (self._read_object(item) for item in page.items or ()),
            page.metadata.resource_version or "",
            page.metadata.continue_token or "",
        )

    def read_event(self, line: bytes) -> WatchEvent[T]:
        """One line of a watch.

        Raises:
            Unreadable: it is no watch event, or of a type that the API does not have.
        """
        try:
            event = _LINE.decode(line)
            match event.type:
                case "ADDED" | "MODIFIED":
                    return self._read_object(event.object)
                case "DELETED":
                    gone = _ANY_OBJECT.decode(event.object)
                    return Deleted(gone.key, gone.resource_version)
                case "BOOKMARK":
                    return Bookmark(_ANY_OBJECT.decode(event.object).resource_version)
                case "ERROR":
                    status = _STATUS.decode(event.object)
                    return Failed(status.code, status.reason, status.message)
                case unknown:
                    raise Unreadable(f"a watch on {self.plural} has no events of type {unknown!r}")
        except msgspec.MsgspecError as error:
            raise Unreadable(f"no event of a watch on {self.plural}: {error}") from error


def _reader(
    decoder: Decoder[S], read: Callable[[S], T | list[Problem]]
) -> Callable[[bytes | Raw], Reading[T]]:
    def read_object(body: bytes | Raw) -> Reading[T]:
        try:
            wire = decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _unread(body, error)
        if not wire.metadata.name:
            raise Unreadable("an object without a name")
        found = read(wire)
        content = tuple(found) if isinstance(found, list) else found
        return Reading(wire.key, wire.resource_version, content)

    return read_object


def _loose_reader(wire: type[S], read: Callable[[S], T | list[Problem]]) -> Callable[[object], Reading[T]]:
    def read_plain(value: object) -> Reading[T]:
        try:
            found = msgspec.convert(value, wire, strict=False)
        except msgspec.MsgspecError as error:
            return _unread_plain(value, error)
        if not found.metadata.name:
            raise Unreadable("an object without a name")
        content = read(found)
        return Reading(
            found.key, found.resource_version, tuple(content) if isinstance(content, list) else content
        )

    return read_plain


def _unread_plain(value: object, error: msgspec.MsgspecError) -> Reading[T]:
    try:
        head = msgspec.convert(value, WireObject, strict=False)
    except msgspec.MsgspecError:
        raise Unreadable(f"an object without a name: {error}") from error
    return Reading(head.key, head.resource_version, (_problem(error),))


def _unread(body: bytes | Raw, error: msgspec.MsgspecError) -> Reading[T]:
    try:
        head = _ANY_OBJECT.decode(body)
    except msgspec.MsgspecError:
        raise Unreadable(f"an object without a name: {error}") from error
    return Reading(head.key, head.resource_version, (_problem(error),))


def _problem(error: msgspec.MsgspecError) -> Problem:
    """Msgspec says "Expected `str`, got `int` - at `$.spec.type`"; we keep path and sentence apart."""
    message, _, place = str(error).partition(" - at `$")
    return Problem(path=place.strip("`").lstrip("."), message=message)


SERVICES: Kind[Service] = Kind("Service", "services", WireService, read_service)
NODES: Kind[Node] = Kind("Node", "nodes", WireNode, read_node, namespaced=False, page_size=100)
NAMESPACES: Kind[Namespace] = Kind("Namespace", "namespaces", WireObject, read_namespace, namespaced=False)
CONFIG_MAPS: Kind[ConfigMap] = Kind("ConfigMap", "configmaps", WireConfigMap, read_config_map, page_size=20)
SECRETS: Kind[Secret] = Kind("Secret", "secrets", WireSecret, read_secret, page_size=20)
ENDPOINT_SLICES: Kind[EndpointSlice] = Kind(
    "EndpointSlice",
    "endpointslices",
    WireEndpointSlice,
    read_endpoint_slice,
    group="discovery.k8s.io",
    page_size=100,
)
LEASES: Kind[Lease] = Kind("Lease", "leases", WireLease, read_lease, group="coordination.k8s.io")
PODS: Kind["PodState"] = Kind("Pod", "pods", WirePod, read_pod, page_size=100)
