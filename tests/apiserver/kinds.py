"""The kinds that the embedded API server serves: their names and the fields that a selector may name."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, as discovery describes it."""

    group: str = ""
    version: str = "v1"
    plural: str
    name: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    unconditional_update: bool = True
    """Whether a PUT without resourceVersion overwrites whatever is there."""
    counts_generations: bool = False
    """Whether metadata.generation grows with each change of anything but annotations."""
    selectable: tuple[str, ...] = ()
    """Fields that a fieldSelector may name besides metadata.name and metadata.namespace."""

    @property
    def api_version(self) -> str:
        """What stands in apiVersion of the objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The plural with its group, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_name(self) -> str:
        """The kind with its group, as messages name it."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def fields(self) -> frozenset[str]:
        """Every field that a fieldSelector may name."""
        own = {"metadata.name", *self.selectable}
        return frozenset(own | {"metadata.namespace"} if self.namespaced else own)


SERVICES: Final = Kind(
    plural="services",
    name="Service",
    short_names=("svc",),
    categories=("all",),
    has_status=True,
    selectable=("spec.clusterIP", "spec.type"),
)
NODES: Final = Kind(
    plural="nodes",
    name="Node",
    namespaced=False,
    short_names=("no",),
    has_status=True,
    selectable=("spec.unschedulable",),
)
NAMESPACES: Final = Kind(
    plural="namespaces",
    name="Namespace",
    namespaced=False,
    short_names=("ns",),
    has_status=True,
    selectable=("status.phase",),
)
CONFIG_MAPS: Final = Kind(plural="configmaps", name="ConfigMap", short_names=("cm",))
SECRETS: Final = Kind(plural="secrets", name="Secret", selectable=("type",))
EVENTS: Final = Kind(
    plural="events",
    name="Event",
    short_names=("ev",),
    selectable=(
        "involvedObject.apiVersion",
        "involvedObject.fieldPath",
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.namespace",
        "involvedObject.resourceVersion",
        "involvedObject.uid",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
)
ENDPOINT_SLICES: Final = Kind(
    group="discovery.k8s.io", plural="endpointslices", name="EndpointSlice", counts_generations=True
)
LEASES: Final = Kind(group="coordination.k8s.io", plural="leases", name="Lease", unconditional_update=False)

KINDS: Final = (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICES,
    ENDPOINT_SLICES,
    LEASES,
)

BY_PATH: Final = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
GROUP_VERSIONS: Final = tuple(dict.fromkeys((kind.group, kind.version) for kind in KINDS))
