"""Our own Pods: absent, ending again and again, not ready, and what the programs say that keeps them."""

from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.depending import Depending, depending, effect, is_linux, says_it_works
from bareway.decide.answers.checks.gossip import KEY_IS_MISSING, TURNED_AWAY
from bareway.decide.answers.checks.rights import LACKS_RIGHT, NEEDS_CAPABILITY, quoted
from bareway.decide.answers.checks.view import NODES, OUR_PODS, DoctorView, some
from bareway.model.answers import Finding, Gravity
from bareway.model.cluster import PodState

CRASHES: Final = frozenset(
    {"CrashLoopBackOff", "Error", "OOMKilled", "RunContainerError", "CreateContainerError"}
)
CONTROLLER, SPEAKER = "controller", "speaker"
NO_CONFIGURATION_YET: Final = "there is no configuration yet"
"""Words of a speaker's ``not_ready`` that other checks tell better."""
TOLD_ELSEWHERE: Final = (KEY_IS_MISSING, TURNED_AWAY, NO_CONFIGURATION_YET)


def check(view: DoctorView) -> Iterator[Finding]:
    """Nothing before installation."""
    if not view.is_installed:
        return
    yield from _controllers(view)
    alone = depending(view)
    yield from _speakers(view, alone)
    for pod in sorted(view.cluster.pods, key=lambda one: one.name):
        yield from _pod(view, pod, alone)
    yield from _disconnected(view)


def _controllers(view: DoctorView) -> Iterator[Finding]:
    pods = view.cluster.pods
    if view.knows(OUR_PODS) and pods and not any(pod.component == CONTROLLER for pod in pods):
        yield Finding(
            word=Ailment.NO_CONTROLLER,
            gravity=Gravity.BROKEN,
            subject="controller",
            evidence="There is no Pod of the controller.",
            consequence="No new Service gets an address; what has one keeps it, and failover goes on.",
            remedy=f"kubectl -n {view.surroundings.namespace} describe deployment bareway-controller says"
            " why;"
            " kubectl apply -k manifests/ makes it anew.",
        )


def _speakers(view: DoctorView, alone: Depending) -> Iterator[Finding]:
    if not (view.knows(OUR_PODS) and view.knows(NODES) and view.cluster.pods):
        return
    there = {pod.node for pod in view.cluster.pods if pod.component == SPEAKER}
    without = sorted(node.name for node in view.cluster.nodes if node.name not in there and is_linux(node))
    if without:
        everywhere = len(without) == len(view.cluster.nodes)
        gravity, consequence = effect("These nodes announce nothing and take nothing over.", alone, without)
        yield Finding(
            word=Ailment.SPEAKER_MISSING,
            gravity=Gravity.BROKEN if everywhere else gravity,
            subject=f"node {without[0]}" if len(without) == 1 else "nodes",
            evidence=f"No Pod of the speaker is on {some([*without])}.",
            consequence=consequence,
            remedy=f"kubectl -n {view.surroundings.namespace} describe daemonset bareway-speaker says why:"
            " a node selector, a missing toleration, no room.",
        )


def _pod(view: DoctorView, pod: PodState, alone: Depending) -> Iterator[Finding]:
    words = view.surroundings.last_words.get(pod.name, "")
    if pod.ready or any(known in words for known in (LACKS_RIGHT, NEEDS_CAPABILITY)):
        return
    where = f" on {pod.node}" if pod.node else ""
    is_crashing = pod.reason in CRASHES
    said = f" It last said: {quoted(words)}" if words.strip() else ""
    sentences = _not_ready(view, pod)
    if sentences and all(any(known in one for known in TOLD_ELSEWHERE) for one in sentences):
        return
    reason = pod.reason or "; ".join(sentences) or "no reason is given"
    gravity, consequence = Gravity.AT_RISK, "It cannot lead or take over."
    if pod.component == SPEAKER and says_it_works(view, pod.node):
        consequence = "It announces all the same, by its own word; a rollout waits for it."
    elif pod.component == SPEAKER:
        gravity, consequence = effect("Its node announces nothing.", alone, {pod.node})
    yield Finding(
        word=Ailment.POD_CRASHING if is_crashing else Ailment.POD_NOT_READY,
        gravity=gravity,
        subject=f"Pod {pod.name}",
        evidence=f"The {pod.component}{where} is not ready: {reason}; {pod.restarts} restarts.{said}",
        consequence=consequence,
        remedy=f"kubectl -n {view.surroundings.namespace} describe pod {pod.name}; its log:"
        f" kubectl -n {view.surroundings.namespace} logs {pod.name} --previous",
    )


def _not_ready(view: DoctorView, pod: PodState) -> tuple[str, ...]:
    """What the program in it says, if it is a speaker that answered."""
    if pod.component != SPEAKER or pod.node is None or pod.node not in view.cluster.speakers:
        return ()
    return view.cluster.speakers[pod.node].not_ready


def _disconnected(view: DoctorView) -> Iterator[Finding]:
    cut = sorted(f"speaker on {name}" for name, one in view.cluster.speakers.items() if not one.api_connected)
    cut += sorted(f"controller {one.identity}" for one in view.cluster.controllers if not one.api_connected)
    for subject in cut:
        yield Finding(
            word=Ailment.API_UNREACHABLE,
            gravity=Gravity.AT_RISK,
            subject=subject,
            evidence="It says that the API server does not answer it.",
            consequence="It works on what it knew last: failover goes on, changes of Services are not seen.",
            remedy="See whether the node reaches the API server (the Service kubernetes in namespace"
            " default),"
            f" and the program's log: kubectl -n {view.surroundings.namespace} logs -l app=bareway --tail=50",
        )
