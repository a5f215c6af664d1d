"""The operator's mark on a Service: read, decisive for its group, and each reason why it is not followed."""

from dataclasses import replace

import pytest

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.members import Fields, Member
from bareway.decide.announcement.moves import ANNOUNCE_FROM, MoveRefusal, announce_from, named_for, refusals
from bareway.model.names import NodeName
from support.builders import key, pool, service
from support.spreading import group, member, with_links

ON_ETH1 = (replace(pool(), interfaces=("eth1",)),)


def test_a_service_names_a_node_by_its_annotation_alone() -> None:
    marked = [
        service("one", annotations={ANNOUNCE_FROM: " a "}),
        service("two", annotations={ANNOUNCE_FROM: ""}),
        service("three", annotations={"metallb.io/announce-from": "a"}),
        service("four"),
    ]
    assert announce_from(marked) == {key("one"): "a"}


def test_of_services_that_share_an_address_the_first_by_name_decides() -> None:
    shared = group("192.0.2.1", services=["one", "two"])
    named = {key("two"): NodeName("b"), key("one"): NodeName("a")}
    assert named_for(shared, named) == "a"
    assert named_for(shared, {key("two"): NodeName("b")}) == "b"
    assert named_for(shared, {}) is None


@pytest.mark.parametrize(
    ("wanted", "a", "refusal"),
    [
        pytest.param(group("192.0.2.1", services=["web"]), member("a"), None, id="followed"),
        pytest.param(
            group("192.0.2.1", services=["web"]), member("b"), MoveRefusal.NO_SUCH_MEMBER, id="unknown"
        ),
        pytest.param(
            group("192.0.2.1", services=["web"]), member("a", alive=False), MoveRefusal.NOT_ALIVE, id="dead"
        ),
        pytest.param(
            group("192.0.2.1", services=["web"]),
            member("a", eligible=False),
            MoveRefusal.NOT_ELIGIBLE,
            id="not eligible",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"]),
            member("a", draining=True),
            MoveRefusal.DRAINING,
            id="draining",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"], permitted=["b"]),
            member("a"),
            MoveRefusal.NOT_PERMITTED,
            id="not permitted",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"], permitted=["c"], lesser=[["a"]]),
            member("a"),
            MoveRefusal.SERVES_FEWER,
            id="serves fewer",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"], permitted=["b"], lesser=[["a"]]),
            member("a"),
            None,
            id="serves fewer than nobody who lives",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"], permitted=["a"]),
            member("a", draining=True),
            None,
            id="draining, and the only one",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"], pools=ON_ETH1),
            with_links(member("a"), eth0=["192.0.2.0/24"]),
            MoveRefusal.NO_ALLOWED_LINK,
            id="without a link that the pool allows",
        ),
        pytest.param(
            group("192.0.2.1", services=["web"]),
            with_links(member("a"), eth0=["198.51.100.0/24"]),
            MoveRefusal.OFF_SUBNET,
            id="off the subnet",
        ),
        pytest.param(
            group("192.0.2.1", services=["other", "web"]),
            member("a"),
            MoveRefusal.OTHER_NODE_NAMED,
            id="another Service of the address names another",
        ),
    ],
)
def test_what_is_not_followed_says_why(wanted: Group, a: Member, refusal: MoveRefusal | None) -> None:
    named = {key("web"): NodeName("a"), key("other"): NodeName("c")}
    members = {a.name: a, NodeName("c"): with_links(member("c"), eth1=["192.0.2.0/24"])}
    found = refusals({wanted.key: wanted}, named, members, Fields(members, ()))
    assert found.get(key("web")) is refusal
    assert key("other") not in found
