"""Services of policy Local that only nodes without a speaker serve: what ails the speaker is the cause."""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias

from bareway.decide.announcement.serving import serving_nodes
from bareway.decide.answers.checks.announced import GONE, announced_addresses
from bareway.decide.answers.checks.view import NODES, OUR_PODS, SLICES, DoctorView, some
from bareway.model.answers import Gravity
from bareway.model.names import NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.services import TrafficPolicy, is_ours

LINUX: Final = "linux"
OS_LABEL: Final = "kubernetes.io/os"
Depending: TypeAlias = Mapping[ServiceKey, frozenset[NodeName | None]]
"""Each with all nodes that have endpoints of it; no speaker runs on any of them."""


def depending(view: DoctorView) -> Depending:
    """Those that have an address which nobody is known to announce; none where too little is known."""
    if not all(map(view.knows, (OUR_PODS, NODES, SLICES))):
        return {}
    announced = announced_addresses(view)
    local = {
        one.key
        for one in view.cluster.services.values()
        if one.traffic_policy is TrafficPolicy.LOCAL
        and one.ingress
        and announced.isdisjoint(one.ingress)
        and is_ours(one, view.cluster.load_balancer_class)
    }
    mute = _without_a_speaker(view)
    if not local or not mute:
        return {}
    serving = serving_nodes(one for one in view.cluster.slices if one.service in local)
    return {key: nodes for key, nodes in sorted(serving.items()) if nodes and nodes <= mute}


def _without_a_speaker(view: DoctorView) -> frozenset[NodeName]:
    """None of their Pods is ready, or others hold them dead and they did not answer.

    A speaker's own word counts more: a Pod is also unready where its probe alone fails. Of who was not asked
    no silence is held against it.
    """
    heard, unasked = view.cluster.speakers, frozenset(view.cluster.unasked)
    speakers = [pod for pod in view.cluster.pods if pod.component == "speaker"]
    ready = {pod.node for pod in speakers if pod.ready or (pod.running and pod.node in unasked)}
    dead = {
        member.name
        for speaker in heard.values()
        for member in speaker.members
        if member.state in GONE and member.name not in heard
    }
    there = ready - (dead - unasked) | {name for name in heard if says_it_works(view, name)}
    return frozenset(node.name for node in view.cluster.nodes if node.name not in there and is_linux(node))


def is_linux(node: Node) -> bool:
    """Whether a speaker can run there at all; that none runs elsewhere ails nobody."""
    return node.labels.get(OS_LABEL, LINUX) == LINUX


def says_it_works(view: DoctorView, name: NodeName | None) -> bool:
    """Whether the speaker of this node answered, and lacks nothing by its own word."""
    speaker = view.cluster.speakers.get(name) if name is not None else None
    return speaker is not None and not speaker.not_ready


def effect(consequence: str, every: Depending, on: Collection[NodeName | None]) -> tuple[Gravity, str]:
    """How grave it is that no speaker runs on these nodes, and what follows, for those Services too."""
    stranded = [str(key) for key, nodes in every.items() if not nodes.isdisjoint(on)]
    if not stranded:
        return Gravity.AT_RISK, consequence
    told = f"Of policy Local and served there alone, {some(stranded)} is not reached."
    return Gravity.BROKEN, f"{consequence} {told}"
