"""bareway.resources.objects: the small objects, read and written."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bareway.model.objects import ConfigMap, Lease, Namespace, Secret
from bareway.resources.kinds import CONFIG_MAPS, LEASES, NAMESPACES, SECRETS, Kind
from bareway.resources.objects import config_map_body, lease_body, lease_patch, lease_spec, secret_body
from support.builders import key

METADATA = {"name": "x", "namespace": "bareway-system", "uid": "u", "resourceVersion": "5"}
KEY = key("bareway-system/x")


def read(kind: Kind[Any], **fields: Any) -> Any:
    return kind.read(msgspec.json.encode({"metadata": METADATA, **fields})).content


def test_a_config_map_is_read() -> None:
    assert read(CONFIG_MAPS, data={"config": "pools"}) == ConfigMap(
        key=KEY, uid="u", resource_version="5", data={"config": "pools"}
    )
    assert read(CONFIG_MAPS, data=None).data == {}
    annotated = {**METADATA, "annotations": {"bareway.io/accept-loss": "1234", "other": "x"}}
    assert read(CONFIG_MAPS, metadata=annotated).annotations == {"bareway.io/accept-loss": "1234"}


def test_a_secret_is_decoded_and_not_shown() -> None:
    found = read(SECRETS, data={"secretkey": "aHVzaA=="})
    assert found == Secret(key=KEY, uid="u", resource_version="5", data={"secretkey": b"hush"})
    assert "hush" not in repr(found)
    assert read(SECRETS).data == {}


def test_a_secret_that_is_not_base64_is_a_problem() -> None:
    [problem] = read(SECRETS, data={"secretkey": "%%%"})
    assert problem.path == "data[...]"


def test_a_namespace_and_its_labels_are_read() -> None:
    labelled = {"name": "shop", "labels": {"team": "web"}}
    assert read(NAMESPACES, metadata=labelled) == Namespace(name="shop", labels={"team": "web"})


def test_a_lease_is_read_also_when_nobody_holds_it() -> None:
    spec = {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "renewTime": "2026-01-01T00:00:00.000000Z",
        "leaseTransitions": 3,
    }
    assert read(LEASES, spec=spec) == Lease(
        key=KEY,
        resource_version="5",
        holder="me",
        duration_s=15,
        renewed_at="2026-01-01T00:00:00.000000Z",
        transitions=3,
    )
    assert read(LEASES, spec={"holderIdentity": None}) == read(LEASES) == Lease(key=KEY, resource_version="5")


@pytest.mark.parametrize("holder", ["me", ""], ids=["held", "released"])
def test_a_lease_that_is_written_is_the_one_that_is_read(holder: str) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    spec = lease_spec(holder=holder, duration_s=3, transitions=4, at=at, is_new_holder=True)
    body = msgspec.json.encode(lease_body(KEY, spec))
    assert LEASES.read(body).content == Lease(
        key=KEY, holder=holder, duration_s=3, renewed_at="2026-01-02T03:04:05.000678Z", transitions=4
    )
    assert msgspec.json.decode(body)["spec"]["acquireTime"] == "2026-01-02T03:04:05.000678Z"
    assert msgspec.json.decode(body)["metadata"]["labels"] == {"app": "bareway"}


def test_a_renewal_touches_only_the_lease_that_was_read_and_not_when_it_was_acquired() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    spec = lease_spec(holder="me", duration_s=3, transitions=4, at=at, is_new_holder=False)
    patch = lease_patch(Lease(key=KEY, resource_version="5"), spec)
    assert patch == {"metadata": {"resourceVersion": "5"}, "spec": spec}
    assert "acquireTime" not in spec


def test_a_config_map_that_is_written_is_the_one_that_is_read() -> None:
    body = config_map_body(
        KEY, {"document": "pools"}, annotations={"bareway.io/source": "config"}, resource_version="9"
    )
    found = CONFIG_MAPS.read(msgspec.json.encode(body)).content
    assert found == ConfigMap(
        key=KEY, resource_version="9", data={"document": "pools"}, annotations={"bareway.io/source": "config"}
    )


def test_a_new_object_carries_no_version() -> None:
    assert "resourceVersion" not in msgspec.to_builtins(config_map_body(KEY, {}))["metadata"]


def test_a_secret_that_is_written_is_the_one_that_is_read() -> None:
    body = msgspec.json.encode(secret_body(KEY, {"secretkey": b"\x00\xff"}))
    found = SECRETS.read(body).content
    assert isinstance(found, Secret)
    assert found.data == {"secretkey": b"\x00\xff"}
    assert msgspec.json.decode(body)["metadata"]["labels"] == {"app": "bareway"}
