"""bareway.resources.nodes: labels, addresses and the one condition that counts."""

import msgspec
import pytest

from bareway.model.nodes import Node
from bareway.model.problems import Problem
from bareway.resources.kinds import NODES
from support.builders import ips


def content(status: object = None, **metadata: object) -> Node | tuple[Problem, ...]:
    body = {"metadata": {"name": "a", **metadata}, "spec": {"podCIDR": "10.1.0.0/24"}, "status": status}
    return NODES.read(msgspec.json.encode(body)).content


def test_labels_and_internal_addresses_are_read_and_the_others_not() -> None:
    status = {
        "addresses": [
            {"type": "InternalIP", "address": "192.0.2.1"},
            {"type": "Hostname", "address": "a"},
            {"type": "ExternalIP", "address": "198.51.100.1"},
            {"type": "InternalIP", "address": "2001:db8::1"},
        ],
        "images": [{"names": ["x"] * 3}],
    }
    assert content(status, labels={"zone": "one"}) == Node(
        name=Node(name="a").name,  # type: ignore[arg-type]  # a NodeName is text
        labels={"zone": "one"},
        addresses=ips("192.0.2.1", "2001:db8::1"),
    )


@pytest.mark.parametrize(
    "status",
    [None, {}, {"addresses": None, "conditions": None}, {"conditions": []}],
    ids=["missing", "empty", "nulls", "no conditions"],
)
def test_what_is_missing_or_null_is_nothing(status: object) -> None:
    found = content(status)
    assert isinstance(found, Node)
    assert (found.labels, found.addresses, found.network_unavailable) == ({}, (), False)


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("NetworkUnavailable", "True", True),
        ("NetworkUnavailable", "False", False),
        ("NetworkUnavailable", "Unknown", False),
        ("Ready", "True", False),
    ],
)
def test_only_network_unavailable_being_true_counts(kind: str, status: str, expected: bool) -> None:
    found = content({"conditions": [{"type": kind, "status": status, "lastHeartbeatTime": None}]})
    assert isinstance(found, Node)
    assert found.network_unavailable is expected


def test_a_heartbeat_changes_nothing() -> None:
    one = content(
        {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "1"}]}, resourceVersion="1"
    )
    other = content(
        {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2"}]}, resourceVersion="2"
    )
    assert one == other


def test_an_address_that_is_none_is_a_problem_with_its_place() -> None:
    found = content(
        {"addresses": [{"type": "Hostname", "address": "a"}, {"type": "InternalIP", "address": "b"}]}
    )
    assert isinstance(found, tuple)
    assert [problem.path for problem in found] == ["status.addresses[1].address"]
