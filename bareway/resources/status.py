"""The one write to a Service: its address in the status, and the pool's name beside it, in one merge patch.

Annotations ride on the status subresource, so the right to patch ``services/status`` is enough. Every patch
carries the resourceVersion it was decided from; the API answers 409 if somebody was faster. A merge patch
replaces lists whole (RFC 7396 section 2), so what others wrote beside an address is written again.
"""

import json
from collections.abc import Mapping, Sequence

from bareway.model.names import IPAddress, PoolName
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, ANNOTATION_PREFIXES, Service

WRITTEN_PREFIX = "metallb.io/"  # dashboards and scripts read this key
_STALE_KEYS = tuple(prefix + ALLOCATED_FROM_ANNOTATION for prefix in ANNOTATION_PREFIXES)


def assign_patch(service: Service, addresses: Sequence[IPAddress], pool: PoolName) -> Mapping[str, object]:
    """Show ``addresses`` as the Service's external IPs."""
    ingress = [_entry(service, address) for address in addresses]
    return _patch(service, ingress, {WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: pool})


def release_patch(service: Service) -> Mapping[str, object]:
    """Show no external IP, and take the pool's name away under every prefix."""
    return _patch(service, None, dict.fromkeys(_STALE_KEYS))


def _entry(service: Service, address: IPAddress) -> dict[str, object]:
    extras: dict[str, object] = json.loads(service.ingress_extras.get(address, "{}"))
    return {"ip": str(address), **extras}


def _patch(
    service: Service, ingress: Sequence[Mapping[str, object]] | None, annotations: Mapping[str, str | None]
) -> Mapping[str, object]:
    """In a merge patch None takes a field away."""
    return {
        "metadata": {"resourceVersion": service.resource_version, "annotations": annotations},
        "status": {"loadBalancer": {"ingress": ingress}},
    }
