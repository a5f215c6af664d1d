"""Tables: what ``kubectl get`` shows, cell by cell."""

from typing import Any

import pytest

from apiserver.client import AS_TABLE
from cluster.servers import Server

GROUPS = {"endpointslices": "discovery.k8s.io", "leases": "coordination.k8s.io"}
AGE = object()
"""Stands for a cell that depends on the moment."""

SERVICE = {
    "type": "LoadBalancer",
    "clusterIP": "10.96.99.99",
    "externalIPs": ["198.51.100.7"],
    "selector": {"b": "2", "a": "1"},
    "ports": [{"port": 80, "nodePort": 32_099}],
}
ADDRESSES = [{"ip": "192.0.2.10"}, {"ip": "2001:db8::10"}]
OLD = "2020-01-01T00:00:00Z"


async def _table(server: Server, path: str, **query: str) -> dict[str, Any]:
    answer = await server.client.get(path, accept=AS_TABLE, **query)
    assert answer.code == 200
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    table: dict[str, Any] = answer.body
    return table


def _columns(table: dict[str, Any]) -> list[str]:
    """Titles; those that only ``-o wide`` shows have a plus."""
    return [column["name"] + "+" * column["priority"] for column in table["columnDefinitions"]]


def _cells(table: dict[str, Any], ages: set[int]) -> list[Any]:
    cells: list[Any] = table["rows"][0]["cells"]
    return [AGE if index in ages else cell for index, cell in enumerate(cells)]


async def test_a_service_with_addresses(server: Server) -> None:
    await server.client.create(server.path("services"), {"metadata": {"name": "web"}, "spec": SERVICE})
    pending = await _table(server, server.path("services"))
    assert pending["rows"][0]["cells"][3] == "198.51.100.7"
    await server.client.patch(
        server.path("services", "web") + "/status", {"status": {"loadBalancer": {"ingress": ADDRESSES}}}
    )
    table = await _table(server, server.path("services"))
    assert _columns(table) == ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector+"]
    assert _cells(table, {5}) == [
        "web",
        "LoadBalancer",
        "10.96.99.99",
        "192.0.2.10,2001:db8::10,198.51.100.7",
        "80:32099/TCP",
        AGE,
        "a=1,b=2",
    ]


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        pytest.param({"type": "LoadBalancer"}, ["LoadBalancer", "<pending>"], id="waits for an address"),
        pytest.param({"type": "ClusterIP"}, ["ClusterIP", "<none>"], id="internal"),
        pytest.param({"type": "ExternalName", "externalName": "a.b"}, ["ExternalName", "a.b"], id="a name"),
    ],
)
async def test_the_external_address_of_other_services(
    server: Server, spec: dict[str, Any], cells: list[str]
) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], **spec}}
    await server.client.create(server.path("services"), body)
    row = (await _table(server, server.path("services", "web")))["rows"][0]["cells"]
    assert [row[1], row[3]] == cells


async def test_a_row_carries_the_metadata_of_its_object(server: Server) -> None:
    made = await server.client.create(
        server.path("secrets"), {"metadata": {"name": "a"}, "data": {"k": "eA=="}}
    )
    for include, kind in (("", "PartialObjectMetadata"), ("Object", "Secret")):
        query = {"includeObject": include} if include else {}
        carried = (await _table(server, server.path("secrets"), **query))["rows"][0]["object"]
        assert (carried["kind"], carried["metadata"]["uid"]) == (kind, made.body["metadata"]["uid"])
        assert ("data" in carried) is (include == "Object")
    assert (await _table(server, server.path("secrets"), includeObject="None"))["rows"][0]["object"] is None


SLICE = {
    "addressType": "IPv4",
    "endpoints": [{"addresses": [f"10.244.0.{number}"]} for number in range(1, 6)],
    "ports": [{"port": 80}, {"name": "any"}],
}


@pytest.mark.parametrize(
    ("plural", "body", "row"),
    [
        pytest.param(
            "secrets", {"data": {"k": "eA=="}}, {"Name": "a", "Type": "Opaque", "Data": 1}, id="secret"
        ),
        pytest.param("configmaps", {"data": {"k": "v"}}, {"Name": "a", "Data": 1}, id="config map"),
        pytest.param("leases", {"spec": {"holderIdentity": "me"}}, {"Name": "a", "Holder": "me"}, id="lease"),
        pytest.param(
            "endpointslices",
            SLICE,
            {
                "Name": "a",
                "AddressType": "IPv4",
                "Ports": "80,any",
                "Endpoints": "10.244.0.1,10.244.0.2,10.244.0.3 + 2 more...",
            },
            id="endpoint slice",
        ),
    ],
)
async def test_a_row_of_each_kind(
    server: Server, plural: str, body: dict[str, Any], row: dict[str, Any]
) -> None:
    path = server.path(plural, group=GROUPS.get(plural, ""))
    made = await server.client.create(path, {"metadata": {"name": "a"}, **body})
    assert made.code == 201, made
    table = await _table(server, f"{path}/a")
    assert _columns(table) == [*row, "Age"]
    assert table["rows"][0]["cells"][:-1] == list(row.values())


async def test_a_row_of_an_event(server: Server) -> None:
    about = {"kind": "Service", "namespace": server.namespace, "name": "web"}
    body = {
        "metadata": {"name": "a"},
        "involvedObject": about,
        "reason": "Because",
        "message": "so it is ",
        "type": "Warning",
        "source": {"component": "speaker", "host": "n1"},
        "firstTimestamp": OLD,
        "lastTimestamp": OLD,
        "count": 3,
    }
    await server.client.create(server.path("events"), body)
    table = await _table(server, server.path("events"))
    wide = ["Subobject+", "Source+", "Message", "First Seen+", "Count+", "Name+"]
    assert _columns(table) == ["Last Seen", "Type", "Reason", "Object", *wide]
    assert _cells(table, {0, 7}) == [
        AGE,
        "Warning",
        "Because",
        "service/web",
        "",
        "speaker, n1",
        "so it is",
        AGE,
        3,
        "a",
    ]


async def test_a_row_of_a_node(server: Server) -> None:
    name = f"node-{server.namespace}"
    body = {
        "metadata": {
            "name": name,
            "labels": {"node-role.kubernetes.io/edge": "", "kubernetes.io/role": "old"},
        },
        "spec": {"unschedulable": True},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
            "conditions": [{"type": "Ready", "status": "False"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "kernelVersion": "6.1", "architecture": "amd64"},
        },
    }
    try:
        await server.client.create("/api/v1/nodes", body)
        table = await _table(server, f"/api/v1/nodes/{name}")
    finally:
        await server.client.delete(f"/api/v1/nodes/{name}")
    assert _columns(table)[:6] == ["Name", "Status", "Roles", "Age", "Version", "Internal-IP+"]
    assert _cells(table, {3}) == [
        name,
        "NotReady,SchedulingDisabled",
        "edge,old",
        AGE,
        "v1.36.3",
        "192.0.2.1",
        "<none>",
        "<unknown>",
        "6.1 (amd64)",
        "<unknown>",
    ]


async def test_an_age_is_short(server: Server) -> None:
    table = await _table(server, f"/api/v1/namespaces/{server.namespace}")
    assert _columns(table) == ["Name", "Status", "Age"]
    name, status, age = table["rows"][0]["cells"]
    assert (name, status) == (server.namespace, "Active")
    assert age.endswith("s")
