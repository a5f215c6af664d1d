"""Objects with defaults, so that a test shows only what matters: ``service("shop/web", ingress=[…])``."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from bareway.model.addresses import parse_range
from bareway.model.configuration import Configuration, Pool, Protocol
from bareway.model.endpoints import Endpoint, EndpointSlice
from bareway.model.names import IPAddress, NodeName, ObjectKey, PoolName
from bareway.model.nodes import Node
from bareway.model.services import Condition, FamilyPolicy, Port, Service, TrafficPolicy


def key(text: str) -> ObjectKey:
    """``namespace/name``; a name alone is in the namespace default."""
    namespace, _, name = text.rpartition("/")
    return ObjectKey(namespace or "default", name)


def ips(*texts: str) -> tuple[IPAddress, ...]:
    return tuple(ip_address(text) for text in texts)


def names(*texts: str) -> frozenset[NodeName]:
    return frozenset(NodeName(text) for text in texts)


def pool(
    name: str = "default",
    *addresses: str,
    auto_assign: bool = True,
    avoid_buggy_ips: bool = False,
    protocol: Protocol = Protocol.LAYER2,
) -> Pool:
    return Pool(
        name=PoolName(name),
        protocol=protocol,
        ranges=tuple(parse_range(text) for text in addresses or ("192.0.2.0/24",)),
        auto_assign=auto_assign,
        avoid_buggy_ips=avoid_buggy_ips,
    )


def configuration(*pools: Pool) -> Configuration:
    return Configuration(pools=pools or (pool(),))


def service(
    name: str = "web",
    *,
    ingress: Iterable[str] = (),
    requested: str = "",
    cluster: Iterable[str] = ("10.96.0.10",),
    created_at: str = "2026-01-01T00:00:00Z",
    policy: TrafficPolicy = TrafficPolicy.CLUSTER,
    annotations: Mapping[str, str] | None = None,
    is_load_balancer: bool = True,
    load_balancer_class: str | None = None,
    ports: Iterable[int] = (80,),
    resource_version: str = "1",
    families: FamilyPolicy = FamilyPolicy.SINGLE_STACK,
    selector: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    condition: Condition | None = None,
) -> Service:
    return Service(
        key=key(name),
        uid=f"uid-{name}",
        resource_version=resource_version,
        created_at=created_at,
        is_load_balancer=is_load_balancer,
        load_balancer_class=load_balancer_class,
        requested_address=requested,
        cluster_addresses=ips(*cluster),
        traffic_policy=policy,
        ports=tuple(Port(number=number) for number in ports),
        annotations=annotations or {},
        ingress=ips(*ingress),
        family_policy=families,
        selector=tuple(sorted((selector or {}).items())),
        labels=labels or {},
        condition=condition,
    )


def endpoint_slice(
    of: str = "web", *nodes: str | None, serving: bool = True, name: str = ""
) -> EndpointSlice:
    """A slice of the Service ``of`` with one endpoint on each of ``nodes``."""
    return EndpointSlice(
        key=ObjectKey(key(of).namespace, name or f"{key(of).name}-abc"),
        service=key(of),
        endpoints=tuple(
            Endpoint(
                addresses=ips(f"10.244.0.{number}"),
                node=None if node is None else NodeName(node),
                can_serve=serving,
            )
            for number, node in enumerate(nodes, start=1)
        ),
        ports=(("", "TCP", 8080),),
    )


def node(
    name: str,
    address: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    network_unavailable: bool = False,
    drain: str | None = None,
    taints: Iterable[str] = (),
    unschedulable: bool = False,
    is_shutting_down: bool = False,
) -> Node:
    return Node(
        name=NodeName(name),
        labels=labels or {},
        addresses=ips(address) if address else (),
        network_unavailable=network_unavailable,
        drain=drain,
        taints=tuple(taints),
        unschedulable=unschedulable,
        is_shutting_down=is_shutting_down,
    )
