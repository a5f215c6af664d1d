"""Rules from Services and EndpointSlices, as kube-proxy would make them."""

from dataclasses import replace
from typing import Any

import pytest

from lab.proxy import Rule, rules, ruleset


def service(
    *, ingress: list[str], port_name: str | None = None, cluster_ip: str = "None", protocol: str = "TCP"
) -> dict[str, Any]:
    port: dict[str, Any] = {"port": 80, "protocol": protocol} | ({"name": port_name} if port_name else {})
    return {
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"clusterIPs": [cluster_ip], "ports": [port]},
        "status": {"loadBalancer": {"ingress": [{"ip": address} for address in ingress]}},
    }


def endpoints(
    *addresses: str, ready: bool | None = None, port_name: str = "", owner: str = "web"
) -> dict[str, Any]:
    conditions = {} if ready is None else {"ready": ready}
    return {
        "metadata": {
            "namespace": "default",
            "name": "web-1",
            "labels": {"kubernetes.io/service-name": owner},
        },
        "endpoints": [{"addresses": [address], "conditions": conditions} for address in addresses],
        "ports": [{"name": port_name, "port": 8080}],
    }


RULE = Rule(address="192.0.2.200", port=80, backends=(("10.244.0.1", 8080),))


@pytest.mark.parametrize(
    ("services", "slices", "expected"),
    [
        pytest.param([service(ingress=["192.0.2.200"])], [endpoints("10.244.0.1")], [RULE], id="one backend"),
        pytest.param([service(ingress=[])], [endpoints("10.244.0.1")], [], id="no address yet"),
        pytest.param([service(ingress=["192.0.2.200"])], [], [], id="no endpoints"),
        pytest.param(
            [service(ingress=["192.0.2.200"])], [endpoints("10.244.0.1", ready=False)], [], id="not ready"
        ),
        pytest.param(
            [service(ingress=["192.0.2.200"])], [endpoints("10.244.0.1", owner="db")], [], id="another's"
        ),
        pytest.param(
            [service(ingress=["2001:db8::1"])], [endpoints("10.244.0.1")], [], id="no endpoint of its family"
        ),
        pytest.param(
            [service(ingress=["192.0.2.200", "2001:db8::1"])],
            [endpoints("10.244.0.1"), endpoints("fd00::1")],
            [RULE, Rule(address="2001:db8::1", port=80, backends=(("fd00::1", 8080),))],
            id="both families",
        ),
        pytest.param(
            [service(ingress=["192.0.2.200"], protocol="UDP")],
            [endpoints("10.244.0.1")],
            [replace(RULE, protocol="UDP")],
            id="UDP",
        ),
        pytest.param(
            [service(ingress=["192.0.2.200"], port_name="http")],
            [endpoints("10.244.0.1", port_name="http"), endpoints("10.244.0.9", port_name="metrics")],
            [RULE],
            id="ports meet by name",
        ),
        pytest.param(
            [service(ingress=[], cluster_ip="10.96.0.7")],
            [endpoints("10.244.0.2"), endpoints("10.244.0.1")],
            [Rule(address="10.96.0.7", port=80, backends=(("10.244.0.1", 8080), ("10.244.0.2", 8080)))],
            id="cluster address, two slices",
        ),
    ],
)
def test_a_service_with_an_address_and_endpoints_makes_a_rule(
    services: list[dict[str, Any]], slices: list[dict[str, Any]], expected: list[Rule]
) -> None:
    found = rules(services, slices)
    assert [rule for rule in found if rule.backends] == expected


def test_policy_local_goes_to_the_endpoints_of_this_node_alone_and_keeps_the_client() -> None:
    local = service(ingress=["192.0.2.200"])
    local["spec"]["externalTrafficPolicy"] = "Local"
    here, there = endpoints("10.244.0.1"), endpoints("10.244.0.2")
    here["endpoints"][0]["nodeName"], there["endpoints"][0]["nodeName"] = "node1", "node2"
    assert [rule.backends for rule in rules([local], [here, there], node="node1") if rule.is_local][:1] == [
        (("10.244.0.1", 8080),)
    ]
    (nowhere, *_) = rules([local], [here, there], node="node3")
    assert nowhere.backends == ()
    assert "tcp dport 80 drop" in ruleset([nowhere])
    assert "ct mark set 0x1 dnat ip to" in ruleset([replace(RULE, is_local=True)])


def test_the_script_replaces_the_whole_table() -> None:
    script = ruleset([RULE])
    assert script.startswith("table inet lab_proxy\ndelete table inet lab_proxy\n")
    assert (
        "ip daddr 192.0.2.200 tcp dport 80 dnat ip to numgen inc mod 1 map { 0 : 10.244.0.1 . 8080 }"
        in script
    )
