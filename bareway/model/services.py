"""A Service as far as a load balancer cares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bareway.model.names import IPAddress, ServiceKey

ANNOTATION_PREFIXES = ("bareway.io/", "metallb.io/", "metallb.universe.tf/")
"""Prefixes read, in this order: the first that is present wins, even if its value is empty."""

ALLOCATED_FROM_ANNOTATION = "ip-allocated-from-pool"
"""Written beside an address that was given: for tools, and so that it is found and taken away again."""


class TrafficPolicy(StrEnum):
    """Service field spec.externalTrafficPolicy."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class FamilyPolicy(StrEnum):
    """Service field spec.ipFamilyPolicy."""

    SINGLE_STACK = "SingleStack"
    PREFER_DUAL_STACK = "PreferDualStack"
    REQUIRE_DUAL_STACK = "RequireDualStack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One port of a Service, as clients see it and where it is answered (Service field spec.ports)."""

    name: str = ""
    protocol: str = "TCP"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A Service's condition ``bareway.io/AddressAssigned`` (meta/v1 Condition): what was told last."""

    is_true: bool
    reason: str
    message: str
    since: str = ""
    """lastTransitionTime as written: when ``is_true`` changed last."""
    generation: int = 0
    """observedGeneration; 0 where the API counts none for Services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service at one resourceVersion; addresses are parsed, annotations only those with our prefixes."""

    key: ServiceKey
    uid: str = ""
    resource_version: str = ""
    created_at: str = ""
    """metadata.creationTimestamp as written, RFC 3339 in UTC, so that text order is time order."""
    is_load_balancer: bool = True
    """spec.type is LoadBalancer."""
    load_balancer_class: str | None = None
    requested_address: str = ""
    """spec.loadBalancerIP as written; checked where it is used, so that the refusal can quote it."""
    cluster_addresses: tuple[IPAddress, ...] = ()
    """spec.clusterIPs without "None"; the first one's family is the Service's first."""
    family_policy: FamilyPolicy = FamilyPolicy.SINGLE_STACK
    selector: tuple[tuple[str, str], ...] = ()
    """spec.selector, sorted by key: which Pods serve it; two Services of policy Local share by it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """metadata.labels; pools select Services by them."""
    traffic_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    ports: tuple[Port, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Only keys that begin with one of ANNOTATION_PREFIXES."""
    ingress: tuple[IPAddress, ...] = ()
    """Addresses in status.loadBalancer.ingress, in their order."""
    ingress_extras: Mapping[IPAddress, str] = field(default_factory=dict)
    """What others wrote beside an address there (ipMode Proxy, ports), as JSON; kept when we write."""
    generation: int = 0
    """metadata.generation; 0 where the API counts none for Services."""
    condition: Condition | None = None
    """Ours in status.conditions."""
    other_conditions: tuple[str, ...] = ()
    """Those of others, each as JSON, in their order; kept when we write."""

    def annotation(self, name: str) -> str | None:
        """The value of ``name`` under the first of ANNOTATION_PREFIXES that has it."""
        if not self.annotations:  # most have none, and a cluster of 50,000 is asked for several of each
            return None
        keys = (prefix + name for prefix in ANNOTATION_PREFIXES)
        return next((self.annotations[key] for key in keys if key in self.annotations), None)


def is_ours(service: Service, load_balancer_class: str | None) -> bool:
    """Whether this Service asks *us* for an address (Service field spec.loadBalancerClass).

    ``load_balancer_class`` is the flag --lb-class. Neither set, or both equal: ours; anything else: not.
    """
    return service.is_load_balancer and service.load_balancer_class == (load_balancer_class or None)
