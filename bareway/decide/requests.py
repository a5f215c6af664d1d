"""Which addresses and which pool a Service asks for by name, in its spec or in its annotations."""

from dataclasses import dataclass

from bareway.decide.verdicts import Refusal, WhyNot
from bareway.model.addresses import parse_address
from bareway.model.names import IPAddress, PoolName
from bareway.model.services import Service

ADDRESSES_ANNOTATION = "loadBalancerIPs"
POOL_ANNOTATION = "address-pool"
ADDRESSES_MAX = 2  # one of each family


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a Service asks for; nothing asked = empty and None."""

    addresses: tuple[IPAddress, ...] = ()
    pool: PoolName | None = None


def read_request(service: Service) -> Request | WhyNot:
    """The request, or what is wrong with it; an empty annotation asks for nothing."""
    addresses = _addresses(service)
    if isinstance(addresses, WhyNot):
        return addresses
    return Request(addresses=addresses, pool=PoolName(service.annotation(POOL_ANNOTATION) or "") or None)


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
    addresses = tuple(address for text in texts if (address := parse_address(text)) is not None)
    families = {address.version for address in addresses}
    if len(addresses) < len(texts) or len(addresses) > ADDRESSES_MAX:
        return _invalid(told)
    if len(families) < len(addresses):
        return _invalid(f"{quoted(addresses)[1:-1]} has the same family")
    return addresses


def _invalid(message: str) -> WhyNot:
    return WhyNot(word=Refusal.INVALID_REQUEST, message=message)
