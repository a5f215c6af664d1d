"""Nodes with the label ``node.kubernetes.io/exclude-from-external-load-balancers``, or without a network.

kubeadm gives this label to control planes on purpose: there it is a finding only where it leaves too few.
"""

from collections.abc import Iterator
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity
from bareway.model.nodes import EXCLUDE_LABEL, Node

CONTROL_PLANE_LABELS: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
FEW: Final = 1
"""Nodes left with which there is nobody to take over."""


def check(view: DoctorView) -> Iterator[Finding]:
    """By the Nodes alone."""
    nodes = view.cluster.nodes
    labelled = [node for node in nodes if EXCLUDE_LABEL in node.labels]
    left = [node for node in nodes if EXCLUDE_LABEL not in node.labels]
    if labelled and not left:
        yield _all(labelled)
    elif labelled and len(left) == FEW:
        yield _few(labelled, left[0])
    elif left:
        announcing = {
            one.announced_by for speaker in view.cluster.speakers.values() for one in speaker.addresses
        }
        # One that announces all the same was told to by --ignore-exclude-lb.
        yield from (
            _one(node) for node in labelled if not _is_control_plane(node) and node.name not in announcing
        )
    for node in nodes:
        if node.network_unavailable:
            yield _no_network(node)


def _is_control_plane(node: Node) -> bool:
    return any(label in node.labels for label in CONTROL_PLANE_LABELS)


def _all(labelled: list[Node]) -> Finding:
    return Finding(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        gravity=Gravity.AT_RISK,
        subject="all nodes",
        evidence=f"Every Node has the label {EXCLUDE_LABEL}: {some([node.name for node in labelled])}.",
        consequence="The label is ignored, since nobody else could announce; the first Node without it would"
        " get every address.",
        remedy=f"kubectl label nodes --all {EXCLUDE_LABEL}-",
    )


def _few(labelled: list[Node], left: Node) -> Finding:
    return Finding(
        word=Ailment.FEW_NODES_LEFT,
        gravity=Gravity.AT_RISK,
        subject=f"node {left.name}",
        evidence=f"It is the only Node without the label {EXCLUDE_LABEL};"
        f" {some([node.name for node in labelled])} may announce nothing.",
        consequence="When it fails, no address is answered for.",
        remedy=f"Take the label from one more Node: kubectl label node {labelled[0].name} {EXCLUDE_LABEL}-",
    )


def _one(node: Node) -> Finding:
    return Finding(
        word=Refusal.NODE_LABELED_EXCLUDE_BALANCERS,
        gravity=Gravity.ODD,
        subject=f"node {node.name}",
        evidence=f"It has the label {EXCLUDE_LABEL} and is no control plane.",
        consequence="It announces nothing; a Service of policy Local that only it serves has no announcer.",
        remedy=f"If that is not meant: kubectl label node {node.name} {EXCLUDE_LABEL}-",
    )


def _no_network(node: Node) -> Finding:
    return Finding(
        word=Refusal.NODE_NETWORK_UNAVAILABLE,
        gravity=Gravity.AT_RISK,
        subject=f"node {node.name}",
        evidence="Its condition NetworkUnavailable is True.",
        consequence="It announces nothing; what it announced is with other nodes.",
        remedy="See why the cluster's network is not set up there:"
        f" kubectl describe node {node.name}, and the network plug-in's Pod on it.",
    )
