"""A Node as far as it decides who may announce."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bareway.model.names import IPAddress, NodeName

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
DRAIN_ANNOTATION: Final = "bareway.io/drain"
"""The operator's mark; its value is the reason, for people."""
DRAIN_TAINTS: Final = frozenset(
    {
        "node.kubernetes.io/out-of-service",  # the operator says that the machine is off
        "ToBeDeletedByClusterAutoscaler",  # the autoscaler is about to take it away
        "node.cloudprovider.kubernetes.io/shutdown",  # the cloud's controller saw it off
    }
)
"""Taints that say that a node goes or is gone, whatever their effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node at one moment."""

    name: NodeName
    labels: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[IPAddress, ...] = ()
    """status.addresses of type InternalIP."""
    network_unavailable: bool = False
    """Condition NetworkUnavailable is True."""
    drain: str | None = None
    """The reason in the annotation bareway.io/drain; may be empty. None: no such annotation."""
    taints: tuple[str, ...] = ()
    """Keys of spec.taints, each once, sorted."""
    unschedulable: bool = False
    """Cordoned (spec.unschedulable)."""
    is_ready: bool = True
    """Its kubelet says so (condition Ready), or nobody says anything; False where it is not heard of, too."""
    is_shutting_down: bool = False
    """Its kubelet ends all Pods, because the machine is about to go off (graceful node shutdown)."""

    @property
    def is_draining(self) -> bool:
        """Whether it shall announce nothing that another node can announce (cordon alone does not say so)."""
        is_marked = self.drain is not None or not DRAIN_TAINTS.isdisjoint(self.taints)
        return is_marked or self.is_shutting_down
