"""bareway.resources.status: the patch for a Service's address says all that it must and no more."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.services import Condition, Service
from bareway.resources.kinds import SERVICES
from bareway.resources.status import assign_patch, condition_patch, release_patch
from support.builders import ips, key, service

GOLD = "gold"
OTHER = {"type": "Other", "status": "Unknown"}
SAYS = Condition(is_true=True, reason="Assigned", message="assigned", since="2026-01-02T03:04:05Z")
SAID = {
    "type": "bareway.io/AddressAssigned",
    "status": "True",
    "reason": "Assigned",
    "message": "assigned",
    "lastTransitionTime": "2026-01-02T03:04:05Z",
}


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
        "status": {"loadBalancer": {"ingress": ingress}, "conditions": [OTHER]},
    }


def model(body: dict[str, Any]) -> Service:
    found = SERVICES.read(msgspec.json.encode(body)).content
    assert isinstance(found, Service)
    return found


def test_an_address_and_its_pool_are_one_patch_with_the_version_read() -> None:
    patch = assign_patch(service("web", resource_version="7"), ips("192.0.2.1"), GOLD, SAYS)
    assert patch == {
        "metadata": {
            "resourceVersion": "7",
            "annotations": {"metallb.io/ip-allocated-from-pool": "gold"},
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}, "conditions": [SAID]},
    }


def test_a_release_takes_the_addresses_and_the_pool_under_every_prefix() -> None:
    body = stored(
        [{"ip": "192.0.2.1"}],
        {
            f"{prefix}ip-allocated-from-pool": "gold"
            for prefix in ("bareway.io/", "metallb.io/", "metallb.universe.tf/")
        },
    )
    after = merge(body, release_patch(model(body), None))
    assert after["status"] == {"loadBalancer": {}, "conditions": [OTHER]}
    assert after["metadata"]["annotations"] == {"other": "kept"}


def test_what_stands_beside_an_address_that_stays_is_kept() -> None:
    ports = [{"port": 80, "protocol": "TCP"}]
    body = stored(
        [{"ip": "192.0.2.1", "ipMode": "Proxy", "ports": ports}, {"ip": "192.0.2.2", "ipMode": "Proxy"}]
    )
    after = merge(body, assign_patch(model(body), ips("2001:db8::1", "192.0.2.1"), GOLD, SAYS))
    assert after["status"]["loadBalancer"]["ingress"] == [
        {"ip": "2001:db8::1"},
        {"ip": "192.0.2.1", "ipMode": "Proxy", "ports": ports},
    ]


@pytest.mark.parametrize("release_first", [True, False])
def test_doing_it_twice_is_doing_it_once(release_first: bool) -> None:
    body = stored([{"ip": "192.0.2.9"}])
    one = model(body)
    patch = release_patch(one, SAYS) if release_first else assign_patch(one, ips("192.0.2.1"), GOLD, SAYS)
    once = merge(body, patch)
    assert merge(once, patch) == once


@given(st.lists(st.ip_addresses(), unique=True, max_size=4))
def test_what_is_written_is_what_is_read_again(addresses: list[Any]) -> None:
    body = stored([])
    patch = msgspec.json.decode(msgspec.json.encode(assign_patch(model(body), addresses, GOLD, SAYS)))
    after = merge(body, patch)
    assert model(after).ingress == tuple(addresses)
    assert model(after).condition == SAYS
    assert model(after).key == key("default/web")


@pytest.mark.parametrize("generation", [0, 3])
def test_our_condition_stands_beside_those_of_others_and_goes_alone(generation: int) -> None:
    body = stored([{"ip": "192.0.2.1"}])
    says = replace(SAYS, is_true=False, generation=generation)
    told = {**SAID, "status": "False"} | ({"observedGeneration": 3} if generation else {})
    after = merge(body, condition_patch(model(body), says))
    assert after["status"] == {
        "loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]},
        "conditions": [OTHER, told],
    }
    assert merge(after, condition_patch(model(after), None)) == body


def test_the_last_condition_goes_with_the_list() -> None:
    body = stored([])
    body["status"]["conditions"] = [SAID]
    assert "conditions" not in merge(body, condition_patch(model(body), None))["status"]


def test_a_condition_that_says_the_same_is_not_written_with_the_address() -> None:
    body = stored([])
    body["status"]["conditions"] = [OTHER, SAID]
    assert assign_patch(model(body), ips("192.0.2.1"), GOLD, SAYS)["status"] == {
        "loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}
    }
