"""EndpointSlice (discovery.k8s.io/v1): who serves a Service, and where.

An endpoint can serve if ``ready`` is true or absent, or else if ``serving`` is true: a Pod that terminates
but still serves counts, as in MetalLB. Not read: zones and hints; slices of host names (addressType FQDN).
"""

import sys

from msgspec import Struct

from bareway.model.endpoints import Endpoint, EndpointSlice
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.problems import Problem
from bareway.resources.fields import WireObject, read_address

SERVICE_LABEL = "kubernetes.io/service-name"


class _Conditions(Struct, frozen=True, gc=False):
    ready: bool | None = None
    serving: bool | None = None


class _Endpoint(Struct, frozen=True, gc=False, rename="camel"):
    addresses: list[str] | None = None
    conditions: _Conditions | None = None
    node_name: str | None = None


class _Port(Struct, frozen=True, gc=False):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class WireEndpointSlice(WireObject, frozen=True, gc=False):
    """The fields of an EndpointSlice that we use, as they come."""

    address_type: str | None = None
    endpoints: list[_Endpoint] | None = None
    ports: list[_Port] | None = None


def read_endpoint_slice(wire: WireEndpointSlice) -> EndpointSlice | list[Problem]:
    """Turn one EndpointSlice into the model, or name every mistake in it."""
    problems: list[Problem] = []
    named = wire.address_type == "FQDN"
    endpoints = tuple(
        _read_endpoint(endpoint, f"endpoints[{index}]", problems)
        for index, endpoint in enumerate(() if named else wire.endpoints or ())
    )
    service = (wire.metadata.labels or {}).get(SERVICE_LABEL)
    return problems or EndpointSlice(
        key=wire.key,
        service=ObjectKey(wire.key.namespace, sys.intern(service)) if service else None,
        endpoints=endpoints,
        ports=tuple(
            (sys.intern(port.name or ""), sys.intern(port.protocol or "TCP"), port.port)
            for port in wire.ports or ()
            if port.port is not None
        ),
    )


def _read_endpoint(wire: _Endpoint, path: str, problems: list[Problem]) -> Endpoint:
    addresses: list[IPAddress] = []
    for index, text in enumerate(wire.addresses or ()):
        address = read_address(text, f"{path}.addresses[{index}]", problems)
        if address is not None:
            addresses.append(address)
    return Endpoint(
        addresses=tuple(addresses),
        node=NodeName(sys.intern(wire.node_name)) if wire.node_name else None,
        can_serve=_can_serve(wire.conditions or _Conditions()),
    )


def _can_serve(conditions: _Conditions) -> bool:
    return conditions.ready is not False or conditions.serving is True
