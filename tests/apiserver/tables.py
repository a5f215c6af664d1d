"""Server-side tables: what ``kubectl get`` prints, column by column.

Follows k8s.io/kubernetes ``pkg/printers/internalversion/printers.go``. Every row carries the metadata of
its object only, unless the client asks for more, since kubectl needs no more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apiserver.ages import age
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
from apiserver.store import JsonObject

SHOWN_MAX: Final = 3  # endpoints and ports of a slice; the rest is counted

TABLE_API_VERSION: Final = "meta.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a row is made of: the object and the moment its age is counted to."""

    object: JsonObject
    now: datetime

    def age(self, *path: str) -> str:
        """The age of a timestamp in the object."""
        return age(self.at(*path), self.now)

    def at(self, *path: str) -> Any:
        """A value in the object, or None."""
        value: Any = self.object
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column and how to fill it; columns of priority 1 are shown by ``-o wide``."""

    title: str
    cell: Callable[[Row], Any]
    type: str = "string"
    priority: int = 0


def table(
    kind: Kind, objects: Sequence[JsonObject], *, now: datetime, include: str, metadata: JsonObject
) -> JsonObject:
    """A Table of these objects; ``include`` is None, Metadata or Object."""
    columns = COLUMNS[kind]
    return {
        "kind": "Table",
        "apiVersion": TABLE_API_VERSION,
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": column.title,
                "type": column.type,
                "format": "name" if column.title == "Name" else "",
                "description": "",
                "priority": column.priority,
            }
            for column in columns
        ],
        "rows": [
            {
                "cells": [column.cell(Row(object=value, now=now)) for column in columns],
                "object": _carried(value, include),
            }
            for value in objects
        ],
    }


def _carried(value: JsonObject, include: str) -> JsonObject | None:
    if include == "None":
        return None
    if include == "Object":
        return value
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": TABLE_API_VERSION,
        "metadata": value["metadata"],
    }


def _external_addresses(row: Row) -> str:
    service_type = row.at("spec", "type")
    if service_type == "ExternalName":
        return str(row.at("spec", "externalName"))
    own = row.at("spec", "externalIPs") or []
    if service_type != "LoadBalancer":
        return ",".join(own) or "<none>"
    entries = row.at("status", "loadBalancer", "ingress") or []
    shown = {entry.get("ip") or entry.get("hostname") for entry in entries}
    return ",".join([*sorted(filter(None, shown)), *own]) or "<pending>"


def _service_ports(row: Row) -> str:
    shown = [
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in row.at("spec", "ports") or []
    ]
    return ",".join(shown) or "<none>"


def _labels(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def _node_status(row: Row) -> str:
    conditions = {entry.get("type"): entry.get("status") for entry in row.at("status", "conditions") or []}
    ready = conditions.get("Ready")
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    return ",".join(words + ["SchedulingDisabled"] * bool(row.at("spec", "unschedulable")))


def _node_roles(row: Row) -> str:
    labels = row.at("metadata", "labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix)} - {""}
    roles |= {value for key, value in labels.items() if key == "kubernetes.io/role" and value}
    return ",".join(sorted(roles)) or "<none>"


def _node_address(word: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        entries = row.at("status", "addresses") or []
        return next((entry["address"] for entry in entries if entry.get("type") == word), "<none>")

    return cell


def _node_fact(name: str) -> Callable[[Row], str]:
    return lambda row: row.at("status", "nodeInfo", name) or "<unknown>"


def _kernel(row: Row) -> str:
    architecture = row.at("status", "nodeInfo", "architecture")
    return _node_fact("kernelVersion")(row) + (f" ({architecture})" if architecture else "")


def _some(items: Sequence[str]) -> str:
    text = ",".join(items[:SHOWN_MAX]) or "<unset>"
    return f"{text} + {len(items) - SHOWN_MAX} more..." if len(items) > SHOWN_MAX else text


def _slice_ports(row: Row) -> str:
    return _some([str(port.get("port") or port.get("name") or "*") for port in row.at("ports") or []])


def _slice_endpoints(row: Row) -> str:
    entries = row.at("endpoints") or []
    return _some([address for entry in entries for address in entry.get("addresses", [])])


def _event_object(row: Row) -> str:
    kind, name = row.at("involvedObject", "kind") or "", row.at("involvedObject", "name")
    return f"{kind.lower()}/{name}" if name else kind.lower()


def _event_source(row: Row) -> str:
    component = row.at("source", "component") or row.at("reportingComponent") or ""
    host = row.at("source", "host") or row.at("reportingInstance")
    return f"{component}, {host}" if host else component


def _event_first(row: Row) -> str:
    return row.age("firstTimestamp") if row.at("firstTimestamp") else row.age("eventTime")


def _event_last(row: Row) -> str:
    return row.age("lastTimestamp") if row.at("lastTimestamp") else _event_first(row)


def _field(*path: str) -> Callable[[Row], Any]:
    return lambda row: row.at(*path) or ""


def _count(*names: str) -> Callable[[Row], int]:
    return lambda row: sum(len(row.at(name) or {}) for name in names)


NAME: Final = Column(title="Name", cell=_field("metadata", "name"))
AGE: Final = Column(title="Age", cell=lambda row: row.age("metadata", "creationTimestamp"))

COLUMNS: Final[Mapping[Kind, Sequence[Column]]] = {
    SERVICES: (
        NAME,
        Column(title="Type", cell=_field("spec", "type")),
        Column(title="Cluster-IP", cell=lambda row: (row.at("spec", "clusterIPs") or ["<none>"])[0]),
        Column(title="External-IP", cell=_external_addresses),
        Column(title="Port(s)", cell=_service_ports),
        AGE,
        Column(title="Selector", cell=lambda row: _labels(row.at("spec", "selector")), priority=1),
    ),
    NODES: (
        NAME,
        Column(title="Status", cell=_node_status),
        Column(title="Roles", cell=_node_roles),
        AGE,
        Column(title="Version", cell=_field("status", "nodeInfo", "kubeletVersion")),
        Column(title="Internal-IP", cell=_node_address("InternalIP"), priority=1),
        Column(title="External-IP", cell=_node_address("ExternalIP"), priority=1),
        Column(title="OS-Image", cell=_node_fact("osImage"), priority=1),
        Column(title="Kernel-Version", cell=_kernel, priority=1),
        Column(title="Container-Runtime", cell=_node_fact("containerRuntimeVersion"), priority=1),
    ),
    NAMESPACES: (NAME, Column(title="Status", cell=_field("status", "phase")), AGE),
    CONFIG_MAPS: (NAME, Column(title="Data", cell=_count("data", "binaryData")), AGE),
    SECRETS: (
        NAME,
        Column(title="Type", cell=_field("type")),
        Column(title="Data", cell=_count("data")),
        AGE,
    ),
    ENDPOINT_SLICES: (
        NAME,
        Column(title="AddressType", cell=_field("addressType")),
        Column(title="Ports", cell=_slice_ports),
        Column(title="Endpoints", cell=_slice_endpoints),
        AGE,
    ),
    LEASES: (NAME, Column(title="Holder", cell=_field("spec", "holderIdentity")), AGE),
    EVENTS: (
        Column(title="Last Seen", cell=_event_last),
        Column(title="Type", cell=_field("type")),
        Column(title="Reason", cell=_field("reason")),
        Column(title="Object", cell=_event_object),
        Column(title="Subobject", cell=_field("involvedObject", "fieldPath"), priority=1),
        Column(title="Source", cell=_event_source, priority=1),
        Column(title="Message", cell=lambda row: (row.at("message") or "").strip()),
        Column(title="First Seen", cell=_event_first, priority=1),
        Column(title="Count", cell=lambda row: row.at("count") or 1, priority=1),
        Column(title="Name", cell=_field("metadata", "name"), priority=1),
    ),
}
