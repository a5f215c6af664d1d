"""What the API server refuses in a Service: of the many rules those that a load balancer and its users meet.

Follows k8s.io/kubernetes ``pkg/apis/core/validation``; an odd but harmless Service passes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

from apiserver.refusals import Cause
from apiserver.services import LOAD_BALANCER, TYPES, WITH_CLUSTER_IP, WITH_NODE_PORTS
from apiserver.store import JsonObject

PORT_MAX: Final = 65_535
POLICIES: Final = frozenset({"Cluster", "Local"})
IP_MODES: Final = frozenset({"VIP", "Proxy"})

_NOT_AN_ADDRESS: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def mistakes(service: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """The rules of a Service's spec that this one breaks."""
    spec = service["spec"]
    if spec["type"] not in TYPES:
        yield _unsupported("spec.type", spec["type"], TYPES)
    if not spec.get("ports") and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        yield Cause(path="spec.ports", message="Required value", word="FieldValueRequired")
    yield from _port_mistakes(spec.get("ports", []))
    yield from _address_mistakes(spec)
    yield from _policy_mistakes(spec)
    if spec["type"] != LOAD_BALANCER and "loadBalancerClass" in spec:
        yield Cause(
            path="spec.loadBalancerClass",
            message="Forbidden: may only be used when `type` is 'LoadBalancer'",
            word="FieldValueForbidden",
        )
    if old is not None:
        yield from _frozen_field_mistakes(spec, old["spec"])


def status_mistakes(service: JsonObject) -> Iterator[Cause]:
    """The rules of a Service's status that this one breaks."""
    entries = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    if entries and service["spec"]["type"] != LOAD_BALANCER:
        yield Cause(
            path="status.loadBalancer.ingress",
            message="Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
            word="FieldValueForbidden",
        )
        return
    for index, entry in enumerate(entries):
        yield from _ingress_mistakes(f"status.loadBalancer.ingress[{index}]", entry)


def _port_mistakes(ports: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        if not port.get("name") and len(ports) > 1:
            yield Cause(path=f"{path}.name", message="Required value", word="FieldValueRequired")
        for name in ("port", "targetPort"):
            number = port.get(name) or 0
            if isinstance(number, int) and not 1 <= number <= PORT_MAX:
                message = f"Invalid value: {number}: must be between 1 and {PORT_MAX}, inclusive"
                yield Cause(path=f"{path}.{name}", message=message)
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        pair = (port["protocol"], port.get("port", 0))
        if pair in seen:
            fields = {"Name": "", "Protocol": pair[0], "AppProtocol": None, "Port": pair[1]}
            shown = json.dumps(fields | {"TargetPort": 0, "NodePort": 0}, separators=(",", ":"))
            message = f"Duplicate value: {shown}"
            yield Cause(path=f"spec.ports[{index}]", message=message, word="FieldValueDuplicate")
        seen.add(pair)


def _address_mistakes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    path = "spec.clusterIPs[0]"
    address = spec.get("clusterIP", "")
    if address == "None" and spec["type"] in WITH_NODE_PORTS:
        why = f"may not be set to 'None' for {spec['type']} services"
        yield Cause(path=path, message=f'Invalid value: "None": {why}')
    elif address not in {"", "None"} and not _is_address(address):
        yield Cause(path=path, message=f'Invalid value: "{address}": {_NOT_AN_ADDRESS}')


def _policy_mistakes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    path, policy = "spec.externalTrafficPolicy", spec.get("externalTrafficPolicy")
    if policy is not None and spec["type"] not in WITH_NODE_PORTS and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        yield Cause(path=path, message=f'Invalid value: "{policy}": {why}')
    elif policy is not None and policy not in POLICIES:
        yield _unsupported(path, policy, POLICIES)


def _frozen_field_mistakes(spec: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Cause]:
    both_internal = {spec["type"], before["type"]} <= WITH_CLUSTER_IP
    if both_internal and spec.get("clusterIP", "") != before.get("clusterIP", ""):
        shown = json.dumps(spec.get("clusterIPs", []), separators=(",", ":"))
        yield Cause(path="spec.clusterIPs[0]", message=f"Invalid value: {shown}: may not change once set")
    both_balanced = spec["type"] == before["type"] == LOAD_BALANCER
    wished = spec.get("loadBalancerClass")
    if both_balanced and wished != before.get("loadBalancerClass"):
        message = f"Invalid value: {json.dumps(wished)}: may not change once set"
        yield Cause(path="spec.loadBalancerClass", message=message)


def _ingress_mistakes(path: str, entry: Mapping[str, Any]) -> Iterator[Cause]:
    address, mode = entry.get("ip", ""), entry.get("ipMode")
    if address and not _is_address(address):
        yield Cause(path=f"{path}.ip", message=f'Invalid value: "{address}": {_NOT_AN_ADDRESS}')
    if address and mode is None:
        message = "Required value: must be specified when `ip` is set"
        yield Cause(path=f"{path}.ipMode", message=message, word="FieldValueRequired")
    if mode is not None and mode not in IP_MODES:
        yield _unsupported(f"{path}.ipMode", mode, IP_MODES)


def _unsupported(path: str, value: str, supported: frozenset[str]) -> Cause:
    known = ", ".join(f'"{word}"' for word in sorted(supported))
    message = f'Unsupported value: "{value}": supported values: {known}'
    return Cause(path=path, message=message, word="FieldValueNotSupported")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
