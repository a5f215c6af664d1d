"""Which addresses on which nodes serve a Service now (EndpointSlice, discovery.k8s.io/v1)."""

from dataclasses import dataclass

from bareway.model.names import IPAddress, NodeName, ObjectKey, ServiceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One backend of a slice."""

    addresses: tuple[IPAddress, ...]
    node: NodeName | None
    can_serve: bool
    """ready is true or absent, or serving is true: a Pod that terminates but serves counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSlice:
    """One slice; a Service may have many."""

    key: ObjectKey
    service: ServiceKey | None
    """From the label kubernetes.io/service-name; None without it."""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[tuple[str, str, int], ...] = ()
    """(name, protocol, number) of each port behind the Service."""
