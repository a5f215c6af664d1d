"""bareway.resources.services: what the API sends becomes a Service, or Problems with their paths."""

from typing import Any

import msgspec
import pytest

from bareway.model.problems import Problem
from bareway.model.services import Condition, FamilyPolicy, Port, Service, TrafficPolicy
from bareway.resources.kinds import SERVICES
from support.builders import ips, key

METADATA = {
    "name": "web",
    "namespace": "shop",
    "uid": "u1",
    "resourceVersion": "42",
    "creationTimestamp": "2026-01-02T03:04:05Z",
}


def content(spec: object = None, status: object = None, **metadata: object) -> Service | tuple[Problem, ...]:
    body = {"metadata": {**METADATA, **metadata}, "spec": spec, "status": status, "later": {"version": 2}}
    return SERVICES.read(msgspec.json.encode(body)).content


def read(spec: object = None, status: object = None, **metadata: object) -> Service:
    found = content(spec, status, **metadata)
    assert isinstance(found, Service), found
    return found


def test_every_field_that_we_use_is_read() -> None:
    spec = {
        "type": "LoadBalancer",
        "loadBalancerClass": "example.com/lb",
        "loadBalancerIP": "192.0.2.7",
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1", "fd00::1"],
        "externalTrafficPolicy": "Local",
        "ports": [
            {"name": "web", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30080},
            {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": 53},
        ],
        "selector": {"tier": "front", "app": "web"},
        "ipFamilyPolicy": "PreferDualStack",
    }
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7", "ipMode": "VIP"}, {"ip": "2001:DB8:0::7"}]}}
    annotations = {"metallb.io/address-pool": "gold", "kubectl.kubernetes.io/last-applied-configuration": "x"}
    labels = {"team": "shop"}
    assert read(spec, status, annotations=annotations, labels=labels, generation=3) == Service(
        key=key("shop/web"),
        uid="u1",
        resource_version="42",
        created_at="2026-01-02T03:04:05Z",
        is_load_balancer=True,
        load_balancer_class="example.com/lb",
        requested_address="192.0.2.7",
        cluster_addresses=ips("10.96.0.1", "fd00::1"),
        family_policy=FamilyPolicy.PREFER_DUAL_STACK,
        selector=(("app", "web"), ("tier", "front")),
        labels={"team": "shop"},
        traffic_policy=TrafficPolicy.LOCAL,
        ports=(Port(name="web", number=80), Port(name="dns", protocol="UDP", number=53)),
        annotations={"metallb.io/address-pool": "gold"},
        ingress=ips("192.0.2.7", "2001:db8::7"),
        generation=3,
    )


def test_of_a_service_of_another_type_no_labels_and_no_selector_are_kept() -> None:
    found = read({"type": "ClusterIP", "selector": {"app": "web"}}, labels={"team": "shop"})
    assert (dict(found.labels), found.selector) == ({}, ())


OURS = {
    "type": "bareway.io/AddressAssigned",
    "status": "False",
    "reason": "NoFreeAddress",
    "message": "no available IPs",
    "lastTransitionTime": "2026-01-02T03:04:05Z",
    "observedGeneration": 7,
}


def test_our_condition_is_read_and_those_of_others_are_kept_word_for_word() -> None:
    others = [{"type": "example.com/Ready", "status": "True", "later": {"a": [1, None]}}, {"type": 5}, "odd"]
    found = read(status={"conditions": [others[0], OURS, *others[1:]]})
    assert found.condition == Condition(
        is_true=False,
        reason="NoFreeAddress",
        message="no available IPs",
        since="2026-01-02T03:04:05Z",
        generation=7,
    )
    assert [msgspec.json.decode(text) for text in found.other_conditions] == others


def test_a_condition_with_fields_of_the_wrong_type_is_read_as_far_as_it_goes() -> None:
    odd = {**OURS, "status": True, "reason": 1, "message": None, "observedGeneration": "7"}
    del odd["lastTransitionTime"]
    assert read(status={"conditions": [odd]}).condition == Condition(is_true=False, reason="", message="")


def test_equal_words_of_many_conditions_are_one_object_in_memory() -> None:
    one, other = (read(status={"conditions": [dict(OURS)]}).condition for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.message is other.message
    assert one.reason is other.reason


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        pytest.param(None, None, id="nothing at all"),
        pytest.param({}, {}, id="empty"),
        pytest.param(
            {
                "type": None,
                "clusterIPs": None,
                "ports": None,
                "externalTrafficPolicy": None,
                "loadBalancerIP": None,
            },
            {"loadBalancer": None},
            id="nulls",
        ),
        pytest.param({"externalTrafficPolicy": ""}, {"loadBalancer": {"ingress": None}}, id="null ingress"),
        pytest.param({"clusterIPs": ["None"]}, {"loadBalancer": {"ingress": []}}, id="headless"),
        pytest.param({"clusterIP": ""}, {"conditions": []}, id="not yet defaulted"),
    ],
)
def test_what_is_missing_or_null_is_nothing(spec: object, status: object) -> None:
    found = read(spec, status)
    assert found == Service(
        key=key("shop/web"),
        uid="u1",
        resource_version="42",
        created_at="2026-01-02T03:04:05Z",
        is_load_balancer=False,
    )


def test_one_cluster_address_of_an_old_server_is_read() -> None:
    assert read({"clusterIP": "10.96.0.1"}).cluster_addresses == ips("10.96.0.1")


def test_a_port_without_a_protocol_is_tcp() -> None:
    assert read({"ports": [{"port": 80, "protocol": None, "name": None}]}).ports == (Port(number=80),)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [("LoadBalancer", True), ("ClusterIP", False), ("NodePort", False), ("ExternalName", False), ("", False)],
)
def test_only_the_type_load_balancer_is_one(type_: str, expected: bool) -> None:
    assert read({"type": type_}).is_load_balancer is expected


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [
        ("bareway.io/", True),
        ("metallb.io/", True),
        ("metallb.universe.tf/", True),
        ("example.com/", False),
        ("", False),
        ("not-metallb.io/", False),
    ],
)
def test_only_annotations_with_our_prefixes_are_kept(prefix: str, kept: bool) -> None:
    found = read(annotations={f"{prefix}address-pool": "gold"}).annotations
    assert found == ({f"{prefix}address-pool": "gold"} if kept else {})


@pytest.mark.parametrize(
    ("spec", "status", "paths"),
    [
        pytest.param({"clusterIPs": ["10.96.0.999"]}, None, ["spec.clusterIPs[0]"], id="cluster address"),
        pytest.param(
            {"externalTrafficPolicy": "Sometimes"}, None, ["spec.externalTrafficPolicy"], id="policy"
        ),
        pytest.param({"ipFamilyPolicy": "Both"}, None, ["spec.ipFamilyPolicy"], id="family policy"),
        pytest.param(
            None,
            {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"ip": "nonsense"}]}},
            ["status.loadBalancer.ingress[1].ip"],
            id="address in the status",
        ),
        pytest.param({"ports": [{"port": "http"}]}, None, ["spec.ports[0].port"], id="a port that is a word"),
        pytest.param({"type": 7}, None, ["spec.type"], id="a type that is a number"),
        pytest.param(
            {"clusterIPs": ["x"], "externalTrafficPolicy": "y"},
            {"loadBalancer": {"ingress": [{"ip": "z"}]}},
            ["spec.clusterIPs[0]", "spec.externalTrafficPolicy", "status.loadBalancer.ingress[0].ip"],
            id="all at once",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_path(spec: object, status: object, paths: list[str]) -> None:
    problems = content(spec, status)
    assert isinstance(problems, tuple)
    assert sorted(problem.path for problem in problems) == sorted(paths)


def test_a_problem_quotes_what_is_written() -> None:
    problems = content({"clusterIPs": ["10.96.0.999"]})
    assert isinstance(problems, tuple)
    assert problems[0].message == '"10.96.0.999" is not an IP address'


def test_entries_of_the_status_that_name_a_host_are_no_addresses() -> None:
    assert read(status={"loadBalancer": {"ingress": [{"hostname": "a.example"}]}}).ingress == ()


@pytest.mark.parametrize(
    ("entry", "extras"),
    [
        pytest.param({}, None, id="an address alone"),
        pytest.param({"ipMode": "VIP"}, None, id="what the server fills in"),
        pytest.param({"ports": None}, None, id="null ports"),
        pytest.param({"ports": []}, None, id="no ports"),
        pytest.param({"ipMode": "Proxy"}, {"ipMode": "Proxy"}, id="ipMode"),
        pytest.param(
            {"ports": [{"port": 80, "protocol": "TCP", "error": "x"}]},
            {"ports": [{"port": 80, "protocol": "TCP", "error": "x"}]},
            id="ports, whole",
        ),
    ],
)
def test_what_others_wrote_beside_an_address_is_kept(entry: dict[str, Any], extras: object) -> None:
    found = read(status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1", **entry}]}})
    kept = {address: msgspec.json.decode(text) for address, text in found.ingress_extras.items()}
    assert kept == ({ips("192.0.2.1")[0]: extras} if extras else {})


def test_equal_ports_and_names_of_many_services_are_one_object_in_memory() -> None:
    one, other = (read({"ports": [{"name": "web", "port": 80}]}) for _ in range(2))
    assert one.ports[0] is other.ports[0]
    assert one.key.namespace is other.key.namespace
    assert one.annotations is other.annotations
    assert one.ingress_extras is other.ingress_extras
