"""The small Kubernetes objects that carry settings, keys and leadership, as far as we read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.names import ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMap:
    """A ConfigMap at one resourceVersion."""

    key: ObjectKey
    uid: str = ""
    resource_version: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Only keys that begin with one of ANNOTATION_PREFIXES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A Secret at one resourceVersion; never printed with its content."""

    key: ObjectKey
    uid: str = ""
    resource_version: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Decoded from base64 once, at the border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A Namespace and the labels that selectors match."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease at one resourceVersion (coordination.k8s.io/v1); times as text, for people only."""

    key: ObjectKey
    resource_version: str = ""
    holder: str = ""
    """spec.holderIdentity; empty when nobody holds it."""
    duration_s: int = 0
    renewed_at: str = ""
    transitions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference:
    """Which object an Event is about (core/v1 ObjectReference)."""

    kind: str
    key: ObjectKey
    uid: str = ""
    api_version: str = "v1"
