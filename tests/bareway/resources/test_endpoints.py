"""bareway.resources.endpoints: who can serve, by the rule that MetalLB has."""

from typing import Any

import msgspec
import pytest

from bareway.model.endpoints import Endpoint, EndpointSlice
from bareway.model.names import NodeName
from bareway.model.problems import Problem
from bareway.resources.kinds import ENDPOINT_SLICES
from support.builders import ips, key

LABELS = {"kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "x"}


def content(labels: object = LABELS, **fields: Any) -> EndpointSlice | tuple[Problem, ...]:
    body = {
        "metadata": {"name": "web-x1", "namespace": "shop", "labels": labels},
        "addressType": "IPv4",
        **fields,
    }
    return ENDPOINT_SLICES.read(msgspec.json.encode(body)).content


def read(labels: object = LABELS, **fields: Any) -> EndpointSlice:
    found = content(labels, **fields)
    assert isinstance(found, EndpointSlice), found
    return found


def test_a_slice_is_read_whole() -> None:
    found = read(
        endpoints=[
            {
                "addresses": ["10.1.0.5"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": "a",
                "zone": "one",
                "targetRef": {"kind": "Pod"},
            }
        ],
        ports=[{"name": "http", "protocol": "TCP", "port": 8080, "appProtocol": None}],
    )
    assert found == EndpointSlice(
        key=key("shop/web-x1"),
        service=key("shop/web"),
        endpoints=(Endpoint(addresses=ips("10.1.0.5"), node=NodeName("a"), can_serve=True),),
        ports=(("http", "TCP", 8080),),
    )


@pytest.mark.parametrize(
    ("conditions", "can_serve"),
    [
        pytest.param({"ready": True}, True, id="ready"),
        pytest.param({}, True, id="nothing said"),
        pytest.param(None, True, id="null"),
        pytest.param({"ready": None}, True, id="ready is null"),
        pytest.param({"ready": None, "serving": False}, True, id="ready is null, not serving"),
        pytest.param({"ready": False}, False, id="not ready"),
        pytest.param({"ready": False, "serving": None}, False, id="not ready, serving null"),
        pytest.param({"ready": False, "serving": False}, False, id="neither"),
        pytest.param(
            {"ready": False, "serving": True, "terminating": True}, True, id="terminates but serves"
        ),
    ],
)
def test_who_can_serve(conditions: object, can_serve: bool) -> None:
    [endpoint] = read(endpoints=[{"addresses": ["10.1.0.5"], "conditions": conditions}]).endpoints
    assert endpoint.can_serve is can_serve


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="missing"),
        pytest.param({"endpoints": None, "ports": None}, id="null"),
        pytest.param({"endpoints": [], "ports": [], "unknown": 1}, id="empty"),
        pytest.param({"ports": [{"name": "all", "port": None}]}, id="a port that stands for all"),
        pytest.param(
            {"addressType": "FQDN", "endpoints": [{"addresses": ["a.example"]}]},
            id="names instead of addresses",
        ),
    ],
)
def test_what_is_missing_or_null_is_nothing(fields: dict[str, Any]) -> None:
    found = read(**fields)
    assert (found.endpoints, found.ports) == ((), ())


@pytest.mark.parametrize(
    "labels", [None, {}, {"kubernetes.io/service-name": ""}], ids=["null", "none", "empty"]
)
def test_a_slice_without_the_label_belongs_to_no_service(labels: object) -> None:
    assert read(labels).service is None


def test_an_endpoint_without_node_or_addresses_is_kept() -> None:
    [endpoint] = read(endpoints=[{"addresses": None, "nodeName": None}]).endpoints
    assert endpoint == Endpoint(addresses=(), node=None, can_serve=True)


def test_an_address_that_is_none_is_a_problem_with_its_place() -> None:
    found = content(endpoints=[{"addresses": ["10.1.0.5"]}, {"addresses": ["10.1.0.6", "x"]}])
    assert isinstance(found, tuple)
    assert [problem.path for problem in found] == ["endpoints[1].addresses[1]"]
