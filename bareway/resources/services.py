"""Service (core/v1): what a load balancer needs of it, some 60 of the 2,000 bytes that the API sends.

Not read: session affinity, source ranges, node ports; entries of the status that name a host.
"""

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from bareway.model.names import IPAddress
from bareway.model.problems import Problem
from bareway.model.services import Condition, FamilyPolicy, Port, Service, TrafficPolicy
from bareway.resources.conditions import read_conditions
from bareway.resources.fields import NOTHING, WireObject, interned, our_annotations, read_address

E = TypeVar("E", bound=StrEnum)

NO_EXTRAS: Mapping[IPAddress, str] = {}
NO_CLUSTER_ADDRESS = ("None", "")  # a headless Service writes the one, a Service not yet defaulted the other
NO_CONDITIONS: tuple[Condition | None, tuple[str, ...]] = (None, ())
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
    ip_family_policy: str | None = None
    selector: dict[str, str] | None = None
    ports: list[_Port] | None = None


class _Ingress(Struct, frozen=True, gc=False, rename="camel"):
    ip: str | None = None
    ip_mode: str | None = None
    ports: list[object] | None = None


class _LoadBalancer(Struct, frozen=True, gc=False):
    ingress: list[_Ingress] | None = None


class _Status(Struct, frozen=True, gc=False, rename="camel"):
    load_balancer: _LoadBalancer | None = None
    conditions: list[object] | None = None


class WireService(WireObject, frozen=True, gc=False):
    """The fields of a Service that we use, as they come."""

    spec: _Spec | None = None
    status: _Status | None = None


def read_service(wire: WireService) -> Service | list[Problem]:
    """Turn one Service into the model, or name every mistake in it."""
    problems: list[Problem] = []
    spec = wire.spec or _Spec()
    policy = _read_word(
        spec.external_traffic_policy, TrafficPolicy.CLUSTER, "spec.externalTrafficPolicy", problems
    )
    families = _read_word(spec.ip_family_policy, FamilyPolicy.SINGLE_STACK, "spec.ipFamilyPolicy", problems)
    cluster_addresses = _read_cluster_addresses(spec, problems)
    ingress, extras = _read_ingress(wire.status, problems)
    conditions = wire.status.conditions if wire.status else None
    condition, others = read_conditions(conditions) if conditions else NO_CONDITIONS
    if problems:
        return problems
    is_load_balancer = spec.type == "LoadBalancer"  # most are not, and of them less is kept
    return Service(
        key=wire.key,
        uid=wire.uid,
        resource_version=wire.resource_version,
        created_at=sys.intern(wire.metadata.creation_timestamp or ""),
        is_load_balancer=is_load_balancer,
        load_balancer_class=spec.load_balancer_class,
        requested_address=spec.load_balancer_ip or "",
        cluster_addresses=cluster_addresses,
        family_policy=families,
        selector=tuple(sorted(interned(spec.selector).items())) if is_load_balancer else (),
        labels=interned(wire.metadata.labels) if is_load_balancer else NOTHING,
        traffic_policy=policy,
        ports=tuple(_read_port(port) for port in spec.ports or ()),
        annotations=our_annotations(wire.metadata),
        ingress=ingress,
        ingress_extras=extras,
        generation=wire.metadata.generation or 0,
        condition=condition,
        other_conditions=others,
    )


class _Version(Struct, frozen=True, gc=False, rename="camel"):
    resource_version: str = ""


class _Address(Struct, frozen=True, gc=False):
    ip: str = ""


class _Addresses(Struct, frozen=True, gc=False):
    ingress: list[_Address] = []


class _Shown(Struct, frozen=True, gc=False, rename="camel"):
    load_balancer: _Addresses


class _Answer(Struct, frozen=True, gc=False):
    metadata: _Version
    status: _Shown


_ANSWER = msgspec.json.Decoder(_Answer)


def version_if_shows(body: bytes, addresses: Sequence[IPAddress]) -> str:
    """The resourceVersion of the Service in ``body`` if it shows just these addresses, else empty.

    A tenth of the cost of reading it.
    """
    try:
        answer = _ANSWER.decode(body)
    except msgspec.MsgspecError:
        return ""
    shown = [entry.ip for entry in answer.status.load_balancer.ingress]
    return answer.metadata.resource_version if shown == [*map(str, addresses)] else ""


def _read_word(text: str | None, default: E, path: str, problems: list[Problem]) -> E:
    """One of the words that ``default`` is one of; ``default`` where none is written."""
    if not text:
        return default
    try:
        return type(default)(text)
    except ValueError:
        problems.append(Problem(path=path, message=f'"{text}" is unknown', hint=" or ".join(type(default))))
        return default


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
