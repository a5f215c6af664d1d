"""What a Service asks for: addresses and a pool by name, and families; in its spec or in its annotations."""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from bareway.decide.allocation.verdicts import Refusal, WhyNot
from bareway.model.addresses import parse_address
from bareway.model.names import IPAddress, PoolName
from bareway.model.services import FamilyPolicy, Service

ADDRESSES_ANNOTATION = "loadBalancerIPs"
POOL_ANNOTATION = "address-pool"
ADDRESSES_MAX = 2  # one of each family


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a Service asks for; nothing asked = empty and None."""

    addresses: tuple[IPAddress, ...] = ()
    pool: PoolName | None = None


_ONE_FAMILY: Final = {4: (4,), 6: (6,)}  # one object for all Services that want the same
NOTHING_ASKED = Request()  # what most ask for


def read_request(service: Service) -> Request | WhyNot:
    """The request, or what is wrong with it; an empty annotation asks for nothing."""
    addresses = _addresses(service)
    if isinstance(addresses, WhyNot):
        return addresses
    pool = PoolName(service.annotation(POOL_ANNOTATION) or "") or None
    return Request(addresses=addresses, pool=pool) if addresses or pool else NOTHING_ASKED


def wanted_families(service: Service) -> tuple[int, ...]:
    """4 and 6, the Service's first family first; of a single-stack Service only that one."""
    if len(service.cluster_addresses) == 1:
        return _ONE_FAMILY[service.cluster_addresses[0].version]
    families = dict.fromkeys(address.version for address in service.cluster_addresses)
    if len(families) > 1 and service.family_policy is not FamilyPolicy.SINGLE_STACK:
        return tuple(families)
    return _ONE_FAMILY[next(iter(families))] if families else ()


def impossible(service: Service) -> WhyNot | None:
    """Why the Service can get no address at all, whatever is free."""
    if not service.cluster_addresses:
        return WhyNot(word=Refusal.NO_CLUSTER_ADDRESS, message="the Service has no clusterIP")
    if service.family_policy is not FamilyPolicy.REQUIRE_DUAL_STACK or len(wanted_families(service)) > 1:
        return None
    shown = " ".join(str(address) for address in service.cluster_addresses)
    message = f"Service requires dual stack but not enough clusterips [{shown}]"
    return WhyNot(word=Refusal.NOT_DUAL_STACK, message=message)


def mismatch(service: Service, addresses: tuple[IPAddress, ...]) -> WhyNot | None:
    """Why it cannot have what it asks for: families that it has not, or not both where it needs both."""
    asked = {address.version for address in addresses}
    served = {address.version for address in service.cluster_addresses}
    is_partial = service.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK and asked != served
    if asked <= served and not (asked and is_partial):
        return None
    return wrong_family(addresses)


def wrong_family(addresses: tuple[IPAddress, ...]) -> WhyNot:
    """In MetalLB's words."""
    message = f"requested loadBalancer IP(s) {quoted(addresses)} does not match the ipFamily of the service"
    return WhyNot(word=Refusal.WRONG_FAMILY, message=message)


def quoted(addresses: tuple[IPAddress, ...]) -> str:
    """As MetalLB writes them: ``["192.0.2.1" "2001:db8::1"]``."""
    return "[" + " ".join(f'"{address}"' for address in addresses) + "]"


def _addresses(service: Service) -> tuple[IPAddress, ...] | WhyNot:
    annotated = service.annotation(ADDRESSES_ANNOTATION) or ""
    if annotated and service.requested_address:
        return _invalid("service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP")
    if annotated:
        told = f'invalid metallb.io/loadBalancerIPs: "{annotated}"'
        return _parsed(tuple(text.strip() for text in annotated.split(",")), told)
    if service.requested_address:
        return _parsed(
            (service.requested_address,), f'invalid spec.loadBalancerIP "{service.requested_address}"'
        )
    return ()


def _parsed(texts: tuple[str, ...], told: str) -> tuple[IPAddress, ...] | WhyNot:
    addresses = tuple(_unmapped(address) for text in texts if (address := parse_address(text)) is not None)
    families = {address.version for address in addresses}
    if len(addresses) < len(texts) or len(addresses) > ADDRESSES_MAX:
        return _invalid(told)
    if len(families) < len(addresses):
        return _invalid(f"{quoted(addresses)[1:-1]} has the same family")
    return addresses


def _unmapped(address: IPAddress) -> IPAddress:
    """An IPv4 address in IPv6's clothes (``::ffff:192.0.2.1``) is that IPv4 address, as it is for MetalLB."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _invalid(message: str) -> WhyNot:
    return WhyNot(word=Refusal.INVALID_REQUEST, message=message)
