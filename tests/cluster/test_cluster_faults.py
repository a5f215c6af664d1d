"""What an operator may do wrong to an installation, and what he is then told."""

import json
import time
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from bareway.decide.answers.checks.ailments import Ailment
from cluster.conftest import Tell
from cluster.installation import (
    MANIFESTS,
    METRICS_PORT,
    SETTLED_WITHIN_S,
    SPEAKERS,
    SYSTEM,
    Installation,
    Pod,
)
from cluster.newcomer import Newcomer
from cluster.node import Node
from lab.clinic.cluster import Found, Page
from lab.commands import CommandFailed
from lab.machine import Machine
from lab.manifests import service
from lab.process import Process
from lab.site import Watchers
from lab.stations import start_module
from lab.trial import steady_owner
from lab.waiting import wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200), pytest.mark.usefixtures("reported")]

INCAPABLE = "incapable"
NEWCOMER = "newcomer"


@pytest.fixture
def incapable(bareway: Installation, address: str) -> Iterator[str]:
    """A speaker's Pod with every capability dropped, beside the others."""
    told = bareway.kubectl("-n", SYSTEM, "get", SPEAKERS, "-o", "json")
    spec = json.loads(told)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    del container["securityContext"]["capabilities"]["add"]
    del container["ports"]  # which the others have
    spec["restartPolicy"] = "Never"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": INCAPABLE, "namespace": SYSTEM},
        "spec": spec,
    }
    bareway.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    yield INCAPABLE
    bareway.kubectl("-n", SYSTEM, "delete", "pod", INCAPABLE, "--now")


def test_a_speaker_without_its_capability_ends_with_2_and_kubectl_describe_says_why(
    bareway: Installation, incapable: str
) -> None:
    bareway.kubectl(
        *("-n", SYSTEM, "wait", "--for=jsonpath={.status.phase}=Failed", "--timeout=20s", f"pod/{incapable}")
    )
    told = bareway.kubectl("-n", SYSTEM, "describe", "pod", incapable)
    assert "Exit Code:    2" in told
    assert "NET_RAW" in told.partition("Message:")[2].partition("Exit Code:")[0]


@pytest.fixture
def unwritable(bareway: Installation, watchers: Watchers) -> Iterator[None]:
    """The controller may write no status of a Service any more."""
    told = bareway.kubectl("get", "clusterrole", "bareway-controller", "-o", "json")
    rules = json.loads(told)["rules"]
    less = [rule for rule in rules if rule["resources"] != ["services/status"]]
    assert len(less) == len(rules) - 1
    _set_rules(bareway, less)
    yield
    bareway.kubectl("delete", "service", NEWCOMER, "--ignore-not-found")
    kept = json.loads(bareway.kubectl("get", "clusterrole", "bareway-controller", "-o", "json"))["rules"]
    if kept != rules:  # the test failed half way
        _set_rules(bareway, rules)
        for controller in bareway.pods("component=controller"):
            bareway.replace(controller)


def _set_rules(bareway: Installation, rules: list[dict[str, object]]) -> None:
    patch = json.dumps([{"op": "replace", "path": "/rules", "value": rules}])
    bareway.kubectl("patch", "clusterrole", "bareway-controller", "--type=json", "-p", patch)


def logs_of(bareway: Installation, pods: Iterable[Pod]) -> list[dict[str, object]] | None:
    """Of all of them; None while a kubelet has no container for one, as after its node was off."""
    try:
        return [line for pod in pods for line in bareway.logs(f"pod/{pod.name}")]
    except CommandFailed:
        return None


def test_a_right_that_is_taken_away_is_told_once_the_rest_goes_on_and_the_next_start_and_doctor_say_it(
    bareway: Installation, watchers: Watchers, unwritable: None, tell: Tell
) -> None:
    bareway.kubectl("apply", "-f", "-", stdin=service(NEWCOMER))
    events = ("get", "events", "--field-selector=reason=WriteForbidden", "-o", "jsonpath={.items[*].message}")
    sentence = wait_for(
        lambda: bareway.kubectl(*events), what="an Event about it", within_s=SETTLED_WITHIN_S, poll_s=0.3
    )
    assert 'cannot patch resource "services/status"' in sentence
    controllers = bareway.pods("component=controller")
    logs = wait_for(
        lambda: logs_of(bareway, controllers), what="the logs", within_s=SETTLED_WITHIN_S, poll_s=0.3
    )
    failed = [str(line["objects"]) for line in logs if line["msg"] == "writes failed, trying again"]
    about_it = [
        objects for objects in failed if NEWCOMER in objects
    ]  # other writes failed while the API was away
    assert about_it == [str([f"Service default/{NEWCOMER}"])]
    steady_owner(watchers)
    for controller in controllers:
        bareway.replace(controller)

    def last_words() -> str:
        told = bareway.kubectl("-n", SYSTEM, "describe", "pod", "-l", "component=controller")
        return told if "Exit Code:    2" in told else ""

    told = wait_for(last_words, what="the new controller to end", within_s=SETTLED_WITHIN_S, poll_s=0.3)
    assert "lacks the right to patch services/status in all namespaces" in told
    (found, *_) = findings(bareway)
    assert (found.word, found.subject) == (Ailment.RIGHT_MISSING, "ServiceAccount bareway-controller")
    assert "patch services/status" in found.evidence
    assert "kubectl apply -k manifests/" in found.remedy
    bareway.kubectl("apply", "-k", str(MANIFESTS))
    for controller in bareway.pods("component=controller"):
        bareway.replace(controller)  # rather than wait for the kubelet's growing pauses
    assert bareway.await_address(NEWCOMER)
    bareway.kubectl("delete", "service", NEWCOMER)  # which has no endpoint
    wait_for(lambda: not findings(bareway), what="no finding", within_s=SETTLED_WITHIN_S, poll_s=0.3)
    steady_owner(watchers)
    tell(sentence)


def findings(bareway: Installation) -> tuple[Found, ...]:
    """What `bareway doctor` finds, asked from outside."""
    page = Newcomer(bareway.ring).types("bareway doctor -o json").output
    return msgspec.json.decode(page, type=Page).findings


@pytest.fixture
def squatter(bareway: Installation, watchers: Watchers) -> Iterator[tuple[Node, Process]]:
    """Another program that holds the port of metrics on a node that does not announce."""
    owner = steady_owner(watchers)
    node = next(each for each in bareway.ring.nodes if each.name != owner.name)
    process = squat(node.machine.host)
    bareway.replace(bareway.pod_on(node))
    process.wait_for_output("holding")
    yield node, process
    process.kill()


def squat(machine: Machine) -> Process:
    return start_module(machine, "cluster.squatter", machine.address, str(METRICS_PORT))


def test_a_speaker_whose_port_is_taken_works_is_not_restarted_and_is_ready_once_it_has_it(
    bareway: Installation, squatter: tuple[Node, Process]
) -> None:
    node, process = squatter
    names = {each.name for each in bareway.ring.nodes}
    pod = bareway.pod_on(node)

    def acquainted() -> bool:
        return bareway.alive_at(pod.name) == names

    wait_for(acquainted, what="it to be a member", within_s=SETTLED_WITHIN_S, poll_s=0.3)
    said = [line for line in bareway.logs(f"pod/{pod.name}") if line["msg"] == "metrics port busy, trying on"]
    assert [line["port"] for line in said] == [METRICS_PORT]
    assert not bareway.pod_on(node).is_ready
    process.kill()
    bareway.settle()
    restarts = ("get", "pod", pod.name, "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
    assert bareway.kubectl("-n", SYSTEM, *restarts) == "0"


@pytest.fixture
def nowhere(bareway: Installation, address: str) -> Iterator[str]:
    """A Service in front of a Pod that no node takes, which therefore never has an address."""
    name = "nowhere"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": name},
            "containers": [{"name": name, "image": "nginx:1.29"}],
        },
    }
    front = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": 80}]},
    }
    bareway.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, (pod, front))))
    yield name
    bareway.kubectl("delete", f"service/{name}", f"pod/{name}", "--now")


def test_a_service_of_a_pod_without_an_address_waits_unannounced_and_status_says_why(
    bareway: Installation, nowhere: str, tell: Tell
) -> None:
    began = time.monotonic()
    address = bareway.await_address(nowhere)

    def reason() -> str:
        rows = [line.split() for line in bareway.status().splitlines()]
        return next((row[-1] for row in rows if row[:2] == [address, f"default/{nowhere}"]), "")

    wait_for(lambda: reason() == "noEndpoints", what="the reason", within_s=SETTLED_WITHIN_S, poll_s=0.3)
    tell(f"told after {time.monotonic() - began:.1f} s")
