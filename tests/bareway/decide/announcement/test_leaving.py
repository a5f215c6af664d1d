"""Each mark of a drain has its word, and the operator's comes first."""

import pytest

from bareway.decide.announcement.leaving import TAINTS, LeavingReason, leaving_reason
from bareway.model.configuration import OnCordon
from bareway.model.nodes import DRAIN_TAINTS, Node
from support.builders import node

KEEP, MOVE = OnCordon.KEEP, OnCordon.MOVE


def test_every_taint_that_drains_has_a_word() -> None:
    assert TAINTS.keys() == DRAIN_TAINTS


@pytest.mark.parametrize(
    ("me", "on_cordon", "reason"),
    [
        pytest.param(None, MOVE, None, id="a Node that is not known"),
        pytest.param(node("a"), MOVE, None, id="no mark"),
        pytest.param(node("a", drain=""), KEEP, LeavingReason.DRAINED, id="marked without a reason"),
        pytest.param(
            node("a", taints=["node.kubernetes.io/out-of-service"]),
            KEEP,
            LeavingReason.OUT_OF_SERVICE,
            id="out of service",
        ),
        pytest.param(
            node("a", taints=["ToBeDeletedByClusterAutoscaler"]),
            KEEP,
            LeavingReason.TO_BE_DELETED,
            id="autoscaler",
        ),
        pytest.param(
            node("a", taints=["node.cloudprovider.kubernetes.io/shutdown"]),
            KEEP,
            LeavingReason.NODE_SHUTDOWN,
            id="shut down",
        ),
        pytest.param(
            node("a", is_shutting_down=True, taints=["node.kubernetes.io/not-ready"]),
            KEEP,
            LeavingReason.NODE_SHUTDOWN,
            id="the kubelet shuts it down",
        ),
        pytest.param(
            node("a", taints=["node.kubernetes.io/not-ready"]),
            MOVE,
            None,
            id="another taint",
        ),
        pytest.param(node("a", unschedulable=True), KEEP, None, id="a cordon keeps"),
        pytest.param(node("a", unschedulable=True), MOVE, LeavingReason.CORDONED, id="a cordon moves"),
        pytest.param(
            node("a", drain="x", taints=["ToBeDeletedByClusterAutoscaler"], unschedulable=True),
            MOVE,
            LeavingReason.DRAINED,
            id="all of them",
        ),
        pytest.param(
            node("a", taints=["ToBeDeletedByClusterAutoscaler"], unschedulable=True),
            MOVE,
            LeavingReason.TO_BE_DELETED,
            id="a taint says more than the cordon that comes with it",
        ),
    ],
)
def test_why_a_node_hands_over(me: Node | None, on_cordon: OnCordon, reason: LeavingReason | None) -> None:
    assert leaving_reason(me, on_cordon) is reason
    if me is not None and reason not in (None, LeavingReason.CORDONED):
        assert me.is_draining
