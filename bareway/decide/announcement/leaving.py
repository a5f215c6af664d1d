"""Why a node shall hand over what it announces, by its own Node object; each mark has its word.

A node that leaves goes on serving until another has taken over, and is never without use: alone, it announces
all the same.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bareway.model.configuration import OnCordon
from bareway.model.nodes import Node


class LeavingReason(StrEnum):
    """Why a speaker lets others take over."""

    STOPPING = "Stopping"
    """It was told to end (SIGTERM)."""
    DRAINED = "Drained"
    """The operator's mark, ``bareway drain``."""
    OUT_OF_SERVICE = "OutOfService"
    """An operator says that the machine is off."""
    TO_BE_DELETED = "ToBeDeleted"
    """The cluster's autoscaler is about to take it away."""
    NODE_SHUTDOWN = "NodeShutdown"
    """The kubelet ends all Pods because the machine goes off, or the cloud's controller saw it off."""
    CORDONED = "Cordoned"
    """With ``on-cordon: move``."""


TAINTS: Final[Mapping[str, LeavingReason]] = {
    "node.kubernetes.io/out-of-service": LeavingReason.OUT_OF_SERVICE,
    "ToBeDeletedByClusterAutoscaler": LeavingReason.TO_BE_DELETED,
    "node.cloudprovider.kubernetes.io/shutdown": LeavingReason.NODE_SHUTDOWN,
}
"""Each of ``DRAIN_TAINTS``."""


def leaving_reason(me: Node | None, on_cordon: OnCordon) -> LeavingReason | None:
    """Why the node shall hand over, the operator's word first; None = it need not, or is not known."""
    if me is None:
        return None
    if me.drain is not None:
        return LeavingReason.DRAINED
    if me.is_shutting_down:
        return LeavingReason.NODE_SHUTDOWN
    by_taint = next((reason for taint, reason in TAINTS.items() if taint in me.taints), None)
    if by_taint is None and me.unschedulable and on_cordon is OnCordon.MOVE:
        return LeavingReason.CORDONED
    return by_taint
