"""Pods as the API sends them: where a speaker runs."""

from ipaddress import ip_address

import msgspec
import pytest

from bareway.model.names import NodeName, ObjectKey
from bareway.model.pods import Pod
from bareway.model.problems import Problem
from bareway.resources.kinds import PODS

METADATA = {"namespace": "bareway-system", "name": "bareway-speaker-x", "resourceVersion": "7"}
KEY = ObjectKey("bareway-system", "bareway-speaker-x")


def read(pod: dict[str, object]) -> Pod | tuple[Problem, ...]:
    return PODS.read(msgspec.json.encode({"metadata": METADATA, **pod})).content


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param({}, Pod(key=KEY), id="not placed yet"),
        pytest.param(
            {
                "spec": {"nodeName": "n1", "containers": []},
                "status": {"hostIP": "192.0.2.1", "phase": "Running"},
            },
            Pod(key=KEY, node=NodeName("n1"), host_addresses=(ip_address("192.0.2.1"),)),
            id="one address",
        ),
        pytest.param(
            {
                "spec": {"nodeName": "n1"},
                "status": {"hostIP": "192.0.2.1", "hostIPs": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]},
            },
            Pod(
                key=KEY,
                node=NodeName("n1"),
                host_addresses=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
            ),
            id="both families",
        ),
        pytest.param(
            {"spec": {"nodeName": "n1"}, "status": {"phase": "Failed", "reason": "Evicted"}},
            Pod(key=KEY, node=NodeName("n1"), is_gone=True),
            id="evicted",
        ),
    ],
)
def test_a_pod_is_read(pod: dict[str, object], expected: Pod) -> None:
    assert read(pod) == expected


@pytest.mark.parametrize(
    ("status", "path"),
    [
        pytest.param({"hostIP": "here"}, "status.hostIP", id="the one"),
        pytest.param(
            {"hostIPs": [{"ip": "192.0.2.1"}, {"ip": "x"}]}, "status.hostIPs[1].ip", id="one of them"
        ),
    ],
)
def test_an_address_that_is_none_is_named(status: dict[str, object], path: str) -> None:
    problems = read({"status": status})
    assert isinstance(problems, tuple)
    assert [problem.path for problem in problems] == [path]
