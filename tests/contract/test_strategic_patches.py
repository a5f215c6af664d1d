"""Strategic merge patches, as ``kubectl apply`` writes them: lists merge by key, in the order wished."""

from typing import Any

import pytest

from apiserver.client import STRATEGIC, Answer
from cluster.servers import Server

BEFORE = {
    "metadata": {"name": "web", "labels": {"a": "1", "b": "2"}, "finalizers": ["test/one", "test/two"]},
    "spec": {
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
    },
}


async def _patched(server: Server, patch: dict[str, Any]) -> Answer:
    assert (await server.client.create(server.path("services"), BEFORE)).code == 201
    path = server.path("services", "web")
    answer = await server.client.patch(path, patch, STRATEGIC)
    await server.client.patch(path, {"metadata": {"finalizers": None}})
    return answer


@pytest.mark.parametrize(
    ("patch", "ports"),
    [
        pytest.param(
            {"ports": [{"port": 80, "name": "web"}]}, ["web 80", "https 443"], id="changed by its key"
        ),
        pytest.param({"ports": [{"port": 81, "name": "c"}]}, ["c 81", "http 80", "https 443"], id="added"),
        pytest.param({"ports": [{"port": 80, "$patch": "delete"}]}, ["https 443"], id="removed"),
        pytest.param(
            {"ports": [{"$patch": "replace"}, {"port": 81, "name": "c"}]}, ["c 81"], id="all replaced"
        ),
        pytest.param(
            {
                "$setElementOrder/ports": [{"port": 443}, {"port": 81}, {"port": 80}],
                "ports": [{"port": 81, "name": "c"}],
            },
            ["https 443", "c 81", "http 80"],
            id="in the order wished",
        ),
        pytest.param(
            {"$setElementOrder/ports": [{"port": 443}, {"port": 80}]},
            ["https 443", "http 80"],
            id="only ordered",
        ),
    ],
)
async def test_ports_merge_by_number(server: Server, patch: dict[str, Any], ports: list[str]) -> None:
    answer = await _patched(server, {"spec": patch})
    assert [f"{port['name']} {port['port']}" for port in answer.body["spec"]["ports"]] == ports


@pytest.mark.parametrize(
    ("patch", "finalizers"),
    [
        pytest.param({"finalizers": ["test/three"]}, {"test/one", "test/two", "test/three"}, id="added"),
        pytest.param({"$deleteFromPrimitiveList/finalizers": ["test/one"]}, {"test/two"}, id="removed"),
    ],
)
async def test_finalizers_merge_by_value(server: Server, patch: dict[str, Any], finalizers: set[str]) -> None:
    answer = await _patched(server, {"metadata": patch})
    assert set(answer.body["metadata"]["finalizers"]) == finalizers


@pytest.mark.parametrize(
    ("patch", "labels"),
    [
        pytest.param({"labels": {"a": "9", "c": "3"}}, {"a": "9", "b": "2", "c": "3"}, id="merged"),
        pytest.param({"labels": {"a": None}}, {"b": "2"}, id="one removed"),
        pytest.param({"labels": {"$retainKeys": ["a"], "a": "9"}}, {"a": "9"}, id="others dropped"),
        pytest.param({"labels": None}, {}, id="all removed"),
    ],
)
async def test_labels_merge_by_key(server: Server, patch: dict[str, Any], labels: dict[str, str]) -> None:
    answer = await _patched(server, {"metadata": patch})
    assert answer.body["metadata"].get("labels", {}) == labels


async def test_the_addresses_of_a_load_balancer_are_replaced_as_a_whole(server: Server) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    await server.client.create(server.path("services"), body)
    for address in ("192.0.2.1", "192.0.2.2"):
        patch = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        answer = await server.client.patch(server.path("services", "web") + "/status", patch, STRATEGIC)
        assert [entry["ip"] for entry in answer.body["status"]["loadBalancer"]["ingress"]] == [address]


async def test_an_item_without_its_key_is_refused(server: Server) -> None:
    answer = await _patched(server, {"spec": {"ports": [{"name": "web"}]}})
    assert answer.code == 500
    assert "does not contain declared merge key: port" in answer.message
