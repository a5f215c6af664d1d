"""bareway.resources.pods: what a Pod of ours tells of its program."""

from typing import Any

import msgspec
import pytest

from bareway.model.cluster import PodState
from bareway.model.names import NodeName
from bareway.resources.kinds import PODS
from support.pods import pod_body


def read(body: dict[str, Any]) -> PodState:
    content = PODS.read(msgspec.json.encode(body)).content
    assert isinstance(content, PodState)
    return content


def test_a_pod_that_is_well_tells_all() -> None:
    body = pod_body("controller-1", "controller", "node2", arguments=["--port=7480"], restarts=3)
    assert read(body) == PodState(
        name="controller-1",
        component="controller",
        node=NodeName("node2"),
        ready=True,
        restarts=3,
        version="0.1.0",
        running=True,
        arguments=("--port=7480",),
    )


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        pytest.param("waiting", "CrashLoopBackOff", "CrashLoopBackOff", id="ends again and again"),
        pytest.param("waiting", "ImagePullBackOff", "ImagePullBackOff", id="no image"),
        pytest.param("terminated", "OOMKilled", "OOMKilled", id="ended"),
        pytest.param("waiting", "", "ContainersNotReady", id="no reason of its own"),
    ],
)
def test_why_it_does_not_run_is_the_closest_word(state: str, reason: str, told: str) -> None:
    found = read(pod_body("a", ready=False, state=state, reason=reason))
    assert (found.ready, found.running, found.reason) == (False, False, told)


def test_a_program_that_runs_and_is_not_ready_says_itself_why() -> None:
    found = read(pod_body("a", ready=False))
    assert (found.ready, found.running, found.reason) == (False, True, "")


def test_a_pod_that_has_no_node_yet_or_was_evicted_is_read() -> None:
    body = pod_body("a", ready=False, state="waiting")
    del body["spec"]["nodeName"], body["status"]["containerStatuses"]
    body["status"] |= {"phase": "Failed", "reason": "Evicted"}
    found = read(body)
    assert (found.node, found.running, found.reason) == (None, False, "Evicted")


def test_hardly_anything_is_enough() -> None:
    assert read({"metadata": {"name": "a"}}) == PodState(
        name="a", component="", node=None, ready=False, reason="Unknown"
    )


def test_the_container_of_the_program_is_meant_not_the_one_beside_it() -> None:
    body = pod_body("a")
    beside = {"name": "proxy", "image": "proxy:9"}
    body["spec"]["containers"].insert(0, beside)
    body["status"]["containerStatuses"].insert(0, {"name": "proxy", "restartCount": 99})
    found = read(body)
    assert (found.version, found.restarts, found.running) == ("0.1.0", 0, True)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        pytest.param("bareway:0.1.0", "0.1.0", id="plain"),
        pytest.param("registry.example:5000/a/bareway:1.2", "1.2", id="a registry with a port"),
        pytest.param("registry.example:5000/bareway", "", id="no tag"),
        pytest.param("bareway:0.1.0@sha256:00ff", "0.1.0", id="tag and digest"),
        pytest.param("bareway@sha256:00ff", "", id="digest alone"),
    ],
)
def test_the_version_is_the_images_tag(image: str, version: str) -> None:
    assert read(pod_body("a", image=image)).version == version
