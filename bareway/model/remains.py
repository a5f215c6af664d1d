"""What there still is of Bareway in a cluster, as far as somebody who asked could find out."""

from dataclasses import dataclass

from bareway.model.addresses import AddressRange
from bareway.model.cluster import PodState, Unknown
from bareway.model.names import ObjectKey
from bareway.model.nodes import Node
from bareway.model.services import Service
from bareway.model.surroundings import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """An object that carries our label."""

    kind: str
    key: ObjectKey
    is_going: bool = False
    """It is being deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """All of it; empty means "there is none" only where ``unknown`` does not say otherwise."""

    namespace: str = "bareway-system"
    """Where the programs are, or were."""
    services: tuple[Service, ...] = ()
    """All of the cluster."""
    nodes: tuple[Node, ...] = ()
    """All of the cluster."""
    marked: tuple[tuple[ObjectKey, str], ...] = ()
    """ConfigMaps outside of our namespace, each with a mark of the operator that it carries."""
    workloads: tuple[Workload, ...] = ()
    """Our Deployment and our DaemonSet."""
    elsewhere: tuple[Workload, ...] = ()
    """Such that run something in another namespace: a Bareway that nobody asked to go."""
    pools: tuple[AddressRange, ...] = ()
    """Of the configuration in force; empty where there is none any more."""
    pods: tuple[PodState, ...] = ()
    """Ours."""
    own_namespace: Trace | None = None
    """The Namespace, if it exists and was made by our manifests."""
    traces: tuple[Trace, ...] = ()
    """Everything else with our label."""
    foreign_classes: frozenset[str | None] | None = frozenset()
    """Classes of Services that another load balancer serves now; None: nobody knows whether there is one."""
    unknown: tuple[Unknown, ...] = ()
