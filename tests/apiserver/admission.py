"""What happens to an object between its decoding and its storing: defaults, reset fields, rules of its kind.

The main endpoint never changes the status of a kind that has one, the status subresource never the spec;
metadata rides on both. Values are fresh from the decoder and may be changed here; what the store holds is
copied first.
"""

import base64
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from apiserver import metadata_rules, service_rules, services
from apiserver.allocations import Allocations
from apiserver.kinds import (
    ENDPOINT_SLICES,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    SECRETS,
    SERVICES,
    Kind,
)
from apiserver.refusals import Cause
from apiserver.store import JsonObject

NOT_READY: Final = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
NODE_FACTS: Final = (
    "architecture",
    "bootID",
    "containerRuntimeVersion",
    "kernelVersion",
    "kubeProxyVersion",
    "kubeletVersion",
    "machineID",
    "operatingSystem",
    "osImage",
    "systemUUID",
)


def prepare_new(kind: Kind, new: JsonObject, allocations: Allocations) -> None:
    """Make a new object what it is once stored, apart from its identity."""
    if kind is SERVICES:
        services.set_defaults(new)
        new["status"] = {"loadBalancer": {}}
        allocations.complete(new)
    _set_defaults(kind, new)
    if kind is NODES:
        # Admission plug-in TaintNodesByCondition: whoever finds the node ready takes it away.
        taints = new["spec"].setdefault("taints", [])
        if NOT_READY not in taints:
            taints.append(dict(NOT_READY))
    if kind is NAMESPACES:
        labels = new["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        new["spec"] = {"finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}


def prepare_changed(kind: Kind, new: JsonObject, old: JsonObject, allocations: Allocations) -> None:
    """Make what a client wrote to the main endpoint what is stored."""
    if kind.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = copy.deepcopy(old["status"])
    if kind is SERVICES:
        services.set_defaults(new)
        services.keep_what_was_given(new, old)
        services.drop_what_no_longer_applies(new, old)
        allocations.complete(new)
    if kind is NAMESPACES:
        new["spec"] = copy.deepcopy(old["spec"])
    _set_defaults(kind, new)


def prepare_status(kind: Kind, new: JsonObject, old: JsonObject) -> None:
    """Make what a client wrote to the status subresource what is stored."""
    if kind is SERVICES:
        # In this order, as the real server: a write that also says another type finds no defaults.
        services.set_status_defaults(new)
        new.setdefault("status", {}).setdefault("loadBalancer", {})
    new["spec"] = copy.deepcopy(old.get("spec", {}))
    _set_defaults(kind, new)


def _set_defaults(kind: Kind, new: JsonObject) -> None:
    set_defaults = _DEFAULTS.get(kind)
    if set_defaults is not None:
        set_defaults(new)


def _secret_defaults(new: JsonObject) -> None:
    new.setdefault("type", "Opaque")
    for key, text in new.pop("stringData", {}).items():
        new.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _slice_defaults(new: JsonObject) -> None:
    for endpoint in new.setdefault("endpoints", None) or []:
        endpoint.setdefault("conditions", {})
    for port in new.setdefault("ports", None) or []:
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _lease_defaults(new: JsonObject) -> None:
    new.setdefault("spec", {})


def _event_defaults(new: JsonObject) -> None:
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        new.setdefault(name, None)
    new.setdefault("source", {})
    new.setdefault("reportingComponent", "")
    new.setdefault("reportingInstance", "")


def _node_defaults(new: JsonObject) -> None:
    new.setdefault("spec", {})
    status = new.setdefault("status", {})
    status.setdefault("daemonEndpoints", {"kubeletEndpoint": {"Port": 0}})
    facts = status.setdefault("nodeInfo", {})
    for name in NODE_FACTS:
        facts.setdefault(name, "")
    for condition in status.get("conditions", []):
        condition.setdefault("lastHeartbeatTime", None)
        condition.setdefault("lastTransitionTime", None)


_DEFAULTS: Final[Mapping[Kind, Callable[[JsonObject], None]]] = {
    SECRETS: _secret_defaults,
    ENDPOINT_SLICES: _slice_defaults,
    LEASES: _lease_defaults,
    EVENTS: _event_defaults,
    NODES: _node_defaults,
}


def mistakes(
    kind: Kind, new: JsonObject, old: JsonObject | None, allocations: Allocations
) -> Iterator[Cause]:
    """The rules that an object written to the main endpoint breaks."""
    yield from metadata_rules.mistakes(kind, new, old)
    if kind is SERVICES:
        yield from service_rules.mistakes(new, old)
        yield from allocations.mistakes(new, old)
    if kind is ENDPOINT_SLICES:
        yield from _slice_mistakes(new, old)
    if kind is LEASES:
        yield from _lease_mistakes(new)
    if kind is EVENTS:
        yield from _event_mistakes(new)


def status_mistakes(kind: Kind, new: JsonObject) -> Iterator[Cause]:
    """The rules that an object written to its status subresource breaks."""
    if kind is SERVICES:
        yield from service_rules.status_mistakes(new)


def _slice_mistakes(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    address_type = new.get("addressType", "")
    if not address_type:
        yield Cause(path="addressType", message="Required value", word="FieldValueRequired")
    elif address_type not in {"IPv4", "IPv6", "FQDN"}:
        yield Cause(
            path="addressType",
            message=f'Unsupported value: "{address_type}": supported values: "FQDN", "IPv4", "IPv6"',
            word="FieldValueNotSupported",
        )
    if old is not None and old["addressType"] != address_type:
        yield Cause(path="addressType", message=f'Invalid value: "{address_type}": field is immutable')
    for index, endpoint in enumerate(new["endpoints"] or []):
        if not endpoint.get("addresses"):
            path = f"endpoints[{index}].addresses"
            yield Cause(
                path=path,
                message="Required value: must contain at least 1 address",
                word="FieldValueRequired",
            )


def _lease_mistakes(new: JsonObject) -> Iterator[Cause]:
    for name, least in (("leaseDurationSeconds", 1), ("leaseTransitions", 0)):
        value = new["spec"].get(name, least)
        if value < least:
            word = "must be greater than 0" if least else "must be greater than or equal to 0"
            yield Cause(path=f"spec.{name}", message=f"Invalid value: {value}: {word}")


def _event_mistakes(new: JsonObject) -> Iterator[Cause]:
    if new["eventTime"] is not None:  # an Event of the newer kind says more about its reporter
        for name in ("reportingComponent", "reportingInstance", "action"):
            if not new.get(name):
                yield Cause(path=name, message="Required value", word="FieldValueRequired")
    about = new.get("involvedObject", {}).get("namespace", "")
    own = new["metadata"].get("namespace", "")
    if own != (about or "default"):
        shown = f'"{about}"'
        yield Cause(
            path="involvedObject.namespace", message=f"Invalid value: {shown}: does not match event.namespace"
        )
