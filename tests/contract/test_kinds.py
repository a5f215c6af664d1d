"""The other kinds that Bareway reads and writes, where they differ from the rest."""

import base64
from typing import Any

import pytest

from apiserver.client import STRATEGIC
from cluster.servers import Server

DISCOVERY = "discovery.k8s.io"
COORDINATION = "coordination.k8s.io"
MOMENT = "2026-01-02T03:04:05Z"
PRECISE_MOMENT = "2026-01-02T03:04:05.000000Z"


async def test_a_secret_written_as_text_is_read_as_base64(server: Server) -> None:
    body = {"metadata": {"name": "a"}, "stringData": {"key": "value"}}
    made = (await server.client.create(server.path("secrets"), body)).body
    assert base64.b64decode(made["data"]["key"]) == b"value"
    assert made["type"] == "Opaque"
    assert "stringData" not in made


async def test_a_secret_that_is_no_base64_is_refused(server: Server) -> None:
    body = {"metadata": {"name": "a"}, "data": {"key": "?"}}
    answer = await server.client.create(server.path("secrets"), body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "illegal base64 data" in answer.message


def _slice(**fields: Any) -> dict[str, Any]:
    endpoints = [{"addresses": ["10.244.0.1"], "nodeName": "n1"}]
    return {"metadata": {"name": "a"}, "addressType": "IPv4", "endpoints": endpoints} | fields


async def test_an_endpoint_slice_without_endpoints_says_null(server: Server) -> None:
    path = server.path("endpointslices", group=DISCOVERY)
    made = await server.client.create(path, {"metadata": {"name": "a"}, "addressType": "IPv4"})
    assert (made.body["endpoints"], made.body["ports"]) == (None, None)


async def test_an_endpoint_slice_is_completed(server: Server) -> None:
    made = await server.client.create(
        server.path("endpointslices", group=DISCOVERY), _slice(ports=[{"port": 80}])
    )
    assert made.body["endpoints"] == [{"addresses": ["10.244.0.1"], "nodeName": "n1", "conditions": {}}]
    assert made.body["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]


async def test_the_generation_of_an_endpoint_slice_counts_changes_but_not_annotations(server: Server) -> None:
    await server.client.create(server.path("endpointslices", group=DISCOVERY), _slice())
    path = server.path("endpointslices", "a", group=DISCOVERY)
    patches: list[dict[str, Any]] = [
        {"metadata": {"annotations": {"a": "b"}}},
        {"metadata": {"labels": {"a": "b"}}},
        {"endpoints": []},
    ]
    generations = [
        (await server.client.patch(path, patch)).body["metadata"]["generation"] for patch in patches
    ]
    assert generations == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(_slice(addressType=""), "addressType: Required value", id="no type"),
        pytest.param(_slice(addressType="Odd"), 'Unsupported value: "Odd"', id="unknown type"),
        pytest.param(
            _slice(endpoints=[{"addresses": []}]), "must contain at least 1 address", id="no address"
        ),
    ],
)
async def test_an_endpoint_slice_that_breaks_a_rule_is_refused(
    server: Server, body: dict[str, Any], words: str
) -> None:
    answer = await server.client.create(server.path("endpointslices", group=DISCOVERY), body)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert words in answer.message


async def test_a_lease_is_overwritten_only_by_who_has_read_it(server: Server) -> None:
    path = server.path("leases", group=COORDINATION)
    made = await server.client.create(path, {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}})
    blind = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "you"}}
    answer = await server.client.update(f"{path}/a", blind)
    assert answer.code == 422
    assert "must be specified for an update" in answer.message
    seen = {"metadata": {"name": "a", "resourceVersion": made.version}, "spec": {"holderIdentity": "you"}}
    assert (await server.client.update(f"{path}/a", seen)).code == 200
    late = await server.client.update(f"{path}/a", seen)
    assert (late.code, late.reason) == (409, "Conflict")


async def test_the_times_of_a_lease_need_microseconds(server: Server) -> None:
    path = server.path("leases", group=COORDINATION)
    spec = {"renewTime": MOMENT}
    answer = await server.client.create(path, {"metadata": {"name": "a"}, "spec": spec})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert f'parsing time "{MOMENT}"' in answer.message
    spec = {"renewTime": PRECISE_MOMENT, "acquireTime": PRECISE_MOMENT}
    answer = await server.client.create(path, {"metadata": {"name": "a"}, "spec": spec})
    assert answer.body["spec"] == spec


async def test_a_lease_without_a_duration_to_live_is_refused(server: Server) -> None:
    body = {"metadata": {"name": "a"}, "spec": {"leaseDurationSeconds": 0}}
    answer = await server.client.create(server.path("leases", group=COORDINATION), body)
    assert answer.code == 422
    assert "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0" in answer.message


def _event(server: Server, **fields: Any) -> dict[str, Any]:
    about = {"kind": "Service", "namespace": server.namespace, "name": "web"}
    return {
        "metadata": {"name": "a"},
        "involvedObject": about,
        "reason": "AddressAssigned",
        "message": "192.0.2.10 from pool default",
        "type": "Normal",
        "source": {"component": "controller"},
        "firstTimestamp": MOMENT,
        "lastTimestamp": MOMENT,
        "count": 1,
    } | fields


async def test_an_event_is_stored_as_written(server: Server) -> None:
    made = await server.client.create(server.path("events"), _event(server))
    assert made.code == 201
    expected = _event(server, eventTime=None, reportingComponent="", reportingInstance="")
    assert {name: made.body[name] for name in expected if name != "metadata"} == {
        name: value for name, value in expected.items() if name != "metadata"
    }


async def test_an_event_can_be_counted_up(server: Server) -> None:
    await server.client.create(server.path("events"), _event(server))
    later = "2026-01-02T03:05:00Z"
    answer = await server.client.patch(server.path("events", "a"), {"count": 2, "lastTimestamp": later})
    assert (answer.body["count"], answer.body["firstTimestamp"], answer.body["lastTimestamp"]) == (
        2,
        MOMENT,
        later,
    )


async def test_events_are_found_by_what_they_are_about(server: Server) -> None:
    await server.client.create(server.path("events"), _event(server))
    for selector, names in (
        ("involvedObject.kind=Service,involvedObject.name=web", ["a"]),
        ("reason=AddressAssigned,type=Normal", ["a"]),
        ("source=controller", ["a"]),
        ("involvedObject.name=other", []),
    ):
        assert (await server.client.get(server.path("events"), fieldSelector=selector)).names == names


async def test_an_event_lives_in_the_namespace_of_what_it_is_about(server: Server) -> None:
    elsewhere = {"kind": "Service", "namespace": "default", "name": "web"}
    answer = await server.client.create(server.path("events"), _event(server, involvedObject=elsewhere))
    assert answer.code == 422
    assert "involvedObject.namespace" in answer.message


async def test_an_event_about_a_node_lives_in_the_default_namespace(server: Server) -> None:
    node = {"kind": "Node", "name": "n1"}
    refused = await server.client.create(server.path("events"), _event(server, involvedObject=node))
    assert refused.code == 422
    body = _event(server, metadata={"generateName": "a-"}, involvedObject=node)
    assert (await server.client.create("/api/v1/namespaces/default/events", body, dryRun="All")).code == 201


async def test_an_event_with_a_precise_time_must_name_its_reporter(server: Server) -> None:
    answer = await server.client.create(server.path("events"), _event(server, eventTime=PRECISE_MOMENT))
    assert answer.code == 422
    for name in ("reportingComponent", "reportingInstance", "action"):
        assert f"{name}: Required value" in answer.message


async def test_a_node_brings_its_status_and_begins_as_not_ready(server: Server) -> None:
    name = f"node-{server.namespace}"
    status = {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}
    try:
        made = await server.client.create("/api/v1/nodes", {"metadata": {"name": name}, "status": status})
        assert made.body["status"]["addresses"] == status["addresses"]
        assert made.body["spec"]["taints"] == [
            {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
        ]
        main = {"spec": {"unschedulable": True, "taints": None}, "status": {"addresses": None}}
        changed = await server.client.patch(f"/api/v1/nodes/{name}", main)
        assert changed.body["spec"] == {"unschedulable": True}
        assert changed.body["status"]["addresses"] == status["addresses"]
    finally:
        await server.client.delete(f"/api/v1/nodes/{name}")


async def test_conditions_of_a_node_merge_by_type(server: Server) -> None:
    name = f"node-{server.namespace}"
    conditions = [{"type": "Ready", "status": "True"}]
    body = {"metadata": {"name": name}, "status": {"conditions": conditions}}
    try:
        await server.client.create("/api/v1/nodes", body)
        patch = {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}}
        answer = await server.client.patch(f"/api/v1/nodes/{name}/status", patch, STRATEGIC)
        states = {entry["type"]: entry["status"] for entry in answer.body["status"]["conditions"]}
        assert states == {"Ready": "True", "NetworkUnavailable": "True"}
    finally:
        await server.client.delete(f"/api/v1/nodes/{name}")


async def test_a_namespace_is_labelled_with_its_name_and_active(server: Server) -> None:
    answer = await server.client.get(f"/api/v1/namespaces/{server.namespace}")
    assert answer.body["metadata"]["labels"] == {"kubernetes.io/metadata.name": server.namespace}
    assert (answer.body["spec"], answer.body["status"]) == (
        {"finalizers": ["kubernetes"]},
        {"phase": "Active"},
    )


async def test_a_namespace_that_goes_takes_its_content_with_it(server: Server) -> None:
    name = f"{server.namespace}-going"
    await server.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    start = await server.client.create(f"/api/v1/namespaces/{name}/configmaps", {"metadata": {"name": "a"}})
    async with server.client.watch(
        f"/api/v1/namespaces/{name}/configmaps",
        fieldSelector="metadata.name=a",
        resourceVersion=start.version,
    ) as events:
        answer = await server.client.delete(f"/api/v1/namespaces/{name}")
        assert answer.body["status"]["phase"] == "Terminating"
        assert (await anext(events))["type"] == "DELETED"


async def test_the_default_namespace_stays(server: Server) -> None:
    answer = await server.client.delete("/api/v1/namespaces/default")
    assert (answer.code, answer.reason) == (403, "Forbidden")
