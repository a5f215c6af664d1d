"""Cluster addresses and node ports: none twice, and all of them before an end."""

import pytest

from apiserver import allocations as module
from apiserver.allocations import Allocations, RangeIsFull
from apiserver.services import set_defaults
from apiserver.store import JsonObject


def _service(**spec: object) -> JsonObject:
    service: JsonObject = {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}}
    set_defaults(service)
    return service


def _made(allocations: Allocations, **spec: object) -> JsonObject:
    service = _service(**spec)
    allocations.complete(service)
    allocations.record(None, service)
    return service


def test_every_node_port_is_given_once_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NODE_PORTS", range(30_000, 30_010))
    allocations = Allocations()
    given = [_made(allocations)["spec"]["ports"][0]["nodePort"] for _ in range(10)]
    assert sorted(given) == list(range(30_000, 30_010))
    with pytest.raises(RangeIsFull):
        _made(allocations)


def test_a_port_given_back_is_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NODE_PORTS", range(30_000, 30_002))
    allocations = Allocations()
    first, _ = _made(allocations), _made(allocations)
    allocations.record(first, None)
    assert _made(allocations)["spec"]["ports"] == first["spec"]["ports"]


def test_an_address_given_back_is_not_the_next_one() -> None:
    allocations = Allocations()
    first = _made(allocations)
    allocations.record(first, None)
    assert _made(allocations)["spec"]["clusterIP"] != first["spec"]["clusterIP"]


def test_a_service_that_asks_for_what_it_holds_is_not_refused() -> None:
    allocations = Allocations()
    first = _made(allocations)
    assert list(allocations.mistakes(first, first)) == []
    assert [cause.path for cause in allocations.mistakes(first, None)] == [
        "spec.clusterIPs",
        "spec.ports[0].nodePort",
    ]


def test_a_headless_service_gets_no_address() -> None:
    spec = _made(Allocations(), type="ClusterIP", clusterIP="None")["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])
