"""Which fields the served kinds have, of which type, and by which key their lists merge.

One description serves three readers: ``admission.py`` refuses wrong types and drops or refuses unknown
fields, ``patches.py`` merges lists as a strategic merge patch does, ``discovery.py`` tells kubectl what
exists. Fields that nobody here writes (managedFields, the volumes of a Node) are known but not looked into.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from apiserver.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICES,
    Kind,
)


class Leaf(Enum):
    """A value without fields of its own; the value of the member is the word in an error message."""

    TEXT = "string"
    NUMBER = "number"
    FLAG = "bool"
    TEXT_OR_NUMBER = "intstr.IntOrString"
    TIME = "v1.Time"
    """RFC 3339."""
    MICRO_TIME = "v1.MicroTime"
    """RFC 3339 with at least six digits of the second's fraction, or the real server refuses it."""
    BASE64 = "[]uint8"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """An object whose keys are free."""

    value: "Field"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list; with ``merge_key`` its items are told apart by that field, with ``is_set`` by their value."""

    item: "Field"
    merge_key: str = ""
    is_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Struct:
    """An object with known fields."""

    name: str
    fields: Mapping[str, "Field"]


Field: TypeAlias = Leaf | MapOf | ListOf | Struct


def _texts(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.TEXT)


def _times(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.TIME)


def _micro_times(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.MICRO_TIME)


def _flags(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.FLAG)


def _numbers(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.NUMBER)


def _anything(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Leaf.ANY)


TEXT_MAP: Final = MapOf(value=Leaf.TEXT)
BASE64_MAP: Final = MapOf(value=Leaf.BASE64)
TEXT_LIST: Final = ListOf(item=Leaf.TEXT)

OWNER = Struct(
    name="OwnerReference",
    fields=_texts("apiVersion", "kind", "name", "uid") | _flags("controller", "blockOwnerDeletion"),
)
METADATA = Struct(
    name="ObjectMeta",
    fields=_texts("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion")
    | _times("creationTimestamp", "deletionTimestamp")
    | _numbers("generation", "deletionGracePeriodSeconds")
    | _anything("managedFields")
    | {
        "labels": TEXT_MAP,
        "annotations": TEXT_MAP,
        "ownerReferences": ListOf(item=OWNER, merge_key="uid"),
        "finalizers": ListOf(item=Leaf.TEXT, is_set=True),
    },
)
CONDITION = Struct(
    name="Condition",
    fields=_texts("type", "status", "reason", "message")
    | _times("lastTransitionTime", "lastHeartbeatTime")
    | _numbers("observedGeneration"),
)
CONDITIONS = ListOf(item=CONDITION, merge_key="type")
REFERENCE = Struct(
    name="ObjectReference",
    fields=_texts("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"),
)

SERVICE_PORT = Struct(
    name="ServicePort",
    fields=_texts("name", "protocol", "appProtocol")
    | _numbers("port", "nodePort")
    | {"targetPort": Leaf.TEXT_OR_NUMBER},
)
INGRESS = Struct(
    name="LoadBalancerIngress",
    fields=_texts("ip", "hostname", "ipMode")
    | {
        "ports": ListOf(item=Struct(name="PortStatus", fields=_texts("protocol", "error") | _numbers("port")))
    },
)
SERVICE_SPEC = Struct(
    name="ServiceSpec",
    fields=_texts("clusterIP", "type", "sessionAffinity", "loadBalancerIP", "externalName")
    | _texts("externalTrafficPolicy", "internalTrafficPolicy", "ipFamilyPolicy", "loadBalancerClass")
    | _texts("trafficDistribution")
    | _numbers("healthCheckNodePort")
    | _flags("publishNotReadyAddresses", "allocateLoadBalancerNodePorts")
    | _anything("sessionAffinityConfig")
    | {
        "ports": ListOf(item=SERVICE_PORT, merge_key="port"),
        "selector": TEXT_MAP,
        "clusterIPs": TEXT_LIST,
        "externalIPs": TEXT_LIST,
        "loadBalancerSourceRanges": TEXT_LIST,
        "ipFamilies": TEXT_LIST,
    },
)
SERVICE_STATUS = Struct(
    name="ServiceStatus",
    fields={
        "loadBalancer": Struct(name="LoadBalancerStatus", fields={"ingress": ListOf(item=INGRESS)}),
        "conditions": CONDITIONS,
    },
)

TAINT = Struct(name="Taint", fields=_texts("key", "value", "effect") | _times("timeAdded"))
NODE_SPEC = Struct(
    name="NodeSpec",
    fields=_texts("podCIDR", "providerID", "externalID")
    | _flags("unschedulable")
    | _anything("configSource")
    | {
        "podCIDRs": ListOf(item=Leaf.TEXT, is_set=True),
        "taints": ListOf(item=TAINT, merge_key="key"),
    },
)
NODE_ADDRESS = Struct(name="NodeAddress", fields=_texts("type", "address"))
NODE_INFO = Struct(
    name="NodeSystemInfo",
    fields=_texts("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "kubeletVersion")
    | _texts("containerRuntimeVersion", "kubeProxyVersion", "operatingSystem", "architecture")
    | _anything("swap"),
)
NODE_STATUS = Struct(
    name="NodeStatus",
    fields=_texts("phase")
    | _anything("capacity", "allocatable", "daemonEndpoints", "images", "volumesInUse", "volumesAttached")
    | _anything("config", "runtimeHandlers", "features", "declaredFeatures")
    | {
        "conditions": CONDITIONS,
        "addresses": ListOf(item=NODE_ADDRESS, merge_key="type"),
        "nodeInfo": NODE_INFO,
    },
)

ENDPOINT = Struct(
    name="Endpoint",
    fields=_texts("hostname", "nodeName", "zone")
    | _anything("hints")
    | {
        "addresses": TEXT_LIST,
        "conditions": Struct(name="EndpointConditions", fields=_flags("ready", "serving", "terminating")),
        "targetRef": REFERENCE,
        "deprecatedTopology": TEXT_MAP,
    },
)
ENDPOINT_PORT = Struct(
    name="EndpointPort", fields=_texts("name", "protocol", "appProtocol") | _numbers("port")
)

LEASE_SPEC = Struct(
    name="LeaseSpec",
    fields=_texts("holderIdentity", "strategy", "preferredHolder")
    | _micro_times("acquireTime", "renewTime")
    | _numbers("leaseDurationSeconds", "leaseTransitions"),
)


def _object(kind: Kind, fields: dict[str, Field]) -> Struct:
    return Struct(name=kind.name, fields=_texts("apiVersion", "kind") | {"metadata": METADATA} | fields)


SCHEMAS: Final[Mapping[Kind, Struct]] = {
    SERVICES: _object(SERVICES, {"spec": SERVICE_SPEC, "status": SERVICE_STATUS}),
    NODES: _object(NODES, {"spec": NODE_SPEC, "status": NODE_STATUS}),
    NAMESPACES: _object(
        NAMESPACES,
        {
            "spec": Struct(name="NamespaceSpec", fields={"finalizers": TEXT_LIST}),
            "status": Struct(name="NamespaceStatus", fields=_texts("phase") | {"conditions": CONDITIONS}),
        },
    ),
    CONFIG_MAPS: _object(CONFIG_MAPS, {"data": TEXT_MAP, "binaryData": BASE64_MAP, "immutable": Leaf.FLAG}),
    SECRETS: _object(
        SECRETS,
        {"data": BASE64_MAP, "stringData": TEXT_MAP, "type": Leaf.TEXT, "immutable": Leaf.FLAG},
    ),
    EVENTS: _object(
        EVENTS,
        _texts("reason", "message", "type", "action", "reportingComponent", "reportingInstance")
        | _times("firstTimestamp", "lastTimestamp")
        | _micro_times("eventTime")
        | _numbers("count")
        | _anything("series")
        | {
            "involvedObject": REFERENCE,
            "related": REFERENCE,
            "source": Struct(name="EventSource", fields=_texts("component", "host")),
        },
    ),
    ENDPOINT_SLICES: _object(
        ENDPOINT_SLICES,
        {
            "addressType": Leaf.TEXT,
            "endpoints": ListOf(item=ENDPOINT),
            "ports": ListOf(item=ENDPOINT_PORT),
        },
    ),
    LEASES: _object(LEASES, {"spec": LEASE_SPEC}),
}
