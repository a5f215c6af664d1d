"""What every Kubernetes object has, and how one field becomes a value or a Problem with its path.

Wire structs are named after the API's fields, hold only those we use and tolerate null and unknown fields;
``WireObject`` is their base. They live for a moment: ``read`` turns each into a type of ``bareway.model``.
"""

import sys
from collections.abc import Iterable, Mapping

from msgspec import Struct

from bareway.model.addresses import to_address
from bareway.model.names import IPAddress, ObjectKey
from bareway.model.problems import Problem
from bareway.model.services import ANNOTATION_PREFIXES

NOTHING: Mapping[str, str] = {}
"""Shared by all objects without labels or annotations; 5,000 empty dicts would be 320 kB."""


class Metadata(Struct, frozen=True, gc=False, rename="camel"):
    """ObjectMeta (meta/v1), without what only others need: managedFields is its greater half."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class WireObject(Struct, frozen=True, gc=False, rename="camel"):
    """Any object, as far as its name."""

    metadata: Metadata

    @property
    def key(self) -> ObjectKey:
        """Namespace and name; strings shared between all objects that have them."""
        return ObjectKey(sys.intern(self.metadata.namespace or ""), sys.intern(self.metadata.name))

    @property
    def uid(self) -> str:
        """metadata.uid, or empty."""
        return self.metadata.uid or ""

    @property
    def resource_version(self) -> str:
        """metadata.resourceVersion, or empty."""
        return self.metadata.resource_version or ""


def read_address(text: str, path: str, problems: list[Problem]) -> IPAddress | None:
    """The address written in ``text``, or None and one more Problem."""
    try:
        return to_address(text)
    except ValueError:
        problems.append(Problem(path=path, message=f'"{text}" is not an IP address'))
        return None


def interned(labels: Mapping[str, str] | None) -> Mapping[str, str]:
    """The same labels, their strings shared between objects: nodes and namespaces repeat them."""
    if not labels:
        return NOTHING
    return {sys.intern(key): sys.intern(value) for key, value in labels.items()}


SHARED_MAX = 63  # characters; names of pools are shared by many objects, longer texts by few


def _shared(value: str) -> str:
    return sys.intern(value) if len(value) <= SHARED_MAX else value


def our_annotations(metadata: Metadata) -> Mapping[str, str]:
    """The annotations under one of our prefixes; the others may be large and are nobody's business here."""
    pairs: Iterable[tuple[str, str]] = (metadata.annotations or NOTHING).items()
    ours = {sys.intern(key): _shared(value) for key, value in pairs if key.startswith(ANNOTATION_PREFIXES)}
    return ours or NOTHING
