"""Cluster addresses and node ports: who holds them, and which is next.

Follows k8s.io/kubernetes ``pkg/registry/core/service``. Each value is given once, in turn, so that a freed
one is not reused at once (the real server draws them by chance).
"""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

from apiserver.refusals import Cause
from apiserver.services import LOAD_BALANCER, WITH_CLUSTER_IP, needs_health_port
from apiserver.store import JsonObject

SERVICE_NETWORKS: Final[Mapping[str, IPv4Network | IPv6Network]] = {
    "IPv4": IPv4Network("10.96.0.0/16"),
    "IPv6": IPv6Network("fd10:96::/112"),
}
NODE_PORTS: Final = range(30_000, 32_768)
RESERVED_ADDRESSES: Final = 10  # the first ones belong to the API server's own Service and to cluster DNS
DUAL_STACK: Final = frozenset({"PreferDualStack", "RequireDualStack"})


class RangeIsFull(Exception):
    """No cluster address or node port is left."""


class Allocations:
    """The addresses and ports in use."""

    def __init__(self) -> None:
        self._used: set[str | int] = set()
        self._next_host = dict.fromkeys(SERVICE_NETWORKS, RESERVED_ADDRESSES)
        self._next_port = 0

    def record(self, old: JsonObject | None, new: JsonObject | None) -> None:
        """A Service was written (``old`` → ``new``) or deleted (``new`` is None)."""
        self._used.difference_update(_held(old))
        self._used.update(_held(new))

    def complete(self, service: JsonObject) -> None:
        """Give a Service the addresses and ports that it still needs."""
        spec = service["spec"]
        if spec["type"] in WITH_CLUSTER_IP:
            self._complete_addresses(spec)
        wants_ports = spec["type"] == "NodePort" or (
            spec["type"] == LOAD_BALANCER and spec.get("allocateLoadBalancerNodePorts", True)
        )
        for port in spec.get("ports", []) if wants_ports else []:
            if "nodePort" not in port:
                port["nodePort"] = self._port()
        if needs_health_port(spec) and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self._port()

    def mistakes(self, service: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
        """What a Service asks for by name and cannot get."""
        taken = self._used - set(_held(old))
        spec = service["spec"]
        shown = json.dumps(spec.get("clusterIPs", []), separators=(",", ":"))
        for address in spec.get("clusterIPs", []):
            why = _no_cluster_address(address, taken)
            if why:
                message = f"Invalid value: {shown}: failed to allocate IP {address}: {why}"
                yield Cause(path="spec.clusterIPs", message=message)
        for index, port in enumerate(spec.get("ports", [])):
            why = _no_node_port(port.get("nodePort"), taken)
            if why:
                message = f"Invalid value: {port['nodePort']}: {why}"
                yield Cause(path=f"spec.ports[{index}].nodePort", message=message)

    def _complete_addresses(self, spec: dict[str, Any]) -> None:
        policy = spec.setdefault("ipFamilyPolicy", "SingleStack")
        asked = list(spec.get("clusterIPs") or filter(None, [spec.get("clusterIP")]))
        families = spec.get("ipFamilies") or [_family(text) for text in asked if text != "None"]
        families = families or ["IPv4"]
        if policy in DUAL_STACK and len(families) == 1:
            families = [*families, *(family for family in SERVICE_NETWORKS if family not in families)]
        if policy == "SingleStack":
            families = families[:1]
        if asked != ["None"]:
            missing = families[len(asked) :]
            asked += [self._address(family) for family in missing]
        spec["ipFamilies"] = families
        spec["clusterIP"], spec["clusterIPs"] = asked[0], asked

    def _address(self, family: str) -> str:
        network = SERVICE_NETWORKS[family]
        last = network.num_addresses - 2
        for _ in range(last):
            host = self._next_host[family]
            self._next_host[family] = host + 1 if host < last else RESERVED_ADDRESSES
            candidate = str(network[host])
            if candidate not in self._used:
                return candidate
        raise RangeIsFull("range is full")

    def _port(self) -> int:
        for _ in NODE_PORTS:
            candidate = NODE_PORTS[self._next_port % len(NODE_PORTS)]
            self._next_port += 1
            if candidate not in self._used:
                return candidate
        raise RangeIsFull("range is full")


def _held(service: JsonObject | None) -> Iterator[str | int]:
    """The cluster addresses and node ports that a Service holds."""
    if service is None:
        return
    spec = service["spec"]
    yield from (address for address in spec.get("clusterIPs", []) if address != "None")
    yield from (port["nodePort"] for port in spec.get("ports", []) if "nodePort" in port)
    if "healthCheckNodePort" in spec:
        yield spec["healthCheckNodePort"]


def _family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def _no_cluster_address(text: str, taken: AbstractSet[str | int]) -> str:
    """Why a Service cannot have this address; empty if it can."""
    if text in taken:
        return "provided IP is already allocated"
    try:
        address = ip_address(text)
    except ValueError:
        return ""  # "None", or refused elsewhere
    if any(address in network for network in SERVICE_NETWORKS.values()):
        return ""
    return "the provided network does not match the current range"


def _no_node_port(number: int | None, taken: AbstractSet[str | int]) -> str:
    """Why a Service cannot have this port; empty if it can."""
    if number is None or (number in NODE_PORTS and number not in taken):
        return ""
    if number in taken:
        return "provided port is already allocated"
    valid = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
    return f"provided port is not in the valid range. The range of valid ports is {valid}"
