"""Objects of many kinds, known by our label: only who they are, and whether they are on their way out."""

from typing import Final

from msgspec import Struct

from bareway.model.names import ObjectKey
from bareway.model.remains import Trace
from bareway.resources.fields import WireObject
from bareway.resources.kinds import Kind

SELECTOR: Final = "app=bareway"
"""On all that our manifests and programs create."""


class _Metadata(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    namespace: str | None = None
    resource_version: str | None = None
    deletion_timestamp: str | None = None


class WireTrace(WireObject, frozen=True, gc=False):
    """Any object, without its content: a Secret's is not even read."""

    metadata: _Metadata  # type: ignore[assignment]  # the same fields, fewer and one more

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace or "", self.metadata.name)


def _kind(name: str, plural: str, group: str = "", *, namespaced: bool = True) -> Kind[Trace]:
    def read(wire: WireTrace) -> Trace:
        is_going = wire.metadata.deletion_timestamp is not None
        return Trace(kind=name, key=wire.key, is_going=is_going)

    return Kind(name, plural, WireTrace, read, group=group, namespaced=namespaced)


RBAC: Final = "rbac.authorization.k8s.io"
MONITORING: Final = "monitoring.coreos.com"
NAMESPACES: Final = _kind("Namespace", "namespaces", namespaced=False)
EVERYWHERE: Final = (
    _kind("ClusterRole", "clusterroles", RBAC, namespaced=False),
    _kind("ClusterRoleBinding", "clusterrolebindings", RBAC, namespaced=False),
    _kind("Role", "roles", RBAC),
    _kind("RoleBinding", "rolebindings", RBAC),
)
"""Kinds of which objects may be outside of our namespace."""
WITHIN: Final = (
    _kind("ConfigMap", "configmaps"),
    _kind("Secret", "secrets"),
    _kind("ServiceAccount", "serviceaccounts"),
    _kind("Lease", "leases", "coordination.k8s.io"),
    _kind("NetworkPolicy", "networkpolicies", "networking.k8s.io"),
    _kind("PodDisruptionBudget", "poddisruptionbudgets", "policy"),
    _kind("PodMonitor", "podmonitors", MONITORING),
    _kind("PrometheusRule", "prometheusrules", MONITORING),
)
"""Kinds of which objects are in our namespace alone; the last two need CRDs, and are absent without."""
