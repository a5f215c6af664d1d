"""Services and what serves them, as JSON objects in which each row changes what it is about."""

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]
BACKENDS = {"IPv4": "10.244.0.1", "IPv6": "fd00:10:244::1"}


def service(
    name: str,
    *,
    pool: str = "",
    addresses: str = "",
    key: str = "",
    port: int = 80,
    families: Sequence[str] = ("IPv4",),
    **spec: object,
) -> Object:
    """A Service of type LoadBalancer, and what it asks for."""
    wanted = {"address-pool": pool, "loadBalancerIPs": addresses, "allow-shared-ip": key}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {f"metallb.io/{name}": text for name, text in wanted.items() if text},
        },
        "spec": {
            "type": "LoadBalancer",
            "ipFamilyPolicy": "SingleStack" if len(families) == 1 else "PreferDualStack",
            "ipFamilies": list(families),
            "ports": [{"name": "http", "port": port, "targetPort": 8080}],
            **spec,
        },
    }


def endpoints(name: str, *, family: str = "IPv4", node: str = "") -> Object:
    """One that serves it, on this node or on none that is known."""
    place = {"nodeName": node} if node else {}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{family.lower()}",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": family,
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [BACKENDS[family]], **place}],
    }


def served(one: Object, *, node: str = "") -> tuple[Object, ...]:
    """It, and an endpoint of each of its families."""
    name = one["metadata"]["name"]
    return (one, *(endpoints(name, family=each, node=node) for each in one["spec"]["ipFamilies"]))
