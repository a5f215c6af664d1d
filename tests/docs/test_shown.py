"""Pages are compared with a real cluster by what does not vary there."""

import pytest

from support.first_day import READ
from support.instructions import commands
from support.pages import page
from support.shown import differences

HISTORY = (
    "2026-11-21 02:12:07.123 +01:00   192.0.2.240   node2   node3   HolderDrained   none   Drained: disk"
)


LATER = HISTORY.replace("02:12:07.123 +01:00", "23:59:00.000 +00:00").replace("node2", "node1")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        pytest.param("node2   yes   4s ago", "node1   yes   1m41s ago", id="who, and since when"),
        pytest.param(HISTORY, LATER.replace("node3", "node2"), id="when it moved, to whom"),
        pytest.param("node2, node3, node1, generation 1", "node1, node2, node3, generation 4", id="order"),
        pytest.param("2 serve, on node2 (1), node3 (1)", "2 serve, on node1 (2)", id="where Pods run"),
        pytest.param(
            "bareway-controller-5867bdb4cc-nwlzp   leads\nbareway-controller-5867bdb4cc-w2z4n   stands by",
            "bareway-controller-76d7d9b5f-x2v7q   stands by\nbareway-controller-76d7d9b5f-zz4zz   leads",
            id="names of Pods, and their order",
        ),
        pytest.param("web   10.96.37.73   80:32210/TCP", "web   10.96.1.2   80:30000/TCP", id="a Service"),
        pytest.param("02:00:c0:00:02:0b   3 of 3   2.0", "02:00:c0:00:02:0c   3 of 3   11.4", id="a probe"),
    ],
)
def test_what_varies_makes_no_difference(shown: str, told: str) -> None:
    assert differences(shown, told, on_page="node2", here="node1") == []


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        pytest.param("node2   yes", "node2   yes", id="another announces"),
        pytest.param("192.0.2.240", "192.0.2.241", id="another address"),
        pytest.param("1 of 11", "2 of 11", id="another count"),
        pytest.param("Kubernetes v1.36.3", "Kubernetes v1.36.4", id="another version"),
        pytest.param("HolderDrained", "HolderDied", id="another word"),
        pytest.param("bareway-controller created", "bareway-speaker created", id="another object"),
        pytest.param("a\na", "a", id="a line less"),
        pytest.param("a", "a\nWhat is wrong (1):", id="a line more"),
    ],
)
def test_what_matters_is_told(shown: str, told: str) -> None:
    assert differences(shown, told, on_page="node2", here="node1") != []


@pytest.mark.parametrize(("name", "heading"), READ)
def test_there_is_something_to_type_in_each_part(name: str, heading: str) -> None:
    assert [line for block in page(name).below(heading) for line in commands(block)] != []
