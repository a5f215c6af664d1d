"""A workload tells its labels, and how the programs in it are called."""

import msgspec
import pytest

from bareway.model.names import ObjectKey
from bareway.model.surroundings import Workload
from bareway.resources.kinds import Kind
from bareway.resources.workloads import ANY_PODS, DAEMON_SETS, DEPLOYMENTS

CONTAINERS = [
    {
        "name": "a",
        "command": ["/speaker"],
        "args": ["--port=7472"],
        "env": [{"name": "svc_enable", "value": "true"}, {"name": "secret", "valueFrom": {}}],
    },
    {"name": "b", "args": ["--verbose"]},
]
METADATA = {"name": "speaker", "namespace": "metallb-system", "labels": {"app": "metallb"}}
KEY = ObjectKey("metallb-system", "speaker")


@pytest.mark.parametrize("kind", [DAEMON_SETS, DEPLOYMENTS], ids=lambda kind: str(kind.name))
def test_all_containers_of_the_template_count(kind: Kind[Workload]) -> None:
    body = {"metadata": METADATA, "spec": {"template": {"spec": {"containers": CONTAINERS}}}}
    assert kind.read(msgspec.json.encode(body)).content == Workload(
        kind=kind.name,
        key=KEY,
        labels={"app": "metallb"},
        arguments=("/speaker", "--port=7472", "--verbose"),
        environment={"svc_enable": "true"},
    )


def test_a_pod_has_its_containers_without_a_template() -> None:
    found = ANY_PODS.read(msgspec.json.encode({"metadata": METADATA, "spec": {"containers": CONTAINERS}}))
    assert isinstance(found.content, Workload)
    assert found.content.arguments[0] == "/speaker"


def test_a_deployment_of_nothing_is_idle() -> None:
    found = DEPLOYMENTS.read(msgspec.json.encode({"metadata": METADATA, "spec": {"replicas": 0}}))
    assert isinstance(found.content, Workload)
    assert found.content.is_idle


def test_they_are_listed_where_the_api_has_them() -> None:
    assert DAEMON_SETS.path() == "/apis/apps/v1/daemonsets"
    assert DEPLOYMENTS.path() == "/apis/apps/v1/deployments"
    assert ANY_PODS.path("kube-system") == "/api/v1/namespaces/kube-system/pods"
