"""Which Services may share an address: MetalLB's rule, by what they say and never by what runs.

Same key under ``allow-shared-ip``, no port and protocol in common, and the same backends: with policy Local
the same selector, or any where the pool says ``share-local``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.configuration import Pool
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.services import Service, TrafficPolicy

SHARING_ANNOTATION: Final = "allow-shared-ip"
TOLD_MAX: Final = 10  # Services named in one sentence; an Event holds 1,024 characters

Age: TypeAlias = tuple[str, ServiceKey]
"""When a Service was created, then its name: the older one comes first."""
PortKey: TypeAlias = tuple[str, int]
"""Protocol and number."""
Backends: TypeAlias = tuple[tuple[str, str], ...] | None
"""A selector; None = any of policy Local."""
SharingClass: TypeAlias = tuple[str, Backends]
"""Who is in the same one may share, but for ports."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A Service as far as an address cares that it is on."""

    key: ServiceKey
    created_at: str
    sharing_key: str
    """Empty: shares with nobody."""
    backends: Backends = ()
    is_local: bool = False
    ports: frozenset[PortKey] = frozenset()

    @property
    def age(self) -> Age:
        """Who comes first."""
        return self.created_at, self.key

    def sharing_class(self, pool: Pool | None) -> SharingClass:
        """In the pool of the address; two that have the same one may share."""
        if self.is_local and pool is not None and pool.share_local:
            return self.sharing_key, None
        return self.sharing_key, self.backends


def tenant(service: Service) -> Tenant:
    """What the Service brings."""
    sharing_key = service.annotation(SHARING_ANNOTATION) or ""
    if not sharing_key:
        return Tenant(service.key, service.created_at, "")
    is_local = service.traffic_policy is TrafficPolicy.LOCAL
    ports = frozenset((port.protocol, port.number) for port in service.ports)
    backends = service.selector if is_local else ()
    return Tenant(service.key, service.created_at, sharing_key, backends, is_local, ports)


def stranger(service: Service) -> Tenant:
    """A Service of another load balancer: it shares with nobody of ours."""
    return Tenant(service.key, service.created_at, "")


def conflict(
    asking: Tenant,
    there: tuple[Tenant, ...],
    ports: Mapping[PortKey, ServiceKey],
    *,
    address: IPAddress,
    pool: Pool,
) -> WhyNot | None:
    """Why ``asking`` may not join those that are on the address.

    Args:
        asking: who wants it; may be there already.
        there: all of one sharing class, or strangers.
        ports: whose each port is, where they share.
        address: which one it is.
        pool: that it is in.
    """
    other = next((one for one in there if one.key != asking.key), None)
    if other is None:
        return None
    if not asking.sharing_key or asking.sharing_key != other.sharing_key:
        return _in_use(asking, there, address, pool, Refusal.HELD_BY_ANOTHER)
    if asking.sharing_class(pool) != other.sharing_class(pool):
        return _in_use(asking, there, address, pool, Refusal.OTHER_BACKENDS)
    for port in sorted(asking.ports):
        owner = ports.get(port, asking.key)
        if owner != asking.key:
            message = f'port {port[0]}/{port[1]} is already in use on "{address}" by {owner}'
            return WhyNot(word=Refusal.PORT_IN_USE, message=message, pool=pool.name, address=address)
    return None


def _in_use(
    asking: Tenant, there: tuple[Tenant, ...], address: IPAddress, pool: Pool, word: Refusal
) -> WhyNot:
    others = sorted(str(one.key) for one in there if one.key != asking.key)
    told = ",".join(others[:TOLD_MAX])
    message = f'can\'t change sharing key for "{asking.key}", address also in use by {told}'
    if len(others) > TOLD_MAX:
        message += f" and {len(others) - TOLD_MAX} more"
    if word is Refusal.OTHER_BACKENDS:
        message += "; with policy Local only Services of the same selector share, unless the pool allows it"
    return WhyNot(word=word, message=message, pool=pool.name, address=address)
