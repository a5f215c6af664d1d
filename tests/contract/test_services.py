"""Services: what the server fills in, what belongs to the status, and what it never allows."""

from collections.abc import Mapping
from typing import Any

import pytest

from apiserver.client import Answer
from cluster.servers import Server

LOAD_BALANCER = {"type": "LoadBalancer", "ports": [{"port": 80}]}
ADDRESS = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}


async def _make(server: Server, name: str = "web", **spec: Any) -> Answer:
    body = {"metadata": {"name": name}, "spec": LOAD_BALANCER | spec}
    return await server.client.create(server.path("services"), body)


def _status(server: Server, name: str = "web") -> str:
    return server.path("services", name) + "/status"


async def test_a_service_of_type_load_balancer_is_completed(server: Server) -> None:
    spec = (await _make(server)).body["spec"]
    port = spec["ports"][0]
    assert 30_000 <= port.pop("nodePort") <= 32_767
    assert port == {"port": 80, "protocol": "TCP", "targetPort": 80}
    assert spec.pop("clusterIPs") == [spec.pop("clusterIP")]
    spec.pop("ports")
    assert spec == {
        "type": "LoadBalancer",
        "allocateLoadBalancerNodePorts": True,
        "externalTrafficPolicy": "Cluster",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
    }


async def test_a_new_service_has_no_address_whatever_the_client_says(server: Server) -> None:
    body = {"metadata": {"name": "web"}, "spec": LOAD_BALANCER, **ADDRESS}
    made = await server.client.create(server.path("services"), body)
    assert made.body["status"] == {"loadBalancer": {}}


async def test_two_services_get_two_cluster_addresses_and_ports(server: Server) -> None:
    first, second = [(await _make(server, name)).body["spec"] for name in ("a", "b")]
    assert first["clusterIP"] != second["clusterIP"]
    assert first["ports"][0]["nodePort"] != second["ports"][0]["nodePort"]


async def test_a_dual_stack_service_gets_an_address_of_each_family(server: Server) -> None:
    spec = (await _make(server, ipFamilyPolicy="PreferDualStack")).body["spec"]
    assert spec["ipFamilies"] == ["IPv4", "IPv6"]
    assert [":" in address for address in spec["clusterIPs"]] == [False, True]


async def test_policy_local_gets_a_port_for_health_checks(server: Server) -> None:
    spec = (await _make(server, externalTrafficPolicy="Local")).body["spec"]
    assert 30_000 <= spec["healthCheckNodePort"] <= 32_767


async def test_node_ports_can_be_declined(server: Server) -> None:
    spec = (await _make(server, allocateLoadBalancerNodePorts=False)).body["spec"]
    assert "nodePort" not in spec["ports"][0]


async def test_an_address_in_the_status_becomes_a_vip(server: Server) -> None:
    await _make(server)
    answer = await server.client.patch(_status(server), ADDRESS)
    assert answer.code == 200
    assert answer.body["status"] == {"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}}


async def test_a_write_to_the_status_changes_metadata_but_not_the_spec(server: Server) -> None:
    made = await _make(server)
    patch = {**ADDRESS, "metadata": {"annotations": {"a": "b"}}, "spec": {"sessionAffinity": "ClientIP"}}
    answer = await server.client.patch(_status(server), patch)
    assert answer.body["metadata"]["annotations"] == {"a": "b"}
    assert answer.body["spec"] == made.body["spec"]


async def test_a_write_to_the_main_endpoint_does_not_change_the_status(server: Server) -> None:
    await _make(server)
    shown = await server.client.patch(_status(server), ADDRESS)
    for write in (server.client.patch, server.client.update):
        body = shown.body if write == server.client.update else {}
        changed = {**body, "metadata": {**body.get("metadata", {}), "labels": {"a": write.__name__}}}
        changed["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.99"}]}}
        changed["metadata"].pop("resourceVersion", None)
        answer = await write(server.path("services", "web"), changed)
        assert answer.body["metadata"]["labels"] == {"a": write.__name__}
        assert answer.body["status"] == shown.body["status"]


async def test_a_status_written_with_an_older_version_is_a_conflict(server: Server) -> None:
    made = await _make(server)
    await server.client.patch(server.path("services", "web"), {"metadata": {"labels": {"a": "b"}}})
    stale = {"metadata": {"resourceVersion": made.version}, **ADDRESS}
    answer = await server.client.patch(_status(server), stale)
    assert (answer.code, answer.reason) == (409, "Conflict")
    fresh = await server.client.get(server.path("services", "web"))
    answer = await server.client.patch(
        _status(server), {"metadata": {"resourceVersion": fresh.version}, **ADDRESS}
    )
    assert answer.code == 200


async def test_the_status_of_a_service_that_is_gone_is_not_found(server: Server) -> None:
    answer = await server.client.patch(_status(server), ADDRESS)
    assert (answer.code, answer.message) == (404, 'services "web" not found')


@pytest.mark.parametrize(
    ("ingress", "words"),
    [
        pytest.param({"ip": "192.0.2.256"}, "ingress[0].ip: Invalid value", id="no address"),
        pytest.param({"ip": "192.0.2.1", "ipMode": "Odd"}, 'supported values: "Proxy", "VIP"', id="mode"),
    ],
)
async def test_a_status_that_breaks_a_rule_is_refused(
    server: Server, ingress: Mapping[str, str], words: str
) -> None:
    await _make(server)
    answer = await server.client.patch(_status(server), {"status": {"loadBalancer": {"ingress": [ingress]}}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert words in answer.message


async def test_only_a_load_balancer_may_have_an_address(server: Server) -> None:
    await _make(server, type="ClusterIP")
    answer = await server.client.patch(_status(server), ADDRESS)
    assert answer.code == 422
    assert "may only be used when `spec.type` is 'LoadBalancer'" in answer.message


async def test_a_service_that_is_no_load_balancer_any_more_loses_what_came_with_it(server: Server) -> None:
    made = await _make(server, externalTrafficPolicy="Local", loadBalancerClass="example.com/lb")
    await server.client.patch(_status(server), ADDRESS)
    answer = await server.client.patch(server.path("services", "web"), {"spec": {"type": "ClusterIP"}})
    assert answer.body["status"] == {"loadBalancer": {}}
    spec = answer.body["spec"]
    assert spec["clusterIP"] == made.body["spec"]["clusterIP"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    gone = {
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "loadBalancerClass",
        "allocateLoadBalancerNodePorts",
    }
    assert gone.isdisjoint(spec)


async def test_an_update_that_leaves_out_what_was_allocated_keeps_it(server: Server) -> None:
    made = (await _make(server)).body
    body = {"metadata": {"name": "web"}, "spec": LOAD_BALANCER}
    answer = await server.client.update(server.path("services", "web"), body)
    assert answer.body["spec"] == made["spec"]


async def test_a_port_given_back_can_be_asked_for(server: Server) -> None:
    first = (await _make(server, "a")).body["spec"]
    await server.client.delete(server.path("services", "a"))
    ports = [{"port": 80, "nodePort": first["ports"][0]["nodePort"]}]
    assert (await _make(server, "b", ports=ports, clusterIP=first["clusterIP"])).code == 201


async def test_what_another_service_holds_is_refused(server: Server) -> None:
    first = (await _make(server, "a")).body["spec"]
    address = await _make(server, "b", clusterIP=first["clusterIP"])
    assert address.code == 422
    assert "provided IP is already allocated" in address.message
    port = await _make(server, "b", ports=[{"port": 80, "nodePort": first["ports"][0]["nodePort"]}])
    assert port.code == 422
    assert "provided port is already allocated" in port.message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"ports": []}, "spec.ports: Required value", id="no port"),
        pytest.param({"ports": [{"port": 0}]}, "must be between 1 and 65535", id="port 0"),
        pytest.param(
            {"ports": [{"port": 1}, {"port": 2}]}, "spec.ports[0].name: Required value", id="unnamed"
        ),
        pytest.param(
            {"ports": [{"name": "a", "port": 1}, {"name": "b", "port": 1}]},
            "Duplicate value",
            id="port twice",
        ),
        pytest.param(
            {"ports": [{"port": 1, "nodePort": 80}]},
            "The range of valid ports is 30000-32767",
            id="node port",
        ),
        pytest.param({"clusterIP": "None"}, "may not be set to 'None' for LoadBalancer", id="headless"),
        pytest.param({"clusterIP": "odd"}, "must be a valid IP address", id="no cluster address"),
        pytest.param(
            {"clusterIP": "192.0.2.1"},
            "the provided network does not match the current range",
            id="foreign cluster address",
        ),
        pytest.param(
            {"externalTrafficPolicy": "Odd"}, 'supported values: "Cluster", "Local"', id="unknown policy"
        ),
        pytest.param(
            {"type": "ClusterIP", "externalTrafficPolicy": "Local"},
            "may only be set for externally-accessible services",
            id="policy without load balancer",
        ),
        pytest.param({"type": "Odd"}, 'spec.type: Unsupported value: "Odd"', id="type"),
        pytest.param(
            {"type": "ClusterIP", "loadBalancerClass": "a.b/c"},
            "may only be used when `type` is 'LoadBalancer'",
            id="class without load balancer",
        ),
    ],
)
async def test_a_spec_that_breaks_a_rule_is_refused(server: Server, spec: dict[str, Any], words: str) -> None:
    answer = await _make(server, **spec)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert words in answer.message
    assert answer.body["details"]["kind"] == "Service"
    assert answer.body["details"]["causes"]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        pytest.param({"loadBalancerClass": "a.b/c"}, "spec.loadBalancerClass", id="class"),
        pytest.param(
            {"clusterIP": "10.96.200.1", "clusterIPs": ["10.96.200.1"]}, "spec.clusterIPs[0]", id="address"
        ),
    ],
)
async def test_some_fields_are_set_once(server: Server, patch: Mapping[str, Any], words: str) -> None:
    await _make(server)
    answer = await server.client.patch(server.path("services", "web"), {"spec": patch})
    assert answer.code == 422
    assert words in answer.message
    assert "may not change once set" in answer.message


async def test_a_put_to_the_status_of_a_service_that_is_gone_makes_it_anew(server: Server) -> None:
    """A trap: who writes the status must patch it, or a deleted Service comes back."""
    made = await _make(server)
    await server.client.delete(server.path("services", "web"))
    body = {"metadata": {"name": "web"}, "spec": made.body["spec"]}
    assert (await server.client.update(_status(server), body)).code == 201


async def test_a_deletion_shows_the_service(server: Server) -> None:
    await _make(server)
    answer = await server.client.delete(server.path("services", "web"))
    assert (answer.code, answer.body["kind"], answer.body["metadata"]["name"]) == (200, "Service", "web")
