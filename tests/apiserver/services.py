"""What the API server adds to a Service and takes from it.

Follows k8s.io/kubernetes ``pkg/registry/core/service/strategy.go`` and ``pkg/apis/core/v1/defaults.go``;
what it refuses is in ``service_rules.py``, what it allocates in ``allocations.py``.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from apiserver.store import JsonObject

LOAD_BALANCER: Final = "LoadBalancer"
WITH_NODE_PORTS: Final = frozenset({"NodePort", LOAD_BALANCER})
WITH_CLUSTER_IP: Final = frozenset({"ClusterIP", "NodePort", LOAD_BALANCER})
TYPES: Final = frozenset({*WITH_CLUSTER_IP, "ExternalName"})


def needs_health_port(spec: Mapping[str, Any]) -> bool:
    """Whether balancers ask each node, on a port of its own, if it serves this Service."""
    return spec["type"] == LOAD_BALANCER and spec.get("externalTrafficPolicy") == "Local"


def _is_balanced(spec: Mapping[str, Any]) -> bool:
    return bool(spec["type"] == LOAD_BALANCER)


def _has_cluster_address(spec: Mapping[str, Any]) -> bool:
    return spec["type"] in WITH_CLUSTER_IP


def _has_node_ports(spec: Mapping[str, Any]) -> bool:
    return spec["type"] in WITH_NODE_PORTS


# Field -> the Services that it belongs to; on others it goes, if the client did not change it by hand.
_BELONGS_TO: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "clusterIP": _has_cluster_address,
    "clusterIPs": _has_cluster_address,
    "ipFamilies": _has_cluster_address,
    "ipFamilyPolicy": _has_cluster_address,
    "internalTrafficPolicy": _has_cluster_address,
    "externalTrafficPolicy": _has_node_ports,
    "healthCheckNodePort": needs_health_port,
    "allocateLoadBalancerNodePorts": _is_balanced,
    "loadBalancerClass": _is_balanced,
}


def set_defaults(service: JsonObject) -> None:
    """Fill in what a user may leave out (``SetDefaults_Service``)."""
    spec = service.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] in WITH_NODE_PORTS:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] in WITH_CLUSTER_IP:
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == LOAD_BALANCER:
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def set_status_defaults(service: JsonObject) -> None:
    """An address without ipMode is a VIP (``SetDefaults_Service``); conditions name all their fields."""
    for condition in service.get("status", {}).get("conditions", []):
        for name, absent in (("lastTransitionTime", None), ("message", ""), ("reason", "")):
            condition.setdefault(name, absent)
    if service.get("spec", {}).get("type") != LOAD_BALANCER:
        return
    for ingress in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        if "ip" in ingress:
            ingress.setdefault("ipMode", "VIP")


def keep_what_was_given(new: JsonObject, old: JsonObject) -> None:
    """What a PUT leaves out stays as the server gave it (``patchAllocatedValues``)."""
    spec, before = new["spec"], old["spec"]
    if {spec["type"], before["type"]} <= WITH_CLUSTER_IP:
        for name in ("clusterIP", "clusterIPs"):
            if name in before:
                spec.setdefault(name, before[name])
    if {spec["type"], before["type"]} <= WITH_NODE_PORTS:
        given = {(port["protocol"], port["port"]): port.get("nodePort") for port in before.get("ports", [])}
        for port in spec.get("ports", []):
            number = given.get((port["protocol"], port.get("port")))
            if number is not None:
                port.setdefault("nodePort", number)
    if needs_health_port(spec) and needs_health_port(before):
        spec.setdefault("healthCheckNodePort", before.get("healthCheckNodePort"))


def drop_what_no_longer_applies(new: JsonObject, old: JsonObject) -> None:
    """Take away what belonged to the old type and was not changed by hand (``dropTypeDependentFields``)."""
    spec, before = new["spec"], old["spec"]
    for name, belongs in _BELONGS_TO.items():
        if belongs(before) and not belongs(spec) and name in spec and spec[name] == before.get(name):
            del spec[name]
    if before["type"] in WITH_NODE_PORTS and spec["type"] not in WITH_NODE_PORTS:
        given = {port.get("nodePort") for port in before.get("ports", [])}
        if {port["nodePort"] for port in spec.get("ports", []) if "nodePort" in port} <= given:
            for port in spec.get("ports", []):
                port.pop("nodePort", None)
    if spec["type"] != LOAD_BALANCER:
        new["status"] = {**new.get("status", {}), "loadBalancer": {}}
