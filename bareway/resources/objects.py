"""ConfigMap, Secret, Namespace (core/v1) and Lease (coordination.k8s.io/v1): read, and what we write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap, Lease, Namespace, Secret
from bareway.model.problems import Problem
from bareway.resources.fields import NOTHING, WireObject, interned, our_annotations

KEY_FIELD: Final = "secretkey"
"""Of the Secret for gossip."""
LABELS = {"app": "bareway"}
"""On every object that we create, so that ``kubectl get -l app=bareway`` shows them."""


class WireConfigMap(WireObject, frozen=True, gc=False):
    """The fields of a ConfigMap that we use, as they come."""

    data: dict[str, str] | None = None


class WireSecret(WireObject, frozen=True, gc=False):
    """The fields of a Secret that we use; base64 is decoded on the way in."""

    data: dict[str, bytes] | None = None


class _LeaseSpec(Struct, frozen=True, gc=False, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class WireLease(WireObject, frozen=True, gc=False):
    """The fields of a Lease that we use, as they come."""

    spec: _LeaseSpec | None = None


def read_config_map(wire: WireConfigMap) -> ConfigMap | list[Problem]:
    """Turn one ConfigMap into the model."""
    return ConfigMap(
        key=wire.key,
        uid=wire.uid,
        resource_version=wire.resource_version,
        data=wire.data or NOTHING,
        annotations=our_annotations(wire.metadata),
    )


def read_secret(wire: WireSecret) -> Secret | list[Problem]:
    """Turn one Secret into the model."""
    return Secret(key=wire.key, uid=wire.uid, resource_version=wire.resource_version, data=wire.data or {})


def read_namespace(wire: WireObject) -> Namespace | list[Problem]:
    """Turn one Namespace into the model."""
    return Namespace(name=wire.key.name, labels=interned(wire.metadata.labels))


def read_lease(wire: WireLease) -> Lease | list[Problem]:
    """Turn one Lease into the model."""
    spec = wire.spec or _LeaseSpec()
    return Lease(
        key=wire.key,
        resource_version=wire.resource_version,
        holder=spec.holder_identity or "",
        duration_s=spec.lease_duration_seconds or 0,
        renewed_at=spec.renew_time or "",
        transitions=spec.lease_transitions or 0,
    )


def config_map_body(
    key: ObjectKey,
    data: Mapping[str, str],
    *,
    labels: Mapping[str, str] = NOTHING,
    annotations: Mapping[str, str] = NOTHING,
    resource_version: str = "",
) -> Mapping[str, object]:
    """A whole ConfigMap, to create or (with the resourceVersion read) to replace one."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(key, annotations, resource_version, labels),
        "data": dict(data),
    }


def secret_body(key: ObjectKey, data: Mapping[str, bytes]) -> Mapping[str, object]:
    """A whole new Secret; bytes become base64 when the body is encoded."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(key, NOTHING, ""),
        "type": "Opaque",
        "data": dict(data),
    }


def lease_body(key: ObjectKey, spec: Mapping[str, object]) -> Mapping[str, object]:
    """A whole new Lease; ``spec`` from ``lease_spec``."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": _metadata(key, NOTHING, ""),
        "spec": spec,
    }


def lease_patch(over: Lease, spec: Mapping[str, object]) -> Mapping[str, object]:
    """A merge patch (RFC 7396) of the Lease ``over``, refused if somebody wrote it since."""
    return {"metadata": {"resourceVersion": over.resource_version}, "spec": spec}


def lease_spec(
    *, holder: str, duration_s: int, transitions: int, at: datetime, is_new_holder: bool
) -> Mapping[str, object]:
    """What the holder says; an empty one releases the Lease. The times are for people."""
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec: dict[str, object] = {
        "holderIdentity": holder,
        "leaseDurationSeconds": duration_s,
        "leaseTransitions": transitions,
        "renewTime": moment,
    }
    if is_new_holder:
        spec["acquireTime"] = moment
    return spec


def _metadata(
    key: ObjectKey,
    annotations: Mapping[str, str],
    resource_version: str,
    labels: Mapping[str, str] = NOTHING,
) -> dict[str, object]:
    all_labels = {**LABELS, **labels}
    metadata: dict[str, object] = {"name": key.name, "namespace": key.namespace, "labels": all_labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if resource_version:
        metadata["resourceVersion"] = resource_version
    return metadata
