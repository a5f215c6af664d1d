"""bareway.resources.nodes: labels, addresses and the conditions that count."""

import msgspec
import pytest

from bareway.model.nodes import Node
from bareway.model.problems import Problem
from bareway.resources.kinds import NODES
from support.builders import ips

SHUTDOWN = "node is shutting down"


def content(status: object = None, *, spec: object = None, **metadata: object) -> Node | tuple[Problem, ...]:
    plain = {"podCIDR": "10.1.0.0/24"}
    body = {"metadata": {"name": "a", **metadata}, "spec": spec or plain, "status": status}
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


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({"type": "Ready", "status": "False", "message": SHUTDOWN}, True, id="message"),
        pytest.param(
            {"type": "Ready", "status": "False", "message": f"[container runtime is down, {SHUTDOWN}]"},
            True,
            id="among-others",
        ),
        pytest.param({"type": "Ready", "status": "False", "reason": SHUTDOWN}, True, id="reason"),
        pytest.param({"type": "Ready", "status": "False", "message": "PLEG is not healthy"}, False, id="ill"),
        pytest.param({"type": "Ready", "status": "Unknown", "message": SHUTDOWN}, False, id="silent-since"),
        pytest.param({"type": "Ready", "status": "True", "message": "kubelet is posting"}, False, id="ready"),
        pytest.param(
            {"type": "Other", "status": "False", "message": SHUTDOWN}, False, id="another-condition"
        ),
    ],
)
def test_a_kubelet_that_shuts_its_node_down_says_so_in_the_condition_ready(
    condition: dict[str, str], expected: bool
) -> None:
    found = content({"conditions": [condition]})
    assert isinstance(found, Node)
    assert found.is_shutting_down is found.is_draining is expected


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


@pytest.mark.parametrize(
    ("spec", "annotations", "expected"),
    [
        pytest.param({}, {"bareway.io/drain": "new disk"}, "new disk", id="with a reason"),
        pytest.param({}, {"bareway.io/drain": ""}, "", id="without a reason"),
        pytest.param({}, {"metallb.io/drain": "x", "drain": "y"}, None, id="under another prefix"),
        pytest.param({}, None, None, id="without annotations"),
    ],
)
def test_the_drain_mark_is_read_with_its_reason(
    spec: object, annotations: object, expected: str | None
) -> None:
    found = content(spec=spec, annotations=annotations)
    assert isinstance(found, Node)
    assert found.drain == expected
    assert found.is_draining is (expected is not None)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("node.kubernetes.io/out-of-service", True),
        ("ToBeDeletedByClusterAutoscaler", True),
        ("node.cloudprovider.kubernetes.io/shutdown", True),
        ("node.kubernetes.io/unschedulable", False),
        ("node.kubernetes.io/not-ready", False),
        ("DeletionCandidateOfClusterAutoscaler", False),
    ],
)
def test_three_taints_drain_whatever_their_effect_and_value(key: str, expected: bool) -> None:
    for effect, value in (("NoExecute", "x"), ("PreferNoSchedule", None)):
        mark = {"key": key, "effect": effect, "value": value}
        found = content(spec={"taints": [{"key": "a", "effect": "NoSchedule", "timeAdded": None}, mark]})
        assert isinstance(found, Node)
        assert found.is_draining is expected
        assert found.taints == tuple(sorted(("a", key)))


def test_a_cordon_is_no_drain() -> None:
    found = content(spec={"unschedulable": True})
    assert isinstance(found, Node)
    assert (found.unschedulable, found.is_draining) == (True, False)


def test_a_taint_counts_once_and_their_order_does_not_show() -> None:
    one = content(spec={"taints": [{"key": "b"}, {"key": "a"}, {"key": "b", "effect": "NoExecute"}]})
    assert isinstance(one, Node)
    assert one.taints == ("a", "b")
    assert one == content(spec={"taints": [{"key": "a"}, {"key": "b"}]})


@pytest.mark.parametrize(
    "spec",
    [{"taints": None, "unschedulable": None}, {"taints": []}, {"taints": [{}]}],
    ids=["nulls", "no taints", "a taint without a key"],
)
def test_marks_that_are_missing_or_null_are_none(spec: object) -> None:
    found = content(spec=spec)
    assert isinstance(found, Node)
    assert (found.drain, found.unschedulable, found.is_draining) == (None, False, False)


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"taints": "all"}, "spec.taints"),
        ({"taints": [{"key": 5}]}, "spec.taints[0].key"),
        ({"unschedulable": "yes"}, "spec.unschedulable"),
    ],
)
def test_a_mark_of_the_wrong_type_is_a_problem_with_its_place(spec: object, path: str) -> None:
    found = content(spec=spec)
    assert isinstance(found, tuple)
    assert [problem.path for problem in found] == [path]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param([], True, id="nobody says anything"),
        pytest.param([{"type": "Ready", "status": "True"}], True, id="ready"),
        pytest.param([{"type": "Ready", "status": "False"}], False, id="not ready"),
        pytest.param([{"type": "Ready", "status": "Unknown"}], False, id="not heard of"),
        pytest.param([{"type": "DiskPressure", "status": "False"}], True, id="another condition"),
    ],
)
def test_a_node_is_ready_unless_its_condition_says_otherwise(
    conditions: list[dict[str, str]], expected: bool
) -> None:
    found = content({"conditions": conditions})
    assert isinstance(found, Node)
    assert found.is_ready is expected
