"""The one write to a Service: addresses and condition in the status, and the pool's name beside them.

Annotations ride on the status subresource, so the right to patch ``services/status`` is enough, and one merge
patch is all. Every patch carries the resourceVersion it was decided from; the API answers 409 if somebody was
faster. A merge patch replaces lists whole (RFC 7396 section 2), so what others wrote beside an address, and
their conditions, are written again.
"""

import json
from collections.abc import Mapping, Sequence

from bareway.model.names import IPAddress
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, ANNOTATION_PREFIXES, Condition, Service
from bareway.resources.conditions import conditions_body

WRITTEN_PREFIX = "metallb.io/"  # dashboards and scripts read this key
_STALE_KEYS = tuple(prefix + ALLOCATED_FROM_ANNOTATION for prefix in ANNOTATION_PREFIXES)


def assign_patch(
    service: Service, addresses: Sequence[IPAddress], pool: str, condition: Condition
) -> Mapping[str, object]:
    """Show ``addresses`` as the Service's external IPs, and say so."""
    ingress = [_entry(service, address) for address in addresses]
    annotations = {WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: pool}
    return _patch(service, _status(service, condition, ingress), annotations)


def release_patch(service: Service, condition: Condition | None) -> Mapping[str, object]:
    """Show no external IP, take the pool's name away under every prefix, and say why; None = say nothing."""
    return _patch(service, _status(service, condition, None), dict.fromkeys(_STALE_KEYS))


def condition_patch(service: Service, condition: Condition | None) -> Mapping[str, object]:
    """Say something else of addresses that stay as they are; None = nothing any more."""
    body = {"conditions": conditions_body(service, condition)}
    return {"metadata": {"resourceVersion": service.resource_version}, "status": body}


def removal_patch(
    service: Service, annotations: Sequence[str], *, addresses: Sequence[IPAddress], has_condition: bool
) -> Mapping[str, object]:
    """Take ``annotations``, our condition and these ``addresses`` away: nothing of us is left."""
    metadata = {"resourceVersion": service.resource_version, "annotations": dict.fromkeys(annotations)}
    status: dict[str, object] = {}
    if has_condition:
        status["conditions"] = conditions_body(service, None)
    if addresses:
        kept = [_entry(service, address) for address in service.ingress if address not in addresses]
        status["loadBalancer"] = {"ingress": kept or None}
    return {"metadata": metadata, "status": status}


def _entry(service: Service, address: IPAddress) -> dict[str, object]:
    extras: dict[str, object] = json.loads(service.ingress_extras.get(address, "{}"))
    return {"ip": str(address), **extras}


def _status(
    service: Service, condition: Condition | None, ingress: Sequence[Mapping[str, object]] | None
) -> dict[str, object]:
    status: dict[str, object] = {"loadBalancer": {"ingress": ingress}}
    if condition != service.condition:
        status["conditions"] = conditions_body(service, condition)
    return status


def _patch(
    service: Service, status: Mapping[str, object], annotations: Mapping[str, str | None]
) -> Mapping[str, object]:
    """In a merge patch None takes a field away."""
    metadata = {"resourceVersion": service.resource_version, "annotations": annotations}
    return {"metadata": metadata, "status": status}
