"""Whom a node may leave its routes to."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from bareway.decide.routing.stand_ins import is_alone
from bareway.model.configuration import Advertisement, Configuration, Layer2Settings, OnCordon, Peer, Protocol
from bareway.model.names import PoolName
from bareway.model.nodes import EXCLUDE_LABEL, Node
from bareway.model.selectors import Selector
from support.builders import node, pool

LEFT, RIGHT = {"side": "left"}, {"side": "right"}
ONLY_LEFT = (Selector(labels=LEFT),)
ME = node("a", labels=LEFT)
PEER = Peer(name="tor", my_asn=64512, peer_asn=64513, address=IPv4Address("192.0.2.1"))
POOL = pool("public", protocol=Protocol.BGP)
CONFIGURATION = Configuration(pools=(POOL,), peers=(PEER,))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(node("b"), False, id="another node"),
        pytest.param(replace(node("b"), is_ready=False), True, id="dead"),
        pytest.param(node("b", drain=""), True, id="it leaves, too"),
        pytest.param(node("b", taints=["node.kubernetes.io/out-of-service"]), True, id="out of service"),
        pytest.param(node("b", network_unavailable=True), True, id="without a network"),
        pytest.param(node("b", labels={EXCLUDE_LABEL: ""}), True, id="excluded"),
        pytest.param(node("b", unschedulable=True), False, id="cordoned"),
        pytest.param(ME, True, id="nobody"),
    ],
)
def test_who_stands_in(other: Node, expected: bool) -> None:
    assert is_alone(ME, [ME, other], CONFIGURATION) is expected


def test_one_router_under_two_names_is_one_router() -> None:
    """As nodes have that give a source address of their own, each in an entry of its own."""
    mine = replace(PEER, name="tor-from-a", node_selectors=ONLY_LEFT)
    theirs = replace(PEER, name="tor-from-b", node_selectors=(Selector(labels=RIGHT),))
    both = replace(CONFIGURATION, peers=(mine, theirs))
    assert is_alone(ME, [ME, node("b", labels=RIGHT)], both) is False
    elsewhere = replace(theirs, address=IPv4Address("192.0.2.2"))
    assert is_alone(ME, [ME, node("b", labels=RIGHT)], replace(both, peers=(mine, elsewhere))) is True


@pytest.mark.parametrize(
    ("changes", "labels", "expected"),
    [
        pytest.param({"peers": (replace(PEER, node_selectors=ONLY_LEFT),)}, RIGHT, True, id="no session"),
        pytest.param({"peers": (replace(PEER, node_selectors=ONLY_LEFT),)}, LEFT, False, id="a session"),
        pytest.param(
            {"pools": (replace(POOL, node_selectors=ONLY_LEFT),)}, RIGHT, True, id="not of the pool"
        ),
        pytest.param({"pools": (replace(POOL, node_selectors=ONLY_LEFT),)}, LEFT, False, id="of the pool"),
        pytest.param(
            {"pools": (replace(POOL, advertisements=(Advertisement(node_selectors=ONLY_LEFT),)),)},
            RIGHT,
            True,
            id="not advertised there",
        ),
        pytest.param(
            {
                "pools": (
                    replace(POOL, advertisements=(Advertisement(peers=("tor",)),)),
                    replace(POOL, name=PoolName("other")),
                ),
                "peers": (
                    replace(PEER, node_selectors=ONLY_LEFT),
                    replace(
                        PEER,
                        name="far",
                        address=IPv4Address("192.0.2.2"),
                        node_selectors=(Selector(labels=RIGHT),),
                    ),
                ),
            },
            RIGHT,
            True,
            id="other routers",
        ),
        pytest.param({"pools": (pool("link"),)}, LEFT, False, id="nothing to lose"),
    ],
)
def test_only_who_tells_the_same_router_of_the_same_pool(
    changes: dict[str, object], labels: dict[str, str], expected: bool
) -> None:
    configuration = replace(CONFIGURATION, **changes)  # type: ignore[arg-type]  # rows of a table
    other = node("b", labels=labels)
    assert is_alone(ME, [ME, other], configuration) is expected


def test_cordoned_nodes_move_where_that_is_configured() -> None:
    moving = replace(CONFIGURATION, layer2=Layer2Settings(on_cordon=OnCordon.MOVE))
    assert is_alone(ME, [ME, node("b", unschedulable=True)], moving)
    assert not is_alone(ME, [ME, node("b", labels={EXCLUDE_LABEL: ""})], moving, ignore_exclude_label=True)


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        pytest.param("ab", False, id="everybody counts for nobody"),
        pytest.param("b", True, id="all but us"),
        pytest.param("bc", True, id="we are last"),
    ],
)
def test_an_exclude_label_that_every_node_has_excludes_nobody(excluded: str, expected: bool) -> None:
    nodes = [node(name, labels={EXCLUDE_LABEL: ""}) for name in excluded if name != "a"]
    me = node("a", labels={EXCLUDE_LABEL: ""} if "a" in excluded else {})
    assert is_alone(me, [*nodes, me], CONFIGURATION) is expected
