"""When the demo of BGP says that all was as promised, and when it does not."""

from collections import Counter

import pytest

from lab.story_bgp import ON_THE_WAY, ON_THE_WAY_MAX, shortfalls

NODES = ("node1", "node2", "node3")
ALL = Counter(node1=70, node2=65, node3=72)
TWO = Counter(node1=100, node3=104)
NONE: Counter[str] = Counter()


@pytest.mark.parametrize(
    ("with_all", "with_two", "failed", "says"),
    [
        pytest.param(ALL, TWO, NONE, None, id="as promised"),
        pytest.param(ALL, TWO, Counter({ON_THE_WAY: 1}), None, id="one was open on the way"),
        pytest.param(
            ALL,
            TWO,
            Counter({ON_THE_WAY: ON_THE_WAY_MAX + 1}),
            "and broke",
            id="too many were open on the way",
        ),
        pytest.param(ALL, TWO, Counter({"timeout": 1}), "1 of 1000 requests failed", id="a new one failed"),
        pytest.param(
            ALL, ALL, NONE, "node2 was drained and got 65 connections", id="the drained node is used"
        ),
        pytest.param(Counter(node1=200, node2=3, node3=190), TWO, NONE, "node2 got 1%", id="one is left out"),
        pytest.param(ALL + Counter({"It works!": 1}), TWO, NONE, "no backend's page", id="another's page"),
    ],
)
def test_each_broken_promise_is_told(
    with_all: Counter[str], with_two: Counter[str], failed: Counter[str], says: str | None
) -> None:
    found = shortfalls(with_all, with_two, failed, nodes=NODES, leaving="node2", requests=1000)
    assert [says in sentence for sentence in found] == [True] if says else found == []
