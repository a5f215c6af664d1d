"""bareway.resources.status: the patch for a Service's address says all that it must and no more."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import PoolName
from bareway.model.services import Service
from bareway.resources.kinds import SERVICES
from bareway.resources.status import assign_patch, release_patch
from support.builders import ips, key, service

GOLD = PoolName("gold")


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396 section 2, the pseudo code as it stands there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def stored(ingress: list[dict[str, Any]], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """A Service as the API keeps it."""
    return {
        "metadata": {
            "name": "web",
            "namespace": "default",
            "resourceVersion": "7",
            "annotations": {"other": "kept", **(annotations or {})},
        },
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": ingress}, "conditions": [{"type": "Other"}]},
    }


def model(body: dict[str, Any]) -> Service:
    found = SERVICES.read(msgspec.json.encode(body)).content
    assert isinstance(found, Service)
    return found


def test_an_address_and_its_pool_are_one_patch_with_the_version_read() -> None:
    patch = assign_patch(service("web", resource_version="7"), ips("192.0.2.1"), GOLD)
    assert patch == {
        "metadata": {
            "resourceVersion": "7",
            "annotations": {"metallb.io/ip-allocated-from-pool": "gold"},
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    }


def test_a_release_takes_the_addresses_and_the_pool_under_every_prefix() -> None:
    body = stored(
        [{"ip": "192.0.2.1"}],
        {
            f"{prefix}ip-allocated-from-pool": "gold"
            for prefix in ("bareway.io/", "metallb.io/", "metallb.universe.tf/")
        },
    )
    after = merge(body, release_patch(model(body)))
    assert after["status"] == {"loadBalancer": {}, "conditions": [{"type": "Other"}]}
    assert after["metadata"]["annotations"] == {"other": "kept"}


def test_what_stands_beside_an_address_that_stays_is_kept() -> None:
    ports = [{"port": 80, "protocol": "TCP"}]
    body = stored(
        [{"ip": "192.0.2.1", "ipMode": "Proxy", "ports": ports}, {"ip": "192.0.2.2", "ipMode": "Proxy"}]
    )
    after = merge(body, assign_patch(model(body), ips("2001:db8::1", "192.0.2.1"), GOLD))
    assert after["status"]["loadBalancer"]["ingress"] == [
        {"ip": "2001:db8::1"},
        {"ip": "192.0.2.1", "ipMode": "Proxy", "ports": ports},
    ]


@pytest.mark.parametrize("release_first", [True, False])
def test_doing_it_twice_is_doing_it_once(release_first: bool) -> None:
    body = stored([{"ip": "192.0.2.9"}])
    patch = release_patch(model(body)) if release_first else assign_patch(model(body), ips("192.0.2.1"), GOLD)
    once = merge(body, patch)
    assert merge(once, patch) == once


@given(st.lists(st.ip_addresses(), unique=True, max_size=4))
def test_what_is_written_is_what_is_read_again(addresses: list[Any]) -> None:
    body = stored([])
    after = merge(body, msgspec.json.decode(msgspec.json.encode(assign_patch(model(body), addresses, GOLD))))
    assert model(after).ingress == tuple(addresses)
    assert model(after).key == key("default/web")
