"""Service (core/v1): what a load balancer needs of it, some 60 of the 2,000 bytes that the API sends.

Not read: selectors, session affinity, source ranges, node ports; entries of the status that name a host.
"""

import sys
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from bareway.model.names import IPAddress
from bareway.model.problems import Problem
from bareway.model.services import Port, Service, TrafficPolicy
from bareway.resources.fields import WireObject, our_annotations, read_address

NO_EXTRAS: Mapping[IPAddress, str] = {}
NO_CLUSTER_ADDRESS = ("None", "")  # a headless Service writes the one, a Service not yet defaulted the other
_POLICIES = {policy.value: policy for policy in TrafficPolicy}
_DEFAULT_IP_MODE = "VIP"  # what the API server fills in since 1.30; says no more than its absence


class _Port(Struct, frozen=True, gc=False):
    port: int
    name: str | None = None
    protocol: str | None = None


class _Spec(Struct, frozen=True, gc=False, rename="camel"):
    type: str | None = None
    load_balancer_class: str | None = None
    load_balancer_ip: str | None = msgspec.field(name="loadBalancerIP", default=None)
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    cluster_ips: list[str] | None = msgspec.field(name="clusterIPs", default=None)
    external_traffic_policy: str | None = None
    ports: list[_Port] | None = None


class _Ingress(Struct, frozen=True, gc=False, rename="camel"):
    ip: str | None = None
    ip_mode: str | None = None
    ports: list[object] | None = None


class _LoadBalancer(Struct, frozen=True, gc=False):
    ingress: list[_Ingress] | None = None


class _Status(Struct, frozen=True, gc=False, rename="camel"):
    load_balancer: _LoadBalancer | None = None


class WireService(WireObject, frozen=True, gc=False):
    """The fields of a Service that we use, as they come."""

    spec: _Spec | None = None
    status: _Status | None = None


def read_service(wire: WireService) -> Service | list[Problem]:
    """Turn one Service into the model, or name every mistake in it."""
    problems: list[Problem] = []
    spec = wire.spec or _Spec()
    policy = _read_policy(spec.external_traffic_policy, problems)
    cluster_addresses = _read_cluster_addresses(spec, problems)
    ingress, extras = _read_ingress(wire.status, problems)
    if problems:
        return problems
    return Service(
        key=wire.key,
        uid=wire.uid,
        resource_version=wire.resource_version,
        created_at=wire.metadata.creation_timestamp or "",
        is_load_balancer=spec.type == "LoadBalancer",
        load_balancer_class=spec.load_balancer_class,
        requested_address=spec.load_balancer_ip or "",
        cluster_addresses=cluster_addresses,
        traffic_policy=policy,
        ports=tuple(_read_port(port) for port in spec.ports or ()),
        annotations=our_annotations(wire.metadata),
        ingress=ingress,
        ingress_extras=extras,
    )


def _read_policy(text: str | None, problems: list[Problem]) -> TrafficPolicy:
    policy = _POLICIES.get(text) if text else TrafficPolicy.CLUSTER
    if policy is not None:
        return policy
    known = " or ".join(_POLICIES)
    problems.append(Problem(path="spec.externalTrafficPolicy", message=f'"{text}" is unknown', hint=known))
    return TrafficPolicy.CLUSTER


def _read_port(port: _Port) -> Port:
    return _shared_port(sys.intern(port.name or ""), sys.intern(port.protocol or "TCP"), port.port)


_PORTS_MAX = 4096  # distinct (name, protocol, number) shared; a cluster has few, an attacker's are not kept
_ports: dict[tuple[str, str, int], Port] = {}


def _shared_port(name: str, protocol: str, number: int) -> Port:
    """Most Services write the same few ports: one object for each."""
    identity = (name, protocol, number)
    port = _ports.get(identity)
    if port is None:
        port = Port(name=name, protocol=protocol, number=number)
        if len(_ports) < _PORTS_MAX:
            _ports[identity] = port
    return port


def _read_cluster_addresses(spec: _Spec, problems: list[Problem]) -> tuple[IPAddress, ...]:
    texts = spec.cluster_ips or ([spec.cluster_ip] if spec.cluster_ip else [])
    addresses = (
        read_address(text, f"spec.clusterIPs[{index}]", problems)
        for index, text in enumerate(texts)
        if text not in NO_CLUSTER_ADDRESS
    )
    return tuple(address for address in addresses if address is not None)


def _read_ingress(
    status: _Status | None, problems: list[Problem]
) -> tuple[tuple[IPAddress, ...], Mapping[IPAddress, str]]:
    """The addresses shown, and what stands beside them."""
    entries = status.load_balancer.ingress if status and status.load_balancer else None
    if not entries:
        return (), NO_EXTRAS
    addresses: list[IPAddress] = []
    extras: dict[IPAddress, str] = {}
    for index, entry in enumerate(entries):
        if entry.ip is None:
            continue
        address = read_address(entry.ip, f"status.loadBalancer.ingress[{index}].ip", problems)
        if address is None:
            continue
        addresses.append(address)
        if kept := _extras_of(entry):
            extras[address] = kept
    return tuple(addresses), extras or NO_EXTRAS


def _extras_of(entry: _Ingress) -> str:
    extras: dict[str, object] = {}
    if entry.ip_mode not in (None, _DEFAULT_IP_MODE):
        extras["ipMode"] = entry.ip_mode
    if entry.ports:
        extras["ports"] = entry.ports
    return msgspec.json.encode(extras).decode() if extras else ""
